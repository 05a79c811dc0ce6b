package import Wire

/// A request or a response of SIP (RFC 3261 §7), copied out of what came: signalling is rare.
///
/// Cameras are forgiven what does no harm: LF alone, folded lines, compact names, blanks around the
/// colon. What would let two readers see two messages is refused by `TextHead`.
package struct SIPMessage: Equatable, Sendable {
    package enum Start: Equatable, Sendable {
        case request(method: String, uri: String)
        case response(status: Int, reason: String)
    }

    package struct Header: Equatable, Sendable {
        package var name: String
        package var value: String
    }

    /// A part of a recorder's catalogue has a few kilobytes, the largest seen 60; and a connection
    /// keeps no more than 256 KiB that are not read.
    static let bodyMaximum = 192 << 10

    package var start: Start
    package var headers: [Header] = []
    package var body: [UInt8] = []

    package init(_ start: Start) { self.start = start }

    package var method: String {
        if case .request(let method, _) = start { return method }
        return cSeq?.method ?? ""
    }

    package var status: Int? {
        if case .response(let status, _) = start { return status }
        return nil
    }

    /// The first header of this name: names are compared without case.
    package subscript(_ name: String) -> String? {
        headers.first { Self.isSame($0.name, name) }?.value
    }

    package func values(_ name: String) -> [String] {
        headers.filter { Self.isSame($0.name, name) }.map(\.value)
    }

    package mutating func add(_ name: String, _ value: String?) {
        if let value { headers.append(Header(name: name, value: value)) }
    }

    static func isSame(_ a: String, _ b: String) -> Bool {
        a.utf8.count == b.utf8.count
            && zip(a.utf8, b.utf8).allSatisfy { ASCII.lower($0) == ASCII.lower($1) }
    }

    // MARK: - What nearly all of them have

    package struct CSeq: Equatable, Sendable {
        package var number: UInt32
        package var method: String
    }

    package var cSeq: CSeq? {
        let words = self["CSeq"]?.split { $0 == " " || $0 == "\t" } ?? []
        guard words.count == 2, let number = UInt32(words[0]) else { return nil }
        return CSeq(number: number, method: words[1].uppercased())
    }

    package var callID: String { self["Call-ID"] ?? "" }
    package var from: SIPParty? { self["From"].flatMap { SIPParty($0) } }
    package var to: SIPParty? { self["To"].flatMap { SIPParty($0) } }
    package var contact: SIPParty? { self["Contact"].flatMap { SIPParty($0) } }
    package var via: SIPVia? { self["Via"].flatMap { SIPVia($0) } }

    /// The user part of the request's address: who is meant, whatever host stands behind.
    package var requestUser: String? {
        guard case .request(_, let uri) = start else { return nil }
        return SIPURI(uri)?.user
    }

    // MARK: - Reading

    /// A whole datagram. A body shorter than it says is refused, one that is longer cut.
    package init(datagram bytes: RawSpan) throws(ParseError) {
        var head = TextHead(rules: .sip)
        let blank = TextHead.blankPrefix(of: bytes)
        let rest = bytes.extracting(blank..<bytes.byteCount)
        guard try head.read(rest) else {
            throw .truncated(at: bytes.byteCount, needed: 1)
        }
        var end = rest.byteCount
        if case .length(let said) = head.body {
            guard said <= end - head.count else {
                throw .truncated(at: end, needed: said - (end - head.count))
            }
            end = head.count + said
        }
        try self.init(head, in: rest, body: head.count..<end)
    }

    /// - Parameter head: Read from `bytes`, complete.
    init(_ head: TextHead, in bytes: RawSpan, body: Range<Int>) throws(ParseError) {
        let line = head.line
        if bytes.matches("SIP/2.0", line.lowerBound..<min(line.lowerBound + 7, line.upperBound)) {
            let line = try head.statusLine(in: bytes)
            start = .response(status: line.status, reason: bytes.string(line.reason))
        } else {
            let line = try head.requestLine(in: bytes)
            guard bytes.matches("SIP/2.0", line.version) else {
                throw .invalid("SIP version", value: 0, at: line.version.lowerBound)
            }
            start = .request(
                method: bytes.string(line.method).uppercased(), uri: bytes.string(line.target))
        }
        headers = head.fields.map { field in
            Header(
                name: Self.fullName(bytes.string(field.name)),
                value: head.text(field.value, in: bytes))
        }
        self.body = [UInt8](copying: bytes.extracting(body))
    }

    /// RFC 3261 §7.3.3.
    private static func fullName(_ name: String) -> String {
        guard name.utf8.count == 1 else { return name }
        return switch name.lowercased() {
        case "v": "Via"
        case "f": "From"
        case "t": "To"
        case "i": "Call-ID"
        case "m": "Contact"
        case "l": "Content-Length"
        case "c": "Content-Type"
        case "s": "Subject"
        case "o": "Event"
        case "k": "Supported"
        default: name
        }
    }

    // MARK: - Writing

    /// As it goes out. What a peer named is echoed in places: a control character in it must not
    /// begin a line of its own.
    package var bytes: [UInt8] {
        var text: String
        switch start {
        case .request(let method, let uri): text = "\(method) \(Self.clean(uri)) SIP/2.0\r\n"
        case .response(let status, let reason): text = "SIP/2.0 \(status) \(reason)\r\n"
        }
        for header in headers where !Self.isSame(header.name, "Content-Length") {
            text += "\(header.name): \(Self.clean(header.value))\r\n"
        }
        text += "Content-Length: \(body.count)\r\n\r\n"
        return Array(text.utf8) + body
    }

    private static func clean(_ text: String) -> String {
        guard text.utf8.contains(where: ASCII.isControl) else { return text }
        return String(decoding: text.utf8.map { ASCII.isControl($0) ? 0x5f : $0 }, as: UTF8.self)
    }
}

/// The sentences of RFC 3261 §21 for what we answer.
enum SIPStatus {
    static func reason(_ status: Int) -> String {
        switch status {
        case 100: "Trying"
        case 200: "OK"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 481: "Call/Transaction Does Not Exist"
        case 486: "Busy Here"
        case 488: "Not Acceptable Here"
        case 500: "Server Internal Error"
        case 503: "Service Unavailable"
        default: "Unknown"
        }
    }
}
