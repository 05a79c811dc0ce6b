internal import CLinux
import Glibc

/// A program that runs as our child, dies with us, and may be given open sockets by name.
package struct ChildProcess: Sendable {
    /// The sockets a child is given. They stay ours, too.
    package struct Bequest: ~Copyable {
        fileprivate var names: [String] = []
        fileprivate var numbers: [CInt] = []

        package init() {}

        package mutating func add(_ name: String, _ descriptor: borrowing Descriptor) {
            precondition(!name.contains(":"), "the list of names is separated by colons")
            names.append(name)
            numbers.append(descriptor.number)
        }

        package mutating func add(_ name: String, _ socket: borrowing UDPSocket) {
            add(name, socket.descriptor)
        }

        package mutating func add(_ name: String, _ listener: borrowing TCPListener) {
            add(name, listener.descriptor)
        }

        package mutating func add(_ name: String, _ keepsake: borrowing Keepsake) {
            add(name, keepsake.descriptor)
        }

        package mutating func add(_ name: String, _ end: borrowing PipeEnd) {
            add(name, end.descriptor)
        }

        /// Our environment, changed, and what tells `Inherit` where the sockets are.
        fileprivate func environment(_ changes: [String: String], pid: String) -> [String: String] {
            var all = ProcessEnvironment.all.merging(changes) { $1 }
            all["LISTEN_FDS"] = "\(numbers.count)"
            all["LISTEN_FDNAMES"] = names.joined(separator: ":")
            all["LISTEN_PID"] = pid
            return all
        }
    }

    package enum Exit: Equatable, Sendable {
        case code(CInt)
        case signal(CInt)
    }

    package let pid: CInt

    /// Starts it: our environment, changed by `environment`, and the sockets as `Inherit` finds
    /// them. What fails in the child itself is told by its exit with 126 or 127.
    package init(
        _ path: String, _ arguments: [String], environment changes: [String: String] = [:],
        bequest: borrowing Bequest
    ) throws(SystemError) {
        // Room for the number, which only the child knows.
        let all = bequest.environment(changes, pid: "0000000000")
        let numbers = bequest.numbers
        let result = unsafe Self.withStrings([path] + arguments) { arguments in
            unsafe Self.withStrings(all.map { "\($0.key)=\($0.value)" }) { environment in
                unsafe linux_spawn(
                    path, arguments, environment, numbers, CUnsignedInt(numbers.count))
            }
        }
        pid = CInt(try SystemError.check(Int(result), "start \(path)"))
    }

    /// One that the program before us in this very process has started.
    package init(adopting pid: CInt) { self.pid = pid }

    /// Puts another program in the place of this one: the same number, the same children, and the
    /// sockets as a child would find them. For a process of one thread.
    ///
    /// - Returns: Only if it failed: why. Then nothing has changed.
    package static func become(
        _ path: String, _ arguments: [String], environment changes: [String: String],
        bequest: borrowing Bequest
    ) -> SystemError {
        let all = bequest.environment(changes, pid: "\(getpid())")
        let numbers = bequest.numbers
        let result = unsafe withStrings([path] + arguments) { arguments in
            unsafe withStrings(all.map { "\($0.key)=\($0.value)" }) { environment in
                unsafe linux_become(
                    path, arguments, environment, numbers, CUnsignedInt(numbers.count))
            }
        }
        return SystemError(doing: "start \(path)", code: -result)
    }

    /// How it ended; `nil` while it runs, unless told to wait.
    package func exit(wait: Bool = false) throws(SystemError) -> Exit? {
        var status: CInt = 0
        let result = unsafe linux_wait_child(pid, &status, wait ? 1 : 0)
        guard try SystemError.check(Int(result), "wait for process \(pid)") > 0 else { return nil }
        let signal = status & 0x7f
        return signal == 0 ? .code(status >> 8 & 0xff) : .signal(signal)
    }

    package func send(signal: CInt) { _ = linux_signal_process(pid, signal) }

    /// The strings as C has them: an array of pointers that ends with a null.
    private static func withStrings(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> CInt
    ) -> CInt {
        var copies = unsafe strings.map { unsafe strdup($0) }
        unsafe copies.append(nil)
        defer { unsafe copies.forEach { unsafe free($0) } }
        return unsafe copies.withUnsafeBufferPointer { copies in
            guard let start = copies.baseAddress else { return -EINVAL }
            return unsafe body(start)
        }
    }
}
