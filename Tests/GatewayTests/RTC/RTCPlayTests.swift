import Browser
import ICE
import Stream
import System
import Testing
import Wire

@testable import Gateway

/// From one browser to another, through real workers and sockets.
@Suite(.serialized) struct RTCPlayTests {
    /// A publisher that is connected and whose packets have begun to flow.
    static func publisher(
        _ crew: RTCCrew, _ name: String, via worker: Int = 0, tcp: Int? = nil
    ) throws -> SocketBrowser {
        let browser = try crew.browser(.publish, name, at: worker, via: [worker], tcp: tcp)
        try #require(try browser.run { browser.isConnected })
        let isLive = try browser.run(media: true) {
            crew.crew.hub.snapshots.contains { $0.name == name && $0.isReady }
        }
        try #require(isLive)
        return browser
    }

    /// Both live; until the viewer has seen so many packets.
    static func play(
        _ publisher: SocketBrowser, to viewer: SocketBrowser, packets: Int = 50
    ) throws -> [Int] {
        let end = Clock.now + .seconds(8)
        while viewer.fake.numbers.count < packets, Clock.now < end {
            try publisher.run(.milliseconds(10), media: true) { false }
            try viewer.run(.milliseconds(5)) { false }
        }
        return viewer.fake.numbers
    }

    static func isRow(_ numbers: [Int]) -> Bool {
        zip(numbers, numbers.dropFirst()).allSatisfy { $0 + 1 == $1 }
    }

    /// Publisher and viewer at every combination of two workers.
    @Test func aViewerSeesWhatIsPublished() throws {
        for (from, to) in [(0, 0), (0, 1), (1, 0)] {
            let crew = try RTCCrew(workers: 2)
            defer { crew.stop() }
            let publisher = try Self.publisher(crew, "live/a", via: from)
            let viewer = try crew.browser(.play, "live/a", at: 0, via: [to])
            let numbers = try Self.play(publisher, to: viewer)
            #expect(numbers.count >= 50)
            #expect(Self.isRow(numbers))
            let counters = try crew.counters()
            #expect(counters.rtcConnected == 2)
            #expect(counters.rtcForwarded == 0)
        }
    }

    @Test func aPlayerIsToldToComeBackWhenNobodyPublishes() throws {
        let crew = try RTCCrew()
        defer { crew.stop() }
        guard case .refused(.noPublisher(let after)) = try crew.open(.play, "live/a") else {
            Issue.record("not refused")
            return
        }
        #expect(after == .seconds(2))
        #expect(crew.directory.counts.sessions == 0)
    }

    /// Deleted by its name, at a worker that does not have it.
    @Test func aSessionEndsFromAnyWorker() throws {
        let crew = try RTCCrew(workers: 2)
        defer { crew.stop() }
        let publisher = try Self.publisher(crew, "live/a", via: 1)
        let viewer = try crew.browser(.play, "live/a", at: 0, via: [0])
        _ = try Self.play(publisher, to: viewer)
        for (browser, worker) in [(viewer, 1), (publisher, 0)] {
            let id = browser.id
            let isFound = crew.crew.ask(worker) { worker in
                let found = Locked(false)
                worker.closeRTC(id) { answer in found.withLock { $0 = answer } }
                return found.withLock { $0 }
            }
            #expect(isFound == true)
            try browser.run { browser.fake.saidGoodbye }
            #expect(browser.fake.saidGoodbye)
        }
        #expect(crew.directory.counts.sessions == 0)
        #expect(try crew.counters().rtcLeft == 2)
    }

    /// WHEP's switch of the source: asked for at another worker than the session's.
    @Test func aViewerChangesTheStreamAndStaysConnected() throws {
        let crew = try RTCCrew(workers: 2)
        defer { crew.stop() }
        let first = try Self.publisher(crew, "live/a", via: 0)
        let second = try Self.publisher(crew, "live/b", via: 1)
        let viewer = try crew.browser(.play, "live/a", via: [0])
        let before = try Self.play(first, to: viewer).count
        let id = viewer.id
        let answers = Locked<[Refusal?]>([])
        for name in ["live/none", "live/b"] {
            _ = crew.crew.ask(1) { worker in
                let local = GateRequest(peer: Address(ipv4: 0x7f00_0001, port: 9))
                worker.switchRTC(id, to: name, Credential(), local) { answer in
                    answers.withLock { $0.append(answer) }
                }
            }
        }
        let end = Clock.now + .seconds(8)
        while viewer.fake.numbers.count < before + 50, Clock.now < end {
            try second.run(.milliseconds(10), media: true) { false }
            try viewer.run(.milliseconds(5)) { false }
        }
        #expect(answers.withLock { $0.map(\.?.code) } == [.notFound, nil])
        #expect(viewer.fake.numbers.count >= before + 50)
        // One SSRC for both: no new session.
        #expect(viewer.fake.sources.count == 1)
        #expect(try crew.counters().rtcConnected == 3)
    }

    /// A phone leaves the Wi-Fi: its next check comes from elsewhere, to another worker.
    @Test func aViewerMayMove() throws {
        let crew = try RTCCrew(workers: 2)
        defer { crew.stop() }
        let publisher = try Self.publisher(crew, "live/a", via: 0)
        let viewer = try crew.browser(.play, "live/a", via: [0, 1])
        let before = try Self.play(publisher, to: viewer).count
        try viewer.move()
        let end = Clock.now + .seconds(12)
        while viewer.fake.numbers.count < before + 20, Clock.now < end {
            try publisher.run(.milliseconds(10), media: true) { false }
            try viewer.run(.milliseconds(5)) { false }
        }
        #expect(viewer.fake.numbers.count >= before + 20)
    }

