import Glibc
import Synchronization
import Testing
import Wire

@testable import System

struct ProcessTests {
    @Test func aChildFindsItsSocketsByName() throws {
        let listener = try TCPListener(bind: loopback)
        let socket = try UDPSocket(bind: loopback)
        var bequest = ChildProcess.Bequest()
        bequest.add("rtmp", listener)
        bequest.add("media", socket)
        bequest.add("media", socket)
        // The child checks itself: its number, the names, and that 3, 4 and 5 are sockets.
        let script = """
            test "$LISTEN_PID" = "$$" && test "$LISTEN_FDS" = 3 &&
            test "$LISTEN_FDNAMES" = rtmp:media:media && test "$EXTRA" = 1 &&
            for n in 3 4 5; do test -S /proc/self/fd/$n || exit 9; done && exit 42
            """
        let child = try ChildProcess(
            "/bin/sh", ["-c", script], environment: ["EXTRA": "1"], bequest: bequest)
        #expect(try child.exit(wait: true) == .code(42))
    }

    @Test func aChildThatCannotStartSaysSoByItsExit() throws {
        let child = try ChildProcess("/nowhere/at/all", [], bequest: .init())
        #expect(try child.exit(wait: true) == .code(127))
    }

    @Test func aSignalEndsAChild() throws {
        let child = try ChildProcess("/bin/sleep", ["60"], bequest: .init())
        #expect(try child.exit() == nil)
        child.send(signal: SIGKILL)
        #expect(try child.exit(wait: true) == .signal(SIGKILL))
    }

    @Test func adoptsByNameAndOnce() throws {
        let first = try UDPSocket(bind: loopback)
        let second = try UDPSocket(bind: loopback)
        let listener = try TCPListener(bind: loopback)
        // Numbers of our choice: this process uses 3 and the next for something else.
        let sockets = [
            first.descriptor.number, listener.descriptor.number, second.descriptor.number,
        ]
        for (index, number) in sockets.enumerated() { dup2(number, 950 + CInt(index)) }
        let variables = [
            "LISTEN_PID": "\(getpid())", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "media:rtmp:media",
        ]
        var inherit = Inherit(first: 950) { variables[$0] }
        let names = inherit.names
        #expect(names == ["media", "rtmp"])
        guard let one = inherit.take("media"), let two = inherit.take("media"),
            let three = inherit.take("rtmp")
        else {
            Issue.record("not all are there")
            return
        }
        let addresses = [
            try UDPSocket(adopting: one).localAddress, try UDPSocket(adopting: two).localAddress,
            try TCPListener(adopting: three).localAddress,
        ]
        #expect(
            addresses == [first.localAddress, second.localAddress, listener.localAddress])
        let more = inherit.take("media") == nil
        #expect(more)
    }

    @Test(arguments: ["1", "", "x"])
    func ignoresWhatIsMeantForAnother(pid: String) {
        let variables = ["LISTEN_PID": pid, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b"]
        let inherit = Inherit { variables[$0] }
        #expect(inherit.names == [])
    }

    @Test func threadsEndAndCanBeJoined() throws {
        let done = Mutex(false)
        let thread = try Thread("worker", cpu: 0) { done.withLock { $0 = true } }
        thread.join()
        #expect(done.withLock { $0 })
    }
}

struct FileTests {
    /// A directory of its own, removed at the end.
    private func inDirectory(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/gateway-test-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return "" }
            guard let path = unsafe mkdtemp(start) else { return "" }
            return unsafe String(cString: path)
        }
        try #require(!made.isEmpty)
        defer {
            for name in ["a", "b"] { unsafe unlink("\(made)/\(name)") }
            unsafe rmdir(made)
        }
        try body(made)
    }

    @Test func chunksAreWrittenInOrder() throws {
        try inDirectory { directory in
            let pool = try WorkPool("file-test")
            let mailbox = try Mailbox<SystemError?>()
            let path = directory + "/a"
            let writer = try FileWriter(appendingTo: path, pool: pool) { mailbox.post($0) }
            for number in 0..<1000 {
                #expect(writer.append(Chunk([UInt8(truncatingIfNeeded: number), 0])))
            }
            writer.finish()
            var poller = try Poller()
            _ = try poller.add(mailbox.bell, tag: 0)
            try poller.wait(.seconds(10))
            var letters: [SystemError?] = []
            mailbox.collect(into: &letters)
            #expect(letters.count == 1)
            #expect(letters.first??.code == nil)
            let expected: [UInt8] = (0..<1000).flatMap { [UInt8(truncatingIfNeeded: $0), 0] }
            #expect(try Files.read(path) == expected)
            #expect(!writer.append(Chunk([1])), "a complete file takes nothing more")
        }
    }

    @Test func aDiskThatIsTooSlowIsRefusedNotStored() throws {
        try inDirectory { directory in
            let pool = try WorkPool("file-test", threads: 1)
            let gate = Mutex(())
            let mailbox = try Mailbox<SystemError?>()
            let writer = try FileWriter(appendingTo: directory + "/a", pool: pool) {
                mailbox.post($0)
            }
            let big = Chunk([UInt8](repeating: 1, count: FileWriter.backlogMaximum))
            gate.withLock { _ in
                // The only thread waits here, so nothing gets written.
                pool.submit { gate.withLock { _ in } }
                #expect(writer.append(big))
                #expect(!writer.append(Chunk([1])))
            }
            writer.finish()
            var poller = try Poller()
            _ = try poller.add(mailbox.bell, tag: 0)
            try poller.wait(.seconds(10))
            #expect(!mailbox.isEmpty)
        }
    }

    @Test func aFileIsReplacedAsAWhole() throws {
        try inDirectory { directory in
            let path = directory + "/b"
            try Files.replace(path, with: [1, 2, 3])
            try Files.replace(path, with: [4])
            #expect(try Files.read(path) == [4])
            #expect(throws: SystemError.self) { try Files.read(path + ".new") }
            #expect(throws: SystemError.self) { try Files.read(path, maximum: 0) }
        }
    }

    @Test func anUnwritableFileNamesItsPath() {
        let error = #expect(throws: SystemError.self) {
            try Files.replace("/proc/nothing", with: [1])
        }
        #expect(error?.description.contains("/proc/nothing") == true)
    }
}
