internal import CLinux
import Glibc
package import Wire

/// A connected stream socket, non-blocking. It writes what an `Outbox` holds, in one call.
package struct TCPSocket: ~Copyable, Sendable {
    /// What a read found.
    package enum Reading: Equatable, Sendable {
        case bytes(Int)
        /// Nothing yet.
        case empty
        /// The peer has finished sending.
        case end
    }

    let descriptor: Descriptor

    /// What may wait in the kernel before the socket says that it is full. What lies there cannot
    /// be dropped any more: with more, a slow viewer's delay would be out of our hands.
    package static let notSentLowat = 64 * 1024
    /// A peer that is gone without a word is noticed when this much time passes without an
    /// acknowledgement; the kernel's own patience is 15 minutes.
    package static let userTimeout = Interval.seconds(20)

    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// Takes over a connected socket from a parent process.
    package init(adopting descriptor: consuming Descriptor) throws(SystemError) {
        try Self.prepare(descriptor)
        self.descriptor = descriptor
    }

    /// Begins to connect. When the socket is writable, `error` says how it went.
    package init(connectingTo address: Address) throws(SystemError) {
        let descriptor = try Descriptor(linux_tcp_socket(), "open a TCP socket")
        try Self.prepare(descriptor)
        var name = address.kernel
        let result = unsafe linux_connect(descriptor.number, &name)
        if result != -EINPROGRESS { try SystemError.check(result, "connect to \(address)") }
        self.descriptor = descriptor
    }

    /// Two sockets that are connected to each other, for tests and for child processes.
    package static func pair() throws(SystemError) -> Pair {
        var numbers: (CInt, CInt) = (0, 0)
        let result = unsafe withUnsafeMutableBytes(of: &numbers) {
            unsafe linux_stream_pair($0.assumingMemoryBound(to: CInt.self).baseAddress)
        }
        try SystemError.check(result, "open a pair of sockets")
        return Pair(
            first: TCPSocket(Descriptor(owning: numbers.0)),
            second: TCPSocket(Descriptor(owning: numbers.1)))
    }

    package struct Pair: ~Copyable {
        package let first: TCPSocket
        package let second: TCPSocket
        /// Keeps one end and closes the other.
        package consuming func takeFirst() -> TCPSocket { first }
    }

    private static func prepare(_ descriptor: borrowing Descriptor) throws(SystemError) {
        let number = descriptor.number
        try SystemError.check(linux_set(number, LINUX_NO_DELAY, 1), "send without delay")
        _ = linux_set(number, LINUX_NOT_SENT_LOWAT, CInt(notSentLowat))
        _ = linux_set(number, LINUX_USER_TIMEOUT, CInt(userTimeout.milliseconds))
        _ = linux_set(number, LINUX_KEEP_ALIVE, 1)
    }

    /// A second descriptor for the same connection: for one that another thread goes on with.
    package borrowing func duplicate() throws(SystemError) -> TCPSocket {
        TCPSocket(try Descriptor(linux_duplicate(descriptor.number), "hand over a connection"))
    }

    package borrowing func read(
        into window: inout MutableRawSpan
    ) throws(SystemError) -> Reading {
        let result = unsafe window.withUnsafeMutableBytes {
            unsafe linux_receive(descriptor.number, $0.baseAddress, $0.count)
        }
        if result == -Int(EAGAIN) { return .empty }
        let count = try SystemError.check(result, "read from a connection")
        return count > 0 ? .bytes(count) : .end
    }

    /// Writes as much of the outbox as the socket takes. Small writes are joined: the cost is the
    /// call (5 µs), so call once per turn and connection, not once per message.
    ///
    /// - Returns: Whether the outbox is empty now; if not, wait until the socket is writable.
    package borrowing func write(_ outbox: inout Outbox) throws(SystemError) -> Bool {
        while !outbox.isEmpty {
            let result = unsafe outbox.withSlices { unsafe send($0) }
            if result == -Int(EAGAIN) { return false }
            outbox.advance(try SystemError.check(result, "write to a connection"))
        }
        return true
    }

    private borrowing func send(_ slices: UnsafeBufferPointer<Outbox.Slice>) -> Int {
        unsafe slices.withMemoryRebound(to: linux_slice.self) {
            unsafe linux_send_slices(descriptor.number, $0.baseAddress, CUnsignedInt($0.count))
        }
    }

    /// Why the connection failed; `nil` if it has not.
    package borrowing func error(_ doing: @autoclosure () -> String) -> SystemError? {
        let result = linux_socket_error(descriptor.number)
        return result == 0 ? nil : SystemError(doing: doing(), code: -result)
    }

    /// No more bytes will come from us; the peer's may still.
    package borrowing func finishSending() { _ = linux_finish_sending(descriptor.number) }

    package var localAddress: Address? {
        var name = linux_address()
        return unsafe linux_local_address(descriptor.number, &name) == 0 ? Address(name) : nil
    }

    package var peerAddress: Address? {
        var name = linux_address()
        return unsafe linux_peer_address(descriptor.number, &name) == 0 ? Address(name) : nil
    }
}
