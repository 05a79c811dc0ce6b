import Wire

/// What the associations want done, lent by the owner for the length of a call: packets to go out
/// through DTLS, messages for the sessions, and what became of associations and streams.
package struct SCTPEvents: Sendable {
    package enum Event: Equatable, Sendable {
        case packet(association: UInt32, Range<Int>)
        case message(association: UInt32, stream: UInt16, payload: UInt32, Range<Int>)
        case connected(association: UInt32)
        /// The peer reset its side of a stream.
        case streamReset(association: UInt32, stream: UInt16)
        /// The association took bytes that waited: the channel may count them as sent.
        case sent(association: UInt32, stream: UInt16, bytes: Int)
        /// A message that was taken cannot go: the peer allows no such stream. Close the channel.
        case refused(association: UInt32, stream: UInt16, bytes: Int)
        /// The association is gone, its number too.
        case ended(association: UInt32)
    }

    package private(set) var events: [Event] = []
    package private(set) var bytes: [UInt8] = []

    package init() {}

    mutating func append(_ event: Event) { events.append(event) }

    mutating func store(_ span: RawSpan) -> Range<Int> {
        let start = bytes.count
        bytes.append(copying: span)
        return start..<bytes.count
    }

    package mutating func clear() {
        events.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }
}
