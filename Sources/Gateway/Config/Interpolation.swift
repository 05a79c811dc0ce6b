/// `${VAR}` and `${VAR:default}` inside the values of a file; `$${` stands for `${` itself.
///
/// A variable's text is only ever a value: it cannot bring new lines of YAML.
struct Interpolation {
    let environment: [String: String]
    private(set) var problems: [ConfigError] = []

    init(environment: [String: String]) { self.environment = environment }

    mutating func replace(_ node: ConfigNode) -> ConfigNode {
        var node = node
        switch node.value {
        case .text(let text, _):
            guard text.contains("${") else { return node }
            // What a variable says is said: an empty one is an empty value, not a missing one.
            node.value = .text(replace(text, at: node.place), isPlain: false)
        case .list(let items): node.value = .list(items.map { replace($0) })
        case .map(let entries):
            node.value = .map(
                entries.map { entry in
                    var entry = entry
                    entry.value = replace(entry.value)
                    return entry
                })
        }
        return node
    }

    private mutating func replace(_ text: String, at place: Place) -> String {
        var out = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            out += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                out += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    problems.append(ConfigError(place, "${ without }; write $${ for the text ${"))
                    return text
                }
                out += variable(rest[rest.index(rest.startIndex, offsetBy: 2)..<end], at: place)
                rest = rest[rest.index(after: end)...]
            } else {
                out += "$"
                rest = rest.dropFirst()
            }
        }
        return out + rest
    }

    private mutating func variable(_ text: Substring, at place: Place) -> String {
        let name = text.prefix { $0 != ":" }
        if let value = environment[String(name)] { return value }
        if name.endIndex < text.endIndex {
            return String(text[text.index(after: name.endIndex)...])
        }
        let fix = "set it, or write ${\(name):default}"
        problems.append(
            ConfigError(place, "the variable \(quoted(String(name))) is not set: \(fix)"))
        return ""
    }
}
