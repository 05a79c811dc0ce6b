import Crypto
import ICE
import Testing
import Wire

/// One lite agent and a peer whose every packet the test writes itself.
struct LiteDialogue {
    static let local = ICECredentials(ufrag: "serverufrag0", password: "serverpassword0123456789")
    static let remote = ICECredentials(ufrag: "peer", password: "peerpassword0123456789")
    static let server = Address(ipv4: 0xc000_0201, port: 8000)
    /// 192.0.2.100 and the like.
    static func peer(_ last: UInt32, port: UInt16 = 5000) -> Route {
        Route(remote: Address(ipv4: 0xc000_0200 + last, port: port), local: server)
    }

    var agent: LiteAgent
    var out = ICEOutput()
    private var counter: UInt64 = 0

    init() {
        let secret = [UInt8](repeating: 9, count: 32)
        agent = LiteAgent(
            local: Self.local, remote: Self.remote, secret: secret.raw, at: .start)
    }

    struct Options {
        var nominates = true
        var priority: UInt32? = 100
        var controlled = false
        var unknown = false
        var transaction: UInt64?
        var local = LiteDialogue.local
        var remote = LiteDialogue.remote
        var fingerprint = true
    }

    mutating func request(_ options: Options = Options()) -> [UInt8] {
        counter += 1
        let number = options.transaction ?? counter
        let name = Array("\(options.local.ufrag):\(options.remote.ufrag)".utf8)
        let password = Array(options.local.password.utf8)
        var bytes: [UInt8] = []
        let builder = STUNBuilder(.request, TransactionID(high: 7, low: number), into: &bytes)
        builder.username(name.raw, into: &bytes)
        if options.unknown { bytes += [0x7f, 0xff, 0, 0] }
        if let priority = options.priority { builder.priority(priority, into: &bytes) }
        if options.controlled { builder.controlled(1, into: &bytes) }
        if options.nominates { builder.useCandidate(into: &bytes) }
        builder.finish(
            key: HMACSHA1(key: password.raw), fingerprint: options.fingerprint, into: &bytes)
        return bytes
    }

    /// What the agent says to these bytes.
    mutating func receive(
        _ bytes: [UInt8], on route: Route, at milliseconds: Int64
    ) -> [ICEOutput.Entry] {
        out.clear()
        agent.receive(bytes.raw, on: route, at: .start + .milliseconds(milliseconds), into: &out)
        return out.entries
    }

    @discardableResult
    mutating func check(
        on route: Route, at milliseconds: Int64, _ options: Options = Options()
    ) -> [ICEOutput.Entry] {
        receive(request(options), on: route, at: milliseconds)
    }

    @discardableResult
    mutating func heard(
        _ count: Int = 100, on route: Route, at milliseconds: Int64, isNewest: Bool = true
    ) -> [ICEOutput.Entry] {
        out.clear()
        agent.heard(
            count, on: route, isNewest: isNewest, at: .start + .milliseconds(milliseconds),
            into: &out)
        return out.entries
    }

    @discardableResult
    mutating func handshake(on route: Route, at milliseconds: Int64) -> [ICEOutput.Entry] {
        out.clear()
        agent.handshakeFinished(on: route, at: .start + .milliseconds(milliseconds), into: &out)
        return out.entries
    }

    @discardableResult
    mutating func expire(at milliseconds: Int64) -> [ICEOutput.Entry] {
        out.clear()
        agent.expire(at: .start + .milliseconds(milliseconds), into: &out)
        return out.entries
    }

    /// The messages sent in the last step.
    var sent: [(route: Route, message: STUNMessage, bytes: [UInt8])] {
        out.entries.compactMap { entry in
            guard case .send(let route, let range) = entry else { return nil }
            let bytes = Array(out.bytes[range])
            return (try? STUNMessage(bytes.raw)).map { (route, $0, bytes) }
        }
    }

    var sentBytes: Int { sent.reduce(0) { $0 + $1.bytes.count } }

