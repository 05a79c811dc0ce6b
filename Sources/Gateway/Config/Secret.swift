/// A password, key or token. It has no description, so that no log line, error or debugger prints
/// it by accident: who needs the text must ask for it by name.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// For the one who compares or sends it, and nobody else.
    package let disclosed: String

    package init(_ text: String) { disclosed = text }

    package var isEmpty: Bool { disclosed.isEmpty }
    package var description: String { "(secret)" }
    package var debugDescription: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A key that the user chose, or one that we make at first start and keep in `state.dir`.
package enum Key: Equatable, Sendable {
    case generated
    case chosen(Secret)
}
