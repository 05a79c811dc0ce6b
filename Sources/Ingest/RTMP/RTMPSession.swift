import Containers
package import Stream
package import Wire

/// An encoder or a player that speaks RTMP to us.
///
///     C0 C1 ──▶ C2 ──▶ connect ──▶ createStream ──▶ publish ──▶ media …
///                                       │    └────▶ play ────▶ media the other way
///                                       └ again, on the same connection
///
/// What they send in practice is in `RTMPSession+Commands`; what becomes of it in `+Publish` and
/// `+Play`. Refusals go out as `onStatus` with the cause and the fix in words, since that is what
/// OBS shows to its user.
package final class RTMPSession: ByteSession {
    /// numbers.md: an encoder that sends nothing holds a name.
    static let publisherSilence = Interval.seconds(30)
    /// From `connect` to `publish` or `play`.
    static let idleMaximum = Interval.seconds(15)
    static let playPatience = Interval.seconds(10)
    static let pingTime = Interval.seconds(20)
    /// One connection publishes or plays one stream; a few that come back use a second.
    static let channelMaximum = 8

    private enum Phase { case first, second, open }

    let peer: Address
    private var phase = Phase.first
    private var random: SplitMix64
    private let startedAt: Instant
    private var chunks = ChunkReader()
    var writer = ChunkWriter()
    var channels: [RTMPChannel] = []
    var questions = OpenQuestions()
    /// Which channel a question is about.
    var asked: [QuestionID: UInt32] = [:]
    var app = ""
    var tcURL = ""
    /// The peer reads AMF3 when we echo what it asked for, and AMF0 always.
    var objectEncoding = 0.0
    package internal(set) var isEstablished = false
    /// Nothing is taken from the peer while the gateway thinks about it: media that comes before
    /// the answer must neither be stored nor lost.
    var isParked = false
    private var window = AcknowledgeWindow()
    var pingAt = Instant.distantFuture

    package init(peer: Address, seed: UInt64, at now: Instant) {
        self.peer = peer
        random = SplitMix64(seed: seed)
        startedAt = now
    }

    package var sharesItems: Bool { true }
    package var wantsBytes: Bool { !isParked }

    // MARK: - Bytes

    package func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) -> Int {
        guard !isParked else { return 0 }
        switch phase {
        case .first: return receiveFirst(bytes, at: now, &effects, &out)
        case .second:
            guard bytes.byteCount >= RTMPHandshake.count else { return 0 }
            phase = .open
            return RTMPHandshake.count
        case .open: return receiveChunks(bytes, at: now, &effects, &out)
        }
    }

    private func receiveFirst(
        _ bytes: RawSpan, at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) -> Int {
        do throws(RTMPHandshake.Refusal) { try RTMPHandshake.check(bytes.byte(at: 0)) } catch {
            if error == .http { out.append(Self.wrongDoor) }
            effects.append(.close(.protocolError))
            return bytes.byteCount
        }
        guard bytes.byteCount >= RTMPHandshake.firstCount else { return 0 }
        let first = bytes.extracting(1..<RTMPHandshake.firstCount)
        out.append(RTMPHandshake.answer(first, time: time(now), random: &random))
        phase = .second
        return RTMPHandshake.firstCount
    }

    /// For whoever opens the address in a browser.
    private static let wrongDoor =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
        + "This port speaks RTMP. HTTP-FLV and the page are on the HTTP port (8080).\n"

    private func receiveChunks(
        _ bytes: RawSpan, at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) -> Int {
        // Out of the object for as long as its bytes are lent.
        var chunks = ChunkReader()
        swap(&chunks, &self.chunks)
        defer { swap(&chunks, &self.chunks) }
        var start = 0
        do throws(ParseError) {
            while !isParked, let header = try chunks.next(bytes, from: &start) {
                switch try take(header, chunks.body, at: now, &effects, &out) {
                case .nothing: break
                case .chunkSize(let size): try chunks.setChunkSize(size)
                case .abort(let id): chunks.abort(id)
                }
            }
        } catch {
            effects.append(.close(.protocolError))
            return bytes.byteCount
        }
        window.acknowledge(chunks.received, writer, into: &out)
        return start
    }

    /// What a message means for the chunks that follow it.
    private enum Consequence { case nothing, chunkSize(UInt32), abort(UInt32) }

    private func take(
        _ header: RTMPMessageHeader, _ body: RawSpan, at now: Instant,
        _ effects: inout Effects, _ out: inout Outbox
    ) throws(ParseError) -> Consequence {
        var reader = ByteReader(body)
        switch header.kind {
        case .setChunkSize: return .chunkSize(try reader.read(UInt32.self))
        case .abort: return .abort(try reader.read(UInt32.self))
        case .windowSize: window.set(try reader.read(UInt32.self))
        case .userControl:
            if case .ping(let time) = try? RTMPUserControl(body) {
                writer.userControl(.pong(time), into: &out)
            }
        case .audio: receive(.audio, body, header, at: now, &effects, &out)
        case .video: receive(.video, body, header, at: now, &effects, &out)
        case .aggregate: receiveAggregate(body, header, at: now, &effects, &out)
        case .commandAMF0, .commandAMF3:
            // A command that makes no sense is one that we do not know.
            guard let kind = header.kind, let command = try? RTMPCommand(body, kind) else { break }
            run(command, on: header.stream, at: now, &effects, &out)
        // Metadata is not believed: the media says it better.
        case .dataAMF0, .dataAMF3, .sharedObjectAMF0, .sharedObjectAMF3, .acknowledgement,
            .peerBandwidth, nil:
            break
        }
        return .nothing
    }

    private func receiveAggregate(
        _ body: RawSpan, _ header: RTMPMessageHeader, at now: Instant,
        _ effects: inout Effects, _ out: inout Outbox
    ) {
        var messages = RTMPAggregate(body, stamp: header.stamp)
        while let (inner, range) = try? messages.next() {
            var inner = inner
            inner.stream = header.stream
            let kind: FLVTag.Kind? =
                inner.kind == .audio ? .audio : inner.kind == .video ? .video : nil
            guard let kind else { continue }
            receive(kind, body.extracting(range), inner, at: now, &effects, &out)
        }
    }

    /// Our clock, for handshake and pings.
    func time(_ now: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: (now - startedAt).milliseconds)
    }

    package func receiveEnd(
        at now: Instant, into effects: inout Effects, out: inout Outbox
    ) { effects.append(.close(.done)) }

    // MARK: - Time

    package var deadline: Instant {
        var soonest = min(questions.deadline, pingAt)
        for channel in channels { soonest = min(soonest, deadline(of: channel)) }
        if isEstablished, channels.isEmpty { soonest = min(soonest, quietSince + Self.idleMaximum) }
        return soonest
    }

    /// Since when it has neither published nor played.
    var quietSince = Instant.distantFuture

    package func expire(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        while let id = questions.expire(at: now) {
            let late = Refusal(.timeout, "no answer came in time; try again")
            refuse(late, id, at: now, &effects, &out)
        }
        if now >= pingAt {
            pingAt = now + Self.pingTime
            writer.userControl(.ping(time(now)), into: &out)
        }
        for index in channels.indices { expire(index, at: now, &effects, &out) }
        if isEstablished, channels.isEmpty, now >= quietSince + Self.idleMaximum {
            effects.append(.close(.silent))
        }
    }
}
