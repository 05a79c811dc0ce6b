import Crypto
import Simulation
import Testing
import Wire

/// What may come instead of, before and between the peer's datagrams: nothing of it is
/// authenticated before the handshake is done, so nothing of it may end one.
struct DTLSAttackTests {
    /// Handshakes that nobody finishes take no more than their share; when one of them is over,
    /// the next hello of an honest client is answered.
    @Test func halfOpenHandshakesAreBounded() throws {
        let certificate = try #require(DTLSPair.serverCertificate)
        let context = try DTLSContext(certificate: certificate, isSimulated: true)
        let pin = [certificate.fingerprint()]
        let client = DTLSSession(.client, context: context, peer: pin, at: .start)
        var (hello, answers) = (DTLSOutput(), DTLSOutput())
        client.start(at: .start, into: &hello)
        var sessions: [DTLSSession] = []
        var answered = 0
        for _ in 0..<1000 {
            let session = DTLSSession(.server, context: context, peer: pin, at: .start)
            _ = session.receive(hello.datagrams[0], at: .start, into: &answers)
            answered += answers.datagrams.isEmpty ? 0 : 1
            answers.datagrams.removeAll()
            sessions.append(session)
        }
        #expect(answered == 720)
        sessions.removeFirst()
        _ = sessions[998].receive(hello.datagrams[0], at: .start, into: &answers)
        #expect(!answers.datagrams.isEmpty)
        answers.datagrams.removeAll()
        // Time takes them away, too.
        let late = Instant.start + .seconds(10)
        for session in sessions.prefix(900) { session.expire(at: late, into: &answers) }
        let next = DTLSSession(.server, context: context, peer: pin, at: late)
        answers.datagrams.removeAll()
        _ = next.receive(hello.datagrams[0], at: late, into: &answers)
        #expect(!answers.datagrams.isEmpty)
    }

    static func record(
        _ kind: UInt8, epoch: UInt8 = 0, sequence: UInt8 = 200, _ body: [UInt8]
    ) -> [UInt8] {
        [kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, sequence]
            + [UInt8(body.count >> 8), UInt8(truncatingIfNeeded: body.count)] + body
    }

    /// A fragment of a handshake message.
    static func fragment(
        _ kind: UInt8, message: UInt8, length: Int, offset: Int, _ bytes: [UInt8]
    ) -> [UInt8] {
        func three(_ number: Int) -> [UInt8] {
            [16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
        }
        return [kind] + three(length) + [0, message] + three(offset) + three(bytes.count) + bytes
    }

    /// The client's hello, cut into fragments of at most `size` bytes.
    static func cutHello(_ hello: [UInt8], size: Int) -> [[UInt8]] {
        let body = Array(hello.dropFirst(13 + 12))
        return stride(from: 0, to: body.count, by: size).enumerated().map { order, offset in
            let piece = Array(body[offset..<min(offset + size, body.count)])
            return record(
                22, sequence: UInt8(order),
                fragment(1, message: 0, length: body.count, offset: offset, piece))
        }
    }

    static func hello(of pair: inout DTLSPair) throws -> [UInt8] {
        pair.client.start(at: pair.now, into: &pair.atClient)
        let hello = Array(copying: pair.atClient.datagrams[0])
        pair.atClient.datagrams.removeAll()
        return hello
    }

    /// Post-quantum key shares make hellos of two datagrams, which may overtake each other.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func aFragmentedHelloMayComeInAnyOrder(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var pair = try DTLSPair()
        let hello = try Self.hello(of: &pair)
        var pieces = Self.cutHello(hello, size: 60)
        #expect(pieces.count >= 3)
        pieces.shuffle(using: &random)
        pieces += pieces.prefix(2)  // And some of them twice.
        for piece in pieces {
            _ = pair.server.receive(piece.raw, at: pair.now, into: &pair.atServer)
        }
        #expect(!pair.atServer.datagrams.isEmpty)
        pair.flush()
        pair.run()
        #expect(pair.client.state == .open)
        #expect(pair.server.state == .open)
    }

