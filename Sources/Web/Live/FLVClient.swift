import Containers
import HTTP
import Media
package import Stream
package import Wire

/// Fetches a stream as FLV over HTTP from another server.
package final class FLVClient: LinkSession {
    /// For the answer, and between media.
    private static let patience = Interval.seconds(10)
    private static let channel: ChannelID = 1

    private enum Phase { case head, asking, body }
    private enum Framing { case plain, chunked }

    private let url: LinkURL
    private let name: String
    private let peer: Address
    private var phase = Phase.head
    private var head = TextHead(rules: .http)
    private var framing = Framing.plain
    private var chunks = ChunkedBody()
    private var reader = FLVReader()
    private var intake = FLVIntake(channel: FLVClient.channel)
    private var body: [UInt8] = []
    private var stepDeadline = Instant.distantFuture
    package private(set) var isEstablished = false
    package private(set) var ending: LinkEnding?

    package init(_ seed: LinkSeed) {
        url = seed.url
        name = seed.name
        peer = seed.peer
    }

    package var isRunning: Bool { phase == .body }
    package var wantsBytes: Bool { phase != .asking }

    package func start(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        stepDeadline = now + Self.patience
        out.append("GET /\(url.path) HTTP/1.1\r\nHost: \(url.place)\r\n")
        if !url.user.isEmpty {
            let pair = Array("\(url.user):\(url.password)".utf8)
            out.append("Authorization: Basic \(Base64.encode(pair.raw))\r\n")
        }
        out.append("User-Agent: gateway\r\nAccept: */*\r\nConnection: close\r\n\r\n")
    }

    package func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) -> Int {
        switch phase {
        case .asking: return 0
        case .head: return receiveHead(bytes, at: now, &effects)
        case .body:
            do throws(ParseError) { try receiveBody(bytes, at: now, &effects) } catch {
                end(.failed("what it sends is not FLV: \(error)"), &effects)
            }
            return bytes.byteCount
        }
    }

    private func receiveHead(
        _ bytes: RawSpan, at now: Instant, _ effects: inout Effects
    ) -> Int {
        do throws(ParseError) {
            guard try head.read(bytes) else { return 0 }
        } catch {
            end(.failed("what answers there does not speak HTTP: \(error)"), &effects)
            return bytes.byteCount
        }
        isEstablished = true
        let words = bytes.string(head.line).split(separator: " ", maxSplits: 2)
        let status = words.count > 1 ? Int(words[1]) ?? 0 : 0
        if (300..<400).contains(status), let place = location(bytes) {
            end(.redirected(place), &effects)
            return bytes.byteCount
        }
        guard status == 200 else {
            end(.failed("it answers \(LabelText(bytes.string(head.line)))"), &effects)
            return bytes.byteCount
        }
        framing = head.body == .chunked ? .chunked : .plain
        phase = .asking
        let publication = Publication(
            principal: .configured, protocolName: "flv-pull", slots: [])
        effects.ask(
            .publish(Self.channel, name: name, Credential(), peer: peer, publication), 1)
        return head.count
    }

    /// `Location`: a whole URL, or a path at the same place.
    private func location(_ bytes: RawSpan) -> LinkURL? {
        let field = head.fields.first { bytes.string($0.name).lowercased() == "location" }
        guard let field else { return nil }
        let text = bytes.string(field.value)
        if text.hasPrefix("/") { return url.with(path: String(text.dropFirst())) }
        return try? LinkURL(text)
    }

    private func receiveBody(
        _ bytes: RawSpan, at now: Instant, _ effects: inout Effects
    ) throws(ParseError) {
        guard framing == .chunked else { return try read(bytes, at: now, &effects) }
        var plain: [UInt8] = []
        swap(&plain, &body)
        defer {
            plain.removeAll(keepingCapacity: true)
            swap(&plain, &body)
        }
        _ = try chunks.receive(bytes, limit: .max, into: &plain)
        try read(plain.raw, at: now, &effects)
        if chunks.isDone { end(.failed("the stream has ended there"), &effects) }
    }

    private func read(
        _ bytes: RawSpan, at now: Instant, _ effects: inout Effects
    ) throws(ParseError) {
        // Out of the object for as long as its bytes are lent.
        var reader = FLVReader()
        swap(&reader, &self.reader)
        defer { swap(&reader, &self.reader) }
        var start = 0
        while ending == nil, let header = try reader.next(bytes, from: &start) {
            guard let kind = header.kind else { continue }
            stepDeadline = now + Self.patience
            do throws(Refusal) {
                try intake.receive(
                    kind, reader.body, stamp: header.stamp, at: now, into: &effects)
            } catch {
                end(.failed(error.description), &effects)
            }
        }
    }

    package func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {
        guard phase == .asking else { return }
        if case .refused(let refusal) = answer {
            return end(.failed(refusal.description), &effects)
        }
        phase = .body
        stepDeadline = now + Self.patience
    }

    package func notice(
        _ notice: Notice, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        guard case .ended(_, let reason) = notice else { return }
        end(.failed("ended here: \(reason.rawValue)"), &effects)
    }

    /// It subscribes to nothing.
    package func send(_ item: borrowing ReadItem, out: inout Outbox) {}

    package func receiveEnd(
        at now: Instant, into effects: inout Effects, out: inout Outbox
    ) { end(.failed("it closed the connection"), &effects) }

    package var deadline: Instant { min(stepDeadline, intake.deadline) }

    package func expire(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        intake.expire(at: now, into: &effects)
        guard now >= stepDeadline else { return }
        end(.failed(isRunning ? "no media for 10 s" : "no answer in 10 s"), &effects)
    }

    private func end(_ why: LinkEnding, _ effects: inout Effects) {
        guard ending == nil else { return }
        ending = why
        effects.append(.close(.done))
    }
}
