import Crypto
import SDP
import Wire

/// Reads an offer for WHIP or WHEP. It refuses what can never work and says why; what merely
/// cannot be used in an otherwise good offer is marked and answered with port 0.
package struct OfferReader {
    /// Chrome sends three layers, OBS up to four.
    static let layerLimit = 8
    /// A mid or rid travels in a one-byte header extension (RFC 8285 §4.2).
    static let labelSizes = 1...16

    private let description: SDPDescription
    private let role: Offer.Role

    package static func read(_ text: RawSpan, role: Offer.Role) throws(NegotiationError) -> Offer {
        let description: SDPDescription
        do {
            description = try SDPDescription(text)
        } catch {
            if case .tooMuch = error { throw NegotiationError(.tooLarge, error.description) }
            throw NegotiationError(.malformed, error.description)
        }
        return try OfferReader(description: description, role: role).offer()
    }

    private func offer() throws(NegotiationError) -> Offer {
        try checkLabels()
        var medias: [OfferedMedia] = []
        for media in description.medias { medias.append(try self.media(media)) }
        try limitTracks(&medias)
        guard let first = medias.firstIndex(where: { $0.state == .usable }) else {
            let reasons = Set(medias.compactMap(\.refusal)).sorted().joined(separator: "; ")
            throw NegotiationError(
                .noMedia, reasons.isEmpty ? "the offer has no m-line" : reasons)
        }
        let transport = description.transport(of: description.medias[first])
        let ice = try credentials(transport)
        try checkBundle(medias, ice)
        return Offer(
            role: role, ice: ice, fingerprints: try fingerprints(transport),
            setup: try setup(transport), medias: medias,
            allowsMixedExtensions: description.allowsMixedExtensions,
            isFirefox: description.origin.username.hasPrefix("mozilla"))
    }

    /// Labels are echoed and compared, so they must be plain and different.
    private func checkLabels() throws(NegotiationError) {
        var seen: Set<String> = []
        for mid in description.medias.compactMap(\.mid) {
            guard Self.isLabel(mid) else {
                throw NegotiationError(.malformed, "a=mid must be 1 to 16 plain characters")
            }
            guard seen.insert(mid).inserted else {
                throw NegotiationError(.malformed, "two m-lines have a=mid:\(mid)")
            }
        }
    }

    static func isLabel(_ text: String) -> Bool {
        labelSizes.contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "+"):
                    true
                default: false
                }
            }
    }

    private func media(_ media: SDPMedia) throws(NegotiationError) -> OfferedMedia {
        var offered = OfferedMedia(
            kind: media.kind, proto: media.proto, mid: media.mid,
            direction: description.direction(of: media), state: .usable,
            codecs: CodecChoice.carried(media), names: CodecChoice.names(media),
            extensions: media.extensions, allowsMixedExtensions: media.allowsMixedExtensions,
            isRTCPReducedSize: media.isRTCPReducedSize, layers: try layers(media),
            sources: Self.sources(media), formatNames: media.formatNames,
            sctpPort: media.sctpPort, maxMessageSize: media.maxMessageSize)
        // Port 0 refuses, unless the m-line only lives in the bundle (RFC 9143 §6).
        if media.port == 0 && !media.isBundleOnly {
            offered.state = .refused("the offer has port 0")
            return offered
        }
        switch media.kind {
        case .audio, .video:
            try checkTransport(media)
            try checkDirection(&offered)
        case .application:
            if !offered.isDataChannel { offered.state = .refused("not a data channel") }
        case .other(let name): offered.state = .refused("m=\(name) is not known here")
        }
        return offered
    }

    private func checkTransport(_ media: SDPMedia) throws(NegotiationError) {
        // Old libwebrtc wrote RTP/SAVPF for DTLS as well; SDES has no fingerprint.
        guard media.proto.uppercased().contains("RTP/SAVP") else {
            throw NegotiationError(
                .notSecure, "\(media.proto): only UDP/TLS/RTP/SAVPF (DTLS-SRTP) is accepted")
        }
        guard media.isRTCPMux else {
            throw NegotiationError(.noRTCPMux, "a=rtcp-mux is missing: RTP and RTCP share a port")
        }
    }

    private func checkDirection(_ media: inout OfferedMedia) throws(NegotiationError) {
        switch role {
        case .publish:
            // WHIP does not refuse single m-lines (RFC 9725 §4.2).
            guard media.direction.sends else {
                throw NegotiationError(
                    .wrongDirection, "a publisher offers sendonly, not \(media.direction)")
            }
        case .play:
            guard media.direction != .sendonly else {
                throw NegotiationError(.wrongDirection, "a player offers recvonly, not sendonly")
            }
            if !media.direction.receives { media.state = .refused("the m-line is inactive") }
        }
    }

    private func limitTracks(_ medias: inout [OfferedMedia]) throws(NegotiationError) {
        for kind in [SDPMedia.Kind.audio, .video, .application] {
            let found = medias.indices.filter {
                medias[$0].kind == kind && medias[$0].state == .usable
            }
            guard found.count > 1 else { continue }
            if role == .publish, kind != .application {
                throw NegotiationError(
                    .tooManyTracks, "\(found.count) \(kind.text) m-lines: one of a kind at most")
            }
            for index in found.dropFirst() {
                medias[index].state = .refused("one \(kind.text) m-line is served")
            }
        }
    }

    private func layers(_ media: SDPMedia) throws(NegotiationError) -> [String] {
        guard role == .publish, let simulcast = media.simulcast else { return [] }
        let ids = simulcast.send.map(\.id)
        // OBS gives up when not all of its layers are accepted, so all or nothing.
        guard ids.count <= Self.layerLimit, Set(ids).count == ids.count,
            ids.allSatisfy(Self.isLabel)
        else {
            throw NegotiationError(
                .malformed, "simulcast: up to \(Self.layerLimit) different plain rids")
        }
        return ids
    }

    private static func sources(_ media: SDPMedia) -> [OfferedSource] {
        let groups = media.sourceGroups.filter { $0.semantics == "FID" && $0.sources.count == 2 }
        let repairs = Set(groups.map { $0.sources[1] })
        return media.sources.map(\.ssrc).filter { !repairs.contains($0) }.map { ssrc in
            OfferedSource(ssrc: ssrc, rtx: groups.first { $0.sources[0] == ssrc }?.sources[1])
        }
    }

    /// One transport for all. FFmpeg 8.0 lists mids it does not have and others list none: what
    /// counts is that the m-lines that are there share their credentials.
    private func checkBundle(
        _ medias: [OfferedMedia], _ ice: ICECredentials
    ) throws(NegotiationError) {
        let bundled = Set(description.groups.filter { $0.semantics == "BUNDLE" }.flatMap(\.mids))
        for (index, media) in medias.enumerated() where media.state == .usable {
            if let mid = media.mid, bundled.contains(mid) { continue }
            let own = description.transport(of: description.medias[index])
            guard own.ufrag == nil || own.ufrag == ice.ufrag else {
                throw NegotiationError(
                    .notBundled, "all m-lines must be in a=group:BUNDLE (bundlePolicy max-bundle)")
            }
        }
    }

    private func credentials(
        _ transport: SDPTransport
    ) throws(NegotiationError) -> ICECredentials {
        guard let ufrag = transport.ufrag, ICEText.isValid(ufrag, sizes: 4...256),
            let password = transport.password, ICEText.isValid(password, sizes: 22...256)
        else {
            throw NegotiationError(
                .noICE, "a=ice-ufrag (4 to 256 characters) and a=ice-pwd (22 to 256) are needed")
        }
        return ICECredentials(ufrag: ufrag, password: password)
    }

    private func fingerprints(
        _ transport: SDPTransport
    ) throws(NegotiationError) -> [Fingerprint] {
        let known = transport.fingerprints.prefix(8).compactMap { try? Fingerprint($0) }
        guard !known.isEmpty else {
            throw NegotiationError(
                .noFingerprint, "a=fingerprint with sha-256 (or sha-384, sha-512) is needed")
        }
        return known
    }

    private func setup(_ transport: SDPTransport) throws(NegotiationError) -> SDPSetup {
        // RFC 8842 §5.1 wants actpass in an offer, and so is silence understood.
        let setup = transport.setup ?? .actpass
        guard setup != .holdconn else {
            throw NegotiationError(.malformed, "a=setup:holdconn leaves nobody to begin")
        }
        return setup
    }
}

extension OfferedMedia {
    var refusal: String? {
        if case .refused(let reason) = state { reason } else { nil }
    }
}
