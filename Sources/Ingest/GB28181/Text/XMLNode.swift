package import Wire

/// An element of the XML that devices send: names without regard to case, text trimmed.
package struct XMLNode: Equatable, Sendable {
    package var name: String
    package var text = ""
    package var attributes: [(name: String, value: String)] = []
    package var children: [XMLNode] = []

    package init(_ name: String) { self.name = name }

    /// The first child of this name.
    package subscript(_ name: String) -> XMLNode? {
        children.first { SIPMessage.isSame($0.name, name) }
    }

    /// The text of a child; some write attributes where elements belong.
    package func value(_ name: String) -> String? {
        if let child = self[name] { return child.text }
        return attributes.first { SIPMessage.isSame($0.name, name) }?.value
    }

    package func number(_ name: String) -> Int? { value(name).flatMap { Int($0) } }

    package func all(_ name: String) -> [XMLNode] {
        children.filter { SIPMessage.isSame($0.name, name) }
    }

    package static func == (a: XMLNode, b: XMLNode) -> Bool {
        a.name == b.name && a.text == b.text && a.children == b.children
            && a.attributes.elementsEqual(b.attributes) { $0 == $1 }
    }
}

/// Reads XML as devices write it: tags that are not closed, `&` that is not escaped, control
/// characters. It knows no DTD, no entities but the five and numbers, and expands nothing, so what
/// it makes is never larger than what it read.
package struct XMLReader {
    static let depthMaximum = 16
    /// A part of a catalogue has a hundred items with thirty elements each.
    static let nodesMaximum = 20_000
    private static let attributesMaximum = 16

    private let bytes: [UInt8]
    private var at = 0
    private var open: [XMLNode] = []
    private var nodes = 0
    private var root: XMLNode?

    /// - Parameter text: In UTF-8.
    package static func read(_ text: [UInt8]) throws(ParseError) -> XMLNode {
        var reader = XMLReader(text)
        return try reader.readAll()
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    private mutating func readAll() throws(ParseError) -> XMLNode {
        while at < bytes.count, root == nil {
            if bytes[at] == UInt8(ascii: "<") { try readTag() } else { readText() }
        }
        // What is still open when the text ends is closed by it.
        while root == nil, !open.isEmpty { close() }
        guard let root else { throw .invalid("XML without an element", value: 0, at: 0) }
        return root
    }

    private mutating func close() {
        guard var node = open.popLast() else { return }
        node.text = SIPText.trimmed(node.text)
        if open.isEmpty { root = node } else { open[open.count - 1].children.append(node) }
    }

    // MARK: - Text

    private mutating func readText() {
        let start = at
        while at < bytes.count, bytes[at] != UInt8(ascii: "<") { at += 1 }
        guard !open.isEmpty else { return }
        open[open.count - 1].text += Self.text(bytes[start..<at])
    }

    private static let entities: [(name: String, byte: UInt8)] = [
        ("amp;", 0x26), ("lt;", 0x3c), ("gt;", 0x3e), ("quot;", 0x22), ("apos;", 0x27),
    ]

    private static func text(_ raw: ArraySlice<UInt8>) -> String {
        var out: [UInt8] = []
        var at = raw.startIndex
        while at < raw.endIndex {
            let byte = raw[at]
            at += 1
            guard byte == 0x26 else {
                // Line ends and other control characters are blanks.
                out.append(byte < 0x20 || byte == 0x7f ? 0x20 : byte)
                continue
            }
            let rest = raw[at...]
            if let entity = entities.first(where: { rest.starts(with: $0.name.utf8) }) {
                out.append(entity.byte)
                at += entity.name.utf8.count
            } else if let (scalar, count) = number(rest) {
                out += Array(String(scalar).utf8)
                at += count
            } else {
                // Not escaped: in names of channels it happens.
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// `#20;` or `#x14;`
    private static func number(_ rest: ArraySlice<UInt8>) -> (Unicode.Scalar, Int)? {
        guard rest.first == UInt8(ascii: "#"),
            let end = rest.prefix(10).firstIndex(of: UInt8(ascii: ";"))
        else { return nil }
        var digits = String(decoding: rest[(rest.startIndex + 1)..<end], as: UTF8.self)
        let isHex = digits.lowercased().hasPrefix("x")
        if isHex { digits.removeFirst() }
        guard let value = UInt32(digits, radix: isHex ? 16 : 10), value >= 0x20,
            let scalar = Unicode.Scalar(value)
        else { return nil }
        return (scalar, end + 1 - rest.startIndex)
    }

    // MARK: - Tags

    private mutating func readTag() throws(ParseError) {
        let next = at + 1 < bytes.count ? bytes[at + 1] : 0
        switch next {
        case UInt8(ascii: "?"): skip(to: "?>")
        case UInt8(ascii: "!"):
            if bytes[at...].starts(with: "<!--".utf8) {
                skip(to: "-->")
            } else if bytes[at...].starts(with: "<![CDATA[".utf8) {
                readCharacters()
            } else {
                throw .invalid("XML document type", value: 0x21, at: at)
            }
        case UInt8(ascii: "/"): readEnd()
        default:
            guard Self.isName(next) else {
                // A `<` in a name of a channel.
                if !open.isEmpty { open[open.count - 1].text += "<" }
                at += 1
                return
            }
            try readStart()
        }
    }

    private mutating func skip(to end: String) {
        let wanted = Array(end.utf8)
        while at < bytes.count, !bytes[at...].starts(with: wanted) { at += 1 }
        at = min(bytes.count, at + wanted.count)
    }

    private mutating func readCharacters() {
        at += "<![CDATA[".utf8.count
        let start = at
        skip(to: "]]>")
        guard !open.isEmpty else { return }
        let end = max(start, at - 3)
        open[open.count - 1].text += String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// Closes the element of that name and all in it that was left open; one that nobody opened is
    /// ignored.
    private mutating func readEnd() {
        at += 2
        let name = readName()
        while at < bytes.count, bytes[at] != UInt8(ascii: ">") { at += 1 }
        at = min(bytes.count, at + 1)
        guard let index = open.lastIndex(where: { SIPMessage.isSame($0.name, name) }) else {
            return
        }
        while open.count > index { close() }
    }

    private mutating func readStart() throws(ParseError) {
        at += 1
        var node = XMLNode(readName())
        nodes += 1
        guard nodes <= Self.nodesMaximum else {
            throw .tooMuch("XML elements", limit: Self.nodesMaximum)
        }
        guard open.count < Self.depthMaximum else {
            throw .tooMuch("XML depth", limit: Self.depthMaximum)
        }
        var isEmpty = false
        while at < bytes.count {
            skipBlanks()
            guard at < bytes.count else { break }
            if bytes[at] == UInt8(ascii: ">") {
                at += 1
                break
            }
            if bytes[at] == UInt8(ascii: "/") {
                isEmpty = true
                at += 1
                continue
            }
            // The next element begins: this one's tag was not finished.
            if bytes[at] == UInt8(ascii: "<") { break }
            readAttribute(of: &node)
        }
        open.append(node)
        if isEmpty { close() }
    }

    private mutating func readAttribute(of node: inout XMLNode) {
        let name = readName()
        guard !name.isEmpty else {
            at += 1
            return
        }
        skipBlanks()
        guard at < bytes.count, bytes[at] == UInt8(ascii: "=") else { return }
        at += 1
        skipBlanks()
        guard at < bytes.count, bytes[at] == 0x22 || bytes[at] == 0x27 else { return }
        let mark = bytes[at]
        at += 1
        let start = at
        while at < bytes.count, bytes[at] != mark, bytes[at] != UInt8(ascii: "<") { at += 1 }
        if node.attributes.count < Self.attributesMaximum {
            node.attributes.append((name, SIPText.trimmed(Self.text(bytes[start..<at]))))
        }
        if at < bytes.count, bytes[at] == mark { at += 1 }
    }

    private mutating func skipBlanks() {
        while at < bytes.count, bytes[at] <= 0x20 { at += 1 }
    }

    private mutating func readName() -> String {
        let start = at
        while at < bytes.count, Self.isName(bytes[at]) { at += 1 }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x41...0x5a, 0x61...0x7a, 0x30...0x39, 0x5f, 0x2d, 0x2e, 0x3a, 0x80...0xff: true
        default: false
        }
    }
}
