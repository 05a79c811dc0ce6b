import Glibc

/// One way for a few bytes between two processes: the far end is inherited by a child.
package struct Pipe: ~Copyable, Sendable {
    package let reader: PipeEnd
    package let writer: PipeEnd

    package init() throws(SystemError) {
        var numbers: [CInt] = [0, 0]
        guard unsafe pipe(&numbers) == 0 else {
            throw SystemError(doing: "open a pipe", code: errno)
        }
        reader = PipeEnd(adopting: Descriptor(owning: numbers[0]))
        writer = PipeEnd(adopting: Descriptor(owning: numbers[1]))
    }

    package consuming func takeReader() -> PipeEnd { reader }
}

/// Non-blocking, and not inherited unless a child is given it by name.
package struct PipeEnd: ~Copyable, Sendable {
    package let descriptor: Descriptor

    package init(adopting descriptor: consuming Descriptor) {
        _ = fcntl(descriptor.number, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor.number, F_SETFL, O_NONBLOCK)
        self.descriptor = descriptor
    }

    /// What has come; nil when the other side is gone.
    package borrowing func read() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe Glibc.read(descriptor.number, $0.baseAddress, $0.count)
        }
        if count == 0 { return nil }
        return Array(bytes.prefix(max(count, 0)))
    }

    /// Lost when the pipe is full: then nobody has read for a long time anyway.
    package borrowing func write(_ byte: UInt8) {
        var byte = byte
        _ = unsafe Glibc.write(descriptor.number, &byte, 1)
    }
}
