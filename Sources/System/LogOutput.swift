import Glibc

/// Where log lines end: a stream of the process, or a file that is renamed when it gets large.
package struct LogOutput: ~Copyable, Sendable {
    package enum Target: Sendable, Equatable {
        case stdout, stderr
        /// `keep`: how many renamed files stay, `FILE.1` being the youngest.
        case file(path: String, largest: Int, keep: Int)
    }

    private let target: Target
    private var file: Descriptor?
    /// That of the file, or of the stream, which is not ours to close.
    private var number: CInt
    private var size = 0

    package init(_ target: Target) throws(SystemError) {
        self.target = target
        switch target {
        case .stdout: number = STDOUT_FILENO
        case .stderr: number = STDERR_FILENO
        case .file(let path, _, _):
            let opened = try Self.open(path)
            number = opened.number
            file = consume opened
        }
        measure()
    }

    /// Opens the file by its name again: somebody has moved it away (SIGUSR1, logrotate).
    package mutating func reopen() {
        guard case .file(let path, _, _) = target, let again = try? Self.open(path) else { return }
        number = again.number
        file = consume again
        measure()
    }

    /// Waits as long as it takes: only the log's own thread calls it.
    package mutating func write(_ bytes: [UInt8]) {
        rotateIfFull(adding: bytes.count)
        var offset = 0
        while offset < bytes.count {
            let written = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(number, $0.baseAddress?.advanced(by: offset), $0.count - offset)
            }
            if written > 0 {
                offset += written
            } else if errno == EAGAIN {
                // Somebody made our standard output non-blocking: it is shared with other programs.
                _ = isWritable(within: -1)
            } else if errno != EINTR {
                // A full disk or a closed pipe: there is nobody left to tell.
                return
            }
        }
        size += bytes.count
    }

    /// For who must not wait: false when the other side does not read.
    package func isWritable(within milliseconds: CInt) -> Bool {
        var question = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&question, 1, milliseconds) == 1
    }

    private static func open(_ path: String) throws(SystemError) -> Descriptor {
        // Group may read: log collectors are in it. Nobody else.
        let number = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard number >= 0 else { throw SystemError(doing: "open the log \(path)", code: errno) }
        return Descriptor(owning: number)
    }

    private mutating func measure() {
        var info = stat()
        size = unsafe fstat(number, &info) == 0 ? Int(info.st_size) : 0
    }

    private mutating func rotateIfFull(adding count: Int) {
        guard case .file(let path, let largest, let keep) = target, size > 0,
            size + count > largest
        else { return }
        if keep == 0 {
            _ = unsafe unlink(path)
        } else {
            for number in stride(from: keep - 1, through: 1, by: -1) {
                _ = unsafe rename("\(path).\(number)", "\(path).\(number + 1)")
            }
            _ = unsafe rename(path, "\(path).1")
        }
        reopen()
    }
}