    /// The peer's honest answer to our check.
    func answer(to check: STUNMessage, password: String = remote.password) -> [UInt8] {
        let key = Array(password.utf8)
        var bytes: [UInt8] = []
        let builder = STUNBuilder(.success, check.transaction, into: &bytes)
        builder.mappedAddress(Self.server, check.transaction, into: &bytes)
        builder.finish(key: HMACSHA1(key: key.raw), into: &bytes)
        return bytes
    }
}

extension [ICEOutput.Entry] {
    var sends: Int { count { if case .send = $0 { true } else { false } } }
    var selected: Route? {
        for case .selected(let route) in self { return route }
        return nil
    }
}

struct LiteAgentTests {
    typealias D = LiteDialogue
    let a = LiteDialogue.peer(100)
    let b = LiteDialogue.peer(101)

    @Test func answersAndSelectsTheFirstNomination() throws {
        var d = D()
        let entries = d.check(on: a, at: 0)
        #expect(entries.sends == 1 && entries.selected == a)
        let sent = try #require(d.sent.first)
        #expect(sent.route == a && sent.message.kind == .success)
        #expect(sent.message.mappedAddress == a.remote)
        let key = Array(D.local.password.utf8)
        let isAuthentic = sent.message.isAuthentic(sent.bytes.raw, key: HMACSHA1(key: key.raw))
        #expect(isAuthentic)
    }

    /// FFmpeg 8.0: no PRIORITY, no role; it nominates at once and never checks again.
    @Test func servesFFmpeg() {
        var d = D()
        #expect(d.check(on: a, at: 0, .init(priority: nil)).selected == a)
        d.handshake(on: a, at: 200)
        for second in 1...120 { d.heard(1200, on: a, at: Int64(second) * 1000) }
        #expect(d.expire(at: 121_000).isEmpty)
    }

    /// S1, S2, S3, S7, S8: nothing comes back and nothing changes.
    @Test func dropsWhatIsNotAuthentic() {
        var d = D()
        d.check(on: a, at: 0)
        var wrong = D.Options()
        wrong.local.password = "wrong"
        #expect(d.check(on: b, at: 1, wrong).isEmpty)
        wrong = D.Options()
        wrong.local.ufrag = "serverufrag1"
        #expect(d.check(on: b, at: 1, wrong).isEmpty)
        wrong = D.Options()
        wrong.remote.ufrag = "pear"
        #expect(d.check(on: b, at: 1, wrong).isEmpty)
        var flipped = d.request()
        flipped[30] ^= 1
        #expect(d.receive(flipped, on: b, at: 1).isEmpty)
        for kind in [STUNMessage.Class.success, .error, .indication] {
            let bytes = TicketTests.request(
                "serverufrag0:peer", password: D.local.password, kind)
            #expect(d.receive(bytes, on: b, at: 1).isEmpty)
        }
        #expect(!d.agent.knows(b) && d.agent.selected?.route == a)
    }

    @Test func refusesUnknownRequirementsAndTheWrongRole() throws {
        var d = D()
        d.check(on: a, at: 0, .init(unknown: true))
        var refusal = try #require(d.sent.first)
        #expect(refusal.message.kind == .error && refusal.message.errorCode == 420)
        d.check(on: a, at: 0, .init(controlled: true))
        refusal = try #require(d.sent.first)
        #expect(refusal.message.errorCode == 487)
        #expect(!d.agent.knows(a))
    }

