import ICE
import Testing
import Wire

/// Validation, liveness, restart: what happens to a session over time.
struct LiteAgentLifeTests {
    typealias D = LiteDialogue
    let a = LiteDialogue.peer(100)
    let b = LiteDialogue.peer(101)

    /// A connected session whose media has just moved to `b`.
    func moved() -> D {
        var d = D()
        d.check(on: a, at: 0, .init(priority: 100))
        d.handshake(on: a, at: 10)
        d.check(on: b, at: 20, .init(priority: 200))
        return d
    }

    @Test func theHandshakeValidatesThePath() {
        var d = D()
        d.check(on: a, at: 0)
        #expect(d.agent.path(a)?.isValidated == false)
        #expect(d.handshake(on: a, at: 10).contains(.validated(a)))
        #expect(d.agent.path(a)?.isValidated == true)
    }

    @Test func anUnvalidatedPathGetsThreeTimesWhatCame() {
        var d = D()
        let request = d.request()
        _ = d.receive(request, on: a, at: 0)
        func admits(_ count: Int, _ route: Route) -> Bool {
            d.agent.admitSending(count, on: route)
        }
        #expect(admits(3 * request.count - d.sentBytes, a))
        #expect(!admits(1, a))
        d.heard(100, on: a, at: 1)
        #expect(admits(300, a))
        #expect(!admits(1, a))
        d.handshake(on: a, at: 2)
        #expect(admits(1_000_000, a))
        #expect(!admits(1, b), "unknown routes get nothing")
    }

    @Test func aMoveIsCheckedAndAnAnswerValidatesIt() throws {
        var d = moved()
        #expect(d.agent.selected?.route == b && d.agent.selected?.isValidated == false)
        let check = try #require(d.sent.first { $0.message.kind == .request })
        #expect(check.route == b && check.message.controlled != nil)
        #expect(
            check.message.username.map { Array(check.bytes[$0]) }
                == Array("peer:serverufrag0".utf8))

        let answer = d.answer(to: check.message)
        #expect(d.receive(answer, on: a, at: 30).isEmpty, "from elsewhere it proves nothing")
        let forged = d.answer(to: check.message, password: "x")
        #expect(d.receive(forged, on: b, at: 30).isEmpty)
        #expect(d.receive(answer, on: b, at: 60) == [.validated(b)])
        #expect(d.agent.selected?.roundTrip == .milliseconds(40))
        #expect(d.agent.deadline > .start + .seconds(5))
    }

    @Test func aReportThatEchoesValidatesToo() {
        var d = moved()
        d.out.clear()
        d.agent.echoed(on: b, at: .start + .milliseconds(50), into: &d.out)
        #expect(d.out.entries == [.validated(b)])
    }

    /// Nobody answers there: media goes back to the path that still lives, and what was sent to
    /// the new address never exceeded three times what came from it.
    @Test func withoutProofMediaGoesBack() {
        var d = moved()
        var sent = d.sent.filter { $0.route == b }.map(\.bytes.count).reduce(0, +)
        var returned: Route?
        for tick in 1...120 where returned == nil {
            d.heard(on: a, at: Int64(tick) * 50, isNewest: false)
            d.expire(at: Int64(tick) * 50)
            sent += d.sent.filter { $0.route == b }.map(\.bytes.count).reduce(0, +)
            returned = d.out.entries.selected
        }
        #expect(returned == a)
        #expect(sent <= 3 * (d.agent.path(b)?.bytesIn ?? 0) + 100)
    }

    /// The old path is dead as well: stay, within the limit; going back would help nobody.
    @Test func withoutAnAlternativeMediaStays() {
        var d = moved()
        for tick in 1...120 {
            d.expire(at: Int64(tick) * 50)
            #expect(d.out.entries.selected == nil)
        }
        #expect(d.agent.selected?.route == b)
    }

    @Test func endsWhenNobodyConnects() {
        var d = D()
        d.check(on: a, at: 14_000)
        #expect(d.agent.deadline == .start + .seconds(15))
        #expect(d.expire(at: 14_999).isEmpty)
        #expect(d.expire(at: 15_000) == [.ended(.neverConnected)])
        #expect(d.agent.deadline == .distantFuture)
        #expect(d.check(on: a, at: 15_100).isEmpty)
    }

    @Test func saysStaleThenRecoversOrEnds() {
        var d = D()
        d.check(on: a, at: 0)
        d.handshake(on: a, at: 0)
        #expect(d.agent.deadline == .start + .seconds(10))
        #expect(d.expire(at: 10_000) == [.stale])
        #expect(d.agent.deadline == .start + .seconds(30))
        #expect(d.heard(on: a, at: 11_000).contains(.recovered))
        #expect(d.expire(at: 21_000) == [.stale])
        #expect(d.expire(at: 41_000) == [.ended(.silent)])
    }

    /// The new credentials count from their first request; media stays until a nomination.
    @Test func restartsWithoutAGap() {
        var d = D()
        d.check(on: a, at: 0, .init(priority: 300))
        d.handshake(on: a, at: 10)
        let local = ICECredentials(ufrag: "serverufrag9", password: "anotherpassword012345678")
        let remote = ICECredentials(ufrag: "pee2", password: "peerpassword999999999")
        d.agent.restart(local: local, remote: remote)
        #expect(d.check(on: a, at: 20).sends == 1, "the old ones hold until then")

        let new = D.Options(nominates: false, priority: 1, local: local, remote: remote)
        #expect(d.check(on: b, at: 100, new).contains(.restarted))
        #expect(d.agent.selected?.route == a)
        #expect(d.check(on: a, at: 110).isEmpty, "and not any longer")
        let nominating = D.Options(priority: 1, local: local, remote: remote)
        #expect(d.check(on: b, at: 120, nominating).selected == b)
    }

    /// TCP proves the address by itself, and its end is known at once.
    @Test func aConnectionIsValidAndItsEndIsNoticed() {
        var d = D()
        let tcp = Route(remote: a.remote, local: D.server, connection: 5)
        d.check(on: tcp, at: 0)
        #expect(d.agent.selected?.isValidated == true)
        d.handshake(on: tcp, at: 10)
        d.check(on: b, at: 20, .init(priority: 1))
        #expect(d.agent.selected?.route == tcp)
        d.out.clear()
        d.agent.closed(connection: 5, at: .start + .milliseconds(30), into: &d.out)
        #expect(d.out.entries.selected == b)
        let check = d.sent.first { $0.message.kind == .request }
        #expect(check?.route == b, "nothing has proved this address yet")
        d.agent.closed(connection: 5, at: .start + .milliseconds(30), into: &d.out)
        #expect(d.agent.selected?.route == b)
    }

    /// A peer that never says USE-CANDIDATE has chosen by its handshake.
    @Test func theHandshakeSelectsWithoutNomination() {
        var d = D()
        d.check(on: a, at: 0, .init(nominates: false))
        #expect(d.agent.selected == nil)
        #expect(d.handshake(on: a, at: 10).selected == a)
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func survivesDamage(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var d = moved()
        for tick in 0..<1000 as Range<Int64> {
            var bytes = d.request()
            // Before the fingerprint: its own name may change without harm.
            let at = Int.random(in: 0..<bytes.count - 8, using: &random)
            bytes[at] ^= UInt8.random(in: 1...255, using: &random)
            let entries = d.receive(bytes, on: D.peer(200), at: 30 + tick)
            #expect(entries.isEmpty)
        }
        #expect(d.agent.selected?.route == b)
    }
}
