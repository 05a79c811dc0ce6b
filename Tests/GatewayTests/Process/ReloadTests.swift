import Foundation
import Glibc
import System
import Testing
import Wire

/// The built program, told to read its configuration again, and as a service of systemd.
@Suite(.serialized) struct ReloadTests {
    @Test func hupTakesWhatItCanAndAMistakeChangesNothing() throws {
        try Folder.with { folder in
            let file = folder.appending(path: "gateway.yml")
            func write(_ text: String) throws {
                try text.write(to: file, atomically: true, encoding: .utf8)
            }
            try write("config: { watch: no }\nlog: { level: info }\n")
            let gateway = try RunningGateway.serving(folder)
            try write("config: { watch: no }\nlog: { level: loud }\n")
            gateway.send(SIGHUP)
            let refusal = try gateway.line("code=bad-config")
            #expect(refusal.contains("gateway.yml:2:15: log.level: \"loud\" is not"))
            try write("config: { watch: no }\nlog: { level: debug, format: json }\n")
            gateway.send(SIGHUP)
            #expect(try gateway.line("reloaded:").hasSuffix("reloaded: log.level"))
            #expect(try gateway.line("need a restart").hasSuffix("stay as they were: log.format"))
            gateway.send(SIGTERM)
            try gateway.endWell()
        }
    }

    @Test func aChangedFileIsNoticed() throws {
        try Folder.with { folder in
            let file = folder.appending(path: "gateway.yml")
            try "{}".write(to: file, atomically: true, encoding: .utf8)
            let gateway = try RunningGateway.serving(folder)
            try "limits: { streams: 7 }".write(to: file, atomically: true, encoding: .utf8)
            #expect(try gateway.line("reloaded:").hasSuffix("reloaded: limits.streams"))
            gateway.send(SIGTERM)
            try gateway.endWell()
        }
    }

    @Test func usr1OpensTheLogFileAgain() throws {
        try Folder.with { folder in
            let log = folder.appending(path: "g.log")
            func has(_ text: String) -> Bool {
                RunningGateway.until {
                    (try? String(contentsOf: log, encoding: .utf8))?.contains(text) == true
                }
            }
            let arguments = RunningGateway.anyPorts + ["--set", "log.output=\(log.path)"]
            let gateway = try RunningGateway(arguments, in: folder)
            #expect(has("serving, version"))
            try FileManager.default.moveItem(at: log, to: folder.appending(path: "old.log"))
            gateway.send(SIGUSR1)
            let isThere = RunningGateway.until { FileManager.default.fileExists(atPath: log.path) }
            #expect(isThere)
            gateway.send(SIGTERM)
            #expect(has("INF gateway stopped"))
            try gateway.endWell()
        }
    }

    @Test func systemdIsToldHowWeAre() throws {
        try Folder.with { folder in
            let path = folder.path + "/n"
            let notices = try Notices(path)
            let gateway = try RunningGateway(
                RunningGateway.anyPorts, in: folder, environment: ["NOTIFY_SOCKET": path])
            #expect(notices.next()?.hasPrefix("READY=1") == true)
            gateway.send(SIGHUP)
            #expect(notices.next()?.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") == true)
            #expect(notices.next()?.hasPrefix("READY=1") == true)
            gateway.send(SIGTERM)
            var last = notices.next()
            while last == "WATCHDOG=1" { last = notices.next() }
            #expect(last == "STOPPING=1")
            try gateway.endWell()
        }
    }

    @Test func socketsOfSystemdAreTakenByName() throws {
        try Folder.with { folder in
            let listener = try TCPListener(bind: Address(ipv4: 0x7f00_0001, port: 0))
            let port = listener.localAddress.port
            var bequest = ChildProcess.Bequest()
            bequest.add("http", listener)
            let log = folder.appending(path: "g.log")
            // Another port in the configuration: the socket that was given counts.
            let arguments = ["--set", "http.listen=127.0.0.1:1", "--set", "log.output=\(log.path)"]
            let child = try ChildProcess(
                RunningGateway.executable.path, RunningGateway.anyPorts + arguments,
                environment: ["STATE_DIRECTORY": folder.path + "/state"], bequest: bequest)
            let isServing = RunningGateway.until {
                let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
                return text.contains("listening: http 127.0.0.1:\(port)\n")
                    && text.contains("serving, version")
            }
            #expect(isServing)
            child.send(signal: SIGTERM)
            #expect(try child.exit(wait: true) == .code(0))
        }
    }
}

/// A datagram socket in the place of systemd's.
private struct Notices: ~Copyable {
    private let number: Int32

    init(_ path: String) throws {
        number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) {
            unsafe $0.copyBytes(from: Array(path.utf8))
        }
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0, "\(path): \(errno)")
        var patience = timeval(tv_sec: Int(RunningGateway.patience), tv_usec: 0)
        unsafe setsockopt(
            number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(number) }

    func next() -> String? {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = unsafe recv(number, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
