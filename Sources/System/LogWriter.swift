internal import CLinux
import Glibc
import Synchronization
package import Wire

/// The log of a process: one sink, one thread that writes, and the two requests it takes.
package final class LogWriter: Sendable {
    package let sink: LogSink
    private let bell: Descriptor
    /// Rung after each round, for who waits in `flush`.
    private let written: Descriptor
    private let wantsReopen = Atomic<Bool>(false)
    /// Rounds that were asked for and done: how `flush` knows.
    private let asked = Atomic<Int>(0)
    private let done = Atomic<Int>(0)

    /// Opens the output, so that a wrong path is an error now, and starts the thread.
    package init(
        level: Log.Level, format: LogFormat, target: LogOutput.Target
    ) throws(SystemError) {
        _ = try LogOutput(target)
        bell = Descriptor(
            owning: CInt(try SystemError.check(Int(linux_eventfd()), "open an eventfd")))
        written = Descriptor(
            owning: CInt(try SystemError.check(Int(linux_eventfd()), "open an eventfd")))
        let number = bell.number
        sink = LogSink(
            level: level, format: format, clock: .system,
            delivery: .queued { _ = linux_signal(number) })
        _ = try Thread("log") { [self] in
            if let output = (try? LogOutput(target)) ?? (try? LogOutput(.stderr)) { run(output) }
        }
    }

    /// Opens the file again before the next line.
    package func reopen() {
        wantsReopen.store(true, ordering: .releasing)
        _ = linux_signal(bell.number)
    }

    /// Waits until what was said so far is written; before the program ends.
    ///
    /// - Returns: False when the output is too slow for that.
    @discardableResult package func flush(within limit: Interval = .milliseconds(500)) -> Bool {
        let round = asked.add(1, ordering: .acquiringAndReleasing).newValue
        _ = linux_signal(bell.number)
        let end = LogSink.Clock.system.now() + limit
        while done.load(ordering: .acquiring) < round {
            guard wait(for: written, until: end) else { return false }
        }
        return true
    }

    private func run(_ output: consuming LogOutput) {
        while true {
            let round = asked.load(ordering: .acquiring)
            if wantsReopen.exchange(false, ordering: .acquiringAndReleasing) { output.reopen() }
            let next = sink.closeWindows()
            let bytes = sink.take()
            if !bytes.isEmpty { output.write(bytes) }
            done.store(round, ordering: .releasing)
            _ = linux_signal(written.number)
            _ = wait(for: bell, until: next)
        }
    }

    /// - Returns: False if it has not rung in time.
    private func wait(for bell: borrowing Descriptor, until deadline: Instant?) -> Bool {
        var milliseconds: CInt = -1
        if let deadline {
            let left = deadline - LogSink.Clock.system.now()
            milliseconds = CInt(clamping: max(0, left.milliseconds + 1))
        }
        var question = pollfd(fd: bell.number, events: Int16(POLLIN), revents: 0)
        let result = unsafe poll(&question, 1, milliseconds)
        // A signal is no answer: whoever asked looks again.
        guard result == 1 else { return result < 0 }
        _ = linux_take(bell.number)
        return true
    }
}

extension LogSink {
    /// For a process with one thread that must never wait, such as the supervisor: a line that the
    /// other side does not read at once is lost. A file is opened for each line, because another
    /// process renames it when it is large.
    package static func direct(
        level: Log.Level, format: LogFormat, target: LogOutput.Target
    ) -> LogSink {
        var target = target
        if case .file(let path, _, let keep) = target {
            target = .file(path: path, largest: .max, keep: keep)
        }
        return LogSink(
            level: level, format: format, clock: .system,
            delivery: .direct { [target] bytes in
                guard var output = try? LogOutput(target), output.isWritable(within: 0) else {
                    return
                }
                output.write(bytes)
            })
    }
}

extension LogSink.Clock {
    package static let system = LogSink.Clock(
        now: { Instant(nanoseconds: read(CLOCK_MONOTONIC)) }, utc: { read(CLOCK_REALTIME) })

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