    /// D4, D9: before every datagram of both sides, everything that can be forged comes first.
    @Test func forgeriesInTheClearEndNothing() throws {
        let forgeries =
            [
                Self.record(21, [2, 40]), Self.record(21, [1, 0]), Self.record(21, [2, 80]),
                Self.record(20, [1]), Self.record(23, [1, 2, 3]), Self.record(24, [1, 0, 9]),
                Self.record(23, epoch: 1, [UInt8](repeating: 9, count: 40)),
                Self.record(22, Self.fragment(20, message: 7, length: 12, offset: 0, [])),
                Self.record(22, Self.fragment(11, message: 99, length: 1, offset: 0, [1])),
                Self.record(22, Self.fragment(1, message: 1, length: 1 << 23, offset: 0, [1])),
                Self.record(22, Self.fragment(1, message: 2, length: 4, offset: 9, [1])),
                [22], [], [22, 0xfe, 0xfd], Self.record(22, []), Self.record(22, [1, 2]),
                [UInt8](repeating: 0x16, count: 1200),
            ]
        var pair = try DTLSPair()
        pair.start()
        while pair.client.state != .open || pair.server.state != .open {
            for forgery in forgeries {
                _ = pair.server.receive(forgery.raw, at: pair.now, into: &pair.atServer)
                _ = pair.client.receive(forgery.raw, at: pair.now, into: &pair.atClient)
            }
            let next = [pair.up.nextArrival, pair.down.nextArrival].compactMap { $0 }.min()
            pair.now = try #require(next)
            pair.step()
        }
        for forgery in forgeries {
            _ = pair.server.receive(forgery.raw, at: pair.now, into: &pair.atServer)
            _ = pair.client.receive(forgery.raw, at: pair.now, into: &pair.atClient)
        }
        #expect(pair.client.state == .open)
        #expect(pair.server.state == .open)
        #expect(pair.atServer.messages.isEmpty)
    }

    /// D2: what is no hello of a WebRTC client did not happen, and the right one works.
    @Test func aBadHelloIsIgnoredAndTheRightOneWorks() throws {
        var pair = try DTLSPair()
        let hello = try Self.hello(of: &pair)
        // The name of the extension use_srtp (14), and its length, which stand nowhere else.
        let name = (0..<hello.count - 4).first {
            hello[$0] == 0 && hello[$0 + 1] == 14 && hello[$0 + 2] == 0 && hello[$0 + 3] == 9
        }
        var withoutSRTP = hello
        withoutSRTP[try #require(name) + 1] = 0xee
        let noCipher = Self.record(
            22,
            Self.fragment(
                1, message: 0, length: 44, offset: 0,
                [0xfe, 0xfd] + [UInt8](repeating: 1, count: 32) + [0, 0, 0, 2, 0, 0, 1, 0, 0, 0]))
        for bad in [withoutSRTP, noCipher] {
            _ = pair.server.receive(bad.raw, at: pair.now, into: &pair.atServer)
            #expect(pair.atServer.datagrams.isEmpty)
            #expect(pair.server.state == .handshaking)
        }
        pair.up.send(hello, at: pair.now)
        pair.run()
        #expect(pair.client.state == .open)
        #expect(pair.server.state == .open)
    }

    /// D6.
    @Test func aSecondHelloAfterTheHandshakeChangesNothing() throws {
        var pair = try DTLSPair()
        let hello = try Self.hello(of: &pair)
        pair.up.send(hello, at: pair.now)
        pair.run()
        var other = try DTLSPair()
        for second in [hello, try Self.hello(of: &other)] {
            let output = pair.atServer.datagrams.count
            _ = pair.server.receive(second.raw, at: pair.now, into: &pair.atServer)
            #expect(pair.server.state == .open)
            #expect(pair.atServer.datagrams.count == output)
        }
        pair.client.close(into: &pair.atClient)
        pair.flush()
        pair.run()
        #expect(pair.server.state == .closed(.closeNotify))
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func survivesDamage(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for round in 0..<40 as Range<UInt64> {
            var pair = try DTLSPair(seed: seed &* 100 &+ round)
            pair.start()
            for _ in 0..<40 {
                let next = [
                    pair.up.nextArrival, pair.down.nextArrival, pair.client.deadline,
                    pair.server.deadline,
                ].compactMap { $0 }.min()
                guard let next else { break }
                pair.now = max(pair.now, next)
                if var datagram = pair.up.receive(at: pair.now) {
                    datagram[Int.random(in: datagram.indices, using: &random)] ^= 1
                    _ = pair.server.receive(datagram.raw, at: pair.now, into: &pair.atServer)
                }
                pair.step()
            }
            #expect(pair.server.state != .open || pair.server.takeKeys() != nil)
        }
    }

    /// D3: whatever is claimed, OpenSSL sees at most 16 KiB of it.
    @Test func manyFragmentsFillNoMemory() throws {
        var pair = try DTLSPair()
        for message in 0..<8 as Range<UInt8> {
            for offset in stride(from: 0, to: 16_000, by: 1000) {
                let piece = Self.record(
                    22,
                    Self.fragment(
                        11, message: message, length: 16_000, offset: offset,
                        [UInt8](repeating: 1, count: 1000)))
                _ = pair.server.receive(piece.raw, at: pair.now, into: &pair.atServer)
            }
        }
        #expect(pair.atServer.datagrams.isEmpty)
        pair.server.expire(at: .start + .seconds(10), into: &pair.atServer)
        #expect(pair.server.state == .closed(.timeout))
    }
}
