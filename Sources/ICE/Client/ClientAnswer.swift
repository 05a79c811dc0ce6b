package import Crypto
package import Media
package import RTP
import SDP
package import Wire

/// What a server has answered to our offer: how to reach it, and what it will send.
package struct ClientAnswer: Sendable {
    package struct Format: Equatable, Sendable {
        package var payloadType: UInt8
        /// Of its repairs.
        package var rtx: UInt8?
        package var codec: Codec
        package var clockRate: Int32
        package var asksAgain: Bool
    }

    package struct Track: Equatable, Sendable {
        package var kind: Codec.Kind
        package var formats: [Format]
    }

    /// Why it cannot be used, in words for the operator of the server.
    package enum Mistake: Error, Equatable, Sendable, CustomStringConvertible {
        case unreadable(String)
        case missing(String)
        case noTracks
        /// None of its candidates can be reached from our address.
        case noCandidate(isIPv4: Bool)

        package var description: String {
            switch self {
            case .unreadable(let why): "the answer is no session description: \(why)"
            case .missing(let line): "the answer has no a=\(line)"
            case .noTracks: "the answer refuses both sound and picture"
            case .noCandidate(let isIPv4):
                "the answer has no UDP candidate for \(isIPv4 ? "IPv4" : "IPv6")"
            }
        }
    }

    package var remote: ICECredentials
    package var isLite: Bool
    package var fingerprints: [Fingerprint]
    /// We are the client of the handshake, as nearly always.
    package var weBegin: Bool
    package var candidates: [ControllingAgent.Remote]
    package var tracks: [Track]
    /// One numbering for the whole BUNDLE.
    package var extensions: ExtensionMap
    package var isReducedSize: Bool

    /// - Parameter host: Ours: what it cannot reach is left out.
    package init(_ text: RawSpan, from host: Address) throws(Mistake) {
        let answer: SDPDescription
        do throws(ParseError) { answer = try SDPDescription(text) } catch {
            throw .unreadable("\(error)")
        }
        guard let first = answer.medias.first(where: { $0.port != 0 }) ?? answer.medias.first else {
            throw .noTracks
        }
        let transport = answer.transport(of: first)
        guard let ufrag = transport.ufrag else { throw .missing("ice-ufrag") }
        guard let password = transport.password else { throw .missing("ice-pwd") }
        remote = ICECredentials(ufrag: ufrag, password: password)
        fingerprints = []
        for line in transport.fingerprints {
            do throws(ParseError) { fingerprints.append(try Fingerprint(line)) } catch { continue }
        }
        guard !fingerprints.isEmpty else { throw .missing("fingerprint") }
        weBegin = transport.setup != .active
        isLite = answer.isICELite || answer.medias.contains { $0.attribute("ice-lite") != nil }
        candidates = Self.candidates(answer, isIPv4: host.isIPv4)
        guard !candidates.isEmpty else { throw .noCandidate(isIPv4: host.isIPv4) }
        tracks = answer.medias.compactMap { Self.track($0) }
        guard !tracks.isEmpty else { throw .noTracks }
        extensions = Self.extensions(answer)
        isReducedSize = answer.medias.allSatisfy { $0.port == 0 || $0.isRTCPReducedSize }
    }

    private static func candidates(
        _ answer: SDPDescription, isIPv4: Bool
    ) -> [ControllingAgent.Remote] {
        var found: [ControllingAgent.Remote] = []
        for candidate in answer.medias.flatMap(\.candidates) {
            guard candidate.transport == .udp, candidate.component == 1,
                let address = Address(ip: candidate.address, port: candidate.port),
                address.isIPv4 == isIPv4, !found.contains(where: { $0.address == address })
            else { continue }
            found.append(.init(address: address, priority: candidate.priority))
        }
        return found
    }

    private static func track(_ media: SDPMedia) -> Track? {
        guard media.port != 0 || media.isBundleOnly,
            media.direction != .inactive, media.direction != .recvonly
        else { return nil }
        var formats: [Format] = []
        for format in media.formats {
            guard let codec = format.codec else { continue }
            let rtx = media.formats.first { $0.repairs == format.payloadType }
            formats.append(
                Format(
                    payloadType: format.payloadType, rtx: rtx?.payloadType, codec: codec,
                    clockRate: max(1, format.clockRate),
                    asksAgain: format.feedback.contains("nack")))
        }
        guard let kind = formats.first?.codec.kind else { return nil }
        return Track(kind: kind, formats: formats)
    }

    private static func extensions(_ answer: SDPDescription) -> ExtensionMap {
        var map = ExtensionMap()
        for line in answer.medias.flatMap(\.extensions) where (1...14).contains(line.id) {
            if let known = RTPExtension(uri: line.uri) { map[known] = UInt8(line.id) }
        }
        return map
    }
}
