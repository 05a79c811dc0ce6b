import Wire

/// A request or a response (RFC 2326 §4), copied out of the stream: control messages are few.
package struct RTSPMessage: Equatable, Sendable {
    package enum Start: Equatable, Sendable {
        case request(method: String, url: String)
        case response(status: Int)
    }

    package struct Header: Equatable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package var start: Start
    /// `RTSP/1.0`, or `HTTP/1.1` of somebody at the wrong door or in a tunnel.
    package var version = "RTSP/1.0"
    package var headers: [Header] = []
    package var body: [UInt8] = []

    package init(_ start: Start) { self.start = start }

    /// The first header of this name: names are compared without case, whatever we ourselves write.
    package subscript(_ name: String) -> String? {
        headers.first { Self.isSame($0.name, name) }?.value
    }

    package func values(_ name: String) -> [String] {
        headers.filter { Self.isSame($0.name, name) }.map(\.value)
    }

    package mutating func add(_ name: String, _ value: String?) {
        if let value { headers.append(Header(name, value)) }
    }

    static func isSame(_ a: String, _ b: String) -> Bool {
        a.utf8.count == b.utf8.count
            && zip(a.utf8, b.utf8).allSatisfy { ASCII.lower($0) == ASCII.lower($1) }
    }

    /// - Parameter head: Read from `bytes`, complete.
    init(_ head: TextHead, in bytes: RawSpan, body: Range<Int>) throws(ParseError) {
        let line = head.line
        guard let first = bytes.firstIndex(of: ASCII.space, in: line) else {
            throw .invalid("start line", value: UInt64(line.count), at: line.lowerBound)
        }
        if bytes.byte(at: line.lowerBound) == UInt8(ascii: "R"),
            bytes.matches("RTSP/", line.lowerBound..<min(line.lowerBound + 5, first))
        {
            let status = try head.statusLine(in: bytes)
            start = .response(status: status.status)
            version = bytes.string(status.version)
        } else {
            // The version stands behind the last blank: some write a blank into the URL.
            var last = line.upperBound - 1
            while last > first, bytes.byte(at: last) != ASCII.space { last -= 1 }
            let version = bytes.string(last + 1..<line.upperBound)
            guard last > first, version.hasPrefix("RTSP/") || version.hasPrefix("HTTP/") else {
                throw .invalid("start line", value: UInt64(line.count), at: line.lowerBound)
            }
            let url = bytes.string(bytes.trimmed(first + 1..<last))
            start = .request(method: bytes.string(line.lowerBound..<first), url: url)
            self.version = version
        }
        headers = head.fields.map { field in
            Header(bytes.string(field.name), head.text(field.value, in: bytes))
        }
        self.body = [UInt8](copying: bytes.extracting(body))
    }

    // MARK: - Writing

    /// As it goes out. What a peer named is echoed in places: a control character in it must not
    /// begin a line of its own.
    package var bytes: [UInt8] {
        var text = ""
        switch start {
        case .request(let method, let url): text = "\(method) \(Self.clean(url)) \(version)\r\n"
        case .response(let status):
            text = "\(version) \(status) \(RTSPStatus.reason(status))\r\n"
        }
        for header in headers { text += "\(header.name): \(Self.clean(header.value))\r\n" }
        if !body.isEmpty { text += "Content-Length: \(body.count)\r\n" }
        return Array((text + "\r\n").utf8) + body
    }

    private static func clean(_ text: String) -> String {
        guard text.utf8.contains(where: ASCII.isControl) else { return text }
        return String(decoding: text.utf8.map { ASCII.isControl($0) ? 0x5f : $0 }, as: UTF8.self)
    }
}

/// The sentences of RFC 2326 §7.1.1 for what we answer.
package enum RTSPStatus {
    package static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 406: "Not Acceptable"
        case 415: "Unsupported Media Type"
        case 453: "Not Enough Bandwidth"
        case 454: "Session Not Found"
        case 455: "Method Not Valid in This State"
        case 459: "Aggregate Operation Not Allowed"
        case 461: "Unsupported Transport"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 505: "RTSP Version Not Supported"
        default: "Unknown"
        }
    }
}
