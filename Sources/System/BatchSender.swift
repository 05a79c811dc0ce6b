internal import CLinux
import Glibc
package import Wire

/// Empties a `SendBatch` into a socket: one message per run, up to 16 messages per system call,
/// and the kernel cuts a run into datagrams (UDP_SEGMENT).
///
/// What it costs is the number of messages, not of datagrams: 8 of one size to one peer are 2.6
/// times cheaper together than apart. It never waits, neither for a run to fill nor for the socket.
@safe package struct BatchSender: ~Copyable {
    /// How far a batch has gone: the first run, and within it the first datagram, still to go.
    package struct Position: Equatable, Sendable {
        package var run: Int
        package var datagram: Int
        package static let start = Position(run: 0, datagram: 0)
    }

    package enum Outcome: Equatable, Sendable {
        case all
        /// The socket is full: go on from here when it is writable again.
        case blocked(at: Position)
    }

    package struct Counts: Equatable, Sendable {
        package var datagrams = 0
        package var messages = 0
        /// Lost by us because the kernel refused them: no route, filtered, too big for the path.
        package var refused = 0
        /// Runs that a path did not take in one piece.
        package var split = 0
    }

    package private(set) var counts = Counts()
    /// Peers whose path takes no runs: a small MTU, or a device without checksums (EIO).
    private var plainPeers: Set<Address> = []
    /// Beyond that, forget all and learn again: a wrong guess costs one failed call.
    private static let plainPeersMaximum = 4096
    private let messages: Messages
    private let transmit: Transmit

    /// The system call; a test puts its own in front of it, because loopback never is full.
    typealias Transmit =
        @convention(c) (CInt, CInt, UnsafePointer<linux_message>?, CUnsignedInt) -> CInt

    package init() { unsafe self.init(linux_send_messages) }

    init(_ transmit: @escaping Transmit) {
        unsafe self.transmit = transmit
        messages = Messages()
    }

    /// The messages of one system call, kept so that none is allocated for a packet.
    @safe private struct Messages: ~Copyable {
        static let capacity = LINUX_MESSAGES_MAXIMUM
        let memory: UnsafeMutableBufferPointer<linux_message>
        init() {
            unsafe memory = .allocate(capacity: Self.capacity)
            unsafe memory.initialize(repeating: linux_message())
        }
        deinit { unsafe memory.deallocate() }
    }

    /// Whether runs to this peer are sent datagram by datagram.
    package borrowing func isPlain(_ peer: Address) -> Bool {
        !plainPeers.isEmpty && plainPeers.contains(peer)
    }

    package mutating func send(
        _ batch: borrowing SendBatch, from start: Position = .start,
        through socket: borrowing UDPSocket
    ) -> Outcome {
        var position = start
        while position.run < batch.runCount {
            if position.datagram > 0 || isPlain(batch.run(position.run).destination) {
                guard sendPlain(batch, &position, socket) else { return .blocked(at: position) }
            } else {
                guard sendRuns(batch, &position, socket) else { return .blocked(at: position) }
            }
        }
        return .all
    }

    /// Sends runs whole, from `position` to the next one that must go in pieces.
    ///
    /// - Returns: Whether the socket took something or the refusal was dealt with.
    private mutating func sendRuns(
        _ batch: borrowing SendBatch, _ position: inout Position, _ socket: borrowing UDPSocket
    ) -> Bool {
        let base = batch.bytes
        var count = 0
        while count < Messages.capacity, position.run + count < batch.runCount {
            let run = batch.run(position.run + count)
            if count > 0, isPlain(run.destination) { break }
            let segment = run.count > 1 ? UInt16(run.segmentSize) : 0
            put(run, run.bytes, segment: segment, of: base, at: count)
            count += 1
        }
        let sent = unsafe transmit(
            socket.descriptor.number, socket.isIPv4 ? 1 : 0, messages.memory.baseAddress,
            CUnsignedInt(count))
        guard sent <= 0 else {
            for index in position.run..<position.run + Int(sent) {
                counts.datagrams += batch.run(index).count
            }
            counts.messages += Int(sent)
            position.run += Int(sent)
            return true
        }
        return refuse(batch.run(position.run), -sent, &position)
    }

    /// Sends the datagrams of one run one by one, still many per system call.
    private mutating func sendPlain(
        _ batch: borrowing SendBatch, _ position: inout Position, _ socket: borrowing UDPSocket
    ) -> Bool {
        let run = batch.run(position.run)
        let base = batch.bytes
        let count = min(Messages.capacity, run.count - position.datagram)
        for index in 0..<count {
            let start = run.bytes.lowerBound + (position.datagram + index) * run.segmentSize
            let end = min(start + run.segmentSize, run.bytes.upperBound)
            put(run, start..<end, segment: 0, of: base, at: index)
        }
        let sent = unsafe transmit(
            socket.descriptor.number, socket.isIPv4 ? 1 : 0, messages.memory.baseAddress,
            CUnsignedInt(count))
        if sent == -EAGAIN { return false }
        // A refused datagram is lost, as on the way it might be; the rest goes on.
        counts.datagrams += max(0, Int(sent))
        counts.messages += max(0, Int(sent))
        counts.refused += sent < 0 ? 1 : 0
        position.datagram += max(1, Int(sent))
        if position.datagram >= run.count {
            position = Position(run: position.run + 1, datagram: 0)
        }
        return true
    }

    /// The first run of a call was not taken.
    ///
    /// - Returns: `false` if the socket is full.
    private mutating func refuse(
        _ run: SendBatch.Run, _ error: CInt, _ position: inout Position
    ) -> Bool {
        switch error {
        case EAGAIN: return false
        case EMSGSIZE where run.count > 1, EIO where run.count > 1, EINVAL where run.count > 1:
            if plainPeers.count >= Self.plainPeersMaximum { plainPeers.removeAll() }
            plainPeers.insert(run.destination)
            counts.split += 1
        default:
            counts.refused += run.count
            position.run += 1
        }
        return true
    }

    private borrowing func put(
        _ run: SendBatch.Run, _ range: Range<Int>, segment: UInt16, of bytes: RawSpan, at index: Int
    ) {
        unsafe bytes.extracting(range).withUnsafeBytes { bytes in
            unsafe messages.memory[index] = linux_message(
                to: run.destination.kernel, from: run.source.kernel, bytes: bytes.baseAddress,
                length: UInt32(bytes.count), segment: segment)
        }
    }
}
