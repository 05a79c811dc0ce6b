internal import CLinux
import Glibc
package import Wire

// Multicast, and pairs of ports for media with its reports.
extension UDPSocket {
    /// - Parameter interface: Its index; 0: the kernel's routes choose.
    package borrowing func join(
        _ group: Address, interface: UInt32 = 0
    ) throws(SystemError) {
        var name = group.kernel
        try SystemError.check(
            unsafe linux_join(descriptor.number, &name, interface), "join \(group)")
    }

    package borrowing func leave(
        _ group: Address, interface: UInt32 = 0
    ) throws(SystemError) {
        var name = group.kernel
        try SystemError.check(
            unsafe linux_leave(descriptor.number, &name, interface), "leave \(group)")
    }

    /// How many routers what goes to a group may pass; the kernel's default is none.
    package borrowing func setMulticastHops(_ hops: UInt8) throws(SystemError) {
        try SystemError.check(
            linux_multicast_hops(descriptor.number, CInt(hops)), "set the reach of multicast")
    }
}

/// Two sockets on ports that follow each other, the first one even, as RTP and RTCP want them
/// (RFC 3550 §11).
package struct UDPPair: ~Copyable {
    private var first: UDPSocket
    private var second: UDPSocket

    /// Gives both away.
    package consuming func take(_ body: (consuming UDPSocket, consuming UDPSocket) -> Void) {
        body(first, second)
    }

    /// Takes the first free pair of a range, beginning anywhere in it: who always begins in front
    /// gets the ports that others have just left, and their late packets.
    ///
    /// - Returns: nil: all are taken.
    package static func open(
        in range: PortRange, at address: Address, beginningAt start: UInt64
    ) throws(SystemError) -> UDPPair? {
        let count = range.pairs
        guard count > 0 else { return nil }
        let shift = Int(start % UInt64(count))
        for index in 0..<count {
            let port = range.pair((index + shift) % count)
            do throws(SystemError) {
                return UDPPair(
                    first: try UDPSocket(bind: address.with(port: port)),
                    second: try UDPSocket(bind: address.with(port: port + 1)))
            } catch {
                guard error.code == EADDRINUSE || error.code == EACCES else { throw error }
            }
        }
        return nil
    }
}
