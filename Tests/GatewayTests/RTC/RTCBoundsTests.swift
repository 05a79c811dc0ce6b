import Browser
import Crypto
import ICE
import SDP
import Stream
import System
import Testing
import Wire

@testable import Gateway

/// What strangers cannot do.
@Suite(.serialized) struct RTCBoundsTests {
    /// A request that looks right and is signed with a password that is not ours.
    static func forged(_ ufrag: String) -> [UInt8] {
        var bytes: [UInt8] = []
        let builder = STUNBuilder(.request, TransactionID(high: 1, low: 2), into: &bytes)
        builder.username(Array("\(ufrag):abcd".utf8).raw, into: &bytes)
        builder.finish(key: HMACSHA1(key: Array("guess".utf8).raw), into: &bytes)
        return bytes
    }

    static func send(_ crew: RTCCrew, _ packets: [[UInt8]]) throws -> Int {
        let socket = try UDPSocket(bind: Address(ipv4: 0x7f00_0001, port: 0))
        var poller = try Poller()
        _ = try poller.add(socket, tag: 0)
        for packet in packets {
            socket.send(packet.raw, to: Address(ipv4: 0x7f00_0001, port: crew.ports[0]))
        }
        try poller.wait(.milliseconds(200))
        var slab = ReceiveSlab()
        var count = 0
        while try socket.receive(into: &slab) { while slab.next() { count += 1 } }
        return count
    }

    @Test func forgedRequestsAreCountedAndNothingElse() throws {
        let crew = try RTCCrew()
        defer { crew.stop() }
        guard case .accepted(let answer) = try crew.open(.publish, "live/a") else { return }
        let browser = try SocketBrowser(answer, ports: crew.ports)
        let ours = browser.answer.transport(of: try #require(browser.answer.medias.first))
        let ufrag = try #require(ours.ufrag)
        var packets = (0..<100).map { _ in Self.forged(ufrag) }
        packets += (0..<100).map { _ in Self.forged("AAAAAAAAAAAAAAAAAAAAAAAA") }
        packets += (0..<100).map { [22, 254, 253] + [UInt8](repeating: $0, count: 30) }
        packets += (0..<100).map { [0x80, 96] + [UInt8](repeating: $0, count: 30) }
        #expect(try Self.send(crew, packets) == 0)
        let areCounted = RunningGateway.until {
            (try? crew.counters().datagramsUnknown) == 400
        }
        #expect(areCounted)
        #expect(try crew.counters().rtcJoins == 0)
        #expect(crew.crew.ask { $0.rtc?.strangers.entries.count } == 0)
    }

    @Test func anExpiredTicketOpensNothing() throws {
        let crew = try RTCCrew()
        defer { crew.stop() }
        guard case .accepted(let answer) = try crew.open(.publish, "live/a") else { return }
        _ = crew.crew.ask { worker in
            worker.rtc.map { $0.expireOffers(at: Clock.now + .seconds(16)) }
        }
        #expect(crew.directory.counts.sessions == 0)
        let browser = try SocketBrowser(answer, ports: crew.ports)
        try browser.run(.milliseconds(500)) { browser.isConnected }
        #expect(!browser.isConnected)
        #expect(try crew.counters().rtcJoins == 0)
    }

    /// Known before the answer: an encoder is told, and not connected first.
    @Test func aNameInUseIsRefusedAtOnce() throws {
        let crew = try RTCCrew()
        defer { crew.stop() }
        _ = try RTCPlayTests.publisher(crew, "live/a")
        guard case .refused(.refusal(let refusal)) = try crew.open(.publish, "live/a") else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.code == .nameInUse)
    }

    @Test func theLimitIsNamedInTheRefusal() throws {
        var limits = RTCLimits()
        limits.waitingPerSource = 2
        let crew = try RTCCrew(limits: limits)
        defer { crew.stop() }
        for _ in 0..<2 { _ = try crew.open(.publish, "live/a") }
        guard case .refused(.refusal(let refusal)) = try crew.open(.publish, "live/a") else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.code == .tooMany)
        #expect(refusal.sentence.contains("limits.pending-sessions-per-source"))
    }

    @Test func aWrongKeyOpensNothing() throws {
        let crew = try RTCCrew()
        defer { crew.stop() }
        let stranger = Address(ipv4: 0xcb00_7107, port: 9)
        for role in [Offer.Role.publish, .play] {
            guard
                case .refused(.refusal(let refusal)) = try crew.open(
                    role, "live/a", peer: stranger)
            else {
                Issue.record("not refused")
                continue
            }
            #expect(refusal.code == .unauthenticated)
        }
        #expect(crew.directory.counts.sessions == 0)
    }
}
