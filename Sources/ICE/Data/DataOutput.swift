import Wire

/// What the data channels of a session want done: towards the association, and towards the
/// session's owner. Lent by the caller; the bytes of all entries lie in one block.
package struct DataOutput: Sendable {
    package enum Entry: Equatable, Sendable {
        /// Hand this message to the association.
        case send(stream: UInt16, DataPayload, DataDelivery, Range<Int>)
        /// Ask the association to reset our side of the stream (RFC 6525).
        case reset(stream: UInt16)
        case opened(stream: UInt16, DataChannelTerms)
        case message(stream: UInt16, isText: Bool, Range<Int>)
        /// The peer has read again what was waiting: there is room to send.
        case writable(stream: UInt16)
        case closed(stream: UInt16)
        /// The peer broke a rule that matters to all channels: end the association.
        case abort(Reason)
    }

    package enum Reason: String, Equatable, Sendable {
        case tooManyChannels = "too-many-channels"
        case messageTooLarge = "data-message-too-large"
        case badControlMessage = "bad-dcep-message"
    }

    package private(set) var entries: [Entry] = []
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func append(_ entry: Entry) { entries.append(entry) }

    /// Stores bytes and says where: for the entry that is appended next.
    package mutating func store(_ span: RawSpan) -> Range<Int> {
        let start = bytes.count
        bytes.append(copying: span)
        return start..<bytes.count
    }

    package mutating func store(_ write: (inout [UInt8]) -> Void) -> Range<Int> {
        let start = bytes.count
        write(&bytes)
        return start..<bytes.count
    }

    package mutating func clear() {
        entries.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }
}

/// What a message is, as SCTP's payload protocol identifier says it (RFC 8831 §8).
package enum DataPayload: UInt32, Sendable {
    case control = 50
    case text = 51
    case binary = 53
    /// SCTP cannot carry nothing: an empty message is one byte with a name of its own.
    case emptyText = 56
    case emptyBinary = 57
}

/// How the association is to deliver one message.
package struct DataDelivery: Equatable, Sendable {
    package var ordered: Bool
    package var reliability: DataChannelTerms.Reliability

    package static let control = DataDelivery(ordered: true, reliability: .reliable)
}
