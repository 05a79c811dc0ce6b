import Crypto
import Foundation
import Glibc
import Testing
import Wire

/// The command-line tool of OpenSSL as the peer, over a socket pair of this machine: another
/// implementation's timers, fragments and order of things.
struct OpenSSLToolTests {
    /// Seconds since 1970; the tool compares nothing with it.
    static let certificate = try? Certificate.selfSigned(
        commonName: "gateway", from: 0, days: 365_000)

    /// A UDP socket of ours on a port that the kernel chose, and a process that talks to it.
    final class Peer {
        let socket: CInt
        let port: UInt16
        let process = Process()
        private let input = Pipe()
        let output = Pipe()
        private var sender = sockaddr_in()
        private var hasSender = false

        init() {
            let socket = Glibc.socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
            var address = Self.loopback(port: 0)
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            port = unsafe withUnsafeMutablePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe bind(socket, $0, length)
                    unsafe getsockname(socket, $0, &length)
                }
                return unsafe UInt16(bigEndian: $0.pointee.sin_port)
            }
            self.socket = socket
        }

        deinit {
            if process.isRunning { process.terminate() }
            close(socket)
        }

        static func loopback(port: UInt16) -> sockaddr_in {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            return address
        }

        func start(_ arguments: [String]) throws {
            process.executableURL = URL(filePath: "/usr/bin/openssl")
            process.arguments = arguments
            process.standardInput = input
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            try process.run()
        }

        /// To whoever spoke last, or to `port`.
        func send(_ datagram: [UInt8], to port: UInt16? = nil) {
            var address = port.map(Self.loopback) ?? sender
            guard hasSender || port != nil else { return }
            unsafe withUnsafePointer(to: &address) {
                _ = unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe sendto(
                        socket, datagram, datagram.count, 0, $0,
                        socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }

        func receive(milliseconds: CInt) -> [UInt8]? {
            var item = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&item, 1, milliseconds) == 1 else { return nil }
            var buffer = [UInt8](repeating: 0, count: 2048)
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = unsafe withUnsafeMutablePointer(to: &sender) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe recvfrom(socket, &buffer, 2048, 0, $0, &length)
                }
            }
            guard count > 0 else { return nil }
            hasSender = true
            return Array(buffer.prefix(count))
        }
    }

    static var isThere: Bool { FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl") }

    static func files() throws -> (folder: URL, certificate: String, key: String) {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "dtls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let certificate = try Certificate.selfSigned(commonName: "tool", from: 0, days: 365_000)
        let paths = (folder.appending(path: "cert.pem"), folder.appending(path: "key.pem"))
        try Data(certificate.chainPEM).write(to: paths.0)
        try Data(certificate.keyPEM).write(to: paths.1)
        return (folder, paths.0.path, paths.1.path)
    }

    static func fingerprint(ofFile path: String, key: String) throws -> Fingerprint {
        let pem = [UInt8](try Data(contentsOf: URL(filePath: path)))
        let keyPEM = [UInt8](try Data(contentsOf: URL(filePath: key)))
        return try Certificate(chain: pem.raw, key: keyPEM.raw).fingerprint()
    }

    /// Runs our side until it is open, with real time only where the socket is waited for.
    static func run(
        _ session: DTLSSession, _ peer: Peer, port: UInt16? = nil, losing lost: Set<Int> = []
    ) -> SRTPKeys? {
        let clock = ContinuousClock()
        let begin = clock.now
        var now = Instant.start
        var output = DTLSOutput()
        var sent = 0
        if port != nil { session.start(at: now, into: &output) }
        for _ in 0..<2000 where session.state == .handshaking {
            for index in 0..<output.datagrams.count {
                if !lost.contains(sent) {
                    peer.send(Array(copying: output.datagrams[index]), to: port)
                }
                sent += 1
            }
            output.datagrams.removeAll()
            if let datagram = peer.receive(milliseconds: 5) {
                _ = session.receive(datagram.raw, at: now, into: &output)
            }
            let passed = begin.duration(to: clock.now).components
            now =
                .start + .seconds(passed.seconds)
                + Interval(nanoseconds: passed.attoseconds / 1_000_000_000)
            if let due = session.deadline, due <= now { session.expire(at: now, into: &output) }
        }
        for index in 0..<output.datagrams.count {
            peer.send(Array(copying: output.datagrams[index]), to: port)
        }
        return session.takeKeys()
    }

    @Test(.enabled(if: isThere), arguments: SRTPProfile.allCases)
    func theToolIsTheClient(profile: SRTPProfile) throws {
        let files = try Self.files()
        defer { try? FileManager.default.removeItem(at: files.folder) }
        let names: [SRTPProfile: String] = [
            .aes128GCM: "SRTP_AEAD_AES_128_GCM", .aes256GCM: "SRTP_AEAD_AES_256_GCM",
            .aes128SHA1: "SRTP_AES128_CM_SHA1_80",
        ]
        let peer = Peer()
        let context = try DTLSContext(certificate: try #require(Self.certificate))
        let expected = try Self.fingerprint(ofFile: files.certificate, key: files.key)
        let session = DTLSSession(.server, context: context, peer: [expected], at: .start)
        try peer.start([
            "s_client", "-dtls1_2", "-connect", "127.0.0.1:\(peer.port)", "-use_srtp",
            try #require(names[profile]), "-cert", files.certificate, "-key", files.key,
            "-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "60",
        ])
        let keys = try #require(Self.run(session, peer))
        #expect(keys.profile == profile)
        #expect(session.state == .open)
    }

    /// Every cipher that is offered: the tool understands the close_notify of a session whose
    /// state was given back, and ends.
    @Test(
        .enabled(if: isThere),
        arguments: [
            "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
            "ECDHE-ECDSA-CHACHA20-POLY1305",
        ])
    func theToolUnderstandsALateGoodbye(cipher: String) throws {
        let files = try Self.files()
        defer { try? FileManager.default.removeItem(at: files.folder) }
        let peer = Peer()
        let context = try DTLSContext(certificate: try #require(Self.certificate))
        let expected = try Self.fingerprint(ofFile: files.certificate, key: files.key)
        let session = DTLSSession(.server, context: context, peer: [expected], at: .start)
        try peer.start([
            "s_client", "-dtls1_2", "-connect", "127.0.0.1:\(peer.port)", "-use_srtp",
            "SRTP_AEAD_AES_128_GCM", "-cert", files.certificate, "-key", files.key, "-cipher",
            cipher,
        ])
        _ = try #require(Self.run(session, peer))
        session.release()
        var output = DTLSOutput()
        session.close(into: &output)
        #expect(output.datagrams.count == 1)
        for _ in 0..<200 where peer.process.isRunning {
            peer.send(Array(copying: output.datagrams[0]))
            usleep(10_000)
        }
        #expect(!peer.process.isRunning)
    }

    /// Which of our datagrams are lost: none, the hello, the flight with Finished, both.
    static let losses: [[Int]] = [[], [0], [1], [0, 2]]

    @Test(.enabled(if: isThere), arguments: losses)
    func theToolIsTheServer(lost: [Int]) throws {
        let files = try Self.files()
        defer { try? FileManager.default.removeItem(at: files.folder) }
        let peer = Peer()
        let port = Peer().port  // Free again when the line is done: the tool's.
        let context = try DTLSContext(certificate: try #require(Self.certificate))
        let expected = try Self.fingerprint(ofFile: files.certificate, key: files.key)
        let session = DTLSSession(.client, context: context, peer: [expected], at: .start)
        try peer.start([
            "s_server", "-dtls1_2", "-accept", "127.0.0.1:\(port)", "-use_srtp",
            "SRTP_AEAD_AES_128_GCM", "-cert", files.certificate, "-key", files.key, "-Verify", "1",
        ])
        let keys = try #require(Self.run(session, peer, port: port, losing: Set(lost)))
        #expect(keys.profile == .aes128GCM)
    }
}
