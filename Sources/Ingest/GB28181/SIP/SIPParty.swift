import Wire

/// `sip:34020000001320000001@192.0.2.7:5060;transport=tcp`
package struct SIPURI: Equatable, Sendable {
    package var user: String
    package var host: String
    package var port: UInt16?

    package init(user: String, host: String, port: UInt16? = nil) {
        self.user = user
        self.host = host
        self.port = port
    }

    package init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 512, let colon = text.firstIndex(of: ":") else { return nil }
        let scheme = text[..<colon].lowercased()
        guard scheme == "sip" || scheme == "sips" else { return nil }
        let rest = text[text.index(after: colon)...].prefix { $0 != ";" && $0 != "?" }
        if let at = rest.lastIndex(of: "@") {
            // A password in it means nothing here.
            user = String(rest[..<at].prefix { $0 != ":" })
            (host, port) = Self.place(rest[rest.index(after: at)...])
        } else {
            user = ""
            (host, port) = Self.place(rest)
        }
    }

    private static func place(_ text: some StringProtocol) -> (String, UInt16?) {
        // An IPv6 address stands in brackets.
        let end = text.lastIndex(of: "]") ?? text.startIndex
        guard let colon = text[end...].lastIndex(of: ":") else { return (String(text), nil) }
        return (String(text[..<colon]), UInt16(text[text.index(after: colon)...]))
    }

    package var text: String {
        "sip:\(user.isEmpty ? "" : user + "@")\(host)\(port.map { ":\($0)" } ?? "")"
    }
}

/// `"name" <sip:user@host>;tag=1;expires=60`, as From, To and Contact have it (RFC 3261 §20.10).
package struct SIPParty: Equatable, Sendable {
    package var uri: SIPURI
    package var tag: String?
    package var expires: Int?

    package init?(_ text: String) {
        guard text.utf8.count <= 1024 else { return nil }
        var parameters = Substring()
        var address = Substring(text)
        if let open = text.firstIndex(of: "<"),
            let close = text[open...].firstIndex(of: ">")
        {
            address = text[text.index(after: open)..<close]
            parameters = text[text.index(after: close)...]
        } else if let semicolon = text.firstIndex(of: ";") {
            // Without brackets what follows belongs to the header, not to the address.
            address = text[..<semicolon]
            parameters = text[semicolon...]
        }
        guard let uri = SIPURI(SIPText.trimmed(address)) else { return nil }
        self.uri = uri
        for (name, value) in SIPText.parameters(parameters) {
            switch name {
            case "tag": tag = value
            case "expires": expires = value.flatMap { Int($0) }
            default: break
            }
        }
    }

    /// Without the header's own parameters; those in brackets are the address's.
    static func address(in text: String) -> Substring {
        let start = text.firstIndex(of: ">") ?? text.startIndex
        return text[..<(text[start...].firstIndex { $0 == ";" || $0 == "," } ?? text.endIndex)]
    }
}

/// One hop of a message (RFC 3261 §20.42).
package struct SIPVia: Equatable, Sendable {
    package var branch: String
    package var isTCP: Bool

    package init?(_ text: String) {
        guard text.utf8.count <= 1024 else { return nil }
        let first = text.split(separator: ",", maxSplits: 1).first ?? ""
        let parts = first.split(separator: ";", maxSplits: 1)
        guard let head = parts.first else { return nil }
        isTCP = head.uppercased().contains("/TCP")
        branch = ""
        guard parts.count > 1 else { return }
        for (name, value) in SIPText.parameters(parts[1]) where name == "branch" {
            branch = value ?? ""
        }
    }

    /// As a server answers with it: where the request really came from (RFC 3581 §4).
    static func answered(_ text: String, from peer: Address) -> String {
        let hops = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = hops.first else { return text }
        let parts = first.split(separator: ";").map { SIPText.trimmed($0) }.filter {
            let name = $0.prefix { $0 != "=" }.lowercased()
            return name != "rport" && name != "received"
        }
        let host = peer.ip
        var answer =
            ([parts.first ?? ""] + ["rport=\(peer.port)", "received=\(host)"]
            + parts.dropFirst()).joined(separator: ";")
        if hops.count > 1 { answer += "," + hops[1] }
        return answer
    }
}

enum SIPText {
    static func trimmed(_ text: some StringProtocol) -> String {
        var rest = Substring(text)
        while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return String(rest)
    }

    /// `;name=value;name`: names in lower case, values without quotation marks.
    static func parameters(_ text: some StringProtocol) -> [(name: String, value: String?)] {
        text.split(separator: ";").prefix(16).map { part in
            let pair = part.split(separator: "=", maxSplits: 1)
            let name = trimmed(pair.first ?? "").lowercased()
            guard pair.count > 1 else { return (name, nil) }
            var value = trimmed(pair[1])
            if value.count >= 2, value.first == "\"", value.last == "\"" {
                value = String(value.dropFirst().dropLast())
            }
            return (name, value)
        }
    }
}
