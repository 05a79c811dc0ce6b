package import Wire

/// What an ICE agent wants done. Lent by the caller; the bytes of all packets lie in one block.
package struct ICEOutput: Sendable {
    package enum Entry: Equatable, Sendable {
        /// Send these bytes there, framed if it is a connection.
        case send(Route, Range<Int>)
        /// Media goes there from now on. Keys and sequence numbers stay as they are.
        case selected(Route)
        /// The route needs no limit any more.
        case validated(Route)
        /// The first request with the new credentials has come: the old ones are gone.
        case restarted
        /// Nothing authentic for a while: let another publisher have the name.
        case stale
        case recovered
        case ended(Reason)
        /// Open a TCP connection to this address (controlling side only).
        case connect(Address)
    }

    package enum Reason: String, Equatable, Sendable {
        case neverConnected = "ice-never-connected"
        case silent = "ice-silent"
        /// Every pair was tried in vain (controlling side only).
        case noPath = "ice-no-path"
    }

    package private(set) var entries: [Entry] = []
    package internal(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func append(_ entry: Entry) { entries.append(entry) }

    /// Keeps the memory for the next turn.
    package mutating func clear() {
        entries.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }

    /// Takes what was written behind `start` as one packet.
    mutating func send(_ route: Route, from start: Int) {
        entries.append(.send(route, start..<bytes.count))
    }
}
