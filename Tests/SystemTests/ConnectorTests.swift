import Glibc
import Synchronization
import Testing
import Wire

@testable import System

struct ConnectorTests {
    /// One worker's share of the loop, for one attempt.
    private struct Office: ~Copyable {
        let names: FakeNames
        let bell: Bell
        var poller: Poller
        var connector: Connector

        init() throws {
            let names = FakeNames()
            let bell = try Bell()
            let resolver = try names.resolver()
            var poller = try Poller()
            _ = try poller.add(bell, tag: 0)
            self.names = names
            self.bell = bell
            self.poller = poller
            connector = Connector(resolver: resolver, bell: bell, tag: 1)
        }

        mutating func run() throws -> Connector.Finished? {
            let end = Clock.now + .seconds(5)
            while Clock.now < end {
                connector.advance(at: Clock.now, in: &poller)
                if let finished = connector.next() { return finished }
                try poller.wait(.milliseconds(100))
                while let event = poller.next() {
                    if event.tag == 0 { bell.awake() }
                    if event.tag == 1 { connector.receive(event, at: Clock.now, in: &poller) }
                }
            }
            return nil
        }
    }

    private func closedPort() throws -> UInt16 {
        let listener = try TCPListener(bind: loopback)
        return listener.localAddress.port
    }

    @Test func connectsToTheFirstAddressThatAnswers() throws {
        var office = try Office()
        var listener = try TCPListener(bind: loopback)
        let port = listener.localAddress.port
        // 127.0.0.2 has nobody at that port: the listener is bound to 127.0.0.1 alone.
        let answer = Resolver.Answer.addresses([
            Address(ipv4: 0x7f00_0002, port: 0), loopback,
        ])
        office.names.state.withLock { $0.answers["camera"] = answer }
        let ticket = office.connector.connect(
            to: .init(host: "camera", port: port), allowedBy: .config, at: Clock.now)
        guard let finished = try office.run() else {
            Issue.record("nothing happened")
            return
        }
        #expect(finished.ticket == ticket)
        #expect(finished.result == .success(loopback.with(port: port)))
        let isOpen = finished.takeSocket() != nil
        #expect(isOpen)
        let registered = office.poller.registered
        #expect(registered == 1, "only the bell is left in the poller")
        let came = try listener.accept() != nil
        #expect(came)
    }

    @Test func aDeadPortSaysWhatIsWrong() throws {
        var office = try Office()
        let port = try closedPort()
        _ = office.connector.connect(
            to: .init(host: "127.0.0.1", port: port), allowedBy: .config, at: Clock.now)
        let result = try office.run()?.result
        let failure = Connector.Failure.unreachable(loopback.with(port: port), code: ECONNREFUSED)
        #expect(result == .failure(failure))
        #expect(failure.description.contains("nothing listens there"))
    }

    @Test func anAddressThatIsNotAllowedIsNotTouched() throws {
        var office = try Office()
        var listener = try TCPListener(bind: loopback)
        let port = listener.localAddress.port
        _ = office.connector.connect(
            to: .init(host: "127.0.0.1", port: port), allowedBy: .admin, at: Clock.now)
        let result = try office.run()?.result
        #expect(result == .failure(.forbidden(loopback.with(port: port), .loopback)))
        let nobody = try listener.accept() == nil
        #expect(nobody)
    }

    @Test func aNameWithoutAddressSaysSo() throws {
        var office = try Office()
        _ = office.connector.connect(
            to: .init(host: "nowhere", port: 1), allowedBy: .config, at: Clock.now)
        let result = try office.run()?.result
        #expect(result == .failure(.name("nowhere", reason: "no such name")))
    }

    @Test func udpIsResolvedAndJudgedOnly() throws {
        var office = try Office()
        _ = office.connector.connect(
            to: .init(host: "192.0.2.1", port: 5060, transport: .udp), allowedBy: .config,
            at: Clock.now)
        guard let finished = try office.run() else {
            Issue.record("nothing happened")
            return
        }
        #expect(finished.result == .success(Address(ipv4: 0xc000_0201, port: 5060)))
        let hasSocket = finished.takeSocket() != nil
        #expect(!hasSocket)
    }

    /// A name server that hangs: the caller gives up after 3 s, on a clock we hold.
    @Test func waitsForANameNoLongerThan3Seconds() throws {
        let names = FakeNames()
        let resolver = try names.resolver()
        var poller = try Poller()
        var connector = Connector(resolver: resolver, bell: try Bell(), tag: 1)
        try names.gate.withLock { _ in
            _ = connector.connect(
                to: .init(host: "slow", port: 1), allowedBy: .config, at: .start)
            #expect(connector.deadline == .start + .seconds(3))
            connector.advance(at: .start + .milliseconds(2999), in: &poller)
            #expect(connector.next()?.ticket == nil)
            connector.advance(at: .start + .seconds(3), in: &poller)
            let result = connector.next()?.result
            #expect(result == .failure(.name("slow", reason: "no answer")))
            #expect(connector.deadline == .distantFuture)
            _ = try Bell()
        }
    }

    /// A cancelled attempt leaves nothing behind: neither result nor registration.
    @Test func aCancelledAttemptIsGone() throws {
        var office = try Office()
        let ticket = office.connector.connect(
            to: .init(host: "192.0.2.1", port: 9), allowedBy: .config, at: .start)
        office.connector.advance(at: .start, in: &office.poller)
        office.connector.cancel(ticket, in: &office.poller)
        let registered = office.poller.registered
        let finished = office.connector.next()?.ticket
        #expect(registered == 1)
        #expect(finished == nil)
    }

    @Test(arguments: [
        ("127.0.0.1", true, false), ("::1", true, false), ("169.254.169.254", false, false),
        ("169.254.0.1", true, false), ("10.1.2.3", true, true), ("203.0.113.9", true, true),
        ("239.0.0.1", false, false), ("0.0.0.0", false, false), ("255.255.255.255", false, false),
        ("::ffff:127.0.0.1", true, false),
    ])
    func rulesByWhoNamedTheAddress(_ text: String, config: Bool, admin: Bool) throws {
        let address = try #require(Address(ip: text, port: 554))
        #expect(OutboundRule.config.allows(address) == config)
        #expect(OutboundRule.admin.allows(address) == admin)
    }

    @Test func aPeerMayNameOnlyItself() throws {
        let peer = Address(ipv4: 0xcb00_7109, port: 5060)
        let rule = OutboundRule.peer(peer)
        #expect(rule.allows(peer.with(port: 30_000)))
        #expect(!rule.allows(Address(ipv4: 0xcb00_710a, port: 5060)))
        #expect(!OutboundRule.peer(loopback).allows(loopback))
    }
}
