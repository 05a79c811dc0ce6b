import Synchronization
import Testing
import Wire

@testable import System

/// A name server in the test's hand: it counts questions and answers when it is told to.
final class FakeNames: Sendable {
    struct State: Sendable {
        var questions: [String] = []
        var answers: [String: Resolver.Answer] = [:]
        var time = Instant.start
    }

    let state = Mutex(State())
    /// Held while the name server is to be slow.
    let gate = Mutex(())

    func lookup(_ name: String) -> Resolver.Answer {
        gate.withLock { _ in
            state.withLock { state in
                state.questions.append(name)
                return state.answers[name] ?? .failed("no such name")
            }
        }
    }

    var questions: Int { state.withLock { $0.questions.count } }

    func pass(_ time: Interval) { state.withLock { $0.time = $0.time + time } }

    func resolver() throws -> Resolver {
        Resolver(
            pool: try WorkPool("dns-test", threads: 2), lookup: { self.lookup($0) },
            now: { self.state.withLock { $0.time } })
    }
}

struct ResolverTests {
    let names = FakeNames()

    /// Asks and waits for the answer.
    private func ask(_ name: String, _ resolver: Resolver) throws -> Resolver.Answer? {
        let mailbox = try Mailbox<Resolver.Answer>()
        resolver.resolve(name) { mailbox.post($0) }
        var poller = try Poller()
        _ = try poller.add(mailbox.bell, tag: 0)
        try poller.wait(.seconds(5))
        var answers: [Resolver.Answer] = []
        mailbox.collect(into: &answers)
        return answers.first
    }

    @Test func anAnswerIsKeptFor30Seconds() throws {
        let resolver = try names.resolver()
        let there = Resolver.Answer.addresses([loopback])
        names.state.withLock { $0.answers["camera"] = there }
        #expect(try ask("camera", resolver) == there)
        names.pass(.milliseconds(29_999))
        #expect(try ask("camera", resolver) == there)
        #expect(names.questions == 1)
        names.pass(.milliseconds(1))
        #expect(try ask("camera", resolver) == there)
        #expect(names.questions == 2)
    }

    @Test func aFailureIsKeptTwiceAsLongEachTimeUpToAMinute() throws {
        let resolver = try names.resolver()
        for (index, seconds) in [5, 10, 20, 40, 60, 60].enumerated() {
            #expect(try ask("nowhere", resolver) == .failed("no such name"))
            #expect(names.questions == index + 1)
            names.pass(.seconds(Int64(seconds)) - .milliseconds(1))
            #expect(try ask("nowhere", resolver) == .failed("no such name"))
            #expect(names.questions == index + 1, "still remembered")
            names.pass(.milliseconds(1))
        }
    }

    @Test func anAnswerEndsTheDoubling() throws {
        let resolver = try names.resolver()
        #expect(try ask("camera", resolver) == .failed("no such name"))
        names.pass(.seconds(5))
        names.state.withLock { $0.answers["camera"] = .addresses([loopback]) }
        #expect(try ask("camera", resolver) == .addresses([loopback]))
        names.pass(.seconds(30))
        names.state.withLock { $0.answers["camera"] = nil }
        #expect(try ask("camera", resolver) == .failed("no such name"))
        names.pass(.seconds(5))
        #expect(try ask("camera", resolver) == .failed("no such name"))
        #expect(names.questions == 4)
    }

    @Test func manyWhoAskMakeOneQuestion() throws {
        let resolver = try names.resolver()
        let mailbox = try Mailbox<Int>()
        names.gate.withLock { _ in
            for index in 0..<100 { resolver.resolve("camera") { _ in mailbox.post(index) } }
        }
        var poller = try Poller()
        _ = try poller.add(mailbox.bell, tag: 0)
        var all: [Int] = []
        var some: [Int] = []
        while all.count < 100 {
            try poller.wait(.seconds(5))
            guard poller.next() != nil else { break }
            mailbox.bell.awake()
            mailbox.collect(into: &some)
            all += some
        }
        #expect(all == Array(0..<100))
        #expect(names.questions == 1)
    }

    @Test func anAddressNeedsNoQuestion() throws {
        let resolver = try names.resolver()
        #expect(try ask("[::1]", resolver) == .addresses([Address(high: 0, low: 1, port: 0)]))
        #expect(try ask("127.0.0.1", resolver) == .addresses([loopback]))
        #expect(names.questions == 0)
    }

    @Test(arguments: ["", String(repeating: "a", count: 254)])
    func whatIsNoNameIsRefused(_ name: String) throws {
        let resolver = try names.resolver()
        guard case .failed = try ask(name, resolver) else {
            Issue.record("not refused")
            return
        }
        #expect(names.questions == 0)
    }

    /// Peers name hosts, too: the memory for names is bounded, and the oldest make room.
    @Test func theMemoryForNamesIsBounded() throws {
        let resolver = try names.resolver()
        for number in 0..<Resolver.namesMaximum + 10 {
            names.pass(.milliseconds(1))
            #expect(try ask("host\(number)", resolver) == .failed("no such name"))
        }
        let before = names.questions
        #expect(try ask("host\(Resolver.namesMaximum)", resolver) == .failed("no such name"))
        #expect(names.questions == before, "a young one is still known")
        #expect(try ask("host0", resolver) == .failed("no such name"))
        #expect(names.questions == before + 1, "the oldest is not")
    }

    /// Files and literals only: it needs no network.
    @Test func theHostKnowsItself() throws {
        guard case .addresses(let addresses) = Resolver.askSystem("localhost") else {
            Issue.record("localhost has no address")
            return
        }
        #expect(addresses.allSatisfy { $0.kind == .loopback })
        #expect(!addresses.isEmpty)
    }
}
