import System
package import Wire

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
    /// The name of the other end, for the supervisor that takes the parent's place.
    static let parentsEnd = "child"

    private let pipe: PipeEnd?
    package let isThere: Bool
    /// How often it wants to hear that all is well.
    package let beat: Interval

    /// Of a process that nobody supervises.
    package static var none: ParentLink { ParentLink() }

    private init() {
        pipe = nil
        isThere = false
        beat = HeartbeatPlan(watchdog: nil).interval
    }

    init(_ descriptor: consuming Descriptor, beat: Interval) {
        let end = PipeEnd(adopting: descriptor)
        pipe = consume end
        isThere = true
        self.beat = beat
    }

    package borrowing func tell(_ message: Message) { pipe?.write(message.rawValue) }
}
