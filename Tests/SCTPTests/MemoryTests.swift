import Browser
import CAllocationCount
import SCTP
import Testing

extension SCTPSuite {
    @Suite struct Memory {
        /// 1,000 associations, opened, used and closed, in rounds of 200. Other tests allocate in
        /// the meantime, but not in every round; a leak would show in each of them.
        @Test func comesBackAfterAThousandAssociations() throws {
            let before = OneEngine.shared.engine.count
            var leastGrowth = Int.max
            for _ in 0..<5 {
                let start = Int(allocation_bytes_in_use())
                for _ in 0..<100 { try Self.useAndClose() }
                leastGrowth = min(leastGrowth, Int(allocation_bytes_in_use()) - start)
            }
            #expect(OneEngine.shared.engine.count == before)
            // One association holds more than 100 KiB; 2 KiB of each would be seen.
            #expect(leastGrowth < 200 * 2048, "\(leastGrowth) bytes more after 200")
        }

        /// Two associations, closed at either end: before, while and after they are connected.
        private static func useAndClose() throws {
            let wires = try #require(Wires(lossPerMille: 50))
            #expect(wires.send([UInt8](repeating: 1, count: 5000), from: wires.left))
            wires.run(100)
            wires.close()
        }
    }
}
