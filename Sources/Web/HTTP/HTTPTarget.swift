package import Wire

/// What a request asks for: path segments and query, decoded exactly once.
///
/// What could mean something else to a file system or to a second decoder is refused: `.` and `..`,
/// empty segments, backslashes, control bytes, text that is not UTF-8. `%252e` stays the text
/// `%2e`; `%2F` separates like `/`, because stream names contain one and clients encode it.
package struct HTTPTarget: Equatable, Sendable {
    package struct QueryItem: Equatable, Sendable {
        package var name: String
        package var value: String
    }

    /// URLs of ours have 300 bytes at most, tokens included 2 KiB.
    package static let bytesMaximum = 4096
    static let segmentsMaximum = 32
    static let queryItemsMaximum = 64

    /// Decoded, without a slash at the end.
    package private(set) var segments: [String] = []
    package private(set) var hasTrailingSlash = false
    package private(set) var query: [QueryItem] = []
    /// `OPTIONS *`: the server as a whole. There are no segments then.
    package private(set) var isAsterisk = false

    package init(_ text: some StringProtocol) throws(ParseError) {
        let bytes = Array(text.utf8)
        try self.init(bytes.raw, 0..<bytes.count)
    }

    package init(_ bytes: RawSpan, _ range: Range<Int>) throws(ParseError) {
        guard range.count <= Self.bytesMaximum else {
            throw .tooMuch("target", limit: Self.bytesMaximum)
        }
        if bytes.matches("*", range) {
            isAsterisk = true
            return
        }
        let local = try Self.originForm(bytes, range)
        let mark = bytes.firstIndex(of: 0x3f, in: local) ?? local.upperBound
        try readPath(bytes, local.lowerBound..<mark)
        if mark < local.upperBound { try readQuery(bytes, mark + 1..<local.upperBound) }
    }

    /// The first item of this name.
    package func query(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// Decoded, for matching and logs; never for opening a file.
    package var path: String { "/" + segments.joined(separator: "/") }

    /// The stream that a part of the path names.
    package func streamName(_ range: Range<Int>) throws(ParseError) -> StreamName {
        let inside = range.clamped(to: 0..<segments.count)
        return try StreamName(segments[inside].joined(separator: "/"))
    }

    // MARK: Reading

    /// `http://host/path` is what proxies are asked, and must be understood (RFC 9112 §3.2.2).
    private static func originForm(
        _ bytes: RawSpan, _ range: Range<Int>
    ) throws(ParseError) -> Range<Int> {
        guard let first = range.first else { throw .invalid("target", value: 0, at: 0) }
        if bytes.byte(at: first) == 0x2f { return range }
        for scheme in ["http://", "https://"] where range.count > scheme.utf8.count {
            let authority = range.lowerBound + scheme.utf8.count
            guard bytes.matches(scheme, range.lowerBound..<authority),
                let slash = bytes.firstIndex(of: 0x2f, in: authority..<range.upperBound)
            else { continue }
            return slash..<range.upperBound
        }
        throw .invalid("target", value: UInt64(bytes.byte(at: first)), at: first)
    }

    private mutating func readPath(_ bytes: RawSpan, _ range: Range<Int>) throws(ParseError) {
        let path = try Self.text(bytes, range, plusIsSpace: false)
        var parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= Self.segmentsMaximum else {
            throw .tooMuch("path segments", limit: Self.segmentsMaximum)
        }
        if parts.last?.isEmpty == true {
            parts.removeLast()
            hasTrailingSlash = !parts.isEmpty
        }
        for part in parts {
            guard !part.isEmpty, part != ".", part != ".." else {
                throw .invalid("path segment", value: UInt64(part.utf8.count), at: range.lowerBound)
            }
            segments.append(String(part))
        }
    }

    private mutating func readQuery(_ bytes: RawSpan, _ range: Range<Int>) throws(ParseError) {
        var rest = range
        while !rest.isEmpty {
            let end = bytes.firstIndex(of: 0x26, in: rest) ?? rest.upperBound
            let item = rest.lowerBound..<end
            rest = min(end + 1, rest.upperBound)..<rest.upperBound
            if item.isEmpty { continue }
            guard query.count < Self.queryItemsMaximum else {
                throw .tooMuch("query items", limit: Self.queryItemsMaximum)
            }
            let equals = bytes.firstIndex(of: 0x3d, in: item) ?? item.upperBound
            let value = min(equals + 1, item.upperBound)..<item.upperBound
            query.append(
                QueryItem(
                    name: try Self.text(bytes, item.lowerBound..<equals, plusIsSpace: true),
                    value: try Self.text(bytes, value, plusIsSpace: true)))
        }
    }

    private static func text(
        _ bytes: RawSpan, _ range: Range<Int>, plusIsSpace: Bool
    ) throws(ParseError) -> String {
        let decoded = try PercentCoding.decode(bytes, range, plusIsSpace: plusIsSpace)
        for byte in decoded where ASCII.isControl(byte) || byte == 0x5c && !plusIsSpace {
            throw .invalid("target", value: UInt64(byte), at: range.lowerBound)
        }
        guard let text = String(validating: decoded, as: UTF8.self) else {
            throw .invalid("target that is not UTF-8", value: 0, at: range.lowerBound)
        }
        return text
    }
}
