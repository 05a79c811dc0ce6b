/// The head of a text message, `first line + headers + blank line`, and how long its body is: what
/// HTTP, RTSP and SIP have in common. Not the meaning of any line: that is the protocol's.
///
/// It reads bytes that stay the caller's and remembers offsets only. Called again with the same
/// bytes and more behind them, it goes on where it stopped, so a head that comes byte by byte costs
/// no more than one that comes at once.
public struct TextHead: Sendable {
    /// How much a protocol accepts, and what its old clients get away with.
    public struct Rules: Sendable {
        /// 16 KiB hold any honest head; offsets are 16 bit.
        public var bytes = 16 * 1024
        public var fields = 100
        /// Lines may end in LF alone. Off for HTTP: two parsers that disagree about where a line
        /// ends are how requests are smuggled.
        public var allowsBareLineFeed = false
        /// A line that begins with a blank continues the one before (SIP §7.3.1; obsolete in HTTP).
        public var allowsFolding = false
        /// `Via : x`, which SIP's grammar allows and RFC 9112 §5.1 orders servers to refuse.
        public var allowsSpaceBeforeColon = false
        /// `Transfer-Encoding` frames the body. HTTP alone has it.
        public var hasTransferEncoding = false
        /// `l:` for `Content-Length:` (SIP §7.3.3).
        public var hasCompactNames = false

        public static let http = Rules(hasTransferEncoding: true)
        public static let rtsp = Rules(
            allowsBareLineFeed: true, allowsFolding: true, allowsSpaceBeforeColon: true)
        public static let sip = Rules(
            allowsBareLineFeed: true, allowsFolding: true, allowsSpaceBeforeColon: true,
            hasCompactNames: true)
    }

    /// Where one header lies. A folded value contains its line breaks.
    public struct Field: Equatable, Sendable {
        var nameStart, nameEnd, valueStart, valueEnd: UInt16

        public init(name: Range<Int>, value: Range<Int>) {
            nameStart = UInt16(name.lowerBound)
            nameEnd = UInt16(name.upperBound)
            valueStart = UInt16(value.lowerBound)
            valueEnd = UInt16(value.upperBound)
        }

        public var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
        public var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
    }

    public enum Body: Equatable, Sendable {
        /// No header says. A request has no body then; a response may last until the end.
        case untold
        case length(Int)
        case chunked
    }

    public let rules: Rules
    /// The first line, without its end. Valid once `read` has said true.
    public private(set) var line = 0..<0
    public private(set) var fields: [Field] = []
    public private(set) var body = Body.untold
    /// The size of the head with its blank line: the body begins here.
    public private(set) var count = 0

    private var isComplete = false
    /// Where the line begins that is being looked for, and how far there is no line end.
    private var lineStart = 0
    private var scanned = 0

    public init(rules: Rules) {
        precondition(rules.bytes <= Int(UInt16.max), "offsets of a head are 16 bit")
        self.rules = rules
    }

    /// Nothing of a head has been seen yet.
    public var isUntouched: Bool { scanned == 0 }

    /// Forgets the head: the next message begins at the first byte of the next `read`.
    public mutating func reset() {
        line = 0..<0
        fields.removeAll(keepingCapacity: true)
        body = .untold
        count = 0
        isComplete = false
        lineStart = 0
        scanned = 0
    }

    /// - Returns: Whether the head is complete; false asks for more bytes.
    public mutating func read(_ bytes: RawSpan) throws(ParseError) -> Bool {
        if lineStart == 0, bytes.byteCount > 0, !ASCII.isToken(bytes.byte(at: 0)) {
            // Perhaps half of a line end in front of the message, which is the caller's to drop.
            if bytes.byteCount == 1, bytes.byte(at: 0) == ASCII.carriageReturn { return false }
            // Said at the first byte, so that a TLS hello does not wait for its time limit.
            throw .invalid("first byte", value: UInt64(bytes.byte(at: 0)), at: 0)
        }
        while !isComplete {
            guard let text = try nextLine(bytes) else { return false }
            try take(text, of: bytes)
        }
        return true
    }

    /// Line ends in front of a message: RFC 9112 §2.2 lets a server skip them, SIP and RTSP clients
    /// send them to keep a connection open. To be dropped by the caller before `read`.
    public static func blankPrefix(of bytes: RawSpan) -> Int {
        var count = 0
        while count < bytes.byteCount {
            if bytes.byte(at: count) == ASCII.lineFeed {
                count += 1
            } else if bytes.byte(at: count) == ASCII.carriageReturn, count + 1 < bytes.byteCount,
                bytes.byte(at: count + 1) == ASCII.lineFeed
            {
                count += 2
            } else {
                break
            }
        }
        return count
    }

