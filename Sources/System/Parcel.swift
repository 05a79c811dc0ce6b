/// Carries a value that cannot be copied, such as a socket, to another thread or in a letter.
///
/// Whoever takes first has it; a parcel that nobody takes gives its content up with itself.
package final class Parcel<Content: ~Copyable & Sendable>: Sendable {
    private let content: Locked<Content?>

    package init(_ content: consuming sending Content) { self.content = Locked(consume content) }

    package func take() -> Content? { content.withLock { $0.take() } }

    /// A look at the content, which stays; `nil` when somebody took it.
    package func peek<Result>(_ look: (borrowing Content) -> Result) -> Result? {
        content.withLock { content in
            guard let inside = content.take() else { return nil }
            let result = look(inside)
            content = consume inside
            return result
        }
    }
}
