import Testing
import Wire

struct DatagramQueueTests {
    let alice = Address(ipv4: 0x7f00_0001, port: 4000)
    let bob = Address(ipv4: 0x7f00_0001, port: 4001)

    private func datagram(_ size: Int, _ byte: UInt8) -> [UInt8] {
        [UInt8](repeating: byte, count: size)
    }

    @Test func aRunIsOfOneLineAndLeavesInOrder() {
        let queue = DatagramQueue()
        queue.append(datagram(100, 1).raw, on: 0, to: alice)
        queue.append(datagram(100, 2).raw, on: 0, to: bob)
        queue.append(datagram(50, 3).raw, on: 1, to: alice)
        var batch = SendBatch()
        let first = queue.fill(&batch)
        #expect(first == .init(line: 0, count: 2))
        #expect(batch.runCount == 2, "two destinations")
        #expect(batch.run(1).destination == bob)
        queue.advance(2)
        batch.clear()
        #expect(queue.fill(&batch) == .init(line: 1, count: 1))
        #expect(batch.bytes.byte(at: 0) == 3)
        queue.advance(1)
        batch.clear()
        #expect(queue.fill(&batch) == nil)
        #expect(queue.isEmpty)
        #expect(queue.byteCount == 0)
    }

    @Test func whatDoesNotFitIntoABatchStays() {
        let queue = DatagramQueue()
        for byte in 0..<10 { queue.append(datagram(1000, UInt8(byte)).raw, on: 0, to: alice) }
        var batch = SendBatch(capacity: 3500, runs: 8)
        #expect(queue.fill(&batch) == .init(line: 0, count: 3))
        // Not all of them left: the rest is shown again.
        queue.advance(1)
        batch.clear()
        #expect(queue.fill(&batch) == .init(line: 0, count: 3))
        #expect(batch.bytes.byte(at: 0) == 1)
        #expect(queue.byteCount == 9000)
    }

    @Test func beyondItsLimitItDropsAndCounts() {
        let queue = DatagramQueue(limit: 1000)
        for _ in 0..<5 { queue.append(datagram(300, 1).raw, on: 0, to: alice) }
        #expect(queue.count == 3)
        #expect(queue.dropped == 2)
        queue.clear()
        queue.append(datagram(300, 1).raw, on: 0, to: alice)
        #expect(queue.count == 1, "room again")
    }

    @Test func aQueueThatNeverRunsDryForgetsWhatHasLeft() {
        let queue = DatagramQueue(limit: 1000)
        var batch = SendBatch()
        queue.append(datagram(300, 0).raw, on: 0, to: alice)
        for byte in 1..<100 {
            queue.append(datagram(300, UInt8(byte)).raw, on: 0, to: alice)
            queue.advance(1)
            batch.clear()
            #expect(queue.fill(&batch) == .init(line: 0, count: 1))
            #expect(batch.bytes.byte(at: 0) == UInt8(byte))
        }
        #expect(queue.byteCount == 300 && queue.dropped == 0)
    }

    @Test func aDatagramIsWrittenInPlaceOrNotAtAll() {
        let queue = DatagramQueue()
        queue.append(maximum: 1400, on: 0, to: alice) { window in
            window.storeBytes(of: 7, toByteOffset: 0, as: UInt8.self)
            return 1
        }
        queue.append(maximum: 1400, on: 0, to: alice) { _ in 0 }
        #expect(queue.count == 1)
        #expect(queue.byteCount == 1)
    }

    @Test func aRangeOfPortsHasPairsThatBeginEven() {
        #expect(PortRange(0, 10) == nil)
        #expect(PortRange(11, 10) == nil)
        #expect(PortRange(1001, 1002)?.pairs == 0)
        #expect(PortRange(1001, 1003)?.pairs == 1)
        #expect(PortRange(1001, 1003)?.pair(0) == 1002)
        #expect(PortRange(65_534, 65_535)?.pairs == 1)
        #expect(PortRange(65_535, 65_535)?.pairs == 0)
        #expect(PortRange(30_500, 31_499)?.pairs == 500)
    }
}