    /// The next complete line without its end; moves behind it.
    private mutating func nextLine(_ bytes: RawSpan) throws(ParseError) -> Range<Int>? {
        let visible = min(bytes.byteCount, rules.bytes)
        guard let feed = bytes.firstIndex(of: ASCII.lineFeed, in: scanned..<max(scanned, visible))
        else {
            scanned = visible
            guard bytes.byteCount < rules.bytes else {
                throw .tooMuch(lineStart == 0 ? "first line" : "head", limit: rules.bytes)
            }
            return nil
        }
        let start = lineStart
        lineStart = feed + 1
        scanned = feed + 1
        if feed > start, bytes.byte(at: feed - 1) == ASCII.carriageReturn {
            return start..<feed - 1
        }
        guard rules.allowsBareLineFeed else {
            throw .invalid("line end", value: UInt64(ASCII.lineFeed), at: feed)
        }
        return start..<feed
    }

    private mutating func take(_ text: Range<Int>, of bytes: RawSpan) throws(ParseError) {
        for offset in text
        where ASCII.isControl(bytes.byte(at: offset)) && bytes.byte(at: offset) != ASCII.tab {
            // NUL and a CR alone are among them.
            throw .invalid("control byte", value: UInt64(bytes.byte(at: offset)), at: offset)
        }
        if line.isEmpty {
            guard !text.isEmpty else { throw .invalid("first line", value: 0, at: 0) }
            line = text
        } else if text.isEmpty {
            count = lineStart
            body = try bodyLength(bytes)
            isComplete = true
        } else if bytes.byte(at: text.lowerBound) == ASCII.space
            || bytes.byte(at: text.lowerBound) == ASCII.tab
        {
            try fold(text, of: bytes)
        } else {
            try takeField(text, of: bytes)
        }
    }

    private mutating func takeField(_ text: Range<Int>, of bytes: RawSpan) throws(ParseError) {
        guard fields.count < rules.fields else { throw .tooMuch("headers", limit: rules.fields) }
        guard let colon = bytes.firstIndex(of: 0x3a, in: text) else {
            throw .invalid("header without a colon", value: 0, at: text.lowerBound)
        }
        var name = text.lowerBound..<colon
        if rules.allowsSpaceBeforeColon { name = bytes.trimmed(name) }
        guard !name.isEmpty else { throw .invalid("header name", value: 0x3a, at: colon) }
        for offset in name where !ASCII.isToken(bytes.byte(at: offset)) {
            throw .invalid("header name", value: UInt64(bytes.byte(at: offset)), at: offset)
        }
        fields.append(Field(name: name, value: bytes.trimmed(colon + 1..<text.upperBound)))
    }

    private mutating func fold(_ text: Range<Int>, of bytes: RawSpan) throws(ParseError) {
        guard rules.allowsFolding, let last = fields.last else {
            throw .invalid("folded header", value: 0x20, at: text.lowerBound)
        }
        let end = bytes.trimmed(text).upperBound
        fields[fields.count - 1] = Field(
            name: last.name, value: last.value.lowerBound..<max(end, last.value.upperBound))
    }

    // MARK: The body

    /// RFC 9112 §6.3. Two statements about one length are refused, even if they agree: whoever
    /// sends them hopes that somebody on the way reads the other one.
    private func bodyLength(_ bytes: RawSpan) throws(ParseError) -> Body {
        var found = Body.untold
        for field in fields {
            let value = field.value
            if rules.hasTransferEncoding, bytes.matches("transfer-encoding", field.name) {
                guard found == .untold else {
                    throw .invalid("second body length", value: 0, at: value.lowerBound)
                }
                guard bytes.matches("chunked", value) else {
                    throw .invalid("Transfer-Encoding", value: 0, at: value.lowerBound)
                }
                found = .chunked
            } else if isContentLength(field.name, bytes) {
                guard found == .untold else {
                    throw .invalid("second body length", value: 0, at: value.lowerBound)
                }
                guard let length = bytes.decimal(value) else {
                    throw .invalid("Content-Length", value: 0, at: value.lowerBound)
                }
                found = .length(length)
            }
        }
        return found
    }

    private func isContentLength(_ name: Range<Int>, _ bytes: RawSpan) -> Bool {
        bytes.matches("content-length", name)
            || rules.hasCompactNames && bytes.matches("l", name)
    }
}
