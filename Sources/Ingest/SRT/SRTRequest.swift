package import Stream
import Wire

/// What a caller wants, from the stream id that it calls with. Everybody writes it differently:
///
///     #!::r=live/cam1,m=publish,u=USER,s=KEY     the standard of Haivision; SRS, ZLM
///     publish:live/cam1:USER:KEY?QUERY           MediaMTX; read:, request:, play:
///     publish/live/cam1                          SLS; uplive.host/live/cam1
///     live/cam1,mode:publish,token:KEY           datarhei; role=publisher
///     live/cam1?token=KEY                        what is left to hardware that has one text field
package struct SRTRequest: Equatable, Sendable {
    package enum Mode: String, Equatable, Sendable { case publish, read }

    /// For those who do not say it all.
    package struct Defaults: Equatable, Sendable {
        package var mode = Mode.publish
        /// For an empty id; empty: there is none.
        package var stream = ""

        package init() {}
    }

    /// Why an id is refused, and what would be right.
    package enum Fault: Error, Equatable, Sendable {
        case malformed
        /// Neither publish nor read: both at once, or a word that we do not know.
        case mode
        /// Files and commands.
        case type
        case name
    }

    package var mode = Mode.publish
    /// `app/stream`: a name that passes.
    package var name = ""
    package var credential = Credential()

    /// As libsrt has it.
    private static let bytesMaximum = 512

    package init(_ streamID: String, _ defaults: Defaults = Defaults()) throws(Fault) {
        guard streamID.utf8.count <= Self.bytesMaximum else { throw .malformed }
        mode = defaults.mode
        // Some players append what they do.
        var text = streamID[...]
        if let tail = text.firstRange(of: "#feedbackplay") { text = text[..<tail.lowerBound] }
        if text.isEmpty {
            guard !defaults.stream.isEmpty else { throw .name }
            try take(name: defaults.stream[...])
        } else if text.hasPrefix("#!::") {
            try readPairs(text.dropFirst(4), separator: "=")
        } else if text.hasPrefix("#!") {
            throw .malformed
        } else if let scheme = text.firstRange(of: "://") {
            // A whole URL: its path is meant.
            let path = text[scheme.upperBound...].drop { $0 != "/" }
            try take(name: path)
        } else if text.contains(",") {
            try readList(text)
        } else {
            try readPlain(text)
        }
    }

    // MARK: - Dialects

    /// `k=v,k=v`. Who does not say what it wants, wants to read.
    private mutating func readPairs(
        _ text: Substring, separator: Character
    ) throws(Fault) {
        mode = .read
        var resource: Substring?
        var host: Substring?
        for pair in text.split(separator: ",") {
            guard let sign = pair.firstIndex(of: separator) else { throw .malformed }
            let (key, value) = (pair[..<sign], pair[pair.index(after: sign)...])
            switch key {
            case "r": resource = value
            case "h": host = value
            case "t" where value != "stream": throw .type
            default: try note(key, value)
            }
        }
        // SRS of old: the host with the name behind it, and no resource.
        if resource == nil, let path = host?.firstIndex(of: "/") { resource = host?[path...] }
        guard let resource else { throw .name }
        try take(name: resource)
    }

    /// `live/cam1,mode:publish,token:KEY` and `live/cam1,role=publisher`.
    private mutating func readList(_ text: Substring) throws(Fault) {
        var parts = text.split(separator: ",")[...]
        guard let name = parts.popFirst() else { throw .malformed }
        for part in parts {
            guard let sign = part.firstIndex(where: { $0 == ":" || $0 == "=" }) else {
                throw .malformed
            }
            try note(part[..<sign], part[part.index(after: sign)...])
        }
        try take(name: name)
    }

    private mutating func readPlain(_ text: Substring) throws(Fault) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count > 1, let mode = Self.mode(parts[0]) {
            self.mode = mode
            return try readColons(parts.dropFirst())
        }
        var segments = text.split(separator: "/")
        if segments.count > 2, let mode = Self.mode(segments[0]) {
            self.mode = mode
            segments.removeFirst()
        } else if segments.count > 2, segments[0].hasPrefix("uplive.") {
            mode = .publish
            segments.removeFirst()
        }
        try take(name: segments.joined(separator: "/")[...])
    }

    /// Path; path and query; path, user and password; all of them.
    private mutating func readColons(_ parts: ArraySlice<Substring>) throws(Fault) {
        let parts = Array(parts)
        guard parts.count <= 4 else { throw .malformed }
        if parts.count >= 3 {
            credential.user = Self.decoded(parts[1])
            credential.password = Self.decoded(parts[2])
        }
        if parts.count == 2 || parts.count == 4, let query = parts.last { try read(query: query) }
        try take(name: parts[0])
    }

    // MARK: - Pieces

    private static func mode(_ word: some StringProtocol) -> Mode? {
        switch word.lowercased() {
        case "publish", "push", "publisher", "input", "uplive": .publish
        case "request", "read", "play", "player", "pull", "output": .read
        default: nil
        }
    }

    private mutating func note(_ key: Substring, _ value: Substring) throws(Fault) {
        let text = Self.decoded(value)
        switch key {
        case "m", "mode", "role":
            guard let mode = Self.mode(text) else { throw .mode }
            self.mode = mode
        case "u", "user": credential.user = text
        case "s", "pass", "password": credential.password = text
        case "token", "key", "secret": credential.token = text
        default: break
        }
    }

    private mutating func read(query: Substring) throws(Fault) {
        for pair in query.split(whereSeparator: { $0 == "&" || $0 == "?" }) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            // What a stream is called or does stands before the query.
            guard parts.count == 2, !["m", "mode", "role"].contains(parts[0]) else { continue }
            try note(parts[0], parts[1])
        }
    }

    private mutating func take(name text: Substring) throws(Fault) {
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count > 1 { try read(query: parts[1]) }
        let path = Self.decoded(parts.first ?? "").split(separator: "/").joined(separator: "/")
        guard let name = try? StreamName(path) else { throw .name }
        self.name = name.description
    }

    private static func decoded(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        let decoded = try? PercentCoding.decode(bytes.raw, 0..<bytes.count)
        return decoded.map { String(decoding: $0, as: UTF8.self) } ?? String(text)
    }
}
