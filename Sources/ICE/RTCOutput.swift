import Wire

/// What one WebRTC session wants done besides its effects on the gateway. Lent by the caller; the
/// bytes of all entries lie in one block.
package struct RTCOutput: Sendable {
    package enum Entry: Equatable, Sendable {
        /// Send these bytes there, framed if it is a connection.
        case send(Route, Range<Int>)
        /// Media goes there from now on; numbers and keys stay.
        case selected(Route)
        /// The route needs no limit any more.
        case validated(Route)
        /// Keys are there: the send side may begin.
        case connected
        /// An ICE restart is complete.
        case restarted
        /// An SCTP packet of the peer, for the association.
        case sctp(Range<Int>)
        /// The tunnel is open: begin an association with this port of the peer's.
        case associate(port: UInt16)
        /// For the association: hand over a message, reset our side of a stream, or end it.
        case channelSend(stream: UInt16, DataPayload, DataDelivery, Range<Int>)
        case channelReset(stream: UInt16)
        case channelAbort(DataOutput.Reason)
        /// The page listens on its channel for control, and has said something there.
        case controlOpened
        case command(Range<Int>)
        /// Heard on this route.
        case feedback(ViewerFeedback, Route)
        case closed(RTCSession.Cause)
    }

    package private(set) var entries: [Entry] = []
    package private(set) var bytes: [UInt8] = []
    /// Steps with public keys since `clear`: the worker does two in a turn, and lets others wait.
    package internal(set) var publicKeySteps = 0
    var ice = ICEOutput()

    package init() {}

    mutating func append(_ entry: Entry) { entries.append(entry) }

    mutating func store(_ span: RawSpan) -> Range<Int> {
        let start = bytes.count
        bytes.append(copying: span)
        return start..<bytes.count
    }

    mutating func send(_ span: RawSpan, on route: Route) {
        let range = store(span)
        entries.append(.send(route, range))
    }

    /// Answers of ICE that belong to no session.
    mutating func takeAnswers() {
        for entry in ice.entries {
            if case .send(let route, let range) = entry {
                let bytes = ice.bytes
                send(bytes.raw.extracting(range), on: route)
            }
        }
        ice.clear()
    }

    /// Forgets what was to be sent: answers to requests that have been answered before.
    package mutating func dropAnswers() {
        entries.removeAll { if case .send = $0 { true } else { false } }
    }

    /// Keeps the memory for the next turn.
    package mutating func clear() {
        entries.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        publicKeySteps = 0
    }
}
