import GB28181
package import Stream
package import Wire

/// A connection of a device: its signalling, or its media. It takes the bytes apart; what they are
/// about is the desk's matter.
package final class GBWire: ByteSession {
    package enum Role: Sendable { case signalling, media }

    /// Devices say something every minute or so; who says nothing for so long has gone without a
    /// word, as mobile networks let them.
    private static let silence = Interval.seconds(900)

    let role: Role
    private var reader = SIPReader()
    private var framing = GBFraming()
    private(set) var messages: [SIPMessage] = []
    /// Packets, one behind the other.
    private var bytes: [UInt8] = []
    private var packets: [Range<Int>] = []
    private var heardAt: Instant?
    /// Its number in routes, given by the desk; 0: it has none yet.
    var number: UInt64 = 0
    /// Whose media it carries.
    weak var session: GBSession?
    /// Something of it made sense to the desk.
    package var isEstablished = false

    package init(_ role: Role) { self.role = role }

    var resyncs: UInt64 { framing.resyncs }

    func takeMessages() -> [SIPMessage] {
        defer { messages = [] }
        return messages
    }

    /// The packets that have come; what they are in is empty again afterwards.
    func takePackets(_ body: (RawSpan) -> Void) {
        var bytes: [UInt8] = []
        swap(&bytes, &self.bytes)
        for range in packets { body(bytes.raw.extracting(range)) }
        packets.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        swap(&bytes, &self.bytes)
    }

    package func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) -> Int {
        var start = 0
        heardAt = now
        do throws(ParseError) {
            switch role {
            case .signalling:
                while let message = try reader.next(bytes, from: &start, at: now) {
                    messages.append(message)
                }
            case .media:
                while let range = try framing.next(bytes, from: &start) {
                    let first = self.bytes.count
                    self.bytes.append(copying: bytes.extracting(range))
                    packets.append(first..<self.bytes.count)
                }
            }
        } catch {
            effects.append(.close(.protocolError))
            return bytes.byteCount
        }
        return start
    }

    package func receiveEnd(
        at now: Instant, into effects: inout Effects, out: inout Outbox
    ) { effects.append(.close(.done)) }

    /// Of media, its call knows.
    package var deadline: Instant {
        guard role == .signalling, let heardAt else { return .distantFuture }
        return min(reader.deadline, heardAt + Self.silence)
    }

    /// Half a message for half a minute, or nothing at all.
    package func expire(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        if now >= deadline { effects.append(.close(.silent)) }
    }

    // It publishes and reads nothing itself.
    package func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {}

    package func notice(
        _ notice: Notice, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {}

    package func send(_ item: borrowing ReadItem, out: inout Outbox) {}
}
