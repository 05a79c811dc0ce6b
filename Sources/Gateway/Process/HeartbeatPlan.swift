import Glibc
package import Wire

/// How often the child says that all its threads make progress, and after how long a silence its
/// parent takes it for hung.
package struct HeartbeatPlan: Equatable, Sendable {
    /// Under this name the parent tells its child the interval, in milliseconds.
    static let variable = "GATEWAY_BEAT_MS"

    package let interval: Interval
    package let patience: Interval

    /// - Parameter watchdog: systemd's `WatchdogSec=`: it kills all of us when it has heard nothing
    ///   for so long, so the parent must have replaced the child by then.
    package init(watchdog: Interval?) {
        patience = min(.seconds(10), (watchdog ?? .seconds(20)) / 2)
        interval = min(.seconds(2), patience / 5)
    }

    /// Of the parent: sd_watchdog_enabled(3).
    package init(_ environment: [String: String], pid: CInt = getpid()) {
        let owner = environment["WATCHDOG_PID"].map { CInt($0) ?? 0 } ?? pid
        let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        // Below 100 ms nobody could keep it, us included; systemd's own unit is the second.
        let isWatched = owner == pid && (100_000...86_400_000_000).contains(microseconds)
        self.init(watchdog: isWatched ? .microseconds(microseconds) : nil)
    }

    /// Of the child: what its parent said.
    static func interval(_ environment: [String: String]) -> Interval {
        guard let text = environment[variable], let milliseconds = Int64(text),
            (1...60_000).contains(milliseconds)
        else { return HeartbeatPlan(watchdog: nil).interval }
        return .milliseconds(milliseconds)
    }
}
