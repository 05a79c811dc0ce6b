import Wire

/// `ETag` and the conditions that compare it (RFC 9110 §8.8.3, §13.1).
package struct EntityTag: Equatable, Sendable, CustomStringConvertible {
    package var text: String
    package var isWeak = false

    package init(_ text: String, isWeak: Bool = false) {
        self.text = text
        self.isWeak = isWeak
    }

    /// Quoted, as the header has it.
    package var description: String { "\(isWeak ? "W/" : "")\"\(text)\"" }

    /// `If-None-Match`: true says 304. Weak comparison: the same content is enough.
    package func satisfies(ifNoneMatch header: String?) -> Bool {
        guard let header else { return false }
        return isIn(header, weakly: true)
    }

    /// `If-Match`: false says 412. WHIP clients send `*` or nothing with every PATCH, so
    /// only another quoted tag fails.
    package func satisfies(ifMatch header: String?) -> Bool {
        guard let header else { return true }
        return isIn(header, weakly: false)
    }

    private func isIn(_ header: String, weakly: Bool) -> Bool {
        let bytes = Array(header.utf8)
        var rest = 0..<bytes.count
        while let item = bytes.raw.nextListItem(&rest) {
            if bytes.raw.matches("*", item) { return true }
            // Tags are compared letter by letter, unlike names.
            var tag = bytes.raw.string(item)
            let isWeakItem = tag.hasPrefix("W/")
            if isWeakItem { tag.removeFirst(2) }
            if tag == "\"\(text)\"", weakly || !(isWeakItem || isWeak) { return true }
        }
        return false
    }
}