    /// A NAT gives the peer another port, and it says who it is by its keys alone: at the worker of
    /// its session, and at another one.
    @Test(arguments: [0, 1]) func aPeerBehindANewPortIsFound(ingress: Int) throws {
        let crew = try RTCCrew(workers: 2)
        defer { crew.stop() }
        let publisher = try Self.publisher(crew, "live/a", via: 0)
        let viewer = try crew.browser(.play, "live/a", via: [0])
        _ = try Self.play(publisher, to: viewer)
        try publisher.move()
        publisher.holdsChecks = true
        publisher.redirect = crew.ports[ingress]
        let before = viewer.fake.numbers.count
        _ = try Self.play(publisher, to: viewer, packets: before + 50)
        #expect(viewer.fake.numbers.count >= before + 50)
        #expect(try crew.counters().rtcStrays == 1)
    }

    /// Thirty handshakes at once: they wait for each other, and all are done.
    @Test func joinsWaitForEachOther() throws {
        let crew = try RTCCrew()
        defer { crew.stop() }
        let publisher = try Self.publisher(crew, "live/a")
        let viewers = try (0..<30).map { _ in try crew.browser(.play, "live/a") }
        let end = Clock.now + .seconds(10)
        while !viewers.allSatisfy(\.isConnected), Clock.now < end {
            for viewer in viewers { try viewer.run(.milliseconds(1)) { false } }
            try publisher.run(.milliseconds(1), media: true) { false }
        }
        #expect(viewers.count { $0.isConnected } == 30)
        #expect(try crew.counters().rtcDropped == 0)
    }

    /// Two hundred come and go: sessions, routes, keys and places in the directory are given back.
    @Test func nothingStaysOfThoseWhoLeft() throws {
        let crew = try RTCCrew()
        defer { crew.stop() }
        let publisher = try Self.publisher(crew, "live/a")
        for round in 0..<20 {
            let viewers = try (0..<10).map { _ in try crew.browser(.play, "live/a") }
            for viewer in viewers { try viewer.run { viewer.isConnected } }
            try publisher.run(.milliseconds(20), media: true) { false }
            for viewer in viewers {
                let id = viewer.id
                _ = crew.crew.ask { worker in worker.closeRTC(id) { _ in } }
            }
            #expect(crew.directory.counts.sessions == 1, "after round \(round)")
        }
        let left = crew.crew.ask { (worker) -> [Int] in
            guard let rtc = worker.rtc else { return [] }
            return [
                rtc.peers.count, rtc.bySlot.count, rtc.routeCount, rtc.strangers.entries.count,
                rtc.watched.count, rtc.postponed.count,
            ]
        }
        #expect(left == [1, 1, 1, 0, 0, 0])
        #expect(try crew.counters().rtcConnected == 201)
    }

    // MARK: ICE-TCP

    @Test func mediaGoesByTCPWhereUDPIsBlocked() throws {
        let crew = try RTCCrew()
        defer { crew.stop() }
        let publisher = try Self.publisher(crew, "live/a", tcp: 0)
        let viewer = try crew.browser(.play, "live/a", tcp: 0)
        let numbers = try Self.play(publisher, to: viewer)
        #expect(numbers.count >= 50)
        #expect(Self.isRow(numbers))
        #expect(try crew.counters().datagramsIn == 0)
    }

    /// The session was built where the first packets came; a connection that another worker has
    /// accepted is handed over, and answered from there.
    @Test func aConnectionGoesToTheWorkerOfItsSession() throws {
        let crew = try RTCCrew(workers: 2)
        defer { crew.stop() }
        let publisher = try Self.publisher(crew, "live/a", via: 0)
        let line = try Line(port: crew.tcpPorts[1])
        let request = try publisher.request()
        line.send([UInt8(request.count >> 8), UInt8(request.count & 255)] + request)
        let answer = try #require(line.receive())
        #expect(Array(answer[2..<4]) == [1, 1])
        #expect(try crew.counters().rtcPipesMoved == 1)
        #expect(crew.crew.ask(0) { $0.connections.count } == 1)
        #expect(crew.crew.ask(1) { $0.connections.count } == 0)
    }

    /// interop 15.5: the end of an ICE-TCP connection must not be the end of the server.
    @Test func aCutConnectionEndsNobodyElse() throws {
        let crew = try RTCCrew()
        defer { crew.stop() }
        let publisher = try Self.publisher(crew, "live/a")
        let first = try crew.browser(.play, "live/a", tcp: 0)
        let second = try crew.browser(.play, "live/a", tcp: 0)
        _ = try Self.play(publisher, to: first)
        _ = try Self.play(publisher, to: second, packets: 10)
        first.cut()
        let count = second.fake.numbers.count
        _ = try Self.play(publisher, to: second, packets: count + 50)
        #expect(second.fake.numbers.count >= count + 50)
    }

    /// A stranger on the port says something else than ICE: closed, and nothing is kept.
    @Test func whatIsNotICEIsClosed() throws {
        let crew = try RTCCrew()
        defer { crew.stop() }
        let line = try Line(port: crew.tcpPorts[0])
        line.send(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        #expect(line.receive() == nil)
        let forged = try Line(port: crew.tcpPorts[0])
        forged.send([0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + [UInt8](repeating: 1, count: 12))
        #expect(forged.receive() == nil)
    }
}
