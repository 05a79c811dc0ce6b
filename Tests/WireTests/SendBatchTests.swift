import Testing
import Wire

struct SendBatchTests {
    let alice = Address(ipv4: 0x7f00_0001, port: 4000)
    let bob = Address(ipv4: 0x7f00_0001, port: 4001)
    let here = Address.any(port: 0)

    private func fill(_ batch: inout SendBatch, _ size: Int, byte: UInt8 = 1) {
        var window = batch.window(size + 10)
        for index in 0..<size { window.storeBytes(of: byte, toByteOffset: index, as: UInt8.self) }
        batch.commit(size)
    }

    @Test func datagramsOfOneSizeAreOneRun() {
        var batch = SendBatch(capacity: 10_000, runs: 8)
        batch.begin(to: alice, from: here)
        for _ in 0..<3 { fill(&batch, 100) }
        fill(&batch, 40)
        let run = batch.run(0)
        #expect(batch.runCount == 1)
        #expect(run.segmentSize == 100)
        #expect(run.count == 4)
        #expect(run.bytes == 0..<340)
        #expect(run.destination == alice)
    }

    @Test func nothingFollowsAShorterDatagram() {
        var batch = SendBatch(capacity: 10_000, runs: 8)
        batch.begin(to: alice, from: here)
        for size in [100, 40, 40, 100] { fill(&batch, size) }
        let runs = (0..<batch.runCount).map { batch.run($0).count }
        #expect(runs == [2, 1, 1], "100 and 40, 40 alone (100 is longer), 100")
    }

    @Test func anotherPeerOrSourceIsAnotherRun() {
        var batch = SendBatch(capacity: 10_000, runs: 8)
        for (peer, source) in [(alice, here), (alice, here), (bob, here), (bob, alice)] {
            batch.begin(to: peer, from: source)
            fill(&batch, 100)
        }
        let counts = (0..<batch.runCount).map { batch.run($0).count }
        let source = batch.run(2).source
        #expect(counts == [2, 1, 1])
        #expect(source == alice)
    }

    @Test func closeRunSeparatesEqualDatagrams() {
        var batch = SendBatch(capacity: 10_000, runs: 8)
        batch.begin(to: alice, from: here)
        fill(&batch, 100)
        batch.closeRun()
        fill(&batch, 100)
        let count = batch.runCount
        #expect(count == 2)
    }

    @Test func aRunHasAtMost64DatagramsAnd65000Bytes() {
        var batch = SendBatch(capacity: 300_000, runs: 80)
        batch.begin(to: alice, from: here)
        for _ in 0..<65 { fill(&batch, 100) }
        for _ in 0..<60 { fill(&batch, 1200) }
        let counts = (0..<batch.runCount).map { batch.run($0).count }
        #expect(counts == [64, 1, 54, 6])
    }

    @Test func saysWhenItIsFullAndKeepsItsMemory() {
        var batch = SendBatch(capacity: 1000, runs: 2)
        batch.begin(to: alice, from: here)
        fill(&batch, 500)
        let fits = (batch.fits(500), batch.fits(501))
        #expect(fits == (true, false))
        batch.begin(to: bob, from: here)
        fill(&batch, 10)
        let hasRun = batch.fits(1)
        #expect(!hasRun, "no run is left")
        batch.clear()
        let after = (batch.isEmpty, batch.fits(1000))
        #expect(after == (true, true))
    }

    @Test func theBytesAreWhatWasWritten() {
        var batch = SendBatch(capacity: 1000, runs: 2)
        batch.begin(to: alice, from: here)
        fill(&batch, 2, byte: 7)
        batch.append([9, 9].raw)
        let bytes = [UInt8](copying: batch.bytes)
        let runs = batch.runCount
        #expect(bytes == [7, 7, 9, 9])
        #expect(runs == 1)
    }
}
