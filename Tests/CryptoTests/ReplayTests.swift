import Crypto
import Testing
import Wire

/// What a receiver remembers (RFC 3711 §3.3): told by packets that are genuine.
struct ReplayTests {
    let profile = SRTPProfile.aes128GCM

    @Test func aPacketComesOnce() throws {
        let sender = try SRTPEnd(.openSSL, profile)
        var receiver = try SRTPEnd(.openSSL, profile)
        for index: UInt64 in [1000, 1002, 1001, 1500] {
            let sealed = sender.protect(Packet(index))
            #expect(try receiver.open(sealed).0.index == index)
            for _ in 0..<5 {
                #expect(throws: SRTPRefusal.replayed) { try receiver.open(sealed) }
            }
        }
    }

    @Test func theWindowHas1024Packets() throws {
        let sender = try SRTPEnd(.openSSL, profile)
        var receiver = try SRTPEnd(.openSSL, profile)
        _ = try receiver.open(sender.protect(Packet(5000)))
        let oldest = sender.protect(Packet(5000 - 1023))
        let older = sender.protect(Packet(5000 - 1024))
        #expect(try receiver.open(oldest).0.index == 3977)
        #expect(throws: SRTPRefusal.replayed) { try receiver.open(older) }
    }

    @Test func everyOrderIsAcceptedOnce() throws {
        let sender = try SRTPEnd(.openSSL, profile)
        var random = SplitMix64(seed: 3)
        for start: UInt64 in [0, 65_000, 130_000] {
            var receiver = try SRTPEnd(.openSSL, profile)
            if start > 65_535 {  // It has heard the turns before.
                for index in stride(from: 40_000, to: start, by: 20_000) {
                    _ = try receiver.open(sender.protect(Packet(index)))
                }
            }
            let indexes = (start..<start + 1000).shuffled(using: &random)
            var accepted = 0
            for index in indexes {
                guard let opened = try? receiver.open(sender.protect(Packet(index))).0 else {
                    continue
                }
                #expect(opened.index == index)
                accepted += 1
            }
            #expect(accepted == 1000)
        }
    }

    /// RFC 3711 §3.3.1 begins at a roll-over counter of zero; a stream may begin just before the
    /// wrap and still be understood.
    @Test func aStreamMayBeginJustBeforeTheWrap() throws {
        let sender = try SRTPEnd(.openSSL, profile)
        var receiver = try SRTPEnd(.openSSL, profile)
        for index: UInt64 in [65_535, 65_536, 65_534, 65_537] {
            #expect(try receiver.open(sender.protect(Packet(index))).0.index == index)
        }
    }

    @Test func beforeTheBeginningThereIsNothing() throws {
        let sender = try SRTPEnd(.openSSL, profile)
        var receiver = try SRTPEnd(.openSSL, profile)
        _ = try receiver.open(sender.protect(Packet(3)))
        // 65,530 near 3 would be -6.
        let early = sender.protect(Packet(65_530))
        #expect(throws: SRTPRefusal.replayed) { try receiver.open(early) }
    }

    /// A jump of half a turn is guessed as a wrong turn; its tag says so, and nothing is changed.
    @Test func aForgedJumpMovesNothing() throws {
        let sender = try SRTPEnd(.openSSL, profile)
        var receiver = try SRTPEnd(.openSSL, profile)
        _ = try receiver.open(sender.protect(Packet(100)))
        for jump: UInt64 in [30_000, 32_000, 33_000, 50_000] {
            var forged = sender.protect(Packet(100 + jump))
            forged[forged.count - 1] ^= 1
            #expect(throws: SRTPRefusal.self) { try receiver.open(forged) }
        }
        #expect(try receiver.open(sender.protect(Packet(101))).0.index == 101)
    }

    @Test func aSessionHas64Sources() throws {
        let sender = try SRTPEnd(.openSSL, profile)
        var receiver = try SRTPEnd(.openSSL, profile)
        var opened = 0
        for ssrc in 1...10_000 as ClosedRange<UInt32> {
            var packet = Packet(1, count: 4)
            packet.ssrc = ssrc
            packet.header.replaceSubrange(
                8..<12, with: [0, 0, UInt8(ssrc >> 8), UInt8(truncatingIfNeeded: ssrc)])
            if (try? receiver.open(sender.protect(packet))) != nil { opened += 1 }
        }
        #expect(opened == 64)
    }

    @Test func unencryptedRTCPIsNotBelieved() throws {
        var end = try SRTPEnd(.openSSL, .aes128SHA1)
        var sealed = end.protectRTCP([0x80, 200, 0, 1, 1, 2, 3, 4], index: 5)
        sealed[8] &= 0x7f
        #expect(throws: SRTPRefusal.malformed) { try end.openRTCP(sealed) }
    }
}
