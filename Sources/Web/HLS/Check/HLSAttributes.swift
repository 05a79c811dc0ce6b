/// `NAME=value,NAME="text"`: the attribute list of a tag (RFC 8216bis §4.2).
struct HLSAttributes: Sendable {
    struct Item: Sendable {
        var name: Substring
        var value: Substring
        var isQuoted: Bool
    }

    private(set) var items: [Item] = []

    /// - Returns: Nil for what is none, or says one thing twice.
    init?(_ text: Substring) {
        var rest = text
        while !rest.isEmpty {
            guard let equals = rest.firstIndex(of: "=") else { return nil }
            let name = rest[..<equals]
            guard !name.isEmpty, name.utf8.allSatisfy(Self.isNameByte),
                !items.contains(where: { $0.name == name })
            else { return nil }
            rest = rest[rest.index(after: equals)...]
            let isQuoted = rest.first == "\""
            if isQuoted {
                rest = rest.dropFirst()
                guard let end = rest.firstIndex(of: "\"") else { return nil }
                items.append(Item(name: name, value: rest[..<end], isQuoted: true))
                rest = rest[rest.index(after: end)...]
            } else {
                let end = rest.firstIndex(of: ",") ?? rest.endIndex
                let value = rest[..<end]
                guard !value.isEmpty, !value.contains(where: { $0 == " " || $0 == "\"" }) else {
                    return nil
                }
                items.append(Item(name: name, value: value, isQuoted: false))
                rest = rest[end...]
            }
            guard !rest.isEmpty else { return }
            guard rest.first == ",", rest.count > 1 else { return nil }
            rest = rest.dropFirst()
        }
        if items.isEmpty { return nil }
    }

    /// Capital letters, digits and hyphens.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x41...0x5a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2d
    }

    func word(_ name: String) -> Substring? {
        items.first { $0.name == name && !$0.isQuoted }?.value
    }

    func text(_ name: String) -> Substring? {
        items.first { $0.name == name && $0.isQuoted }?.value
    }

    func seconds(_ name: String) -> Double? { word(name).flatMap(HLSNumber.seconds) }
    func number(_ name: String) -> Int64? { word(name).flatMap(HLSNumber.whole) }
}

/// Numbers as §4.2 writes them: no sign, no exponent.
enum HLSNumber {
    static func whole(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int64(text)
    }

    static func seconds(_ text: Substring) -> Double? {
        let isPlain = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2e }
        guard isPlain, text.first != ".", text.last != ".", text.count < 20 else { return nil }
        return Double(text)
    }
}
