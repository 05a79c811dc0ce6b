package import Wire

/// Reads a session description from bytes: tolerant of what devices get wrong, bounded in all they
/// may ask us to keep.
///
/// Tolerated: LF or CR for CR LF, blanks at line ends, missing and repeated session lines, unknown
/// lines and attributes, any case of attribute names, attribute lines for payload types that the
/// m-line does not list (Firefox leaves them after setCodecPreferences), zero bytes at the end.
/// Refused: a body without any line, control characters, an m-line that cannot be read, too much.
struct SDPParser {
    /// Each bound is the table's; a browser with all its codecs needs 12 KiB and 300 attributes.
    static let sizeLimit = 65_536
    static let mediaLimit = 32
    static let candidateLimit = 128
    static let attributeLimit = 1024
    /// A simulcast publisher with retransmission uses 6.
    static let sourceLimit = 64
    /// The longest known list (H.265 in RTSP) has a dozen.
    static let parameterLimit = 64
    /// Payload types are 0 to 127; some m-lines repeat a few.
    static let formatLimit = 256
    /// Layers, options, mids of one line.
    static let wordLimit = 64

    var description = SDPDescription()
    var attributeCount = 0
    var candidateCount = 0
    /// For the current m-line: payload type → index in `formats`.
    private var formatIndex: [128 of Int16] = .init(repeating: -1)
    private var lineCount = 0

    static func parse(_ text: RawSpan) throws(ParseError) -> SDPDescription {
        guard text.byteCount <= sizeLimit else { throw .tooMuch("SDP bytes", limit: sizeLimit) }
        var bytes = [UInt8](copying: text)
        while bytes.last == 0 { bytes.removeLast() }
        var parser = SDPParser()
        var start = 0
        for (offset, byte) in bytes.enumerated() {
            if byte == 0x0d || byte == 0x0a {
                try parser.line(bytes[start..<offset])
                start = offset + 1
            } else if byte < 0x20 && byte != SDPScanner.tab {
                throw .invalid("SDP character", value: UInt64(byte), at: offset)
            }
        }
        try parser.line(bytes[start...])
        guard parser.lineCount > 0 else { throw .invalid("SDP lines", value: 0, at: 0) }
        return parser.description
    }

    private mutating func line(_ bytes: ArraySlice<UInt8>) throws(ParseError) {
        let bytes = SDPScanner.trimmed(bytes)
        guard bytes.count >= 2, let type = bytes.first, bytes[bytes.startIndex + 1] == 0x3d else {
            return
        }
        lineCount += 1
        let value = SDPScanner.trimmed(bytes.dropFirst(2))
        switch Character(UnicodeScalar(type)) {
        case "a": try attributeLine(value)
        case "m": try mediaLine(value)
        case "c": connectionLine(value)
        case "b": bandwidthLine(value)
        case "o": originLine(value)
        case "s": if description.name == "-" { description.name = text(value) }
        case "u": description.uri = text(value)
        case "t": timingLine(value)
        case "y": description.gbSSRC = description.gbSSRC ?? text(value)
        case "f": description.gbFormat = description.gbFormat ?? text(value)
        default: break
        }
    }

    func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    private mutating func originLine(_ value: ArraySlice<UInt8>) {
        var scanner = SDPScanner(value)
        let words = scanner.words(atMost: 6)
        guard words.count >= 3 else { return }
        description.origin.username = words[0]
        description.origin.sessionID = words[1]
        description.origin.version = words[2]
        if words.count == 6 { description.origin.address = words[5] }
    }

    private mutating func timingLine(_ value: ArraySlice<UInt8>) {
        var scanner = SDPScanner(value)
        guard let start = scanner.number(UInt64.self), let stop = scanner.number(UInt64.self) else {
            return
        }
        description.start = start
        description.stop = stop
    }

    /// `IN IP4 192.0.2.1/127`: the time to live of a multicast address is dropped.
    private mutating func connectionLine(_ value: ArraySlice<UInt8>) {
        var scanner = SDPScanner(value)
        let words = scanner.words(atMost: 3)
        guard words.count == 3 else { return }
        var address = SDPScanner(Array(words[2].utf8)[...])
        let host = text(address.upTo("/"))
        if let last = description.medias.indices.last {
            description.medias[last].connection = host
        } else {
            description.connection = host
        }
    }

    private mutating func bandwidthLine(_ value: ArraySlice<UInt8>) {
        var scanner = SDPScanner(value)
        let type = text(scanner.upTo(":"))
        guard let number = scanner.number(UInt64.self), attributeCount < Self.attributeLimit else {
            return
        }
        attributeCount += 1
        let bandwidth = SDPBandwidth(type: type, value: number)
        if let last = description.medias.indices.last {
            description.medias[last].bandwidths.append(bandwidth)
        } else {
            description.bandwidths.append(bandwidth)
        }
    }

    /// `video 9 UDP/TLS/RTP/SAVPF 96 97`; a port may carry a count (`9/2`).
    private mutating func mediaLine(_ value: ArraySlice<UInt8>) throws(ParseError) {
        guard description.medias.count < Self.mediaLimit else {
            throw .tooMuch("m-lines", limit: Self.mediaLimit)
        }
        var scanner = SDPScanner(value)
        let kind = scanner.word() ?? ""
        let ports = scanner.word()?.split(separator: "/").first ?? ""
        guard let port = UInt16(ports), let proto = scanner.word() else {
            throw .invalid("m-line", value: UInt64(description.medias.count), at: value.startIndex)
        }
        var media = SDPMedia(kind: Self.kind(kind), port: port, proto: proto)
        formatIndex = .init(repeating: -1)
        for word in scanner.words(atMost: Self.formatLimit) {
            guard proto.uppercased().contains("RTP") else {
                if media.formatNames.count < Self.wordLimit { media.formatNames.append(word) }
                continue
            }
            guard let type = UInt8(word), type < 128, formatIndex[Int(type)] < 0 else { continue }
            formatIndex[Int(type)] = Int16(media.formats.count)
            media.formats.append(SDPFormat(payloadType: type))
        }
        description.medias.append(media)
    }

    private static func kind(_ name: String) -> SDPMedia.Kind {
        switch name.lowercased() {
        case "audio": .audio
        case "video": .video
        case "application": .application
        default: .other(name)
        }
    }

    /// Where the format of a payload type lies in the current m-line, if it is listed there.
    func index(of payloadType: UInt8) -> Int? {
        guard payloadType < 128, formatIndex[Int(payloadType)] >= 0 else { return nil }
        return Int(formatIndex[Int(payloadType)])
    }
}

extension SDPDescription {
    package init(_ text: RawSpan) throws(ParseError) { self = try SDPParser.parse(text) }
}
