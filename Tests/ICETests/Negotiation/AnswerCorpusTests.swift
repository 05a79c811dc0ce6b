import Crypto
import Foundation
import ICE
import Media
import SDP
import Testing
import Wire

/// The offers of `Tests/Vectors/offers` and the answer to each, byte by byte.
///
/// After a wanted change of the answers:
/// `GATEWAY_WRITE_ANSWERS=1 swift test --filter AnswerCorpus`,
/// then read the difference.
enum Corpus {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Vectors/offers")

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".sdp") && !$0.hasSuffix(".answer.sdp") }
            .map { String($0.dropLast(4)) }.sorted()
    }()

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: name + ".sdp")))
    }

    static func role(_ name: String) -> Offer.Role { name.contains("-whip") ? .publish : .play }

    static func offer(_ name: String) throws -> Offer {
        let bytes = try bytes(name)
        return try OfferReader.read(bytes.raw, role: role(name))
    }

    static func read(_ text: String, _ role: Offer.Role) throws -> Offer {
        let bytes = Array(text.utf8)
        return try OfferReader.read(bytes.raw, role: role)
    }

    static let policy: AnswerPolicy = {
        var inputs = AdvertisedAddresses.Inputs(udpPort: 8000, tcpPort: 8000)
        inputs.configured = ["192.0.2.1", "2001:db8::1"].compactMap { Address(ip: $0) }
        return AnswerPolicy(
            local: ICECredentials(
                ufrag: "ServerUfragServerUfrag24", password: "ServerPasswordServerPass"),
            fingerprint: Fingerprint(hash: .sha256, bytes: [UInt8](repeating: 0xab, count: 32)),
            candidates: AdvertisedAddresses(inputs).candidates)
    }()

    static func h264(_ profile: UInt32) -> Format {
        var format = Format(codec: .h264, clockRate: 90_000)
        format.profile = profile
        return format
    }

    /// A stream of H.264 High, or of VP8 for Firefox, which has no H.264 here.
    static func facts(_ name: String) -> StreamFacts {
        let isFirefox = name.hasPrefix("firefox")
        return StreamFacts(
            audio: .filled(Format(codec: .opus, clockRate: 48_000)),
            video: .filled(
                isFirefox ? Format(codec: .vp8, clockRate: 90_000) : h264(0x640028)))
    }

    static func answer(
        _ offer: Offer, _ facts: StreamFacts, policy: AnswerPolicy = policy
    ) throws -> (answer: SDPDescription, session: NegotiatedSession) {
        switch offer.role {
        case .publish: try AnswerWriter.publish(offer, policy: policy, seed: 1)
        case .play: try AnswerWriter.play(offer, policy: policy, facts: facts, seed: 1)
        }
    }
}

struct AnswerCorpusTests {
    @Test func thereAreOffersOfEveryKnownClient() {
        for client in [
            "chromium", "firefox", "safari", "obs", "ffmpeg", "gstreamer", "aiortc",
            "libdatachannel", "pion",
        ] {
            #expect(Corpus.names.contains { $0.hasPrefix(client) }, "\(client)")
        }
    }

    @Test(arguments: Corpus.names)
    func answersAsExpected(name: String) throws {
        let offer = try Corpus.offer(name)
        let written = SDPWriter.write(try Corpus.answer(offer, Corpus.facts(name)).answer)
        let file = Corpus.folder.appending(path: name + ".answer.sdp")
        if ProcessInfo.processInfo.environment["GATEWAY_WRITE_ANSWERS"] != nil {
            try Data(written).write(to: file)
        }
        let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        #expect(String(decoding: written, as: UTF8.self) == expected)
    }

    /// What holds for every answer to everybody.
    @Test(arguments: Corpus.names)
    func keepsTheRules(name: String) throws {
        let bytes = try Corpus.bytes(name)
        let original = try SDPDescription(bytes.raw)
        let (answer, session) = try Corpus.answer(Corpus.offer(name), Corpus.facts(name))
        let text = SDPWriter.write(answer)
        #expect(text.count <= 8192, "FFmpeg reads 8 KiB")
        #expect(text.starts(with: Array("v=0\r\n".utf8)))
        #expect(answer.isICELite)
        #expect(answer.medias.map(\.mid) == original.medias.map(\.mid))
        #expect(answer.medias.map(\.kind) == original.medias.map(\.kind))
        #expect(answer.medias.map(\.proto) == original.medias.map(\.proto))
        #expect(session.audio != nil || session.video != nil)
        for (media, offered) in zip(answer.medias, original.medias) where media.port != 0 {
            #expect(answer.groups[0].mids.contains(media.mid ?? ""))
            let types = Set(offered.formats.map(\.payloadType))
            #expect(media.formats.allSatisfy { types.contains($0.payloadType) })
            for format in media.formats {
                let feedback = offered.format(format.payloadType)?.feedback ?? []
                #expect(Set(format.feedback).isSubset(of: feedback))
                if let apt = format.repairs { #expect(media.format(apt) != nil) }
            }
            #expect(Set(media.extensions.map(\.uri)).isSubset(of: offered.extensions.map(\.uri)))
        }
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\r\n")
        let first = try #require(lines.first { $0.hasPrefix("a=candidate") })
        #expect(first == "a=candidate:1 1 udp 2130706431 192.0.2.1 8000 typ host")
    }

    @Test(arguments: Corpus.names)
    func survivesTruncationAndDamage(name: String) throws {
        let bytes = try Corpus.bytes(name)
        var random = SplitMix64(seed: 11)
        for round in 0..<60 {
            var damaged = Array(bytes.prefix(bytes.count * (round % 20 + 1) / 20))
            for _ in 0..<round / 20 where !damaged.isEmpty {
                damaged[Int.random(in: damaged.indices, using: &random)] =
                    UInt8.random(in: 0...255, using: &random)
            }
            do {
                let offer = try OfferReader.read(damaged.raw, role: Corpus.role(name))
                let answer = try Corpus.answer(offer, Corpus.facts(name)).answer
                let written = SDPWriter.write(answer)
                #expect(throws: Never.self) { try SDPDescription(written.raw) }
            } catch let error as NegotiationError {
                #expect([400, 413, 422].contains(error.status) && !error.detail.isEmpty)
            }
        }
    }
}
