import RTMP
import Testing
import Wire

/// The handshake, brief 1.
struct HandshakeTests {
    static func plain() -> [UInt8] {
        var random = SplitMix64(seed: 1)
        return RTMPHandshake.begin(random: &random)
    }

    @Test func plainClientsAreEchoed() {
        var random = SplitMix64(seed: 2)
        let first = Array(Self.plain()[1...])
        let answer = RTMPHandshake.answer(first.raw, time: 77, random: &random)
        #expect(answer.count == 1 + 2 * RTMPHandshake.count)
        #expect(answer[0] == 3)
        let echo = Array(answer[(1 + RTMPHandshake.count)...])
        #expect(Array(echo[0..<4]) == Array(first[0..<4]), "C1's time")
        #expect(Array(echo[4..<8]) == [0, 0, 0, 77], "when we read it")
        #expect(Array(echo[8...]) == Array(first[8...]))
    }

    /// A version that is not 0 but no signature: as plain.
    @Test func whoOnlyClaimsToSignIsEchoed() {
        var random = SplitMix64(seed: 2)
        var first = Array(Self.plain()[1...])
        first[4] = 0x0a
        let answer = RTMPHandshake.answer(first.raw, time: 0, random: &random)
        #expect(Array(answer[(9 + RTMPHandshake.count)...]) == Array(first[8...]))
    }

    @Test(arguments: [8, 772])
    func signedClientsGetASignature(base: Int) {
        var random = SplitMix64(seed: 3)
        var first = Array(Self.plain()[1...])
        first.replaceSubrange(4..<8, with: [0x80, 0, 7, 2])
        let digest = Signing.sign(&first, base: base, key: Signing.clientKey)
        let answer = RTMPHandshake.answer(first.raw, time: 0, random: &random)
        let second = Array(answer[1..<1 + RTMPHandshake.count])
        #expect(Signing.isSigned(second, base: 8, key: Signing.serverKey))
        let third = Array(answer[(1 + RTMPHandshake.count)...])
        let key = Signing.hmac(digest, key: Signing.serverKeyWithTail)
        #expect(Array(third[1504...]) == Signing.hmac(Array(third[..<1504]), key: key))
    }

    @Test func otherProtocolsAreKnownByTheirFirstByte() {
        #expect(throws: RTMPHandshake.Refusal.encrypted) { try RTMPHandshake.check(6) }
        #expect(throws: RTMPHandshake.Refusal.http) { try RTMPHandshake.check(0x47) }
        // What begins a TLS record is a number that old RTMP libraries might say: it fails later.
        #expect(throws: RTMPHandshake.Refusal.version(0x80)) { try RTMPHandshake.check(0x80) }
        #expect((try? RTMPHandshake.check(3)) != nil)
    }
}
