/// Writes a session description the way the strictest reader wants it: CR LF, the order of RFC 8866
/// §5, every mandatory line, a line end at the very end.
package struct SDPWriter {
    private var bytes: [UInt8] = []

    package static func write(_ description: SDPDescription) -> [UInt8] {
        var writer = SDPWriter()
        writer.bytes.reserveCapacity(4096)
        writer.session(description)
        for media in description.medias { writer.media(media) }
        // GB28181 §G.4: behind everything else.
        if let ssrc = description.gbSSRC { writer.line("y", ssrc) }
        if let format = description.gbFormat { writer.line("f", format) }
        return writer.bytes
    }

    /// A value may hold what a peer or a user named: a control character in it must not begin a
    /// line of its own.
    private mutating func line(_ type: Character, _ value: String) {
        bytes.append(contentsOf: String(type).utf8)
        bytes.append(UInt8(ascii: "="))
        for byte in value.utf8 { bytes.append(byte < 0x20 ? UInt8(ascii: "_") : byte) }
        bytes.append(0x0d)
        bytes.append(0x0a)
    }

    private mutating func attribute(_ name: String, _ value: String? = nil) {
        line("a", value.map { "\(name):\($0)" } ?? name)
    }

    private mutating func session(_ description: SDPDescription) {
        let origin = description.origin
        let id = "\(origin.username) \(origin.sessionID) \(origin.version)"
        line("v", "0")
        line("o", "\(id) \(Self.network(origin.address))")
        line("s", description.name.isEmpty ? "-" : description.name)
        if let uri = description.uri { line("u", uri) }
        if let connection = description.connection { line("c", Self.network(connection)) }
        for bandwidth in description.bandwidths { self.bandwidth(bandwidth) }
        line("t", "\(description.start) \(description.stop)")
        for group in description.groups {
            attribute("group", ([group.semantics] + group.mids).joined(separator: " "))
        }
        if description.isICELite { attribute("ice-lite") }
        if description.allowsMixedExtensions { attribute("extmap-allow-mixed") }
        if let control = description.control { attribute("control", control) }
        if let direction = description.direction { attribute(direction.rawValue) }
        transport(description.transport)
        for other in description.attributes { attribute(other.name, other.value) }
    }

    private mutating func bandwidth(_ bandwidth: SDPBandwidth) {
        line("b", "\(bandwidth.type):\(bandwidth.value)")
    }

    private mutating func transport(_ transport: SDPTransport) {
        if let ufrag = transport.ufrag { attribute("ice-ufrag", ufrag) }
        if let password = transport.password { attribute("ice-pwd", password) }
        if !transport.options.isEmpty {
            attribute("ice-options", transport.options.joined(separator: " "))
        }
        for fingerprint in transport.fingerprints {
            attribute("fingerprint", fingerprint)
        }
        if let setup = transport.setup { attribute("setup", setup.rawValue) }
    }

    private mutating func media(_ media: SDPMedia) {
        let formats = media.formats.map { String($0.payloadType) } + media.formatNames
        // A refused m-line must still list a format (RFC 3264 §6).
        let list = formats.isEmpty ? "0" : formats.joined(separator: " ")
        line("m", "\(media.kind.text) \(media.port) \(media.proto) \(list)")
        if let connection = media.connection { line("c", Self.network(connection)) }
        for bandwidth in media.bandwidths { self.bandwidth(bandwidth) }
        transport(media.transport)
        if let mid = media.mid { attribute("mid", mid) }
        extensions(media)
        if let control = media.control { attribute("control", control) }
        if let direction = media.direction { attribute(direction.rawValue) }
        if let msid = media.msid { attribute("msid", msid.text) }
        if media.isBundleOnly { attribute("bundle-only") }
        if media.isRTCPMux { attribute("rtcp-mux") }
        if media.isRTCPReducedSize { attribute("rtcp-rsize") }
        for format in media.formats { self.format(format) }
        layers(media)
        sources(media)
        if let port = media.sctpPort { attribute("sctp-port", String(port)) }
        if let size = media.maxMessageSize { attribute("max-message-size", String(size)) }
        for other in media.attributes { attribute(other.name, other.value) }
        for candidate in media.candidates { attribute("candidate", "\(candidate)") }
        if media.hasEndOfCandidates { attribute("end-of-candidates") }
    }

    private mutating func extensions(_ media: SDPMedia) {
        if media.allowsMixedExtensions { attribute("extmap-allow-mixed") }
        for item in media.extensions {
            let direction = item.direction.map { "/\($0.rawValue)" } ?? ""
            attribute("extmap", "\(item.id)\(direction) \(item.uri)")
        }
    }

    private mutating func format(_ format: SDPFormat) {
        let type = format.payloadType
        if !format.encoding.isEmpty {
            let channels = format.channels.map { "/\($0)" } ?? ""
            attribute("rtpmap", "\(type) \(format.encoding)/\(format.clockRate)\(channels)")
        }
        for feedback in format.feedback { attribute("rtcp-fb", "\(type) \(feedback)") }
        if !format.parameters.isEmpty {
            attribute("fmtp", "\(type) \(format.parameters.text)")
        }
    }

    private mutating func layers(_ media: SDPMedia) {
        for layer in media.restrictions {
            let parameters = layer.parameters.map { " " + $0 } ?? ""
            attribute("rid", "\(layer.id) \(layer.direction.rawValue)\(parameters)")
        }
        guard let simulcast = media.simulcast else { return }
        var lists: [String] = []
        if !simulcast.send.isEmpty { lists.append("send \(Self.list(simulcast.send))") }
        if !simulcast.receive.isEmpty { lists.append("recv \(Self.list(simulcast.receive))") }
        if !lists.isEmpty { attribute("simulcast", lists.joined(separator: " ")) }
    }

    private mutating func sources(_ media: SDPMedia) {
        for group in media.sourceGroups {
            let list = group.sources.map { String($0) }.joined(separator: " ")
            attribute("ssrc-group", "\(group.semantics) \(list)")
        }
        for source in media.sources {
            if let cname = source.cname { attribute("ssrc", "\(source.ssrc) cname:\(cname)") }
            if let msid = source.msid { attribute("ssrc", "\(source.ssrc) msid:\(msid.text)") }
        }
    }

    private static func list(_ layers: [SDPSimulcast.Layer]) -> String {
        layers.map { ($0.isPaused ? "~" : "") + $0.id }.joined(separator: ";")
    }

    private static func network(_ address: String) -> String {
        "IN \(address.utf8.contains(UInt8(ascii: ":")) ? "IP6" : "IP4") \(address)"
    }
}

extension SDPStreamID {
    var text: String { track.map { "\(stream) \($0)" } ?? stream }
}

extension [SDPParameter] {
    /// As an fmtp line has them, without blanks: FFmpeg's reader wants none.
    package var text: String {
        map { parameter in parameter.value.map { "\(parameter.name)=\($0)" } ?? parameter.name }
            .joined(separator: ";")
    }
}

extension SDPCandidate: CustomStringConvertible {
    /// FFmpeg 8.0 reads exactly `udp <priority> <address> <port> typ host`, nothing in between.
    package var description: String {
        let head = "\(foundation) \(component) \(transport.rawValue) \(priority)"
        let type = tcpType.map { " tcptype \($0.rawValue)" } ?? ""
        return "\(head) \(address) \(port) typ \(kind.rawValue)\(type)"
    }
}
