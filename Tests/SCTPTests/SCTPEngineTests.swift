import Browser
import SCTP
import Testing
import Wire

extension SCTPSuite {
    @Suite struct Engine {
        @Test func connectsFromBothEndsAndCarriesEverySize() throws {
            let wires = try #require(Wires())
            wires.run(2000) { wires.connected.count == 2 }
            #expect(wires.connected == [wires.left, wires.right])
            let sizes = [1, 100, 1150, 5000, 65_536, SCTPEngine.messageMaximum]
            for size in sizes {
                let bytes = [UInt8](repeating: UInt8(size & 255), count: size)
                #expect(wires.send(bytes, from: wires.left))
            }
            wires.run(30_000) { wires.received(by: wires.right).count == sizes.count }
            #expect(wires.received(by: wires.right).map(\.bytes.count) == sizes)
            #expect(wires.largestPacket <= SCTPEngine.packetSize)
            #expect(wires.largestPacket > SCTPEngine.packetSize - 4, "the room is used")
            wires.close()
        }

        /// 20 in each run; `SCTP_SEEDS` asks for more.
        @Test(arguments: 0..<Seeds.count)
        func losesNothingThatIsReliable(seed: UInt64) throws {
            let loss = [50, 100, 200][Int(seed % 3)]
            let wires = try #require(Wires(lossPerMille: loss, seed: seed))
            for number in UInt8(0)..<100 {
                let bytes = [number] + [UInt8](repeating: 0, count: 800)
                #expect(wires.send(bytes, from: wires.left))
            }
            wires.run(300_000) { wires.received(by: wires.right).count == 100 }
            #expect(wires.ended.isEmpty)
            #expect(wires.received(by: wires.right).map { $0.bytes[0] } == Array(0..<100))
            wires.close()
        }

        /// The path was cut for 30 s, as long as ICE allows: nothing is lost, and what is sent
        /// then goes at once. (A path that has given up would wait for a heartbeat.)
        @Test func survivesWhatICESurvives() throws {
            let wires = try #require(Wires())
            wires.run(2000) { wires.connected.count == 2 }
            wires.lossPerMille = 1000
            #expect(wires.send([1], from: wires.left))
            wires.run(30_000)
            wires.lossPerMille = 0
            #expect(wires.send([2], from: wires.left))
            wires.run(4000) { wires.received(by: wires.right).count == 2 }
            #expect(wires.received(by: wires.right).map(\.bytes) == [[1], [2]])
            #expect(wires.ended.isEmpty)
            wires.close()
        }

        @Test func aPeerThatIsNotThereEndsIt() throws {
            let wires = try #require(Wires(lossPerMille: 1000))
            wires.run(70_000) { wires.ended.count == 2 }
            #expect(wires.ended == [wires.left, wires.right])
            #expect(!wires.send([1], from: wires.left), "the number is gone")
        }

        @Test(arguments: 0..<6 as Range<UInt64>)
        func whatMayBeLostIsNeverDamaged(seed: UInt64) throws {
            let wires = try #require(Wires(lossPerMille: 100, seed: seed))
            wires.run(20_000) { wires.connected.count == 2 }
            let sizes = [2, 900, 5000, SCTPEngine.messageMaximum]
            for number in 0..<80 {
                let delivery = SCTPDelivery(
                    ordered: number % 3 == 0,
                    reliability: number % 2 == 0
                        ? .retransmits(0) : .lifetime(milliseconds: 150))
                let bytes = [UInt8](repeating: UInt8(number), count: sizes[number % 4])
                _ = wires.send(bytes, from: wires.left, delivery: delivery)
                wires.run(100)
            }
            wires.run(60_000)
            let received = wires.received(by: wires.right).map(\.bytes)
            #expect(received.count > 20 && received.count < 80, "\(received.count)")
            for bytes in received {
                let number = Int(bytes[0])
                #expect(bytes == [UInt8](repeating: bytes[0], count: sizes[number % 4]))
            }
            wires.close()
        }

        @Test(arguments: 0..<6 as Range<UInt64>)
        func streamsAreResetAfterWhatWasSentOnThem(seed: UInt64) throws {
            let wires = try #require(Wires(lossPerMille: Int(seed) * 40, seed: seed))
            let streams = 0..<20 as Range<UInt16>
            for stream in streams {
                #expect(wires.send([UInt8(stream)], from: wires.left, stream: stream))
                #expect(wires.reset(stream, from: wires.left))
            }
            var resets: Set<UInt16> = []
            wires.run(300_000) {
                for case .streamReset(_, let stream) in wires.takeEvents(of: wires.right) {
                    #expect(
                        wires.received(by: wires.right).contains { $0.stream == stream })
                    resets.insert(stream)
                }
                return resets.count == streams.count
            }
            #expect(resets == Set(streams))
            for stream in streams {
                #expect(wires.send([100], from: wires.left, stream: stream), "used again")
            }
            wires.run(300_000) { wires.received(by: wires.right).count == streams.count * 2 }
            #expect(wires.received(by: wires.right).count == streams.count * 2)
            wires.close()
        }

        @Test func whatCannotBeSentIsSaid() throws {
            let wires = try #require(Wires())
            wires.run(2000) { wires.connected.count == 2 }
            #expect(!wires.send([], from: wires.left), "SCTP cannot carry nothing")
            let huge = [UInt8](repeating: 0, count: SCTPEngine.messageMaximum + 1)
            #expect(!wires.send(huge, from: wires.left))
            #expect(wires.send([1], from: wires.left, stream: 5000))
            #expect(
                wires.takeEvents(of: wires.left) == [
                    .refused(association: wires.left, stream: 5000, bytes: 1)
                ])
            wires.close()
        }

        @Test func whatWaitsIsBounded() throws {
            let wires = try #require(Wires(lossPerMille: 1000))
            let large = [UInt8](repeating: 7, count: SCTPEngine.messageMaximum)
            var taken = 0
            while taken < 100, wires.send(large, from: wires.left) { taken += 1 }
            #expect(10...20 ~= taken, "4 MiB with us and 0.5 MiB with the library: \(taken)")
            var small = 0
            while small < 100_000, wires.send([1], from: wires.left) { small += 1 }
            #expect(small < 10_000, "small messages cost what they cost: \(small)")
            #expect(!wires.reset(1, from: wires.left), "neither is a reset taken")
            wires.close()
        }

        @Test func closingTellsThePeerAndLeavesNothing() throws {
            let before = OneEngine.shared.engine.count
            let wires = try #require(Wires())
            wires.run(2000) { wires.connected.count == 2 }
            wires.closeLeft()
            wires.run(1000) { !wires.ended.isEmpty }
            #expect(wires.ended == [wires.right])
            #expect(OneEngine.shared.engine.count == before)
        }
    }
}
