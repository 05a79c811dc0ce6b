/// The configuration as it was written, before anybody knows what it means: a small tree in which
/// every value remembers its place.
package struct ConfigNode: Equatable, Sendable {
    package enum Value: Equatable, Sendable {
        /// `isPlain`: written without quotes, so that nothing at all means "not set".
        case text(String, isPlain: Bool)
        case list([ConfigNode])
        case map([Entry])
    }

    package struct Entry: Equatable, Sendable {
        package var key: String
        package var place: Place
        package var value: ConfigNode

        package init(key: String, place: Place, value: ConfigNode) {
            self.key = key
            self.place = place
            self.value = value
        }
    }

    package var value: Value
    package var place: Place

    package init(_ value: Value, _ place: Place) {
        self.value = value
        self.place = place
    }

    /// `key:` with nothing behind it, as is left when every line below is commented out.
    package var isAbsent: Bool {
        guard case .text(let text, isPlain: true) = value else { return false }
        return text.isEmpty || text == "~" || text == "null"
    }

    package var text: String? {
        guard case .text(let text, _) = value else { return nil }
        return text
    }
}
