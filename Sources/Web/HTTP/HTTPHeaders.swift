package import Wire

/// The headers of a request or response, whatever framing they came in.
///
/// All of them lie in one block of bytes with offsets into it: two allocations for a request, and a
/// string only for a value that somebody asks for.
package struct HTTPHeaders: Sendable {
    private var bytes: [UInt8] = []
    private var fields: [TextHead.Field] = []

    package init() {}

    /// Keeps a copy of the head's bytes.
    package init(_ head: TextHead, of bytes: RawSpan) {
        self.bytes = [UInt8](copying: bytes.extracting(0..<head.count))
        fields = head.fields
    }

    init(_ head: TextHead, of buffer: [UInt8], from start: Int) {
        self.init(head, of: buffer.raw.extracting(start..<buffer.count))
    }

    package var count: Int { fields.count }

    /// The first value of this name, whatever its case.
    package subscript(name: String) -> String? {
        index(of: name).map { bytes.raw.string(fields[$0].value) }
    }

    package func values(_ name: String) -> [String] {
        var values: [String] = []
        var index = index(of: name)
        while let found = index {
            values.append(bytes.raw.string(fields[found].value))
            index = self.index(of: name, from: found + 1)
        }
        return values
    }

    /// How often the header comes.
    package func count(of name: String) -> Int {
        fields.count { bytes.raw.matches(name, $0.name) }
    }

    package func contains(_ name: String) -> Bool { index(of: name) != nil }

    /// Whether any header's name begins so.
    package func contains(prefix: String) -> Bool {
        let count = prefix.utf8.count
        return fields.contains { field in
            field.name.count >= count
                && bytes.raw.matches(prefix, field.name.prefix(count))
        }
    }

    /// Whether a comma-separated list, over all headers of this name, holds a token.
    package func contains(_ name: String, token: String) -> Bool {
        var index = index(of: name)
        while let found = index {
            if bytes.raw.list(fields[found].value, contains: token) { return true }
            index = self.index(of: name, from: found + 1)
        }
        return false
    }

    /// Control and non-ASCII bytes of a value are percent-encoded: no text, wherever it came from,
    /// can end its header or begin another one.
    package mutating func add(_ name: String, _ value: some StringProtocol) {
        let start = bytes.count
        bytes.append(contentsOf: name.utf8)
        let middle = bytes.count
        LabelText(value, limit: .max).write(for: .header, into: &bytes)
        fields.append(TextHead.Field(name: start..<middle, value: middle..<bytes.count))
    }

    package mutating func add(_ name: String, _ value: Int) { add(name, "\(value)") }

    /// `Name: value` lines, each with its end.
    func write(into text: inout [UInt8]) {
        for field in fields {
            text.append(contentsOf: bytes[field.name])
            text.append(contentsOf: [0x3a, 0x20])
            text.append(contentsOf: bytes[field.value])
            text.append(contentsOf: [ASCII.carriageReturn, ASCII.lineFeed])
        }
    }

    private func index(of name: String, from start: Int = 0) -> Int? {
        fields[start...].firstIndex { bytes.raw.matches(name, $0.name) }
    }
}
