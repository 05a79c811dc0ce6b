import Containers
package import Stream
package import Wire

/// Our end towards another server: it fetches a stream from there (pull), or brings one of ours
/// (push).
///
///     C0 C1 ──▶ S0 S1 S2 ──▶ connect ──▶ createStream ──▶ play ────▶ media comes, we publish it
///                                              └────────▶ publish ──▶ we subscribe, media goes
///
/// Answers are known by what was asked last and by their code: some servers number them otherwise
/// than they were asked.
package final class RTMPClient: LinkSession {
    /// For each step, and between media.
    static let patience = Interval.seconds(10)
    /// For the stream here to have media; below the other, so that the gateway says no first.
    static let readyPatience = Interval.seconds(8)
    static let channel: ChannelID = 1

    enum Phase { case handshake, connecting, creating, asking, running }

    let purpose: LinkPurpose
    /// Nil: the URL names no stream.
    let place: RTMPPlace?
    /// Of the stream here.
    let name: String
    let peer: Address
    var phase = Phase.handshake
    private var random: SplitMix64
    private var chunks = ChunkReader()
    var writer = ChunkWriter()
    /// As the server numbered it.
    var stream: UInt32 = 1
    var intake = FLVIntake(channel: RTMPClient.channel)
    var viewer: RTMPChannel.Play?
    var question: QuestionID = 0
    var isPublished = false
    var isParked = false
    private var window = AcknowledgeWindow()
    package internal(set) var isEstablished = false
    package private(set) var ending: LinkEnding?
    var stepDeadline = Instant.distantFuture

    package init(_ seed: LinkSeed) {
        purpose = seed.purpose
        place = try? RTMPPlace(seed.url)
        name = seed.name
        peer = seed.peer
        random = SplitMix64(seed: seed.random)
    }

    package var isRunning: Bool { isPublished || viewer != nil }
    package var sharesItems: Bool { true }
    package var wantsBytes: Bool { !isParked }

    package func start(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        guard place != nil else {
            return end(.failed("the URL names no stream: rtmp://HOST/APP/STREAM"), &effects)
        }
        stepDeadline = now + Self.patience
        out.append(RTMPHandshake.begin(random: &random))
    }

    package func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) -> Int {
        guard !isParked else { return 0 }
        guard phase == .handshake else { return receiveChunks(bytes, at: now, &effects, &out) }
        guard bytes.byte(at: 0) == 3 else {
            end(.failed("what answers there does not speak RTMP"), &effects)
            return bytes.byteCount
        }
        let count = 1 + 2 * RTMPHandshake.count
        guard bytes.byteCount >= count else { return 0 }
        // C2 is S1 again.
        out.append(bytes.extracting(1..<1 + RTMPHandshake.count))
        connect(at: now, &out)
        return count
    }

    private func receiveChunks(
        _ bytes: RawSpan, at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) -> Int {
        // Out of the object for as long as its bytes are lent.
        var chunks = ChunkReader()
        swap(&chunks, &self.chunks)
        defer { swap(&chunks, &self.chunks) }
        var start = 0
        do throws(ParseError) {
            while !isParked, ending == nil, let header = try chunks.next(bytes, from: &start) {
                var number = ByteReader(chunks.body)
                switch header.kind {
                case .setChunkSize: try chunks.setChunkSize(try number.read(UInt32.self))
                case .abort: chunks.abort(try number.read(UInt32.self))
                case .windowSize: window.set(try number.read(UInt32.self))
                default: take(header, chunks.body, at: now, &effects, &out)
                }
            }
        } catch {
            end(.failed("what it sends is not RTMP: \(error)"), &effects)
            return bytes.byteCount
        }
        window.acknowledge(chunks.received, writer, into: &out)
        return ending == nil ? start : bytes.byteCount
    }

    private func take(
        _ header: RTMPMessageHeader, _ body: RawSpan, at now: Instant,
        _ effects: inout Effects, _ out: inout Outbox
    ) {
        switch header.kind {
        case .userControl:
            switch try? RTMPUserControl(body) {
            case .ping(let time): writer.userControl(.pong(time), into: &out)
            case .streamEnd where purpose == .pull && isPublished:
                end(.failed("the stream has ended there"), &effects)
            default: break
            }
        case .audio: receive(.audio, body, header.stamp, at: now, &effects)
        case .video: receive(.video, body, header.stamp, at: now, &effects)
        case .aggregate:
            var messages = RTMPAggregate(body, stamp: header.stamp)
            while let (inner, range) = try? messages.next() {
                guard inner.kind == .audio || inner.kind == .video else { continue }
                receive(
                    inner.kind == .audio ? .audio : .video, body.extracting(range), inner.stamp,
                    at: now, &effects)
            }
        case .commandAMF0, .commandAMF3:
            guard let kind = header.kind, let command = try? RTMPCommand(body, kind) else { return }
            hear(command, at: now, &effects, &out)
        default: break
        }
    }

    // MARK: - The end

    func end(_ why: LinkEnding, _ effects: inout Effects) {
        guard ending == nil else { return }
        ending = why
        effects.append(.close(.done))
    }

    package func receiveEnd(
        at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        let step =
            switch phase {
            case .handshake: "in the handshake"
            case .connecting: "after connect"
            case .creating: "after createStream"
            case .asking: purpose == .pull ? "after play" : "after publish"
            case .running: "while media flowed"
            }
        end(.failed("it closed the connection \(step)"), &effects)
    }

    package var deadline: Instant {
        min(stepDeadline, intake.deadline, viewer?.start.deadline ?? .distantFuture)
    }

    package func expire(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        intake.expire(at: now, into: &effects)
        viewer?.start.expire(at: now)
        guard now >= stepDeadline else { return }
        let seconds = Self.patience.milliseconds / 1000
        end(
            .failed(isPublished ? "no media for \(seconds) s" : "no answer in \(seconds) s"),
            &effects)
    }
}
