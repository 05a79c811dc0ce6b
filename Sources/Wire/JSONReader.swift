/// Reads JSON (RFC 8259) strictly: one document, UTF-8, no key twice, no half surrogate, no number
/// that we could only keep by changing it, and nothing behind the end.
///
/// Two readers that understand one text differently are a hole: the one that checks sees another
/// key than the one that acts. So all that is doubtful is refused.
public struct JSONReader: ~Escapable {
    public struct Limits: Sendable {
        public var bytes: Int
        public var depth = 16
        /// Values in all: a body of brackets and commas must not cost a hundred times its size.
        public var values = 16 * 1024
        /// 17 digits name any double exactly; longer ones are only written by a machine by mistake.
        public var numberBytes = 40

        public init(bytes: Int) { self.bytes = bytes }

        /// Bodies of the control interface.
        public static let api = Limits(bytes: 256 * 1024)
        /// Answers of hooks.
        public static let hook = Limits(bytes: 64 * 1024)
    }

    private let bytes: RawSpan
    private let limits: Limits
    private var position = 0
    private var valueCount = 0

    @_lifetime(copy bytes)
    private init(_ bytes: RawSpan, _ limits: Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    public static func read(_ bytes: RawSpan, _ limits: Limits) throws(ParseError) -> JSONValue {
        guard bytes.byteCount <= limits.bytes else { throw .tooMuch("JSON", limit: limits.bytes) }
        var reader = JSONReader(bytes, limits)
        let value = try reader.value(depth: 0)
        reader.skipBlanks()
        guard reader.position == bytes.byteCount else { throw reader.unexpected() }
        return value
    }

    // MARK: Values

    @_lifetime(self: copy self)
    private mutating func value(depth: Int) throws(ParseError) -> JSONValue {
        guard depth <= limits.depth else { throw .tooMuch("JSON depth", limit: limits.depth) }
        valueCount += 1
        guard valueCount <= limits.values else {
            throw .tooMuch("JSON values", limit: limits.values)
        }
        skipBlanks()
        switch try peek() {
        case 0x7b: return .object(try object(depth: depth))
        case 0x5b: return .array(try array(depth: depth))
        case 0x22: return .string(try string())
        case 0x74:
            try word("true")
            return .bool(true)
        case 0x66:
            try word("false")
            return .bool(false)
        case 0x6e:
            try word("null")
            return .null
        case 0x2d, 0x30...0x39: return try number()
        default: throw unexpected()
        }
    }

    @_lifetime(self: copy self)
    private mutating func object(depth: Int) throws(ParseError) -> JSONObject {
        var object = JSONObject()
        var keys: Set<String> = []
        position += 1
        skipBlanks()
        if take(0x7d) { return object }
        while true {
            skipBlanks()
            guard try peek() == 0x22 else { throw unexpected() }
            let start = position
            let key = try string()
            guard keys.insert(key).inserted else {
                throw .invalid("JSON key given twice", value: 0, at: start)
            }
            skipBlanks()
            guard take(0x3a) else { throw unexpected() }
            object.members.append(.init(key: key, value: try value(depth: depth + 1)))
            skipBlanks()
            if take(0x7d) { return object }
            guard take(0x2c) else { throw unexpected() }
        }
    }

    @_lifetime(self: copy self)
    private mutating func array(depth: Int) throws(ParseError) -> [JSONValue] {
        var items: [JSONValue] = []
        position += 1
        skipBlanks()
        if take(0x5d) { return items }
        while true {
            items.append(try value(depth: depth + 1))
            skipBlanks()
            if take(0x5d) { return items }
            guard take(0x2c) else { throw unexpected() }
        }
    }

    // MARK: Strings

    @_lifetime(self: copy self)
    private mutating func string() throws(ParseError) -> String {
        let start = position + 1
        var text: [UInt8] = []
        position = start
        while true {
            let byte = try peek()
            if byte == 0x22 { break }
            guard byte >= 0x20 else { throw unexpected() }
            if byte == 0x5c {
                try escape(into: &text)
            } else {
                text.append(byte)
                position += 1
            }
        }
        position += 1
        guard let valid = String(validating: text, as: UTF8.self) else {
            throw .invalid("JSON string that is not UTF-8", value: 0, at: start)
        }
        return valid
    }

    @_lifetime(self: copy self)
    private mutating func escape(into text: inout [UInt8]) throws(ParseError) {
        position += 1
        let escaped = try peek()
        switch escaped {
        case 0x22, 0x5c, 0x2f: text.append(escaped)
        case 0x62: text.append(0x08)
        case 0x66: text.append(0x0c)
        case 0x6e: text.append(ASCII.lineFeed)
        case 0x72: text.append(ASCII.carriageReturn)
        case 0x74: text.append(ASCII.tab)
        case 0x75:
            position += 1
            text.append(contentsOf: String(try scalar()).utf8)
            return
        default: throw unexpected()
        }
        position += 1
    }

    /// `\u` and four digits, or a pair of them for what lies above U+FFFF. U+0000 is refused: it
    /// ends a text in the C libraries that a name may reach.
    @_lifetime(self: copy self)
    private mutating func scalar() throws(ParseError) -> Unicode.Scalar {
        let start = position
        let first = try codeUnit()
        var code = first
        if (0xd800..<0xdc00).contains(first), take(0x5c), take(0x75) {
            let second = try codeUnit()
            guard (0xdc00..<0xe000).contains(second) else {
                throw .invalid("JSON surrogate", value: UInt64(second), at: start)
            }
            code = 0x10000 + (first - 0xd800) << 10 + (second - 0xdc00)
        }
        guard code > 0, let scalar = Unicode.Scalar(code) else {
            throw .invalid("JSON surrogate", value: UInt64(code), at: start)
        }
        return scalar
    }

    @_lifetime(self: copy self)
    private mutating func codeUnit() throws(ParseError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Hex.value(try peek()) else { throw unexpected() }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }

    // MARK: Numbers and words

    @_lifetime(self: copy self)
    private mutating func number() throws(ParseError) -> JSONValue {
        let start = position
        var isInteger = true
        _ = take(0x2d)
        if !take(0x30) { try digits() }
        if take(0x2e) {
            isInteger = false
            try digits()
        }
        if position < bytes.byteCount, ASCII.lower(bytes.byte(at: position)) == 0x65 {
            isInteger = false
            position += 1
            if !take(0x2b) { _ = take(0x2d) }
            try digits()
        }
        guard position - start <= limits.numberBytes else {
            throw .tooMuch("JSON number", limit: limits.numberBytes)
        }
        let text = bytes.string(start..<position)
        if isInteger, let integer = Int64(text) { return .integer(integer) }
        // An integer that does not fit would come back as another one; 1e999 as infinity.
        guard !isInteger, let number = Double(text), number.isFinite else {
            throw .invalid("JSON number", value: UInt64(position - start), at: start)
        }
        return .number(number)
    }

    @_lifetime(self: copy self)
    private mutating func digits() throws(ParseError) {
        guard ASCII.isDigit(try peek()) else { throw unexpected() }
        while position < bytes.byteCount, ASCII.isDigit(bytes.byte(at: position)) { position += 1 }
    }

    @_lifetime(self: copy self)
    private mutating func word(_ word: String) throws(ParseError) {
        for expected in word.utf8 {
            guard take(expected) else { throw unexpected() }
        }
    }

    // MARK: Bytes

    private func peek() throws(ParseError) -> UInt8 {
        guard position < bytes.byteCount else { throw .truncated(at: position, needed: 1) }
        return bytes.byte(at: position)
    }

    /// Moves on if the next byte is this one. At the end there is none.
    @_lifetime(self: copy self)
    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.byteCount, bytes.byte(at: position) == byte else { return false }
        position += 1
        return true
    }

    @_lifetime(self: copy self)
    private mutating func skipBlanks() {
        while position < bytes.byteCount {
            switch bytes.byte(at: position) {
            case ASCII.space, ASCII.tab, ASCII.lineFeed, ASCII.carriageReturn: position += 1
            default: return
            }
        }
    }

    private func unexpected() -> ParseError {
        guard position < bytes.byteCount else { return .truncated(at: position, needed: 1) }
        return .invalid("JSON", value: UInt64(bytes.byte(at: position)), at: position)
    }
}
