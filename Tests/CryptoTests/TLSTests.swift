import Crypto
import Testing
import Wire

/// Two sessions joined by two arrays: no socket, no clock.
struct TLSTests {
    static let time: Int64 = 1_767_225_600
    static let ticketKeys = [UInt8](repeating: 7, count: TLSContext.ticketKeysCount)

    static func certificate(_ names: String...) throws -> Certificate {
        try Certificate.selfSigned(commonName: names[0], names: names, from: time - 60, days: 1)
    }

    /// A client and a server, and what lies between them.
    struct Pair {
        var client: TLSSession
        var server: TLSSession
        var toServer: [UInt8] = []
        var toClient: [UInt8] = []
        var atServer: [UInt8] = []
        var atClient: [UInt8] = []
        var dear = 0

        init(_ server: TLSContext, _ client: TLSContext, host: String = "a.example") throws {
            self.server = try TLSSession(server: server)
            self.client = try TLSSession(client: client, host: host, at: TLSTests.time)
            try self.client.start(output: &toServer)
        }

        /// - Parameter piece: How many bytes arrive at once.
        mutating func exchange(piece: Int = 65_536) throws {
            while !toServer.isEmpty || !toClient.isEmpty {
                let up = Array(toServer.prefix(piece))
                toServer.removeFirst(up.count)
                if !up.isEmpty {
                    let worked = try server.receive(
                        up.raw, plaintext: &atServer, output: &toClient)
                    dear += worked ? 1 : 0
                }
                let down = Array(toClient.prefix(piece))
                toClient.removeFirst(down.count)
                if !down.isEmpty {
                    _ = try client.receive(down.raw, plaintext: &atClient, output: &toServer)
                }
            }
        }
    }

    @Test(arguments: [1, 7, 1460, 65_536])
    func carriesBytesBothWaysHoweverTheyAreCut(piece: Int) throws {
        let certificate = try Self.certificate("a.example")
        let server = try TLSContext(
            serverWith: [certificate], alpn: ["h2", "http/1.1"], ticketKeys: Self.ticketKeys)
        let client = try TLSContext(
            clientTrusting: .authorities(pem: certificate.chainPEM), alpn: ["http/1.1"])
        var pair = try Pair(server, client)
        try pair.exchange(piece: piece)

        #expect(pair.client.state == .open)
        #expect(pair.server.state == .open)
        #expect(pair.server.alpn == "http/1.1")
        #expect(pair.client.alpn == "http/1.1")
        #expect((1...3).contains(pair.dear))

        let request = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try pair.client.send(request.raw, output: &pair.toServer)
        try pair.server.send(Array("answer".utf8).raw, output: &pair.toClient)
        try pair.exchange(piece: piece)
        #expect(pair.atServer == request)
        #expect(pair.atClient == Array("answer".utf8))
    }

    @Test func choosesTheCertificateByName() throws {
        let first = try Self.certificate("a.example")
        let second = try Self.certificate("b.example", "*.c.example")
        let server = try TLSContext(serverWith: [first, second], alpn: ["http/1.1"])
        for (host, expected) in [
            ("a.example", first), ("b.example", second), ("x.c.example", second),
            ("other.example", first), ("192.0.2.1", first),
        ] {
            let client = try TLSContext(clientTrusting: .anything, alpn: ["http/1.1"])
            var pair = try Pair(server, client, host: host)
            try pair.exchange()
            #expect(pair.client.peerFingerprint() == expected.fingerprint(), "\(host)")
            #expect(pair.client.alpn == "http/1.1", "\(host)")
        }
    }

