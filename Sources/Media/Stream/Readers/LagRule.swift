package import Wire

/// How far behind the head a reader may be, and what happens then (numbers.md "Bounds").
package struct LagRule: Equatable, Sendable {
    /// Behind by more: on to the next key frame.
    package var budget: Interval
    /// Behind by more: closed. Nil: never.
    package var close: Interval?
    /// Behind by more bytes: as `budget`. Nil: no bound but the history.
    package var bytes: Int?
    /// With no key frame ahead: wait at the head for a new one and ask for it, rather than read on.
    package var waitsAtHead: Bool

    /// WebRTC: what is half a second late is better not sent at all.
    package static let realTime = LagRule(
        budget: .milliseconds(500), close: nil, bytes: nil, waitsAtHead: true)
    /// FLV, RTMP, TS, fMP4, ICE-TCP: the player has a buffer; a connection that is 10 s behind
    /// will not come back.
    package static let connection = LagRule(
        budget: .seconds(2), close: .seconds(10), bytes: nil, waitsAtHead: false)
    /// A recorder keeps what it can and marks the gap; 16 MiB are what one slow disk may hold up.
    package static let recorder = LagRule(
        budget: .seconds(5), close: nil, bytes: 16 << 20, waitsAtHead: true)
    /// A relay has a history behind it on the other side: only what has left ours is lost.
    package static let relay = LagRule(
        budget: .seconds(3_600), close: nil, bytes: nil, waitsAtHead: false)
}

/// Why a reader did not simply read the next item.
package enum Jump: UInt8, Sendable, CaseIterable {
    /// The first item it reads.
    case start
    /// Too far behind.
    case lag
    /// What it was to read had left the history.
    case gone
    /// Another layer of the same publisher.
    case layer
    /// Another publisher, or the same one come back.
    case epoch
    /// Its viewer had paused.
    case resume
}

/// How often readers jumped, by reason.
package struct ReaderFigures: Equatable, Sendable {
    private var counts: [6 of UInt32] = .init(repeating: 0)

    package init() {}

    package subscript(_ jump: Jump) -> UInt32 { counts[Int(jump.rawValue)] }

    mutating func note(_ jump: Jump) { counts[Int(jump.rawValue)] &+= 1 }

    mutating func add(_ other: ReaderFigures) {
        for place in counts.indices { counts[place] &+= other.counts[place] }
    }

    package static func == (a: ReaderFigures, b: ReaderFigures) -> Bool {
        Jump.allCases.allSatisfy { a[$0] == b[$0] }
    }
}
