internal import CLinux
import Glibc
package import Wire

/// Accepts connections, a bounded number per turn.
package struct TCPListener: ~Copyable, Sendable {
    /// A connection and who made it.
    package struct Accepted: ~Copyable {
        package let socket: TCPSocket
        package let peer: Address
        package consuming func takeSocket() -> TCPSocket { socket }
    }

    /// How many a worker accepts before it looks at anything else.
    package static let acceptsPerTurn = 64
    /// Connections that wait in the kernel, until a join storm has been worked off.
    private static let backlog: CInt = 4096

    let descriptor: Descriptor
    package let localAddress: Address
    /// Held for the day when there are no more descriptors. `accept` fails then, the connection
    /// stays in the queue and wakes us at once, for ever. Giving this one up makes room to accept
    /// that connection and close it, so that its peer learns of it.
    private var reserve: Descriptor?
    /// Connections that were closed for want of a descriptor.
    package private(set) var shed = 0

    package init(bind address: Address, reusePort: Bool = false) throws(SystemError) {
        let descriptor = try Descriptor(linux_tcp_socket(), "open a TCP socket")
        // A restart must not wait for the connections of the one before to leave TIME_WAIT.
        try SystemError.check(
            linux_set(descriptor.number, LINUX_REUSE_ADDRESS, 1), "reuse TCP \(address)")
        if reusePort {
            try SystemError.check(
                linux_set(descriptor.number, LINUX_REUSE_PORT, 1), "share TCP \(address)")
        }
        var name = address.kernel
        try SystemError.check(unsafe linux_bind(descriptor.number, &name), "bind TCP \(address)")
        try SystemError.check(
            linux_listen(descriptor.number, Self.backlog), "listen on TCP \(address)")
        try self.init(adopting: descriptor)
    }

    /// Takes over a listening socket, for one that a parent process or systemd has opened.
    package init(adopting descriptor: consuming Descriptor) throws(SystemError) {
        var name = linux_address()
        try SystemError.check(
            unsafe linux_local_address(descriptor.number, &name), "read a TCP address")
        let reserve = try Descriptor(linux_reserve_descriptor(), "open /dev/null")
        localAddress = Address(name)
        self.reserve = consume reserve
        self.descriptor = descriptor
    }

    /// Gives the socket away: main binds it, the worker that serves it adopts it.
    package consuming func takeDescriptor() -> Descriptor { descriptor }

    /// The next connection that waits. Call at most `acceptsPerTurn` times a turn.
    package mutating func accept() throws(SystemError) -> Accepted? {
        while true {
            var peer = linux_address()
            let result = unsafe linux_accept(descriptor.number, &peer)
            switch result {
            case 0...:
                let socket = Descriptor(owning: result)
                // It is gone again already: the next, please.
                guard let socket = try? TCPSocket(adopting: socket) else { continue }
                return Accepted(socket: socket, peer: Address(peer))
            case -EAGAIN: return nil
            // Errors of that one connection (accept(2), "Error handling").
            case -ECONNABORTED, -EPROTO, -ENETDOWN, -ENOPROTOOPT, -EHOSTDOWN, -EHOSTUNREACH,
                -EOPNOTSUPP, -ENETUNREACH, -ETIMEDOUT, -EPERM:
                continue
            case -EMFILE, -ENFILE:
                guard shedOne() else { return nil }
            default: throw SystemError(doing: "accept on TCP \(localAddress)", code: -result)
            }
        }
    }

    /// - Returns: Whether the queue got shorter.
    private mutating func shedOne() -> Bool {
        guard reserve != nil else {
            // Another thread took what we gave up. Try to get one again, and rest till next turn.
            reserve = try? Descriptor(linux_reserve_descriptor(), "open /dev/null")
            return false
        }
        reserve = nil
        var peer = linux_address()
        let result = unsafe linux_accept(descriptor.number, &peer)
        if result >= 0 {
            shed += 1
            _ = linux_close(result)
        }
        reserve = try? Descriptor(linux_reserve_descriptor(), "open /dev/null")
        return result >= 0
    }
}
