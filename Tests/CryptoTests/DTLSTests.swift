import Crypto
import Simulation
import Testing
import Wire

/// A client and a server over two links with weather, on a clock that jumps to the next event.
struct DTLSPair {
    static let clientCertificate = try? Certificate.selfSigned(
        commonName: "client", from: 0, days: 365_000)
    static let serverCertificate = try? Certificate.selfSigned(
        commonName: "server", from: 0, days: 365_000)

    var now = Instant.start
    var client: DTLSSession
    var server: DTLSSession
    var up: Link<[UInt8]>
    var down: Link<[UInt8]>
    var atServer = DTLSOutput()
    var atClient = DTLSOutput()
    var dear = 0
    var largest = 0
    var sent = 0

    init(
        seed: UInt64 = 0, lossPerMille: UInt64 = 0, delay: ClosedRange<Int64> = 5...5,
        profiles: [SRTPProfile] = SRTPProfile.preferred, wrong: Bool = false
    ) throws {
        let ours = try #require(Self.serverCertificate)
        let theirs = try #require(Self.clientCertificate)
        let server = try DTLSContext(certificate: ours, isSimulated: true)
        let client = try DTLSContext(
            certificate: theirs, profiles: profiles, isSimulated: true)
        let expected = wrong ? ours : theirs
        self.server = DTLSSession(
            .server, context: server, peer: [expected.fingerprint(.sha512)], at: now)
        self.client = DTLSSession(
            .client, context: client, peer: [ours.fingerprint(), theirs.fingerprint()], at: now)
        var weather = Weather(lossPerMille: lossPerMille, delay: delay)
        weather.doubledPerMille = lossPerMille / 4
        up = Link(seed: seed &* 2, weather: weather)
        down = Link(seed: seed &* 2 &+ 1, weather: weather)
    }

    mutating func start() {
        client.start(at: now, into: &atClient)
        flush()
    }

    mutating func flush() {
        for index in 0..<atClient.datagrams.count {
            let datagram = Array(copying: atClient.datagrams[index])
            note(datagram)
            up.send(datagram, at: now)
        }
        for index in 0..<atServer.datagrams.count {
            let datagram = Array(copying: atServer.datagrams[index])
            note(datagram)
            down.send(datagram, at: now)
        }
        atClient.datagrams.removeAll()
        atServer.datagrams.removeAll()
    }

    private mutating func note(_ datagram: [UInt8]) {
        largest = max(largest, datagram.count)
        sent += 1
    }

    /// Runs until nothing is left to happen, or until `end`.
    mutating func run(until end: Instant = .start + .seconds(20)) {
        while true {
            let events = [up.nextArrival, down.nextArrival, client.deadline, server.deadline]
            guard let next = events.compactMap({ $0 }).min(), next <= end else { return }
            now = max(now, next)
            step()
        }
    }

    mutating func step() {
        while let datagram = up.receive(at: now) {
            dear += server.receive(datagram.raw, at: now, into: &atServer) ? 1 : 0
        }
        while let datagram = down.receive(at: now) {
            _ = client.receive(datagram.raw, at: now, into: &atClient)
        }
        if let due = client.deadline, due <= now { client.expire(at: now, into: &atClient) }
        if let due = server.deadline, due <= now { server.expire(at: now, into: &atServer) }
        flush()
    }
}

struct DTLSTests {
    /// What a client offers, and what becomes of it: the server's order decides.
    static let offers: [([SRTPProfile], SRTPProfile)] = [
        ([.aes128GCM], .aes128GCM), ([.aes256GCM], .aes256GCM), ([.aes128SHA1], .aes128SHA1),
        ([.aes128SHA1, .aes256GCM, .aes128GCM], .aes128GCM),
    ]

