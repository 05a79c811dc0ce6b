/// Serial arithmetic (RFC 1982): which of two numbers that wrap is the later one, and the 64-bit
/// number behind a short one.
public enum Serial {
    /// The number near `reference` whose low 16 bits are `short`: at most half a turn away.
    @inlinable public static func extend(_ short: UInt16, near reference: Int64) -> Int64 {
        reference &+ Int64(Int16(truncatingIfNeeded: Int64(short) &- reference))
    }

    /// The number near `reference` whose low 32 bits are `short`: at most half a turn away.
    @inlinable public static func extend(_ short: UInt32, near reference: Int64) -> Int64 {
        reference &+ Int64(Int32(truncatingIfNeeded: Int64(short) &- reference))
    }

    @inlinable public static func isLater(_ a: UInt16, than b: UInt16) -> Bool {
        Int16(bitPattern: a &- b) > 0
    }

    @inlinable public static func isLater(_ a: UInt32, than b: UInt32) -> Bool {
        Int32(bitPattern: a &- b) > 0
    }
}