    @Test(arguments: [
        ("b.example", Int64(0), "hostname mismatch"),
        ("192.0.2.1", Int64(0), "IP address mismatch"),
        ("a.example", Int64(864_000), "certificate has expired"),
    ])
    func aClientBelievesOnlyTheNameItAskedFor(host: String, later: Int64, reason: String) throws {
        let certificate = try Self.certificate("a.example", "192.0.2.9")
        let server = try TLSContext(serverWith: [certificate], alpn: [])
        let client = try TLSContext(clientTrusting: .authorities(pem: certificate.chainPEM))
        var pair = try Pair(server, client)
        pair.client = try TLSSession(client: client, host: host, at: Self.time + later)
        pair.toServer = []
        try pair.client.start(output: &pair.toServer)
        #expect(throws: TLSError.untrusted(reason)) { try pair.exchange() }
        #expect(pair.client.state == .failed)
    }

    @Test func aClientBelievesNoStranger() throws {
        let server = try TLSContext(serverWith: [Self.certificate("a.example")], alpn: [])
        let other = try Self.certificate("a.example")
        var pair = try Pair(server, TLSContext(clientTrusting: .authorities(pem: other.chainPEM)))
        #expect(throws: TLSError.untrusted("self-signed certificate")) { try pair.exchange() }
    }

    @Test func aPinnedCertificateNeedsNoName() throws {
        let certificate = try Self.certificate("camera")
        let server = try TLSContext(serverWith: [certificate], alpn: [])
        var right = try Pair(
            server, TLSContext(clientTrusting: .pinned([certificate.fingerprint()])))
        try right.exchange()
        #expect(right.client.state == .open)

        let pin = try Self.certificate("camera").fingerprint()
        var wrong = try Pair(server, TLSContext(clientTrusting: .pinned([pin])))
        #expect(throws: TLSError.self) { try wrong.exchange() }
        #expect(wrong.client.state == .failed)
    }

    @Test func theEndIsSaidAndHeard() throws {
        let certificate = try Self.certificate("a.example")
        let server = try TLSContext(serverWith: [certificate], alpn: [])
        var pair = try Pair(server, TLSContext(clientTrusting: .anything))
        try pair.exchange()
        pair.client.close(output: &pair.toServer)
        try pair.exchange()
        #expect(pair.server.state == .closed)
        #expect(throws: TLSError.notOpen) {
            try pair.client.send([1].raw, output: &pair.toServer)
        }
    }

    @Test func sendingBeforeTheHandshakeIsRefused() throws {
        let server = try TLSContext(serverWith: [Self.certificate("a.example")], alpn: [])
        let session = try TLSSession(server: server)
        var output: [UInt8] = []
        #expect(throws: TLSError.notOpen) { try session.send([1].raw, output: &output) }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func survivesDamage(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let certificate = try Self.certificate("a.example")
        let server = try TLSContext(serverWith: [certificate], alpn: ["http/1.1"])
        let client = try TLSContext(clientTrusting: .anything)
        for _ in 0..<50 {
            var pair = try Pair(server, client)
            let at = Int.random(in: pair.toServer.indices, using: &random)
            pair.toServer[at] ^= UInt8.random(in: 1...255, using: &random)
            try? pair.exchange()
            #expect(pair.toClient.count < 16_384)
        }
    }

    @Test func saysHTTPIsNotTLS() throws {
        let server = try TLSContext(serverWith: [Self.certificate("a.example")], alpn: [])
        let session = try TLSSession(server: server)
        var plaintext: [UInt8] = []
        var output: [UInt8] = []
        #expect(throws: TLSError.handshake("http request")) {
            try session.receive(
                Array("GET / HTTP/1.1\r\n\r\n".utf8).raw, plaintext: &plaintext, output: &output)
        }
    }

    @Test func settingsAreChecked() throws {
        #expect(throws: TLSError.settings("no certificate")) {
            try TLSContext(serverWith: [], alpn: [])
        }
        #expect(throws: TLSError.settings("ticket keys of 3 bytes")) {
            try TLSContext(
                serverWith: [Self.certificate("a.example")], alpn: [], ticketKeys: [1, 2, 3])
        }
        #expect(throws: TLSError.certificate(.notPEM("certificate authority"))) {
            try TLSContext(clientTrusting: .authorities(pem: []))
        }
    }
}