    @Test(arguments: offers)
    func agreesOnKeys(profiles: [SRTPProfile], expected: SRTPProfile) throws {
        var pair = try DTLSPair(profiles: profiles)
        pair.start()
        pair.run()
        #expect(pair.client.state == .open)
        #expect(pair.server.state == .open)
        let client = try #require(pair.client.takeKeys())
        let server = try #require(pair.server.takeKeys())
        #expect(client.profile == expected)
        #expect(server.profile == expected)
        #expect(client.local == server.remote)
        #expect(client.remote == server.local)
        #expect(client.local != client.remote)
        #expect(pair.server.takeKeys() == nil)
        #expect(pair.largest <= 1200)
        // Hello, and then certificate with key exchange and signature: two dear steps.
        #expect((2...3).contains(pair.dear))
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func survivesLossAndReordering(seed: UInt64) throws {
        var pair = try DTLSPair(seed: seed, lossPerMille: 200, delay: 5...60)
        pair.start()
        pair.run()
        #expect(pair.client.state == .open)
        #expect(pair.server.state == .open)
        #expect(pair.client.takeKeys()?.local == pair.server.takeKeys()?.remote)
    }

    @Test func isDoneInThreeSecondsWhereAFifthIsLost() throws {
        var late = 0
        for seed in 0..<200 as Range<UInt64> {
            var pair = try DTLSPair(seed: seed, lossPerMille: 200, delay: 20...40)
            pair.start()
            pair.run(until: .start + .seconds(3))
            if pair.client.state != .open || pair.server.state != .open { late += 1 }
        }
        // Five datagrams in a row are lost in one of 3,000 flights: nobody can do better there.
        #expect(late <= 4)
    }

    @Test func carriesMessagesOnceOpen() throws {
        var pair = try DTLSPair()
        pair.start()
        pair.run()
        let sizes = [1, 100, DTLSSession.messageMaximum]
        for size in sizes {
            let message = [UInt8](repeating: UInt8(truncatingIfNeeded: size), count: size)
            #expect(pair.client.send(message.raw, into: &pair.atClient))
        }
        let tooLarge = [UInt8](repeating: 0, count: DTLSSession.messageMaximum + 1)
        #expect(!pair.client.send(tooLarge.raw, into: &pair.atClient))
        pair.flush()
        pair.run()
        let arrived = (0..<pair.atServer.messages.count).map { index in
            let message = pair.atServer.messages[index]
            return message.byteCount
        }
        #expect(arrived == sizes)
        #expect(pair.largest <= 1200)
    }

    @Test func aWrongFingerprintEndsItBeforeThereAreKeys() throws {
        var pair = try DTLSPair(wrong: true)
        pair.start()
        pair.run()
        #expect(pair.server.state == .closed(.fingerprint))
        #expect(pair.server.takeKeys() == nil)
        #expect(pair.client.takeKeys() == nil)
    }

    @Test func givesUpAfterTenSeconds() throws {
        var pair = try DTLSPair(lossPerMille: 1000)
        pair.start()
        pair.run()
        #expect(pair.client.state == .closed(.timeout))
        #expect(pair.server.state == .closed(.timeout))
        #expect(pair.now == .start + .seconds(10))
        // At 0, 50, 150, 350, 750, 1550, then every second.
        #expect(pair.sent == 14)
    }

    @Test func closeNotifyEndsTheOtherSideAtOnce() throws {
        var pair = try DTLSPair()
        pair.start()
        pair.run()
        pair.client.close(into: &pair.atClient)
        pair.flush()
        pair.run()
        #expect(pair.server.state == .closed(.closeNotify))
        #expect(pair.server.deadline == nil)
    }

    @Test func aReleasedSessionStaysOpenAndHearsTheEnd() throws {
        var pair = try DTLSPair()
        pair.start()
        pair.run()
        pair.server.release()
        #expect(pair.server.state == .open)
        #expect(pair.server.takeKeys() != nil)
        #expect(!pair.server.send([1].raw, into: &pair.atServer))
        pair.client.close(into: &pair.atClient)
        // Nobody else can say it: each bit is authenticated.
        let alert = Array(copying: pair.atClient.datagrams[0])
        for index in alert.indices {
            var forged = alert
            forged[index] ^= 1
            _ = pair.server.receive(forged.raw, at: pair.now, into: &pair.atServer)
            #expect(pair.server.state == .open)
        }
        pair.flush()
        pair.run()
        #expect(pair.server.state == .closed(.closeNotify))
    }

    @Test func aReleasedSessionSaysTheEnd() throws {
        for clientLeaves in [true, false] {
            var pair = try DTLSPair()
            pair.start()
            pair.run()
            pair.server.release()
            pair.client.release()
            if clientLeaves {
                pair.client.close(into: &pair.atClient)
            } else {
                pair.server.close(into: &pair.atServer)
            }
            pair.flush()
            pair.run()
            #expect(pair.server.state == .closed(.closeNotify))
            #expect(pair.client.state == .closed(.closeNotify))
        }
    }

    /// The server has answered and forgotten nothing: whichever datagram of its last flight is
    /// lost, a repeat of the client's brings it again.
    @Test func aLostLastFlightIsRepeatedOnDemand() throws {
        var pair = try DTLSPair()
        pair.start()
        while pair.server.state != .open {
            pair.now = try #require(
                [pair.up.nextArrival, pair.down.nextArrival].compactMap { $0 }.min())
            while let datagram = pair.up.receive(at: pair.now) {
                _ = pair.server.receive(datagram.raw, at: pair.now, into: &pair.atServer)
            }
            if pair.server.state == .open { pair.atServer.datagrams.removeAll() }
            pair.step()
        }
        #expect(pair.client.state == .handshaking)
        pair.run()
        #expect(pair.client.state == .open)
    }
}
