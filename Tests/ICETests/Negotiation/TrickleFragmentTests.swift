import ICE
import SDP
import Testing
import Wire

struct TrickleFragmentTests {
    static func read(_ text: String) throws -> TrickleFragment {
        let bytes = Array(text.utf8)
        return try TrickleFragment(bytes.raw)
    }

    static let candidate = "a=candidate:1 1 udp 2130706431 192.0.2.9 5000 typ host"

    @Test func readsBothForms() throws {
        // Players: credentials at the top. RFC 8840: inside the m-section.
        for text in [
            "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\nm=audio 9 RTP/AVP 0\r\n"
                + "a=mid:0\r\n\(Self.candidate)\r\na=end-of-candidates\r\n",
            "a=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
                + "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n\(Self.candidate)\r\n"
                + "a=end-of-candidates\r\n",
        ] {
            let fragment = try Self.read(text)
            #expect(fragment.ice?.ufrag == "abcd")
            #expect(fragment.candidateCount == 1 && fragment.hasEnd)
            #expect(fragment.medias.map(\.mid) == ["0"])
        }
    }

    /// If-Match tells nothing reliable; new credentials are a restart, the old ones are not.
    @Test func knowsARestartByItsCredentials() throws {
        let offer = try Corpus.read(OfferRuleTests.good, .publish)
        let session = try Corpus.answer(offer, Corpus.facts("")).session
        let password = "a=ice-pwd:abcdefghijklmnopqrstuv\r\n"
        #expect(try !Self.read("a=ice-ufrag:abcd\r\n" + password).isRestart(of: session))
        #expect(try Self.read("a=ice-ufrag:efgh\r\n" + password).isRestart(of: session))
        #expect(try !Self.read("m=audio 9 RTP/AVP 0\r\n" + Self.candidate).isRestart(of: session))
    }

    @Test(arguments: [
        "", #"{"candidate":"x"}"#, "a=ice-ufrag:abcd\r\n", "a=ice-pwd:abcdefghijklmnopqrstuv\r\n",
        "a=ice-ufrag:ab\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n", "a=mid:0\r\n",
        "m=audio 9 RTP/AVP 0\r\n" + String(repeating: candidate + "\r\n", count: 1000),
    ])
    func refuses(text: String) {
        #expect(throws: NegotiationError.self) { try Self.read(text) }
    }

    @Test func answersARestart() throws {
        let local = ICECredentials(ufrag: "new1", password: "newnewnewnewnewnewnewnew")
        let bytes = TrickleFragment.answer(
            local: local, candidates: Corpus.policy.candidates, mid: "0", kind: "audio")
        let fragment = try TrickleFragment(bytes.raw)
        #expect(fragment.ice == local && fragment.candidateCount == 4 && fragment.hasEnd)
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("a=ice-lite\r\n"))
    }
}
