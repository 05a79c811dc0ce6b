import System

/// What a child tells its parent: single bytes through a pipe, because only the parent may speak to
/// systemd. Without a parent it tells nobody.
package struct ParentLink: ~Copyable {
    package enum Message: UInt8 {
        /// Serving, or reloaded.
        case ready = 0x52
        case alive = 0x41
    }

    /// The name under which the child inherits its end.
    static let name = "parent"

    private let pipe: PipeEnd?
    package let isThere: Bool

    /// Of a process that nobody supervises.
    package static var none: ParentLink { ParentLink() }

    private init() {
        pipe = nil
        isThere = false
    }

    init(_ descriptor: consuming Descriptor) {
        let end = PipeEnd(adopting: descriptor)
        pipe = consume end
        isThere = true
    }

    package borrowing func tell(_ message: Message) { pipe?.write(message.rawValue) }
}
