internal import CLinux
package import Wire

/// The memory one worker receives datagrams into: 16 buffers of 64 KiB, filled by one system call.
///
/// With UDP_GRO the kernel may put up to 64 datagrams of one peer into a buffer; `next` walks
/// through them one by one. The bytes may be changed in place: SRTP decrypts there.
@safe package struct ReceiveSlab: ~Copyable {
    /// More than 16 does not pay (measured 16/32/64: 609/668/694 ns a datagram).
    static let buffers = LINUX_MESSAGES_MAXIMUM
    /// What GRO may join: the largest IP packet.
    static let bufferSize = 64 * 1024
    /// How often a worker fills the slab before it looks at anything else: 256 buffers.
    package static let batchesPerTurn = 16

    private let memory: UnsafeMutableRawBufferPointer
    private let arrivals: UnsafeMutableBufferPointer<linux_arrival>
    private var filled = 0
    private var current = -1
    private var offset = 0
    private var length = 0

    /// Who sent the datagram at hand.
    package private(set) var source = Address.any(port: 0)
    /// Which address of ours it was sent to: answer from there. The port is the socket's.
    package private(set) var destination = Address.any(port: 0)
    /// When the kernel had it, UTC in nanoseconds; 0 unless the socket was told to `stampArrivals`.
    package private(set) var arrivedAt: Int64 = 0

    package init() {
        unsafe memory = .allocate(byteCount: Self.buffers * Self.bufferSize, alignment: 4096)
        unsafe arrivals = .allocate(capacity: Self.buffers)
        unsafe arrivals.initialize(repeating: linux_arrival())
    }

    deinit {
        unsafe memory.deallocate()
        unsafe arrivals.deallocate()
    }

    /// The last batch was a full one: there may be more.
    package var mayHaveMore: Bool { filled == Self.buffers }

    /// What the whole batch holds.
    package var totals: (datagrams: Int, bytes: Int) {
        var totals = (datagrams: 0, bytes: 0)
        for index in 0..<filled {
            let arrival = unsafe arrivals[index]
            let (length, segment) = (Int(arrival.length), Int(arrival.segment))
            totals.datagrams += segment > 0 ? (length + segment - 1) / segment : 1
            totals.bytes += length
        }
        return totals
    }

    /// Goes to the next datagram; `false` at the end of the batch.
    package mutating func next() -> Bool {
        offset += length
        while true {
            if current >= 0, current < filled {
                let arrival = unsafe arrivals[current]
                let left = Int(arrival.length) - offset
                if left > 0 {
                    length = arrival.segment > 0 ? min(left, Int(arrival.segment)) : left
                    source = Address(arrival.from)
                    destination = Address(arrival.to)
                    arrivedAt = arrival.time
                    return true
                }
            }
            guard current + 1 < filled else {
                length = 0
                return false
            }
            current += 1
            offset = 0
        }
    }

    /// The datagram at hand.
    package var bytes: MutableRawSpan {
        @_lifetime(&self)
        mutating get {
            let start = current * Self.bufferSize + offset
            let window = unsafe UnsafeMutableRawBufferPointer(
                rebasing: memory[start..<start + length])
            return unsafe _overrideLifetime(
                MutableRawSpan(_unsafeBytes: window), mutating: &self)
        }
    }

    /// The same for an owner that cannot hold on to them, such as a class.
    package mutating func withBytes(_ body: (inout MutableRawSpan) -> Void) {
        var bytes = bytes
        body(&bytes)
    }

    mutating func receive(from number: CInt) -> CInt {
        current = -1
        offset = 0
        length = 0
        let result = unsafe linux_receive_messages(
            number, memory.baseAddress, Self.bufferSize, arrivals.baseAddress,
            CUnsignedInt(Self.buffers))
        filled = max(0, Int(result))
        return result
    }
}
