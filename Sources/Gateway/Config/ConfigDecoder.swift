import Wire

/// Fills a `Config` from trees and texts, source after source, and collects everything that is
/// wrong instead of stopping at the first.
struct ConfigDecoder {
    private(set) var config = Config()
    private(set) var problems: [ConfigError] = []
    /// Names that a source set, so that weaker hints can stand back.
    private(set) var given: Set<String> = []

    private static let settings = Dictionary(
        uniqueKeysWithValues: Config.settings.map { ($0.name, $0) })
    private static let pathSettings = Dictionary(
        uniqueKeysWithValues: PathConfig.settings.map { ($0.name, $0) })

    /// Fifty lines of the same mistake help nobody.
    private static let mostProblems = 20

    mutating func report(_ problem: ConfigError) {
        if problems.count < Self.mostProblems { problems.append(problem) }
    }

    // MARK: A file

    mutating func read(file root: ConfigNode) { section(root, name: "") }

    private mutating func section(_ node: ConfigNode, name: String) {
        if node.isAbsent { return }
        guard case .map(let entries) = node.value else {
            let what = name.isEmpty ? "the file must hold 'name: value' lines" : "is a section"
            let names = Self.inside(name)
            let hint = names.isEmpty ? "" : " with these settings: \(names.joined(separator: ", "))"
            return report(ConfigError(node.place, name, what + hint))
        }
        for entry in entries {
            let inner = name.isEmpty ? entry.key : "\(name).\(entry.key)"
            if inner == "paths" {
                paths(entry.value)
            } else if Self.settings[inner] != nil {
                set(inner, entry.value)
            } else if Config.settings.contains(where: { $0.name.hasPrefix(inner + ".") }) {
                section(entry.value, name: inner)
            } else {
                report(ConfigError(entry.place, shortened(inner), Self.unknown(inner)))
            }
        }
    }

    private mutating func paths(_ node: ConfigNode) {
        if node.isAbsent { return }
        guard case .map(let entries) = node.value else {
            return report(ConfigError(node.place, "paths", "is a section of name patterns"))
        }
        for entry in entries {
            guard let index = rule(entry.key, entry.place) else { continue }
            if entry.value.isAbsent { continue }
            guard case .map(let settings) = entry.value.value else {
                let problem = "is a section with settings like gop-cache"
                report(ConfigError(entry.place, "paths.\(shortened(entry.key))", problem))
                continue
            }
            for setting in settings {
                set(setting.key, ofRule: index, setting.value, keyPlace: setting.place)
            }
        }
    }

    /// The rule of this pattern, new or known.
    private mutating func rule(_ pattern: String, _ place: Place) -> Int? {
        guard let parsed = PathPattern(pattern) else {
            let problem = "not a stream name or pattern: use letters, digits, ._~- and / or *"
            report(ConfigError(place, "paths.\(shortened(pattern))", problem))
            return nil
        }
        if let known = config.paths.firstIndex(where: { $0.pattern == parsed }) { return known }
        config.paths.append(PathRule(pattern: parsed, settings: PathConfig()))
        return config.paths.count - 1
    }

    // MARK: Single settings

    /// A setting by its name, as one piece of text: from the environment or an option.
    mutating func set(_ name: String, text: String, at place: Place) {
        let node = ConfigNode(.text(text, isPlain: false), place)
        if Self.settings[name] != nil { return set(name, node) }
        let prefix = "paths."
        if name.hasPrefix(prefix), let dot = name.lastIndex(of: "."),
            dot > name.index(name.startIndex, offsetBy: prefix.count)
        {
            let pattern = name[name.index(name.startIndex, offsetBy: prefix.count)..<dot]
            guard let index = rule(String(pattern), place) else { return }
            let key = String(name[name.index(after: dot)...])
            return set(key, ofRule: index, node, keyPlace: place)
        }
        let ofPath = PathConfig.settings.first { name == prefix + $0.name }
        let hint = ofPath.map { "no such setting: did you mean paths.PATTERN.\($0.name)?" }
        report(ConfigError(place, shortened(name), hint ?? Self.unknown(name)))
    }

    private mutating func set(_ name: String, _ node: ConfigNode) {
        guard let setting = Self.settings[name], !node.isAbsent else { return }
        do throws(Refusal) {
            try setting.read(node, &config)
            given.insert(name)
        } catch {
            report(ConfigError(error.place ?? node.place, name, error.problem))
        }
    }

    private mutating func set(
        _ key: String, ofRule index: Int, _ node: ConfigNode, keyPlace: Place
    ) {
        let name = "paths.\(config.paths[index].pattern.text).\(shortened(key))"
        guard let setting = Self.pathSettings[key] else {
            let hint = NearestName.find(key, in: PathConfig.settings.map(\.name))
            let names = PathConfig.settings.map(\.name).joined(separator: ", ")
            let help = hint.map { "did you mean \($0)?" } ?? "a path has these: \(names)"
            return report(ConfigError(keyPlace, name, "no such setting: \(help)"))
        }
        if node.isAbsent { return }
        do throws(Refusal) {
            try setting.read(node, &config.paths[index].settings)
        } catch {
            report(ConfigError(error.place ?? node.place, name, error.problem))
        }
    }

    // MARK: Suggestions

    /// What to say to somebody who wrote a name that does not exist.
    static func unknown(_ name: String) -> String {
        let names = Config.settings.map(\.name)
        let sections = inside("")
        if let near = NearestName.find(name, in: names + sections) {
            return "no such setting: did you mean \(near)?"
        }
        let last = name.split(separator: ".").last.map(String.init) ?? name
        let built = Config.settings.filter { $0.awaits == nil }.map(\.name)
        let elsewhere = built.filter { $0.hasSuffix(".\(last)") }
        if elsewhere.count == 1 { return "no such setting: did you mean \(elsewhere[0])?" }
        let section = name.split(separator: ".").dropLast().joined(separator: ".")
        let inside = inside(section)
        let place = section.isEmpty ? "the sections are" : "\(section) has these"
        return inside.isEmpty
            ? "no such setting" : "no such setting: \(place): \(inside.joined(separator: ", "))"
    }

    /// The next words below a section, each once.
    private static func inside(_ section: String) -> [String] {
        let prefix = section.isEmpty ? "" : section + "."
        var words: [String] = []
        for setting in Config.settings where setting.name.hasPrefix(prefix) {
            let word = setting.name.dropFirst(prefix.count).prefix { $0 != "." }
            if words.last != String(word) && !words.contains(String(word)) {
                words.append(String(word))
            }
        }
        return section.isEmpty ? words + ["paths"] : words
    }

    private func shortened(_ name: String) -> String { String(quoted(name).dropFirst().dropLast()) }
}
