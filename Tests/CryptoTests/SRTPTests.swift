import Crypto
import Testing
import Wire

/// An engine with one key for each direction, and arrays in and out.
struct SRTPEnd: ~Copyable {
    var engine: CryptoEngine
    let sending: SRTPKey
    let receiving: SRTPKey
    var receiver = SRTPReceiver()

    init(_ kind: CryptoEngine.Kind, _ profile: SRTPProfile, master: SRTPMaster? = nil) throws {
        engine = try CryptoEngine.make(kind)
        let master = master ?? Self.master(profile)
        sending = engine.add(master, profile: profile, for: .sending)
        receiving = engine.add(master, profile: profile, for: .receiving)
    }

    static func master(_ profile: SRTPProfile, seed: UInt8 = 1) -> SRTPMaster {
        SRTPMaster(
            key: (0..<profile.keyCount).map { UInt8($0) &* 7 &+ seed },
            salt: (0..<profile.saltCount).map { UInt8($0) &* 13 &+ seed })
    }

    func protect(_ packet: Packet) -> [UInt8] {
        var out = packet.header + [UInt8](repeating: 0, count: packet.payload.count + 16)
        var span = out.mutableSpan
        var window = unsafe span.mutableBytes
        let count = engine.protect(
            &window, headerCount: packet.header.count, payload: packet.payload.raw,
            ssrc: packet.ssrc, index: packet.index, key: sending)
        return Array(out.prefix(count))
    }

    /// Many at once, every other one in place.
    func protect(_ packets: [Packet]) -> [[UInt8]] {
        var arena: [UInt8] = []
        var places: [Range<Int>] = []
        for packet in packets {
            let start = arena.count
            arena += packet.header
            arena +=
                places.count % 2 == 0
                ? packet.payload : [UInt8](repeating: 0xdd, count: packet.payload.count)
            arena += [UInt8](repeating: 0xee, count: 16)
            places.append(start..<arena.count)
        }
        let tag = engine.profile(of: sending).tagCount
        var span = arena.mutableSpan
        var window = unsafe span.mutableBytes
        for (number, packet) in packets.enumerated() {
            var place = window._mutatingExtracting(places[number])
            let headerCount = packet.header.count
            if number % 2 == 0 {
                _ = engine.protect(
                    &place, headerCount: headerCount, count: packet.payload.count,
                    ssrc: packet.ssrc, index: packet.index, key: sending, together: true)
            } else {
                _ = engine.protect(
                    &place, headerCount: headerCount, payload: packet.payload.raw,
                    ssrc: packet.ssrc, index: packet.index, key: sending, together: true)
            }
        }
        engine.finish()
        return places.map { Array(arena[$0.lowerBound..<$0.upperBound - 16 + tag]) }
    }

    mutating func open(_ packet: [UInt8]) throws(SRTPRefusal) -> (SRTPPacket, [UInt8]) {
        var bytes = packet
        var span = bytes.mutableSpan
        var window = unsafe span.mutableBytes
        let opened = try receiver.unprotect(&window, key: receiving, with: engine)
        return (opened, Array(bytes.prefix(opened.count)))
    }

    func protectRTCP(_ packet: [UInt8], index: UInt32) -> [UInt8] {
        var out = packet + [UInt8](repeating: 0, count: 20)
        var span = out.mutableSpan
        var window = unsafe span.mutableBytes
        let count = engine.protectRTCP(
            &window, count: packet.count, index: index, key: sending)
        return Array(out.prefix(count))
    }

    mutating func openRTCP(_ packet: [UInt8]) throws(SRTPRefusal) -> [UInt8] {
        var bytes = packet
        var span = bytes.mutableSpan
        var window = unsafe span.mutableBytes
        let count = try receiver.unprotectRTCP(&window, key: receiving, with: engine)
        return Array(bytes.prefix(count))
    }
}

/// A packet in the clear.
struct Packet {
    var ssrc: UInt32 = 0xcafe_babe
    var index: UInt64
    var header: [UInt8]
    var payload: [UInt8]

