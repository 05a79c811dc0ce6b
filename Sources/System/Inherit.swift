import Glibc

/// Sockets that somebody opened for us: systemd, our own parent, or the version before us. They are
/// found by name (`LISTEN_FDS`, sd_listen_fds(3)), so that each listener takes its own.
package struct Inherit: ~Copyable {
    /// Descriptors begin after the standard three.
    static let first: CInt = 3
    /// More than all listeners of all workers.
    private static let maximum = 256

    /// Name to numbers: workers that share a port have one name.
    private var numbers: [String: [CInt]] = [:]

    /// What this process was given. Takes it out of the environment, so that children of ours do
    /// not believe it was meant for them.
    package static func fromEnvironment() -> Inherit {
        let inherit = Inherit { name in
            unsafe getenv(name).map { unsafe String(cString: $0) }
        }
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] {
            unsafe unsetenv(name)
        }
        return inherit
    }

    init(
        pid: CInt = getpid(), first: CInt = Inherit.first, _ variable: (String) -> String?
    ) {
        guard variable("LISTEN_PID").flatMap({ CInt($0) }) == pid,
            let count = variable("LISTEN_FDS").flatMap({ Int($0) }),
            (1...Self.maximum).contains(count)
        else { return }
        let names = (variable("LISTEN_FDNAMES") ?? "").split(
            separator: ":", omittingEmptySubsequences: false)
        for index in 0..<count {
            let number = first + CInt(index)
            guard fcntl(number, F_SETFD, FD_CLOEXEC) >= 0 else { continue }
            let name = index < names.count ? String(names[index]) : "unknown"
            numbers[name, default: []].append(number)
        }
    }

    package var names: [String] { numbers.keys.sorted() }

    /// The next descriptor of that name. What nobody takes is closed with the process.
    package mutating func take(_ name: String) -> Descriptor? {
        guard let number = numbers[name]?.first else { return nil }
        numbers[name]?.removeFirst()
        if numbers[name]?.isEmpty == true { numbers[name] = nil }
        return Descriptor(owning: number)
    }
}
