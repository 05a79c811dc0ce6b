import ICE
package import Stream
package import Wire

/// An ICE-TCP connection (RFC 6544): packets of WebRTC with their lengths before them. It cuts the
/// stream into packets; what they are is the matter of whoever has the session.
package final class FramedSession: ByteSession {
    private var framing = Framing()
    private var frames: [[UInt8]] = []
    /// Its number in routes, given by the worker; 0: it has none yet.
    var number: UInt32 = 0
    package var deadline: Instant { .distantFuture }

    package init() {}

    /// Its first request proved authentic: it belongs to a session.
    var isAuthenticated: Bool {
        get { framing.isAuthenticated }
        set { framing.isAuthenticated = newValue }
    }

    package var isEstablished: Bool { framing.isAuthenticated }

    /// The next packet; call until nil.
    func nextFrame() -> [UInt8]? { frames.isEmpty ? nil : frames.removeFirst() }

    package func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) -> Int {
        do throws(ParseError) {
            guard let range = try framing.next(in: bytes) else { return 0 }
            if !range.isEmpty { frames.append([UInt8](copying: bytes.extracting(range))) }
            return range.upperBound
        } catch {
            effects.append(.close(.protocolError))
            return bytes.byteCount
        }
    }

    package func receiveEnd(
        at now: Instant, into effects: inout Effects, out: inout Outbox
    ) { effects.append(.close(.done)) }

    // It publishes and reads nothing itself.
    package func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {}

    package func notice(
        _ notice: Notice, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {}

    package func send(_ item: borrowing ReadItem, out: inout Outbox) {}

    package func expire(at now: Instant, into effects: inout Effects, out: inout Outbox) {}
}
