import Crypto
import ICE
import Media
import RTP
import Testing
import Wire

/// What a client of servers makes of their answers.
struct ClientAnswerTests {
    static let host = Address(ipv4: 0xc000_0205, port: 4000)

    /// Ours to players, and what pion writes.
    @Test(arguments: Corpus.names.filter { $0.contains("-whep") })
    func theAnswersOfTheCorpusAreUnderstood(name: String) throws {
        let bytes = try Corpus.bytes(name + ".answer")
        let answer = try ClientAnswer(bytes.raw, from: Self.host)
        #expect(answer.isLite && answer.weBegin)
        #expect(!answer.tracks.isEmpty && !answer.candidates.isEmpty)
        #expect(answer.candidates.allSatisfy { $0.address.isIPv4 && !$0.isTCP })
        for track in answer.tracks {
            #expect(track.formats.allSatisfy { $0.codec.kind == track.kind })
        }
    }

    static let fingerprint = (0..<32).map { _ in "AB" }.joined(separator: ":")
    static let lines = [
        "v=0", "o=- 1 2 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0 1", "a=ice-lite",
        "a=ice-ufrag:abcd", "a=ice-pwd:0123456789abcdefghijklmn",
        "a=fingerprint:sha-256 \(fingerprint)", "a=setup:passive",
        "m=audio 0 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=rtpmap:111 opus/48000/2", "a=sendonly",
        "m=video 9 UDP/TLS/RTP/SAVPF 108 109", "a=mid:1", "a=rtpmap:108 H264/90000",
        "a=rtcp-fb:108 nack", "a=rtpmap:109 rtx/90000", "a=fmtp:109 apt=108", "a=sendonly",
        "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        "a=candidate:1 1 udp 2130706431 192.0.2.1 8000 typ host",
        "a=candidate:1 1 tcp 1518214911 192.0.2.1 8000 typ host tcptype passive",
        "a=candidate:2 1 udp 2130706431 2001:db8::1 8000 typ host",
    ]

    static func read(without: String = "none", from host: Address = host) throws -> ClientAnswer {
        let kept = lines.filter { !$0.hasPrefix(without) }
        let bytes = Array(kept.map { $0 + "\r\n" }.joined().utf8)
        return try ClientAnswer(bytes.raw, from: host)
    }

    @Test func tracksRepairsAndAddressesAreFound() throws {
        let answer = try Self.read()
        #expect(answer.tracks.count == 1 && answer.tracks[0].kind == .video)
        let format = try #require(answer.tracks[0].formats.first)
        #expect(format.payloadType == 108 && format.rtx == 109 && format.asksAgain)
        #expect(answer.extensions[.transportSequence] == 3)
        #expect(answer.candidates.map(\.address) == [Address(ipv4: 0xc000_0201, port: 8000)])
        let six = Address(high: 1, low: 1, port: 1)
        #expect(try Self.read(from: six).candidates.map(\.address.isIPv4) == [false])
    }

    @Test(
        arguments: [
            ("a=ice-ufrag", .missing("ice-ufrag")), ("a=ice-pwd", .missing("ice-pwd")),
            ("a=fingerprint", .missing("fingerprint")), ("m=", .noTracks),
            ("a=candidate:1", .noCandidate(isIPv4: true)), ("a=rtpmap", .noTracks),
        ] as [(String, ClientAnswer.Mistake)])
    func whatIsMissingIsNamed(line: String, mistake: ClientAnswer.Mistake) {
        #expect(throws: mistake) { try Self.read(without: line) }
    }

    /// What we offer is read by our own reader as a player's offer with everything in it.
    @Test func ourOfferIsAPlayers() throws {
        let certificate = try Certificate.selfSigned(commonName: "x", from: 0, days: 365_000)
        let offer = ClientOffer(
            credentials: ICECredentials(ufrag: "abcdefgh", password: "0123456789abcdefghijklmn"),
            fingerprint: certificate.fingerprint(), host: Self.host)
        let text = offer.text
        let read = try OfferReader.read(text.raw, role: .play)
        #expect(read.role == .play)
    }
}
