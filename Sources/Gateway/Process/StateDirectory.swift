import Glibc
package import Settings
import System

/// The directory for what must outlive the program: keys, tokens, our own certificate. Nobody else
/// on the host may look into it.
package struct StateDirectory: Sendable {
    package let path: String

    /// Finds it, and makes it when it is not there.
    package static func open(
        _ config: Config, environment: [String: String]
    ) throws(StartError) -> StateDirectory {
        let directory = StateDirectory(path: place(config, environment))
        try directory.make()
        return directory
    }

    static func place(_ config: Config, _ environment: [String: String]) -> String {
        if !config.state.directory.isEmpty { return config.state.directory }
        // systemd separates several by colons; ours is the first.
        if let given = environment["STATE_DIRECTORY"]?.split(separator: ":").first {
            return String(given)
        }
        return geteuid() == 0 ? "/var/lib/gateway" : "state"
    }

    private func make() throws(StartError) {
        var end = path.startIndex
        while end < path.endIndex {
            end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
            // Parents may be seen by others, what is inside ours may not.
            let mode: mode_t = end == path.endIndex ? 0o700 : 0o755
            let part = String(path[..<end])
            guard unsafe mkdir(part, mode) == 0 || errno == EEXIST else {
                throw problem("make the directory", errno)
            }
        }
        // An older one, or one that systemd made with its own mode.
        _ = unsafe chmod(path, 0o700)
        guard unsafe access(path, W_OK | X_OK) == 0 else {
            throw problem("write into the directory", errno)
        }
    }

    private func problem(_ doing: String, _ code: CInt) -> StartError {
        let cause = unsafe String(cString: strerror(code))
        let fix = "give the directory to this user, or set state.dir to one it may write"
        return .failed(
            setting: "state.dir", cause: "\(doing) \(path): \(cause) (\(fix))",
            code: "state-not-writable")
    }

    /// The text of a file in it; nil when there is none.
    package func read(_ name: String) throws(StartError) -> [UInt8]? {
        guard unsafe access("\(path)/\(name)", F_OK) == 0 else { return nil }
        do throws(SystemError) {
            return try Files.read("\(path)/\(name)", maximum: 1 << 20)
        } catch {
            throw .system("state.dir", error, code: "state-not-readable")
        }
    }

    /// A file that only this user can read.
    package func write(_ name: String, _ bytes: [UInt8]) throws(StartError) {
        do throws(SystemError) {
            try Files.replace("\(path)/\(name)", with: bytes, mode: 0o600)
        } catch {
            throw .system("state.dir", error, code: "state-not-writable")
        }
    }
}