    /// Reflection: whatever is answered, the answer is not larger than its request.
    @Test func neverAnswersWithMore() {
        for ip in ["192.0.2.7", "2001:db8::7"] {
            for options in [
                D.Options(), .init(nominates: false, priority: nil, fingerprint: false),
                .init(nominates: false, priority: nil, unknown: true, fingerprint: false),
                .init(nominates: false, priority: nil, controlled: true),
            ] {
                var d = D()
                let request = d.request(options)
                guard let address = Address(ip: ip, port: 1) else { continue }
                _ = d.receive(request, on: Route(remote: address, local: D.server), at: 0)
                for sent in d.sent { #expect(sent.bytes.count <= request.count) }
            }
        }
    }

    /// Firefox nominates every pair that works: the first stays while it lives.
    @Test func staysOnTheFirstPairOfFirefox() {
        var d = D()
        d.check(on: a, at: 0, .init(priority: 200))
        d.handshake(on: a, at: 50)
        #expect(d.check(on: b, at: 100, .init(priority: 100)).selected == nil)
        #expect(d.check(on: a, at: 2000, .init(priority: 200)).selected == nil)
        #expect(d.check(on: b, at: 2100, .init(priority: 100)).selected == nil)
        #expect(d.check(on: D.peer(102), at: 2200, .init(priority: 300)).selected == D.peer(102))
    }

    /// Chrome repeats USE-CANDIDATE on its pair only; without it the pair is given up.
    @Test func followsChromeToAnotherPair() {
        var d = D()
        d.check(on: a, at: 0, .init(priority: 200))
        d.check(on: b, at: 10, .init(nominates: false, priority: 100))
        #expect(d.agent.selected?.route == a)
        d.check(on: a, at: 2500, .init(nominates: false, priority: 200))
        #expect(d.check(on: b, at: 2510, .init(priority: 100)).selected == b)
    }

    @Test func leavesASilentPair() {
        var d = D()
        d.check(on: a, at: 0, .init(priority: 200))
        #expect(d.check(on: b, at: 2400, .init(priority: 100)).selected == nil)
        #expect(d.check(on: b, at: 2500, .init(priority: 100)).selected == b)
    }

    /// The same candidate behind a translator with a new port: a tenth of a second is enough.
    @Test func followsARebinding() {
        var d = D()
        d.check(on: a, at: 0)
        d.handshake(on: a, at: 10)
        #expect(d.check(on: D.peer(100, port: 6000), at: 50).selected == nil)
        #expect(d.check(on: D.peer(100, port: 6000), at: 400).selected?.remote.port == 6000)
    }

    /// Authentic media shows the way, unless it is late; from unknown routes it is nothing.
    @Test func followsTheNewestMedia() {
        var d = D()
        d.check(on: a, at: 0)
        d.handshake(on: a, at: 10)
        #expect(d.heard(on: b, at: 300).isEmpty && !d.agent.knows(b))
        d.check(on: b, at: 310, .init(nominates: false, priority: 1))
        #expect(d.heard(on: b, at: 320, isNewest: false).selected == nil)
        #expect(d.heard(on: b, at: 330).selected == b)
        #expect(d.heard(on: a, at: 340).selected == nil, "two paths overlap for a moment")
    }

    /// S5: a captured request that comes again from elsewhere is answered and moves nothing.
    @Test func aReplayMovesNothing() {
        var d = D()
        let captured = d.request(.init(priority: 100))
        _ = d.receive(captured, on: a, at: 0)
        d.handshake(on: a, at: 10)
        for second in 1...20 {
            #expect(d.receive(captured, on: b, at: Int64(second) * 1000).sends == 1)
            #expect(!d.agent.knows(b))
        }
        #expect(d.expire(at: 30_020).contains(.ended(.silent)), "nor does it keep anything alive")
    }

    @Test func repeatsItsAnswerToARepeatedRequest() {
        var d = D()
        let request = d.request()
        #expect(d.receive(request, on: a, at: 0).sends == 1)
        #expect(d.receive(request, on: a, at: 100).sends == 1)
    }

    @Test func boundsItsAnswers() {
        var d = D()
        var answers = 0
        for _ in 0..<1000 { answers += d.check(on: a, at: 10).sends }
        #expect(answers == 200)
        var forged = D.Options()
        forged.local.password = "wrong"
        for _ in 0..<1000 { d.check(on: b, at: 1050, forged) }
        #expect(d.check(on: a, at: 1100).sends == 1)
    }

    /// S11 and many interfaces: the table is bounded and the carrier is never pushed out.
    @Test func boundsItsPaths() {
        var d = D()
        d.check(on: a, at: 0, .init(priority: 500))
        for last in 0..<100 as Range<UInt32> {
            d.check(on: D.peer(last), at: Int64(last) * 10, .init(priority: 1))
        }
        #expect(d.agent.selected?.route == a)
        #expect((0..<100).count { d.agent.knows(D.peer(UInt32($0))) } == 15)
    }
}
