import Crypto
import Media
package import SDP
import Wire

/// Answers an offer: the text, and the same facts as a value.
///
/// The answer to a player is written for the stream's life, not for its present tracks: each m-line
/// we could ever serve gets its SSRCs, with every payload type that a later source may need, since
/// WHEP knows no renegotiation.
package struct AnswerWriter {
    let offer: Offer
    private let policy: AnswerPolicy
    private let facts: StreamFacts?
    private var random: SplitMix64
    private var answer = SDPDescription()
    private var session: NegotiatedSession

    private init(_ offer: Offer, _ policy: AnswerPolicy, _ facts: StreamFacts?, _ seed: UInt64) {
        self.offer = offer
        self.policy = policy
        self.facts = facts
        random = SplitMix64(seed: seed)
        let cname = String(random.next(), radix: 36)
        session = NegotiatedSession(
            role: offer.role, local: policy.local, remote: offer.ice,
            dtls: offer.setup == .passive ? .client : .server, fingerprints: offer.fingerprints,
            cname: cname, omitsMidOnRTX: offer.isFirefox)
    }

    /// - Parameter seed: Makes the SSRCs and the names of session and stream.
    package static func publish(
        _ offer: Offer, policy: AnswerPolicy, seed: UInt64
    ) throws(NegotiationError) -> (answer: SDPDescription, session: NegotiatedSession) {
        var writer = AnswerWriter(offer, policy, nil, seed)
        return try writer.write()
    }

    package static func play(
        _ offer: Offer, policy: AnswerPolicy, facts: StreamFacts, seed: UInt64
    ) throws(NegotiationError) -> (answer: SDPDescription, session: NegotiatedSession) {
        var writer = AnswerWriter(offer, policy, facts, seed)
        return try writer.write()
    }

    private mutating func write() throws(NegotiationError) -> (SDPDescription, NegotiatedSession) {
        // 63 bits, as RFC 8829 §5.2.1 wants: some readers have signed numbers.
        answer.origin.sessionID = String(random.next() >> 1)
        answer.origin.version = "2"
        answer.isICELite = true
        answer.allowsMixedExtensions = offer.allowsMixedExtensions
        answer.attributes = [SDPAttribute("msid-semantic", " WMS *")]
        for media in offer.medias { try append(media) }
        guard session.audio != nil || session.video != nil else { throw nothingInCommon() }
        let mids = answer.medias.filter { $0.port != 0 }.compactMap(\.mid)
        if !mids.isEmpty { answer.groups = [SDPGroup(semantics: "BUNDLE", mids: mids)] }
        // FFmpeg reads the first candidate line only; one m-section is enough for everybody.
        if let first = answer.medias.firstIndex(where: { $0.port != 0 }) {
            answer.medias[first].candidates = policy.candidates
            answer.medias[first].hasEndOfCandidates = true
        }
        return (answer, session)
    }

    private mutating func append(_ media: OfferedMedia) throws(NegotiationError) {
        guard media.state == .usable else {
            answer.medias.append(refused(media))
            return
        }
        if media.isDataChannel {
            appendChannel(media)
            return
        }
        let codecs = try choose(media)
        guard !codecs.isEmpty else {
            answer.medias.append(refused(media))
            return
        }
        appendMedia(media, codecs)
    }

    private func choose(_ media: OfferedMedia) throws(NegotiationError) -> [OfferedCodec] {
        guard let facts else {
            let codecs = CodecChoice.forPublisher(media, prefer: policy.prefer)
            // WHIP refuses the whole offer, never one m-line of it (RFC 9725 §4.2).
            guard !codecs.isEmpty else { throw noCodec(media, for: nil) }
            return limited(codecs)
        }
        switch media.kind == .video ? facts.video : facts.audio {
        case .absent: return []
        case .open: return limited(CodecChoice.forPlayer(media, nil))
        case .filled(let format):
            // Audio can be transcoded into any of them, video into none.
            if media.kind == .video, !media.codecs.contains(where: { $0.codec == format.codec }) {
                throw noCodec(media, for: format.codec)
            }
            return limited(CodecChoice.forPlayer(media, format))
        }
    }

    private func limited(_ codecs: [OfferedCodec]) -> [OfferedCodec] {
        policy.onlyOneCodec ? Array(codecs.prefix(1)) : codecs
    }

    private func refused(_ media: OfferedMedia) -> SDPMedia {
        var refused = SDPMedia(kind: media.kind, port: 0, proto: media.proto)
        // RFC 8866 §5.7: each m-line has one, the refused too; Firefox throws the answer away else.
        refused.connection = "0.0.0.0"
        refused.mid = media.mid
        refused.direction = media.isDataChannel ? nil : .inactive
        refused.formatNames = media.formatNames
        if let first = media.codecs.first { refused.formats = [Self.plain(first.format)] }
        return refused
    }

    /// A format as an answer begins with it: its name, without parameters and feedback.
    private static func plain(_ format: SDPFormat) -> SDPFormat {
        SDPFormat(
            payloadType: format.payloadType, encoding: format.encoding,
            clockRate: format.clockRate, channels: format.channels)
    }

    /// What every accepted m-line has.
    private func accepted(_ media: OfferedMedia) -> SDPMedia {
        var accepted = SDPMedia(kind: media.kind, port: 9, proto: media.proto)
        accepted.connection = "0.0.0.0"
        accepted.mid = media.mid
        accepted.transport.ufrag = policy.local.ufrag
        accepted.transport.password = policy.local.password
        accepted.transport.options = ["trickle"]
        accepted.transport.fingerprints = [policy.fingerprint.description]
        accepted.transport.setup = session.dtls == .client ? .active : .passive
        return accepted
    }

    private mutating func appendChannel(_ media: OfferedMedia) {
        guard policy.acceptsChannels else {
            answer.medias.append(refused(media))
            return
        }
        var channel = accepted(media)
        channel.formatNames = media.formatNames
        if media.proto.uppercased() == "DTLS/SCTP" {
            // The form before RFC 8841 names the port in the m-line.
            let port = media.formatNames.first ?? "5000"
            channel.attributes = [SDPAttribute("sctpmap", "\(port) webrtc-datachannel 1024")]
        } else {
            channel.sctpPort = 5000
        }
        channel.maxMessageSize = Self.messageSizeLimit
        answer.medias.append(channel)
        let old = media.formatNames.first.flatMap { UInt16($0) }
        session.channel = NegotiatedChannel(
            remotePort: media.sctpPort ?? old ?? 5000,
            maxMessageSize: media.maxMessageSize ?? 65_536)
    }

    /// The table's bound for a message; browsers offer the same.
    private static let messageSizeLimit: UInt64 = 262_144

    private mutating func appendMedia(_ media: OfferedMedia, _ codecs: [OfferedCodec]) {
        let isPublisher = offer.role == .publish
        let (lines, ids) = media.extensions(in: offer)
        var accepted = accepted(media)
        accepted.allowsMixedExtensions = media.allowsMixedExtensions
        accepted.extensions = lines
        accepted.direction = isPublisher ? .recvonly : .sendonly
        accepted.isRTCPMux = true
        accepted.isRTCPReducedSize = media.isRTCPReducedSize
        for codec in codecs {
            accepted.formats.append(Self.format(codec, for: media))
            if let rtx = codec.rtx { accepted.formats.append(Self.rtx(rtx)) }
        }
        var negotiated = NegotiatedMedia(
            mid: media.mid ?? "", codecs: codecs.map { Self.negotiated($0) }, extensions: ids,
            isRTCPReducedSize: media.isRTCPReducedSize)
        if isPublisher {
            negotiated.sources = media.sources
            negotiated.layers = media.layers
            acceptLayers(media, in: &accepted)
        } else {
            announceSources(&negotiated, in: &accepted)
        }
        answer.medias.append(accepted)
        if media.kind == .video {
            session.video = negotiated
        } else {
            session.audio = negotiated
        }
    }

    private func acceptLayers(_ media: OfferedMedia, in accepted: inout SDPMedia) {
        guard !media.layers.isEmpty else { return }
        accepted.restrictions = media.layers.map { SDPRestriction(id: $0, direction: .recv) }
        accepted.simulcast = SDPSimulcast(receive: media.layers.map { SDPSimulcast.Layer(id: $0) })
    }

    /// Firefox and others need the FID group to know what the RTX stream repeats.
    private mutating func announceSources(
        _ negotiated: inout NegotiatedMedia, in accepted: inout SDPMedia
    ) {
        let track = accepted.kind.text
        // One stream id for both tracks and one CNAME: that is what keeps them in step.
        let id = SDPStreamID(stream: session.cname, track: "\(session.cname)-\(track)")
        accepted.msid = id
        negotiated.ssrc = newSSRC()
        var sources = [negotiated.ssrc]
        if negotiated.codecs.contains(where: { $0.rtx != nil }) {
            negotiated.rtxSSRC = newSSRC()
            sources.append(negotiated.rtxSSRC)
            accepted.sourceGroups = [SDPSourceGroup(semantics: "FID", sources: sources)]
        }
        accepted.sources = sources.map { SDPSource(ssrc: $0, cname: session.cname, msid: id) }
    }

    private mutating func newSSRC() -> UInt32 {
        let used = [session.audio, session.video].compactMap { $0 }.flatMap {
            [$0.ssrc, $0.rtxSSRC]
        }
        while true {
            let ssrc = UInt32(truncatingIfNeeded: random.next())
            // Zero stands for "none" in several places, here and at others.
            if ssrc != 0, !used.contains(ssrc) { return ssrc }
        }
    }
}
