package import Settings
package import System

/// A part of the program that serves until it is told to stop. All calls come from the main thread.
package protocol Service: AnyObject {
    /// New settings hold from now on; what needs a restart has not changed in them.
    func apply(_ settings: LiveSettings)
    /// Accept nobody any more, and let everybody finish.
    func drain()
    /// Whether nobody is left.
    var isDrained: Bool { get }
    /// Whether all threads have made progress since the last time it was asked; if not, the parent
    /// will notice, and systemd's watchdog.
    func isHealthy() -> Bool
}

/// The settings that hold at the moment, with the keys that belong to them. Never changes: a reload
/// makes a new one.
package struct LiveSettings: Sendable {
    package let config: Config
    package let keys: AccessKeys
}

/// What a service finds when it starts.
package struct Surroundings: Sendable {
    package let settings: LiveSettings
    package let sockets: ListeningSockets
    package let state: StateDirectory
    package let log: Log
    /// How often the supervisor has started us again, for `gateway_restarts_total`.
    package let restarts: Int
}

/// Starts all of them, or says in one line why not.
package typealias StartServices = (Surroundings) throws(StartError) -> [any Service]