    init(_ index: UInt64, count: Int = 100, sources: Int = 0, extensionWords: Int? = nil) {
        self.index = index
        let flags = UInt8(0x80 | sources | (extensionWords == nil ? 0 : 0x10))
        let sequence = UInt16(truncatingIfNeeded: index)
        header =
            [flags, 96, UInt8(sequence >> 8), UInt8(truncatingIfNeeded: sequence)]
            + [0, 1, 2, 3] + [0xca, 0xfe, 0xba, 0xbe]
        header += (0..<4 * sources).map { UInt8($0) }
        if let extensionWords {
            header += [0xbe, 0xde, 0, UInt8(extensionWords)]
            header += (0..<4 * extensionWords).map { UInt8($0) }
        }
        payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ Int(sequence)) }
    }

    var plain: [UInt8] { header + payload }
}

/// Every engine, and every pair of them.
enum Engines {
    static let available = CryptoEngine.Kind.allCases.filter { kind in
        do {
            let engine = try CryptoEngine.make(kind)
            return engine.kind == kind
        } catch {
            return false
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var profile: SRTPProfile
        var from: CryptoEngine.Kind
        var to: CryptoEngine.Kind
        var testDescription: String { "\(profile) \(from.rawValue) to \(to.rawValue)" }
    }

    static let pairs = SRTPProfile.allCases.flatMap { profile in
        available.flatMap { from in
            available.map { Case(profile: profile, from: from, to: $0) }
        }
    }
}

struct SRTPTests {
    @Test func thereIsMoreThanOneEngine() {
        #expect(Engines.available.contains(.openSSL))
        #expect(Engines.available.contains(.libSRTP))
    }

    /// Each packet protected by one engine is opened by the other: across the wrap of the sequence
    /// number, with contributing sources and extensions, from no payload to the largest.
    @Test(arguments: Engines.pairs)
    func oneProtectsAndTheOtherOpens(engines: Engines.Case) throws {
        let sender = try SRTPEnd(engines.from, engines.profile)
        var receiver = try SRTPEnd(engines.to, engines.profile)
        for step in 0..<200 as Range<Int> {
            let packet = Packet(
                65_436 + UInt64(step), count: (step * 37) % 1450, sources: step % 3,
                extensionWords: step.isMultiple(of: 2) ? step % 5 : nil)
            let sealed = sender.protect(packet)
            #expect(sealed.count == packet.plain.count + engines.profile.tagCount)
            #expect(Array(sealed.prefix(packet.header.count)) == packet.header)
            let (opened, plain) = try receiver.open(sealed)
            #expect(opened.index == packet.index)
            #expect(opened.ssrc == packet.ssrc)
            #expect(opened.headerCount == packet.header.count)
            #expect(plain == packet.plain)
        }
    }

    /// Sizes that differ keep some of the lanes of libipsec-mb waiting: none may be lost.
    @Test(arguments: Engines.pairs)
    func aBatchIsWhatItsPacketsAre(engines: Engines.Case) throws {
        let batch = try SRTPEnd(engines.from, engines.profile)
        var receiver = try SRTPEnd(engines.to, engines.profile)
        var random = SplitMix64(seed: 7)
        let packets = (1...300 as ClosedRange<UInt64>).map {
            Packet($0, count: Int.random(in: 0...1400, using: &random))
        }
        for (packet, sealed) in zip(packets, batch.protect(packets)) {
            #expect(try receiver.open(sealed).1 == packet.plain)
        }
    }

    @Test(arguments: SRTPProfile.allCases, Engines.available)
    func enginesAgreeOnEveryByte(profile: SRTPProfile, kind: CryptoEngine.Kind) throws {
        let mine = try SRTPEnd(kind, profile)
        let reference = try SRTPEnd(.libSRTP, profile)
        for count in [0, 1, 15, 16, 17, 100, 1200] {
            let packet = Packet(UInt64(count + 1), count: count)
            #expect(mine.protect(packet) == reference.protect(packet), "\(count) bytes")
        }
    }

