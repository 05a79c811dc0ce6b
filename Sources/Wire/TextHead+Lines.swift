/// What is asked of a head that is complete. `bytes` are always those that `read` was given.
extension TextHead {
    /// `METHOD target VERSION`
    public struct RequestLine: Equatable, Sendable {
        public var method: Range<Int>
        public var target: Range<Int>
        public var version: Range<Int>
    }

    /// `VERSION 200 Reason`
    public struct StatusLine: Equatable, Sendable {
        public var version: Range<Int>
        public var status: Int
        public var reason: Range<Int>
    }

    /// The first header of this name, whatever the case of its letters.
    public func value(_ name: String, in bytes: RawSpan) -> Range<Int>? {
        index(of: name, in: bytes).map { fields[$0].value }
    }

    /// The text of a value, each fold in it replaced by one space (RFC 3261 §7.3.1).
    public func text(_ value: Range<Int>, in bytes: RawSpan) -> String {
        var text = ""
        var rest = value
        while let fold = bytes.firstIndex(of: ASCII.lineFeed, in: rest) {
            var end = fold
            if end > rest.lowerBound, bytes.byte(at: end - 1) == ASCII.carriageReturn { end -= 1 }
            text += bytes.string(bytes.trimmed(rest.lowerBound..<end)) + " "
            rest = fold + 1..<value.upperBound
        }
        return text + bytes.string(bytes.trimmed(rest))
    }

    /// The place in `fields` of the next header of this name: for those that come more than once.
    public func index(of name: String, from start: Int = 0, in bytes: RawSpan) -> Int? {
        var index = start
        while index < fields.count {
            if bytes.matches(name, fields[index].name) { return index }
            index += 1
        }
        return nil
    }

    /// Exactly one space between the three parts: a request line that can be read in two ways is
    /// refused (RFC 9112 §3).
    public func requestLine(in bytes: RawSpan) throws(ParseError) -> RequestLine {
        guard let first = bytes.firstIndex(of: ASCII.space, in: line),
            let second = bytes.firstIndex(of: ASCII.space, in: first + 1..<line.upperBound)
        else { throw .invalid("request line", value: UInt64(line.count), at: line.lowerBound) }
        let found = RequestLine(
            method: line.lowerBound..<first, target: first + 1..<second,
            version: second + 1..<line.upperBound)
        guard !found.target.isEmpty, !found.version.isEmpty,
            bytes.firstIndex(of: ASCII.space, in: found.version) == nil,
            bytes.firstIndex(of: ASCII.tab, in: line) == nil
        else { throw .invalid("request line", value: UInt64(line.count), at: line.lowerBound) }
        for offset in found.method where !ASCII.isToken(bytes.byte(at: offset)) {
            throw .invalid("method", value: UInt64(bytes.byte(at: offset)), at: offset)
        }
        return found
    }

    /// The reason may be empty, and the space in front of it missing: old servers do that.
    public func statusLine(in bytes: RawSpan) throws(ParseError) -> StatusLine {
        guard let first = bytes.firstIndex(of: ASCII.space, in: line) else {
            throw .invalid("status line", value: UInt64(line.count), at: line.lowerBound)
        }
        let rest = first + 1..<line.upperBound
        let end = bytes.firstIndex(of: ASCII.space, in: rest) ?? line.upperBound
        guard end - rest.lowerBound == 3, let status = bytes.decimal(rest.lowerBound..<end),
            (100...999).contains(status)
        else { throw .invalid("status", value: 0, at: rest.lowerBound) }
        return StatusLine(
            version: line.lowerBound..<first, status: status,
            reason: min(end + 1, line.upperBound)..<line.upperBound)
    }
}
