import System
import Wire

/// What a process of this host and its children have used, by /proc.
struct ProcessLoad {
    let pid: Int
    /// The kernel tells user programs a hundredth of a second, on every machine (USER_HZ).
    private static let tick = Interval.milliseconds(10)

    /// Processor time of all threads; nil: there is no such process.
    var time: Interval? { read(\.time) }
    /// Resident, in bytes.
    var memory: Int? { read(\.memory) }

    private struct Figures {
        var time = Interval.zero
        var memory = 0
    }

    private func read<Value>(_ field: KeyPath<Figures, Value>) -> Value? {
        var figures = Figures()
        guard add(pid, to: &figures) else { return nil }
        // A supervisor and the process that serves.
        for child in text("\(pid)/task/\(pid)/children").split(separator: " ") {
            if let number = Int(child) { _ = add(number, to: &figures) }
        }
        return figures[keyPath: field]
    }

    /// The name in the second field may hold blanks and brackets: what counts is behind the last.
    private func add(_ pid: Int, to figures: inout Figures) -> Bool {
        let line = text("\(pid)/stat")
        guard let end = line.lastIndex(of: ")") else { return false }
        let words = line[end...].split(separator: " ")
        guard words.count > 13, let user = Int64(words[12]), let kernel = Int64(words[13]) else {
            return false
        }
        figures.time = figures.time + Self.tick * (user + kernel)
        let pages = text("\(pid)/statm").split(separator: " ")
        if pages.count > 1, let resident = Int(pages[1]) { figures.memory += resident * 4096 }
        return true
    }

    private func text(_ path: String) -> String {
        do throws(SystemError) {
            return String(decoding: try Files.read("/proc/\(path)"), as: UTF8.self)
        } catch { return "" }
    }

    /// How busy the host is, as `uptime` says.
    var hostLoad: String {
        text("loadavg").split(separator: " ").first.map(String.init) ?? "?"
    }
}
