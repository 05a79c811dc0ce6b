/// Why a value was refused; the place is known when one item of a list is to blame.
struct Refusal: Error {
    var place: Place?
    var problem: String

    init(_ problem: String, at place: Place? = nil) {
        self.place = place
        self.problem = problem
    }
}

/// A kind of value: how it is read, how it is written, and what to tell who got it wrong.
struct Kind<Value: Equatable & Sendable>: Sendable {
    /// For the documentation: "duration", "`text` or `json`".
    let what: String
    let read: @Sendable (ConfigNode) throws(Refusal) -> Value
    /// As YAML.
    let write: @Sendable (Value) -> String

    /// A kind that is one piece of text. `read` answers nil when it is not `what`.
    init(
        _ what: String, read: @escaping @Sendable (String) -> Value?,
        write: @escaping @Sendable (Value) -> String
    ) {
        self.what = what
        self.write = write
        self.read = { (node) throws(Refusal) in
            guard let text = node.text else {
                throw Refusal("expected \(what), not \(node.shape)")
            }
            guard let value = read(text) else {
                throw Refusal("\(quoted(text)) is not \(what)")
            }
            return value
        }
    }

    init(
        _ what: String, readNode: @escaping @Sendable (ConfigNode) throws(Refusal) -> Value,
        write: @escaping @Sendable (Value) -> String
    ) {
        self.what = what
        self.read = readNode
        self.write = write
    }

    /// A list in YAML, or one text with commas, which is how the environment writes it.
    static func list<Item>(of item: Kind<Item>) -> Kind where Value == [Item] {
        Kind("list of: \(item.what)") { (node) throws(Refusal) in
            var items: [ConfigNode] = []
            switch node.value {
            case .list(let nodes): items = nodes
            case .text(let text, _):
                items = text.split(separator: ",").map {
                    ConfigNode(.text(trimmed($0), isPlain: true), node.place)
                }
            case .map: throw Refusal("expected a list, not \(node.shape)")
            }
            var values: [Item] = []
            for node in items {
                do throws(Refusal) {
                    values.append(try item.read(node))
                } catch {
                    throw Refusal(error.problem, at: error.place ?? node.place)
                }
            }
            return values
        } write: {
            "[\($0.map { item.write($0) }.joined(separator: ", "))]"
        }
    }
}

extension Kind where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One of the words of an enumeration.
    static var word: Kind {
        let words = Value.allCases.map { "'\($0.rawValue)'" }
        let all =
            words.count < 2
            ? words.joined()
            : words.dropLast().joined(separator: ", ") + " or " + words[words.count - 1]
        return Kind(all, read: { Value(rawValue: $0) }, write: { $0.rawValue })
    }
}

extension ConfigNode {
    /// For messages: what stands there instead of what we expected.
    var shape: String {
        switch value {
        case .text: "a single value"
        case .list: "a list"
        case .map: "a section"
        }
    }
}

/// A value in a message: short, on one line, whatever was in the file.
func quoted(_ text: String) -> String {
    let visible = text.unicodeScalars.prefix(80).map { scalar in
        scalar.value < 0x20 || scalar.value == 0x7f ? "." : String(scalar)
    }
    return "\"" + visible.joined() + (text.unicodeScalars.count > 80 ? "…" : "") + "\""
}

/// A text in YAML that means exactly this text.
func yaml(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": out += "\\" + String(scalar)
        case _ where scalar.value < 0x20 || scalar.value == 0x7f:
            let hex = String(scalar.value, radix: 16)
            out += "\\x" + String(repeating: "0", count: 2 - hex.count) + hex
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out + "\""
}

func trimmed(_ text: some StringProtocol) -> String {
    let head = text.drop { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r\n" }
    let tail = head.reversed().drop { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r\n" }
    return String(tail.reversed())
}
