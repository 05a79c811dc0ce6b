import Crypto
import Gateway
import Settings
import Stream
import System
import Testing
import Wire

/// TLS on a worker's connection: the same sessions, the same order, nothing in the clear.
struct EncryptedTests {
    static func material(_ names: String...) throws -> TLSMaterial {
        let certificates = try names.map {
            try Certificate.selfSigned(
                commonName: $0, names: [$0], from: 1_700_000_000, days: 36_500)
        }
        return TLSMaterial(
            certificates: certificates, alpn: ["http/1.1"],
            ticketKeys: [UInt8](repeating: 7, count: TLSContext.ticketKeysCount))
    }

    @Test func speaksInLinesThroughTLS() throws {
        let crew = try Crew(tls: Self.material("localhost"))
        let client = try TLSLine(try crew.connect())
        for number in 0..<200 { client.say("echo \(number)") }
        #expect(client.hear(200) == (0..<200).map(String.init))
        client.say("big 300")
        #expect(client.hear(300).count == 300, "300 KiB through records of 16 KiB")
    }

    @Test func aReloadedCertificateIsForNewConnections() throws {
        let crew = try Crew(tls: Self.material("old"))
        let before = try TLSLine(try crew.connect())
        #expect(before.ask("echo a") == "a")
        crew.neighbours.postToAll(
            .settings(
                WorkerSettings(
                    gate: Gate(publishKey: Secret("sesame")), rules: { _ in .init() },
                    tls: try Self.material("new"))))
        #expect(before.ask("echo b") == "b", "what is open goes on with what it had")
        let after = try TLSLine(try crew.connect())
        #expect(after.ask("echo c") == "c")
        #expect(before.fingerprint != nil && before.fingerprint != after.fingerprint)
    }

    @Test func theNameDecidesWhichCertificateIsShown() throws {
        let material = try Self.material("a.example.org", "b.example.org")
        let crew = try Crew(tls: material)
        for (host, index) in [("a.example.org", 0), ("b.example.org", 1), ("c.example.org", 0)] {
            let client = try TLSLine(try crew.connect(), host: host)
            #expect(client.ask("echo hello") == "hello")
            #expect(client.fingerprint == material.certificates[index].fingerprint())
        }
    }

    @Test func whoDoesNotSpeakTLSIsSentAway() throws {
        let crew = try Crew(tls: Self.material("localhost"))
        let plain = try crew.connect()
        plain.say("echo hello, this is long enough to be a record of nothing")
        var heard = plain.hear()
        while let more = heard, !more.isEmpty { heard = plain.hear() }
        #expect(heard == nil)
    }
}

/// A line through TLS: the client of the Crypto module on a blocking socket.
final class TLSLine {
    private let line: Line
    private let session: TLSSession
    private var plain: [UInt8] = []

    init(_ line: Line, host: String = "localhost") throws {
        self.line = line
        let context = try TLSContext(clientTrusting: .anything)
        session = try TLSSession(client: context, host: host, at: 1_800_000_000)
        var output: [UInt8] = []
        try session.start(output: &output)
        line.send(output)
        while session.state == .handshaking { try receive() }
    }

    var fingerprint: Fingerprint? { session.peerFingerprint() }

    private func receive() throws {
        guard let bytes = line.receive() else {
            throw SystemError(doing: "read through TLS", code: 104)
        }
        var output: [UInt8] = []
        _ = try session.receive(bytes.raw, plaintext: &plain, output: &output)
        line.send(output)
    }

    func say(_ text: String) {
        var output: [UInt8] = []
        try? session.send(Array("\(text)\n".utf8).raw, output: &output)
        line.send(output)
    }

    func hear() -> String? {
        while true {
            if let end = plain.firstIndex(of: 10) {
                defer { plain.removeSubrange(...end) }
                return String(decoding: plain[..<end], as: UTF8.self)
            }
            guard (try? receive()) != nil else { return nil }
        }
    }

    func hear(_ count: Int) -> [String] { (0..<count).compactMap { _ in hear() } }

    func ask(_ text: String) -> String? {
        say(text)
        return hear()
    }
}
