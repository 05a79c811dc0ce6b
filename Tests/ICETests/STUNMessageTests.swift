import Crypto
import ICE
import Testing
import Wire

struct STUNMessageTests {
    /// The samples of RFC 5769, made by others than us: the truth about byte order and padding.
    static let password = Array("VOkJxbRl1RmTxUk/WvJxBt".utf8)
    static let request = bytes(
        """
        000100582112a442b7e7a701bc34d686fa87dfae
        802200105354554e207465737420636c69656e74 002400046e0001ff 80290008932ff9b151263b36
        000600096576746a3a68367659202020 000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
        80280004e57a3bcf
        """)
    static let responseIPv4 = bytes(
        """
        0101003c2112a442b7e7a701bc34d686fa87dfae 8022000b7465737420766563746f7220
        002000080001a147e112a643 000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004c07d4c96
        """)
    static let responseIPv6 = bytes(
        """
        010100482112a442b7e7a701bc34d686fa87dfae 8022000b7465737420766563746f7220
        002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9
        00080014a382954e4be67bf11784c97c8292c275bfe3ed41 80280004c8fb0b4c
        """)

    static func bytes(_ hex: String) -> [UInt8] {
        Hex.decode(hex.filter { $0.isHexDigit }) ?? []
    }

    static func isAuthentic(_ bytes: [UInt8], _ password: [UInt8]) throws -> Bool {
        try STUNMessage(bytes.raw).isAuthentic(bytes.raw, key: HMACSHA1(key: password.raw))
    }

    @Test func readsTheSampleRequest() throws {
        let message = try STUNMessage(Self.request.raw)
        #expect(message.kind == .request)
        #expect(message.method == STUNMessage.binding)
        #expect(message.transaction == TransactionID(high: 0xb7e7_a701, low: 0xbc34_d686_fa87_dfae))
        #expect(message.username.map { Array(Self.request[$0]) } == Array("evtj:h6vY".utf8))
        #expect(message.priority == 0x6e00_01ff)
        #expect(message.controlled == 0x932f_f9b1_5126_3b36)
        #expect(!message.usesCandidate && message.hasFingerprint && message.unknownCount == 0)
        #expect(try Self.isAuthentic(Self.request, Self.password))
        #expect(try !Self.isAuthentic(Self.request, Array("wrong".utf8)))
    }

    @Test func readsTheSampleAnswers() throws {
        for (bytes, ip) in [
            (Self.responseIPv4, "192.0.2.1"),
            (Self.responseIPv6, "2001:db8:1234:5678:11:2233:4455:6677"),
        ] {
            let message = try STUNMessage(bytes.raw)
            #expect(message.kind == .success)
            #expect(message.mappedAddress == Address(ip: ip, port: 32853))
            #expect(try Self.isAuthentic(bytes, Self.password))
        }
    }

    @Test(arguments: ["192.0.2.1", "2001:db8::1"])
    func writesWhatItReads(ip: String) throws {
        let id = TransactionID(high: 1, low: 2)
        let key = HMACSHA1(key: Self.password.raw)
        let address = try #require(Address(ip: ip, port: 9))
        var bytes: [UInt8] = [0xee]  // Whatever the arena held before.
        let builder = STUNBuilder(.request, id, into: &bytes)
        builder.username(Array("abcd:efghi".utf8).raw, into: &bytes)
        builder.priority(77, into: &bytes)
        builder.controlling(88, into: &bytes)
        builder.useCandidate(into: &bytes)
        builder.mappedAddress(address, id, into: &bytes)
        builder.error(487, into: &bytes)
        builder.finish(key: key, into: &bytes)
        let written = Array(bytes.dropFirst())

        let message = try STUNMessage(written.raw)
        #expect(message.kind == .request && message.transaction == id)
        #expect(message.username.map { Array(written[$0]) } == Array("abcd:efghi".utf8))
        #expect(message.priority == 77 && message.controlling == 88 && message.usesCandidate)
        #expect(message.mappedAddress == address && message.errorCode == 487)
        #expect(message.hasFingerprint)
        #expect(try Self.isAuthentic(written, Self.password))
    }

    /// S6, S8: every truncation, wrong lengths, a flipped bit under the fingerprint.
    @Test func refusesWhatIsCutOrFlipped() {
        for count in 0..<Self.request.count {
            let cut = Array(Self.request.prefix(count))
            #expect(throws: ParseError.self, "cut to \(count)") { try STUNMessage(cut.raw) }
        }
        for bit in 0..<8 * (Self.request.count - 8) {
            var flipped = Self.request
            flipped[bit / 8] ^= 1 << (bit % 8)
            // A longer attribute may swallow the fingerprint: then it swallows the integrity too.
            #expect((try? Self.isAuthentic(flipped, Self.password)) != true, "bit \(bit)")
            if (try? STUNMessage(flipped.raw))?.hasFingerprint == true {
                Issue.record("bit \(bit) passed the fingerprint")
            }
        }
    }

    /// Without a fingerprint, only the integrity stands in the way of a flipped bit.
    @Test func aFlippedBitIsNeverAuthentic() throws {
        var bytes: [UInt8] = []
        let builder = STUNBuilder(.request, TransactionID(high: 3, low: 4), into: &bytes)
        builder.username(Array("abcd:efgh".utf8).raw, into: &bytes)
        builder.finish(key: HMACSHA1(key: Self.password.raw), fingerprint: false, into: &bytes)
        #expect(try Self.isAuthentic(bytes, Self.password))
        for bit in 0..<8 * bytes.count {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << (bit % 8)
            #expect((try? Self.isAuthentic(flipped, Self.password)) != true, "bit \(bit)")
        }
    }

    @Test func namesUnknownRequiredAttributes() throws {
        var bytes = Self.bytes("000100182112a442000000010000000000000002")
        bytes += Self.bytes("00550000 8055000100000000 0056000001010000")
        bytes += Self.bytes("0057000000580000")
        bytes[3] = UInt8(bytes.count - 20)
        let message = try STUNMessage(bytes.raw)
        #expect(message.unknownCount == 4)
        #expect((0..<4).map { message.unknown[$0] } == [0x55, 0x56, 0x101, 0x57])
    }

    /// What stands behind the integrity is not protected by it: an attacker may have put it there.
    @Test func ignoresWhatFollowsTheIntegrity() throws {
        var bytes: [UInt8] = []
        let builder = STUNBuilder(.request, TransactionID(high: 3, low: 4), into: &bytes)
        builder.finish(key: HMACSHA1(key: Self.password.raw), fingerprint: false, into: &bytes)
        bytes += [0x00, 0x25, 0x00, 0x00]
        bytes[3] += 4
        #expect(try !STUNMessage(bytes.raw).usesCandidate)
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func survivesDamage(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let key = HMACSHA1(key: Self.password.raw)
        for _ in 0..<1000 {
            var damaged = Self.request + Self.responseIPv6.dropFirst(20)
            damaged[3] = UInt8(damaged.count - 20)
            for _ in 0..<3 {
                damaged[Int.random(in: 20..<damaged.count, using: &random)] =
                    UInt8.random(in: 0...255, using: &random)
            }
            guard let message = try? STUNMessage(damaged.raw) else { continue }
            // The integrity ends at byte 100; what lies behind it may change.
            if message.isAuthentic(damaged.raw, key: key) {
                #expect(damaged[4..<100] == Self.request[4..<100])
            }
        }
    }
}
