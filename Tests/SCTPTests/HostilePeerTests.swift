import Browser
import SCTP
import Simulation
import Testing
import Wire

extension SCTPSuite {
    /// DTLS has proven who the peer is, not that it means well. What it sends has a right checksum
    /// and a right verification tag, or nothing but the first lines of the library would be tried.
    @Suite struct HostilePeer {
        /// 20 x 500 packets of a run, damaged, at an association in the middle of its work.
        @Test(arguments: 0..<20 as Range<UInt64>)
        func damagedPacketsHurtNobodyElse(seed: UInt64) throws {
            let bystander = try #require(Wires())
            bystander.run(2000) { bystander.connected.count == 2 }
            var random = SplitMix64(seed: seed)
            var wires = try Self.talking(seed: seed)
            var damagedPackets = 0
            var deaths = 0
            while damagedPackets < 500 {
                guard let (from, packet) = wires.recorded.randomElement(using: &random) else {
                    break
                }
                wires.inject(Self.damaged(packet, using: &random), to: wires.peer(of: from))
                damagedPackets += 1
                if damagedPackets % 16 == 0 { wires.run(50) }
                if !wires.ended.isEmpty {
                    deaths += 1
                    wires.close()
                    wires = try Self.talking(seed: seed &+ UInt64(damagedPackets))
                }
            }
            wires.close()
            #expect(damagedPackets == 500)
            #expect(deaths < 250, "\(deaths): most damage is survived")
            #expect(bystander.send([9], from: bystander.left))
            bystander.run(5000) { !bystander.received(by: bystander.right).isEmpty }
            #expect(bystander.received(by: bystander.right).map(\.bytes) == [[9]])
            bystander.close()
        }

        /// An INIT within a running association, with a parameter of no length: the library alone
        /// would walk it for ever.
        @Test func aParameterOfNoLengthHangsNobody() throws {
            let wires = try Self.talking(seed: 5)
            var tried = 0
            for (from, packet) in wires.recorded where packet[12] == 1 {
                // The parameters follow the two heads and 16 bytes of fields.
                for at in stride(from: 32, to: packet.count - 3, by: 4) {
                    var bad = packet
                    bad[at + 2] = 0
                    bad[at + 3] = 0
                    wires.inject(CRC32C.sealed(bad), to: wires.peer(of: from))
                    tried += 1
                }
            }
            #expect(tried > 4)
            #expect(wires.ended.isEmpty)
            wires.close()
        }

        /// Noise and cut packets say nothing in the peer's name: their checksum or tag is wrong.
        @Test func garbageAndTruncationsEndNothing() throws {
            let wires = try Self.talking(seed: 1)
            var random = SplitMix64(seed: 3)
            for count in 0..<400 {
                let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
                wires.inject(noise, to: wires.left)
                wires.inject(CRC32C.sealed(noise), to: wires.right)
            }
            for (from, packet) in wires.recorded {
                for cut in Damage.truncations(packet).prefix(60) {
                    wires.inject(cut, to: wires.peer(of: from))
                }
            }
            let before = wires.takeMessages(of: wires.right).count
            #expect(before > 0)
            #expect(wires.ended.isEmpty)
            #expect(wires.send([9], from: wires.left))
            wires.run(5000) { !wires.received(by: wires.right).isEmpty }
            #expect(wires.received(by: wires.right).map(\.bytes) == [[9]])
            wires.close()
        }

        /// A run that has shown every kind of packet: the handshake, data of one and more packets,
        /// losses and what mends them, resets of streams.
        private static func talking(seed: UInt64) throws -> Wires {
            let wires = try #require(Wires(lossPerMille: 20, seed: seed, isRecording: true))
            for stream in 0..<4 as Range<UInt16> {
                #expect(wires.send([1, 2, 3], from: wires.left, stream: stream))
                let large = [UInt8](repeating: 4, count: 3000)
                #expect(
                    wires.send(
                        large, from: wires.right, stream: stream,
                        delivery: .init(ordered: false, reliability: .retransmits(0))))
            }
            #expect(wires.reset(3, from: wires.left))
            wires.run(3000) { wires.received(by: wires.right).count == 4 }
            wires.run(300)
            return wires
        }

        private static func damaged(_ packet: [UInt8], using random: inout SplitMix64) -> [UInt8] {
            let header = packet.prefix(12)
            let kind = random.next() % 8
            // One in eight as the wire damages it; the others as a peer that means it.
            if kind == 0 { return Damage.damaged(packet, using: &random) }
            if kind == 1 {
                let cut = Int.random(in: 0...packet.count, using: &random)
                return CRC32C.sealed(Array(packet.prefix(cut)))
            }
            return CRC32C.sealed(
                header + Damage.damaged(Array(packet.dropFirst(12)), using: &random))
        }
    }
}
