import Wire

/// The `a=` lines about what flows in an m-line (sources, layers, header extensions) and whence.
extension SDPParser {
    /// `true` when the line is dealt with.
    mutating func stream(
        _ key: String, _ scanner: inout SDPScanner, _ media: inout SDPMedia
    ) throws(ParseError) -> Bool {
        switch key {
        case "candidate":
            candidateCount += 1
            guard candidateCount <= Self.candidateLimit else {
                throw .tooMuch("candidates", limit: Self.candidateLimit)
            }
            if let candidate = SDPCandidate(&scanner) { media.candidates.append(candidate) }
        case "extmap": extmap(&scanner, &media)
        case "msid": media.msid = streamID(&scanner)
        case "ssrc": try source(&scanner, &media)
        case "ssrc-group":
            guard let semantics = scanner.word() else { return true }
            let sources = scanner.words(atMost: Self.wordLimit).compactMap { UInt32($0) }
            media.sourceGroups.append(SDPSourceGroup(semantics: semantics, sources: sources))
        case "rid":
            guard let id = scanner.word(),
                let direction = scanner.word().flatMap(SDPRestriction.Direction.init(rawValue:))
            else { return true }
            let parameters = scanner.isAtEnd ? nil : scanner.text
            media.restrictions.append(
                SDPRestriction(id: id, direction: direction, parameters: parameters))
        case "simulcast": media.simulcast = simulcast(&scanner)
        default: return false
        }
        return true
    }

    /// `3/sendonly urn:…`: id, optional direction, URI; nobody uses the attributes behind it.
    private func extmap(_ scanner: inout SDPScanner, _ media: inout SDPMedia) {
        let head = (scanner.word() ?? "").split(separator: "/")
        guard let id = head.first.flatMap({ UInt16($0) }), let uri = scanner.word() else { return }
        let direction = head.dropFirst().first.flatMap { SDPDirection(rawValue: String($0)) }
        media.extensions.append(SDPExtension(id: id, direction: direction, uri: uri))
    }

    private func streamID(_ scanner: inout SDPScanner) -> SDPStreamID? {
        scanner.word().map { SDPStreamID(stream: $0, track: scanner.word()) }
    }

    private func source(
        _ scanner: inout SDPScanner, _ media: inout SDPMedia
    ) throws(ParseError) {
        guard let ssrc = scanner.number(UInt32.self) else { return }
        // The lines of one source stand together, so the last one is nearly always it.
        var index = media.sources.indices.last
        if index.map({ media.sources[$0].ssrc }) != ssrc {
            index = media.sources.firstIndex { $0.ssrc == ssrc }
        }
        if index == nil {
            guard media.sources.count < Self.sourceLimit else {
                throw .tooMuch("sources of an m-line", limit: Self.sourceLimit)
            }
            media.sources.append(SDPSource(ssrc: ssrc))
        }
        let at = index ?? media.sources.count - 1
        switch text(scanner.upTo(":")).lowercased() {
        case "cname": media.sources[at].cname = scanner.text
        case "msid": media.sources[at].msid = streamID(&scanner)
        default: break
        }
    }

    /// `send q;h;f recv a`, a paused layer with `~` before it.
    private func simulcast(_ scanner: inout SDPScanner) -> SDPSimulcast {
        var simulcast = SDPSimulcast()
        for _ in 0..<2 {
            guard let direction = scanner.word(), let list = scanner.word() else { break }
            let layers = list.split(separator: ";").prefix(Self.wordLimit).compactMap { layer in
                layer.split(separator: ",").first.map {
                    SDPSimulcast.Layer(
                        id: String($0.drop { $0 == "~" }), isPaused: $0.hasPrefix("~"))
                }
            }
            switch direction.lowercased() {
            case "send": simulcast.send = layers
            case "recv": simulcast.receive = layers
            default: break
            }
        }
        return simulcast
    }
}

extension SDPCandidate {
    /// The value of `a=candidate:`, as it also travels in trickle messages.
    package init?(_ text: some StringProtocol) {
        var scanner = SDPScanner(Array(text.utf8)[...])
        self.init(&scanner)
    }

    /// Extensions that are not `tcptype` are skipped: browsers add generation, network-id and more.
    init?(_ scanner: inout SDPScanner) {
        guard let foundation = scanner.word(), let component = scanner.number(UInt16.self),
            let transport = scanner.word().flatMap({ Transport(rawValue: $0.lowercased()) }),
            let priority = scanner.number(UInt32.self), let address = scanner.word(),
            let port = scanner.number(UInt16.self), scanner.word()?.lowercased() == "typ",
            let kind = scanner.word().flatMap({ Kind(rawValue: $0.lowercased()) })
        else { return nil }
        self.init(
            foundation: foundation, transport: transport, priority: priority, address: address,
            port: port)
        self.component = component
        self.kind = kind
        while let name = scanner.word(), let value = scanner.word() {
            if name.lowercased() == "tcptype" { tcpType = TCPType(rawValue: value.lowercased()) }
        }
    }
}
