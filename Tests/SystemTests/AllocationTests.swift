import CAllocationCount
import Testing
import Wire

@testable import System

/// A packet on its way costs no allocation once everything has its size.
///
/// A sanitizer takes malloc over; then nothing can be counted and these are skipped.
@Suite(.enabled(if: allocation_count_works(), "malloc cannot be counted here"))
struct AllocationTests {
    /// Calls of malloc by this thread during `body`.
    private func allocations(_ body: () throws -> Void) rethrows -> Int {
        let start = allocation_count_thread()
        try body()
        return Int(allocation_count_thread() - start)
    }

    @Test func datagramsComeAndGoWithoutAnAllocation() throws {
        let sender = try UDPSocket(bind: loopback)
        let receiver = try UDPSocket(bind: loopback)
        let payload = [UInt8](repeating: 1, count: 1200)
        var batch = SendBatch()
        var output = BatchSender()
        var slab = ReceiveSlab()
        var bytes = 0
        func turn() throws {
            for _ in 0..<8 {
                batch.begin(to: receiver.localAddress, from: .any(port: 0))
                batch.append(payload.raw)
            }
            _ = output.send(batch, through: sender)
            batch.clear()
            while try receiver.receive(into: &slab) {
                while slab.next() { bytes += slab.bytes.byteCount }
            }
        }
        try turn()
        let count = try allocations { for _ in 0..<100 { try turn() } }
        #expect(count == 0)
        #expect(bytes == 101 * 8 * 1200)
    }

    @Test func aRecordThroughTheRingAllocatesNothing() throws {
        let ring = PacketRing(bell: try Bell())
        var writer = ring.makeWriter()
        var reader = ring.makeReader()
        let payload = [UInt8](repeating: 1, count: 1200)
        var sum = 0
        let count = allocations {
            for _ in 0..<1000 {
                _ = writer.tryWrite(kind: 1, payload.raw)
                writer.flush()
                while reader.next() { sum += reader.bytes.byteCount }
            }
        }
        #expect(count == 0)
        #expect(sum == 1_200_000)
    }

    @Test func aSharedChunkIsWrittenWithoutAnAllocation() throws {
        let pair = try TCPSocket.pair()
        let chunk = Chunk([UInt8](repeating: 1, count: 4000))
        let head = [UInt8](repeating: 2, count: 16)
        var outbox = Outbox()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var received = 0
        func turn() throws {
            outbox.append(head.raw)
            outbox.append(chunk)
            _ = try pair.first.write(&outbox)
            var span = buffer.mutableSpan
            var window = unsafe span.mutableBytes
            if case .bytes(let count) = try pair.second.read(into: &window) { received += count }
        }
        try turn()
        let count = try allocations { for _ in 0..<1000 { try turn() } }
        #expect(count == 0)
        #expect(received == 1001 * 4016)
    }

    @Test func eventsAndLettersAllocateNothing() throws {
        var poller = try Poller()
        let mailbox = try Mailbox<Int>()
        _ = try poller.add(mailbox.bell, tag: 1)
        var letters: [Int] = []
        var sum = 0
        func turn() throws {
            for letter in 0..<10 { mailbox.post(letter) }
            try poller.wait(.zero)
            while let event = poller.next() { sum += event.tag }
            mailbox.bell.awake()
            mailbox.collect(into: &letters)
            sum += letters.count
        }
        for _ in 0..<3 { try turn() }
        let count = try allocations { for _ in 0..<100 { try turn() } }
        #expect(count == 0)
        #expect(sum == 103 * 11)
    }
}

/// What is opened is closed, also on the ways that fail.
@Suite(.serialized) struct DescriptorTests {
    @Test func nothingStaysOpen() async throws {
        // In a process of its own: other tests open and close beside us.
        await #expect(processExitsWith: .success) {
            func round() throws {
                let socket = try UDPSocket(bind: loopback)
                _ = try? UDPSocket(bind: socket.localAddress)
                var listener = try TCPListener(bind: loopback)
                _ = try? TCPListener(bind: listener.localAddress)
                let client = try TCPSocket(connectingTo: listener.localAddress)
                var poller = try Poller()
                _ = try poller.add(client, .write, tag: 1)
                try poller.wait(.seconds(1))
                _ = try listener.accept()
                let pair = try TCPSocket.pair()
                _ = pair.takeFirst()
                let mailbox = try Mailbox<Int>()
                mailbox.post(1)
                _ = Parcel(try UDPSocket(bind: loopback))
                _ = try Files.read("/proc/self/stat")
            }
            try round()
            let before = openDescriptors()
            for _ in 0..<20 { try round() }
            // The test library may open something of its own meanwhile; twenty leaks it is not.
            precondition(openDescriptors() < before + 20, "a descriptor leaks")
        }
    }

    /// No descriptors left: the connection is shed, its peer learns of it, and nothing spins.
    @Test func withoutDescriptorsConnectionsAreShed() async {
        await #expect(processExitsWith: .success) {
            var listener = try TCPListener(bind: loopback)
            let first = try TCPSocket(connectingTo: listener.localAddress)
            let second = try TCPSocket(connectingTo: listener.localAddress)
            exhaustDescriptors()
            // On a busy machine the second may still be on its way.
            let end = Clock.now + .seconds(10)
            var nobody = true
            while listener.shed < 2, Clock.now < end {
                nobody = try listener.accept() == nil && nobody
            }
            let shed = listener.shed
            precondition(nobody, "there was none to accept with")
            precondition(shed == 2, "both were shed: the queue is empty")
            var byte: [UInt8] = [0]
            var span = byte.mutableSpan
            var window = unsafe span.mutableBytes
            let readings = [try first.read(into: &window), try second.read(into: &window)]
            precondition(readings == [.end, .end], "the peers learn of it")
        }
    }
}
