import Wire

/// Turns 16-bit sequence numbers into numbers that never wrap: the index of a packet.
///
/// It follows the highest number heard, so that a late packet gets its place before it. Whoever
/// feeds it bytes that nobody authenticated asks `isPlausible` first.
package struct SequenceUnwrapper: Equatable, Sendable {
    /// RFC 3550 §A.1: a jump wider than this is a restart, not a loss.
    package static let jumpMaximum: Int64 = 3000

    package private(set) var highest: Int64?

    package init() {}

    /// The first number lands one turn up: packets from before it have numbers, too.
    package mutating func unwrap(_ sequence: UInt16) -> Int64 {
        guard let highest else {
            let first = 0x1_0000 + Int64(sequence)
            self.highest = first
            return first
        }
        let index = Serial.extend(sequence, near: highest)
        if index > highest { self.highest = index }
        return index
    }

    package func isPlausible(_ sequence: UInt16) -> Bool {
        guard let highest else { return true }
        let distance = Serial.extend(sequence, near: highest) &- highest
        return distance.magnitude <= Self.jumpMaximum
    }
}
