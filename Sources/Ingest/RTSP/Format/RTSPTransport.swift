package import Wire

/// One way of transport out of a `Transport` header (RFC 2326 §12.39), as devices write it.
package struct RTSPTransport: Equatable, Sendable {
    package struct Pair: Equatable, Sendable {
        package var first: UInt16
        package var second: UInt16

        package init(_ first: UInt16, _ second: UInt16) {
            self.first = first
            self.second = second
        }

        /// `4-5`, and `4` alone, which means the same.
        init?(_ text: some StringProtocol) {
            let parts = text.split(separator: "-", maxSplits: 1)
            guard let low = parts.first.flatMap({ UInt16(RTSPTransport.trimmed($0)) }) else {
                return nil
            }
            first = low
            second =
                parts.count > 1 ? UInt16(RTSPTransport.trimmed(parts[1])) ?? low &+ 1 : low &+ 1
        }

        var text: String { "\(first)-\(second)" }
    }

    package enum Lower: Equatable, Sendable { case tcp, udp }

    package var lower = Lower.udp
    /// SRTP: we have no keys for it.
    package var isSecure = false
    package var isMulticast = false
    package var interleaved: Pair?
    package var clientPort: Pair?
    package var serverPort: Pair?
    package var ssrc: UInt32?
    package var isRecord = false
    /// Where the peer says it sends from, or wants to be sent to.
    package var source: String?
    package var destination: String?

    package init(_ lower: Lower) { self.lower = lower }

    /// Nobody offers more than UDP, TCP and multicast.
    private static let choiceMaximum = 8
    private static let parameterMaximum = 32

    /// The choices of a header in their order; what cannot be read is no choice.
    package static func choices(_ header: String) -> [RTSPTransport] {
        split(header, at: ",").prefix(choiceMaximum).compactMap { RTSPTransport($0) }
    }

    private init?(_ text: Substring) {
        let parts = Self.split(String(text), at: ";").prefix(Self.parameterMaximum)
        guard let name = parts.first.map({ Self.trimmed($0).uppercased() }),
            name.hasPrefix("RTP/")
        else { return nil }
        lower = name.hasSuffix("/TCP") ? .tcp : .udp
        isSecure = name.contains("SAVP")
        for part in parts.dropFirst() { read(part) }
        // Escam Q6 answers `RTP/AVP;…interleaved=0-1` and means TCP.
        if interleaved != nil, clientPort == nil { lower = .tcp }
    }

    private mutating func read(_ part: Substring) {
        let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let value = pair.count > 1 ? Self.unquoted(pair[1]) : ""
        switch Self.trimmed(pair[0]).lowercased() {
        case "multicast": isMulticast = true
        case "interleaved":
            interleaved = Pair(value).flatMap { $0.first < 255 ? $0 : nil }
        case "client_port": clientPort = Pair(value)
        case "server_port": serverPort = Pair(value)
        case "ssrc": ssrc = UInt32(value, radix: 16)
        case "mode":
            let word = value.lowercased()
            // FFmpeg says record, others receive (its old name).
            isRecord = word.contains("record") || word.contains("receive")
        case "source": source = value
        case "destination": destination = value
        default: break
        }
    }

    package var text: String {
        var text = lower == .tcp ? "RTP/AVP/TCP" : "RTP/AVP"
        text += isMulticast ? ";multicast" : ";unicast"
        if let source { text += ";source=\(source)" }
        if let interleaved { text += ";interleaved=\(interleaved.text)" }
        if let clientPort { text += ";client_port=\(clientPort.text)" }
        if let serverPort { text += ";server_port=\(serverPort.text)" }
        if let ssrc {
            let hex = String(ssrc, radix: 16, uppercase: true)
            text += ";ssrc=" + String(repeating: "0", count: 8 - hex.utf8.count) + hex
        }
        if isRecord { text += ";mode=record" }
        return text
    }

    static func trimmed(_ text: some StringProtocol) -> String {
        let isBlank = { (c: Character) in c == " " || c == "\t" }
        var rest = Substring(text).drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
        return String(rest)
    }

    static func unquoted(_ text: some StringProtocol) -> String {
        let text = trimmed(text)
        guard text.utf8.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return text }
        return String(text.dropFirst().dropLast())
    }

    /// Parts between separators that do not stand in quotes: `mode="PLAY,RECORD"`.
    static func split(_ text: String, at separator: Character) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var isQuoted = false
        for index in text.indices {
            if text[index] == "\"" { isQuoted.toggle() }
            guard text[index] == separator, !isQuoted else { continue }
            parts.append(text[start..<index])
            start = text.index(after: index)
        }
        parts.append(text[start...])
        return parts
    }
}

/// `Session: 1234;timeout=60` (RFC 2326 §12.37). Sent back without the parameter.
package struct RTSPSessionHeader: Equatable, Sendable {
    package var id: String
    package var timeout: Interval

    /// RFC 2326 §12.37: who says nothing means a minute.
    package static let usualTimeout = Interval.seconds(60)

    package init?(_ header: String?) {
        guard let header else { return nil }
        let parts = header.split(separator: ";", omittingEmptySubsequences: false)
        id = RTSPTransport.trimmed(parts[0])
        guard !id.isEmpty, id.utf8.count <= 256 else { return nil }
        timeout = Self.usualTimeout
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, RTSPTransport.trimmed(pair[0]).lowercased() == "timeout",
                let seconds = Int64(RTSPTransport.trimmed(pair[1])), (1...86_400).contains(seconds)
            else { continue }
            timeout = .seconds(seconds)
        }
    }
}
