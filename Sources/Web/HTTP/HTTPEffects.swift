package import Wire

/// What an HTTP connection wants: bytes to be sent, and what happened. Lent to each call; the
/// events are the caller's to take out.
package struct HTTPEffects: ~Copyable {
    /// Segments of large streams are shared and cost nothing here, so this bounds mistakes, not
    /// clients: those that do not read are closed by time.
    package static let outboxMaximum = 64 * 1024 * 1024

    package var outbox = Outbox(limit: HTTPEffects.outboxMaximum)
    package var events: [HTTPEvent] = []
    /// The `Date` header's text: kept up to date by the shell, once a second. Empty: no header.
    package var date: String

    package init(date: String = "") { self.date = date }

    /// Takes the oldest event out.
    package mutating func nextEvent() -> HTTPEvent? {
        events.isEmpty ? nil : events.removeFirst()
    }
}

package enum HTTPEvent: Sendable {
    /// A request that announces a body. It is taken with `takeBody`, or answered without it: a
    /// wrong token is refused before a byte of the body is read.
    case offer(HTTPRequest)
    /// A complete request, to be answered with `respond` now or later. The next one comes after.
    case request(HTTPRequest)
    /// The connection speaks another protocol now, beginning with these bytes.
    case upgraded(HTTPRequest.ID, rest: [UInt8])
    /// Send what is left, say no more, close.
    case close(HTTPClose)
}

/// Why a connection ends.
package enum HTTPClose: Equatable, Sendable {
    /// As agreed: the answer said so, or the peer did.
    case done
    /// Nothing was asked for a minute.
    case idle
    case peer
    /// The request was refused, and what follows it cannot be told apart from it.
    case refused(ProblemCode)
    /// The peer does not read what it asked for; what is left is thrown away.
    case stalled
    case draining
}
