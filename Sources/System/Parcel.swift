import Synchronization

/// Carries a value that cannot be copied, such as a socket, to another thread or in a letter.
///
/// Whoever takes first has it; a parcel that nobody takes gives its content up with itself.
package final class Parcel<Content: ~Copyable & Sendable>: Sendable {
    private let content: Mutex<Content?>

    package init(_ content: consuming sending Content) { self.content = Mutex(consume content) }

    package func take() -> Content? { content.withLock { $0.take() } }
}
