import Wire

/// The `a=` lines. A value that cannot be read leaves its field as it was: devices write nonsense
/// into attributes nobody needs, and what is needed is missed by whoever needs it.
extension SDPParser {
    mutating func attributeLine(_ value: ArraySlice<UInt8>) throws(ParseError) {
        attributeCount += 1
        guard attributeCount <= Self.attributeLimit else {
            throw .tooMuch("SDP attributes", limit: Self.attributeLimit)
        }
        var scanner = SDPScanner(value)
        let name = text(SDPScanner.trimmed(scanner.upTo(":")))
        scanner.skipBlanks()
        let key = name.lowercased()
        if shared(key, &scanner) { return }
        guard var current = description.medias.popLast() else {
            session(key, name, &scanner)
            return
        }
        // Out of its array while it changes, so that nothing is copied.
        if try !format(key, &scanner, &current), try !stream(key, &scanner, &current) {
            media(key, name, &scanner, &current)
        }
        description.medias.append(current)
    }

    /// What may stand at both levels. `true` when the line is dealt with.
    private mutating func shared(_ key: String, _ scanner: inout SDPScanner) -> Bool {
        let last = description.medias.indices.last
        if let direction = SDPDirection(rawValue: key) {
            if let last {
                description.medias[last].direction = direction
            } else {
                description.direction = direction
            }
            return true
        }
        switch key {
        case "control":
            if let last {
                description.medias[last].control = scanner.text
            } else {
                description.control = scanner.text
            }
        case "extmap-allow-mixed":
            if let last {
                description.medias[last].allowsMixedExtensions = true
            } else {
                description.allowsMixedExtensions = true
            }
        case "ice-ufrag", "ice-pwd", "ice-options", "fingerprint", "setup":
            if let last {
                transport(key, &scanner, &description.medias[last].transport)
            } else {
                transport(key, &scanner, &description.transport)
            }
        default: return false
        }
        return true
    }

    private func transport(
        _ key: String, _ scanner: inout SDPScanner, _ transport: inout SDPTransport
    ) {
        switch key {
        case "ice-ufrag": transport.ufrag = scanner.text
        case "ice-pwd": transport.password = scanner.text
        case "ice-options":
            // OBS separates them by commas, everybody else by blanks.
            let words = scanner.words(atMost: Self.wordLimit)
            transport.options = words.flatMap { $0.split(separator: ",").map(String.init) }
        case "setup": transport.setup = SDPSetup(rawValue: scanner.text.lowercased())
        default: transport.fingerprints.append(scanner.text)
        }
    }

    private mutating func session(_ key: String, _ name: String, _ scanner: inout SDPScanner) {
        switch key {
        case "ice-lite": description.isICELite = true
        case "group":
            guard let semantics = scanner.word() else { return }
            let mids = scanner.words(atMost: Self.wordLimit)
            description.groups.append(SDPGroup(semantics: semantics, mids: mids))
        default:
            let value = scanner.isAtEnd ? nil : scanner.text
            description.attributes.append(SDPAttribute(name, value))
        }
    }

    /// The lines that describe a payload type.
    private func format(
        _ key: String, _ scanner: inout SDPScanner, _ media: inout SDPMedia
    ) throws(ParseError) -> Bool {
        switch key {
        case "rtpmap":
            guard let index = scanner.number(UInt8.self).flatMap(index(of:)) else { return true }
            rtpmap(&scanner, &media.formats[index])
        case "fmtp":
            guard let index = scanner.number(UInt8.self).flatMap(index(of:)) else { return true }
            try fmtp(&scanner, &media.formats[index])
        case "rtcp-fb":
            let target = scanner.word() ?? ""
            let feedback = scanner.text.lowercased()
            if target == "*" {
                for index in media.formats.indices { media.formats[index].feedback += [feedback] }
            } else if let index = UInt8(target).flatMap(index(of:)) {
                media.formats[index].feedback.append(feedback)
            }
        default: return false
        }
        return true
    }

    private func rtpmap(_ scanner: inout SDPScanner, _ format: inout SDPFormat) {
        let encoding = text(SDPScanner.trimmed(scanner.upTo("/")))
        let clock = text(SDPScanner.trimmed(scanner.upTo("/")))
        // A clock of zero would be a division by zero somewhere later.
        guard !encoding.isEmpty, let rate = Int32(clock), rate > 0 else { return }
        format.encoding = encoding
        format.clockRate = rate
        format.channels = Int32(text(SDPScanner.trimmed(scanner.rest)))
    }

    private func fmtp(
        _ scanner: inout SDPScanner, _ format: inout SDPFormat
    ) throws(ParseError) {
        var pieces = 0
        while !scanner.isAtEnd {
            pieces += 1
            guard pieces <= Self.parameterLimit else {
                throw .tooMuch("format parameters", limit: Self.parameterLimit)
            }
            // Only the first `=` separates: base64 in sprop-parameter-sets ends with others.
            var pair = SDPScanner(SDPScanner.trimmed(scanner.upTo(";")))
            let name = text(SDPScanner.trimmed(pair.upTo("=")))
            if name.isEmpty { continue }
            let value = text(SDPScanner.trimmed(pair.rest))
            format.parameters.append(SDPParameter(name, value.isEmpty ? nil : value))
        }
    }

    private func media(
        _ key: String, _ name: String, _ scanner: inout SDPScanner, _ media: inout SDPMedia
    ) {
        switch key {
        case "mid": media.mid = scanner.text
        case "rtcp-mux": media.isRTCPMux = true
        case "rtcp-rsize": media.isRTCPReducedSize = true
        case "bundle-only": media.isBundleOnly = true
        case "sctp-port": media.sctpPort = scanner.number(UInt16.self)
        case "max-message-size": media.maxMessageSize = scanner.number(UInt64.self)
        case "end-of-candidates": media.hasEndOfCandidates = true
        default:
            media.attributes.append(SDPAttribute(name, scanner.isAtEnd ? nil : scanner.text))
        }
    }
}
