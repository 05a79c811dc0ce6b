/// A YAML file as a `ConfigNode`, with the bounds a file that somebody else may write needs.
///
/// Refused: more than one document, aliases, anchors and tags (a few lines of aliases can stand
/// for gigabytes), keys that are not plain words, a key twice in one place.
package struct YAMLFile: ~Copyable {
    /// A thousand paths with ten settings each need a third of it.
    package static let largestFile = 1 << 20
    /// Our deepest setting is at depth 4.
    package static let deepest = 16
    /// Ten times what the largest sensible file holds.
    package static let mostNodes = 65_536

    private var events: YAMLEvents
    private var nodes = 0

    package static func parse(_ bytes: [UInt8], file: String) throws(ConfigError) -> ConfigNode {
        guard bytes.count <= largestFile else {
            throw ConfigError(Place(file), "larger than \(largestFile >> 20) MiB")
        }
        var parser = YAMLFile(events: YAMLEvents(bytes, file: file))
        return try parser.document(file)
    }

    private init(events: consuming YAMLEvents) { self.events = events }

    private mutating func document(_ file: String) throws(ConfigError) -> ConfigNode {
        var (event, place) = try events.next()
        // A file that is empty, or all comments, says nothing: that is allowed.
        if event == .endsFile { return ConfigNode(.map([]), Place(file, line: 1, column: 1)) }
        (event, place) = try events.next()
        let root = try node(event, place, depth: 1)
        _ = try events.next()
        (event, place) = try events.next()
        guard event == .endsFile else {
            throw ConfigError(place, "a second document: keep one, without '---' in between")
        }
        return root
    }

    private mutating func node(
        _ event: YAMLEvents.Event, _ place: Place, depth: Int
    ) throws(ConfigError) -> ConfigNode {
        nodes += 1
        guard nodes <= Self.mostNodes else {
            throw ConfigError(place, "more than \(Self.mostNodes) values")
        }
        guard depth <= Self.deepest else {
            throw ConfigError(place, "nested deeper than \(Self.deepest)")
        }
        switch event {
        case .text(let text, let isPlain):
            return ConfigNode(.text(text, isPlain: isPlain), place)
        case .beginsList: return ConfigNode(.list(try list(depth)), place)
        case .beginsMap: return ConfigNode(.map(try map(depth)), place)
        case .unwelcome(let what):
            throw ConfigError(place, "\(what) is not supported: write the value itself")
        case .endsMap, .endsList, .beginsDocument, .endsDocument, .endsFile:
            throw ConfigError(place, "not YAML: a value is missing")
        }
    }

    private mutating func list(_ depth: Int) throws(ConfigError) -> [ConfigNode] {
        var items: [ConfigNode] = []
        while true {
            let (event, place) = try events.next()
            if event == .endsList { return items }
            items.append(try node(event, place, depth: depth + 1))
        }
    }

    private mutating func map(_ depth: Int) throws(ConfigError) -> [ConfigNode.Entry] {
        var entries: [ConfigNode.Entry] = []
        var lines: [String: Int] = [:]
        while true {
            let (event, place) = try events.next()
            if event == .endsMap { return entries }
            guard case .text(let key, _) = event else {
                throw ConfigError(place, "a key must be a word")
            }
            if let line = lines.updateValue(place.line, forKey: key) {
                throw ConfigError(place, "'\(key)' is already in line \(line): keep one")
            }
            let (inner, innerPlace) = try events.next()
            let value = try node(inner, innerPlace, depth: depth + 1)
            entries.append(ConfigNode.Entry(key: key, place: place, value: value))
        }
    }
}