    @Test(arguments: SRTPProfile.allCases, Engines.available)
    func oneWrongBitAnywhereIsForged(profile: SRTPProfile, kind: CryptoEngine.Kind) throws {
        let sender = try SRTPEnd(.openSSL, profile)
        var receiver = try SRTPEnd(kind, profile)
        let packet = Packet(500, count: 40, sources: 1, extensionWords: 1)
        let sealed = sender.protect(packet)
        for index in sealed.indices {
            var wrong = sealed
            wrong[index] ^= 1 << UInt8(index & 7)
            let result = Result { () throws(SRTPRefusal) in try receiver.open(wrong) }
            guard case .failure(let refusal) = result else {
                Issue.record("byte \(index) may be changed")
                continue
            }
            #expect(refusal == .forged || refusal == .malformed)
        }
        // None of them has left a trace.
        #expect(try receiver.open(sealed).1 == packet.plain)
    }

    @Test(arguments: SRTPProfile.allCases, Engines.available)
    func everyLengthIsSurvived(profile: SRTPProfile, kind: CryptoEngine.Kind) throws {
        var end = try SRTPEnd(kind, profile)
        let sealed = end.protect(Packet(500, count: 40, sources: 15, extensionWords: 3))
        for count in 0..<sealed.count {
            let cut = Array(sealed.prefix(count))
            #expect(throws: SRTPRefusal.self, "\(count) bytes") { try end.open(cut) }
        }
        for count in 0...60 {
            let rtcp = [UInt8](repeating: 0x80, count: count)
            #expect(throws: SRTPRefusal.self, "\(count) bytes") { try end.openRTCP(rtcp) }
        }
    }

    @Test(arguments: Engines.pairs)
    func rtcpIsOpenedByTheOther(engines: Engines.Case) throws {
        let sender = try SRTPEnd(engines.from, engines.profile)
        var receiver = try SRTPEnd(engines.to, engines.profile)
        for index in 1...50 as ClosedRange<UInt32> {
            let packet = [0x80, 200, 0, 6, 1, 2, 3, 4] + (0..<Int(index)).map { UInt8($0) }
            let sealed = sender.protectRTCP(packet, index: index)
            #expect(sealed.count == packet.count + engines.profile.rtcpGrowth)
            #expect(try receiver.openRTCP(sealed) == packet)
            #expect(throws: SRTPRefusal.replayed) { try receiver.openRTCP(sealed) }
        }
    }

    @Test(arguments: SRTPProfile.allCases, Engines.available)
    func oneWrongBitInRTCPIsForged(profile: SRTPProfile, kind: CryptoEngine.Kind) throws {
        var end = try SRTPEnd(kind, profile)
        let sealed = end.protectRTCP([0x80, 200, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8], index: 9)
        for index in sealed.indices {
            var wrong = sealed
            wrong[index] ^= 1 << UInt8(index & 7)
            #expect(throws: SRTPRefusal.self, "byte \(index)") { try end.openRTCP(wrong) }
        }
        #expect(try end.openRTCP(sealed).count == 12)
    }

    @Test func anotherKeyOpensNothing() throws {
        for profile in SRTPProfile.allCases {
            let sender = try SRTPEnd(.openSSL, profile)
            var receiver = try SRTPEnd(
                .openSSL, profile, master: SRTPEnd.master(profile, seed: 2))
            let sealed = sender.protect(Packet(1))
            #expect(throws: SRTPRefusal.forged) { try receiver.open(sealed) }
        }
    }

    @Test func keysGrowAndAreReused() throws {
        var engine = try CryptoEngine.make()
        let master = SRTPEnd.master(.aes128GCM)
        let keys = (0..<1000).map { _ in
            engine.add(master, profile: .aes128GCM, for: .sending)
        }
        #expect(Set(keys.map { "\($0)" }).count == 1000)
        engine.remove(keys[17])
        let wide = engine.add(SRTPEnd.master(.aes256GCM), profile: .aes256GCM, for: .sending)
        #expect(wide == keys[17])
        #expect(engine.profile(of: wide) == .aes256GCM)
    }
}
