/// An IP address and port: the other end, or our own. Plain bits, compared and hashed as such.
///
/// IPv4 lives in its mapped form (::ffff:a.b.c.d), so that a dual-stack socket and an IPv4 socket
/// give one address for one peer.
@frozen public struct Address: Hashable, Sendable {
    /// The 16 bytes of the IPv6 address, as two big-endian numbers.
    public var high: UInt64
    public var low: UInt64
    public var port: UInt16
    /// The interface of a link-local IPv6 address; zero otherwise.
    public var scope: UInt32

    @inlinable public init(high: UInt64, low: UInt64, port: UInt16, scope: UInt32 = 0) {
        self.high = high
        self.low = low
        self.port = port
        self.scope = scope
    }

    @inlinable public init(ipv4: UInt32, port: UInt16) {
        self.init(high: 0, low: 0xffff_0000_0000 | UInt64(ipv4), port: port)
    }

    /// `::`, which a dual-stack listener binds.
    @inlinable public static func any(port: UInt16) -> Address {
        Address(high: 0, low: 0, port: port)
    }

    @inlinable public var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }
    @inlinable public var ipv4: UInt32? { isIPv4 ? UInt32(truncatingIfNeeded: low) : nil }
    @inlinable public var isUnspecified: Bool { high == 0 && (low == 0 || ipv4 == 0) }

    @inlinable public func with(port: UInt16) -> Address {
        Address(high: high, low: low, port: port, scope: scope)
    }
}
