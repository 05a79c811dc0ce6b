import Settings
import Stream
import System
import Testing
import Wire

@testable import Gateway

/// Sockets for datagrams beside the port of WebRTC, on real workers.
struct LinesTests {
    private static let loopback = Address(ipv4: 0x7f00_0001, port: 0)

    /// Sends back what comes, and counts it; what begins with `t` sets its deadline.
    private final class Echo: LineOwner {
        let queue = DatagramQueue()
        var expired = 0
        var ended = false

        func receive(_ batch: inout ReceiveSlab, on line: DatagramLine, at worker: Worker) {
            guard let lines = line.lines else { return }
            while batch.next() {
                let (source, hit) = (batch.source, batch.destination)
                batch.withBytes { bytes in
                    queue.append(bytes.bytes, on: line.number, to: source, from: hit)
                    if bytes.bytes.byte(at: 0) == UInt8(ascii: "t") {
                        worker.setDeadline(of: lines, worker.now + .milliseconds(5))
                    }
                }
            }
            worker.wantFlush(lines)
        }

        func expire(_ lines: LineSet, at worker: Worker) { expired += 1 }

        func end(_ lines: LineSet, at worker: Worker) {
            ended = true
            worker.close(lines)
        }
    }

    private static let served = ServedLine("echo") { _ in
        let echo = Echo()
        return LineSet("echo", owner: echo, queue: echo.queue, isListening: true)
    }

    /// What has come within a second.
    private func hear(_ count: Int, _ socket: borrowing UDPSocket) -> [[UInt8]] {
        var slab = ReceiveSlab()
        var heard: [[UInt8]] = []
        let end = Clock.now + .seconds(1)
        while heard.count < count, Clock.now < end {
            guard (try? socket.receive(into: &slab)) == true else { continue }
            while slab.next() {
                slab.withBytes { heard.append([UInt8](copying: $0.bytes)) }
            }
        }
        return heard
    }

    private func crew(
        _ line: consuming UDPSocket, limits: WorkerLimits = WorkerLimits()
    ) throws -> Crew {
        let parcel = Parcel(line.takeDescriptor())
        return try Crew(limits: limits) { plan in
            guard let descriptor = parcel.take() else { return }
            plan.lines.append(.init(Self.served, socket: descriptor))
        }
    }

    @Test func aProtocolListensAndAnswersFromTheAddressThatWasHit() throws {
        let listening = try UDPSocket(bind: .any(port: 0))
        let port = listening.localAddress.port
        let crew = try crew(listening)
        let client = try UDPSocket(bind: Self.loopback)
        let there = Address(ipv4: 0x7f00_0002, port: port)
        for byte in 0..<20 { client.send([UInt8(byte), 0].raw, to: there) }
        let heard = hear(20, client)
        #expect(heard == (0..<20).map { [UInt8($0), 0] })
        let counters = crew.ask { $0.counters }
        #expect(counters?.linesOpened == 1)
        #expect(counters?.datagramsIn == 20)
        #expect(counters?.datagramsOut == 20)
        crew.stop()
    }

    @Test func anOwnerIsCalledAtItsDeadlineAndAtTheEnd() throws {
        let listening = try UDPSocket(bind: Self.loopback)
        let there = listening.localAddress
        let crew = try crew(listening)
        let client = try UDPSocket(bind: Self.loopback)
        client.send([UInt8(ascii: "t")].raw, to: there)
        _ = hear(1, client)
        let end = Clock.now + .seconds(2)
        var expired: Int? = 0
        while expired == 0, Clock.now < end {
            expired = crew.ask { worker in
                var count = 0
                worker.lineSets.forEach { count += ($0.owner as? Echo)?.expired ?? 0 }
                return count
            }
        }
        #expect(expired == 1)
        let open = crew.ask { worker in
            worker.endLines()
            return worker.lines.count + worker.lineSets.count
        }
        #expect(open == 0, "closed, with nothing left")
        crew.stop()
    }

    @Test func portsAreOpenedAtRunTimeWithinBounds() throws {
        var limits = WorkerLimits()
        limits.lines = 4
        let crew = try crew(try UDPSocket(bind: Self.loopback), limits: limits)
        let results = crew.ask { worker -> [String] in
            let echo = Echo()
            let lines = LineSet("own", owner: echo, queue: echo.queue)
            guard let range = PortRange(24_120, 24_123) else { return [] }
            var results: [String] = []
            for _ in 0..<2 {
                do throws(Refusal) {
                    let port = try worker.openPair(
                        0, in: range, at: Self.loopback, setting: "test.ports", of: lines)
                    results.append("\(port % 2)")
                } catch {
                    results.append("\(error.code)")
                }
            }
            worker.close(lines)
            results.append("\(worker.lines.count)")
            return results
        }
        // One is listening, two are the pair's, and two more would be five.
        #expect(results == ["0", "tooMany", "1"])
        #expect(crew.ask { $0.counters.linesRefused } == 1)
        crew.stop()
    }

    @Test func aRangeThatIsAllTakenNamesItsSetting() throws {
        let range = try #require(PortRange(24_126, 24_127))
        let taken = try UDPSocket(bind: Self.loopback.with(port: 24_127))
        let crew = try Crew()
        let sentence = crew.ask { worker -> String in
            let echo = Echo()
            let lines = LineSet("own", owner: echo, queue: echo.queue)
            do throws(Refusal) {
                _ = try worker.openPair(
                    0, in: range, at: Self.loopback, setting: "test.ports", of: lines)
                return "opened"
            } catch {
                return error.sentence
            }
        }
        #expect(sentence?.contains("24126-24127 are taken: widen test.ports") == true)
        _ = consume taken
        crew.stop()
    }

    /// What a closed line still had to send is forgotten, and the others go on.
    @Test func aLineThatWasClosedDoesNotHoldUpTheOthers() throws {
        let client = try UDPSocket(bind: Self.loopback)
        let there = client.localAddress
        let crew = try Crew()
        crew.ask { worker in
            let echo = Echo()
            let lines = LineSet("own", owner: echo, queue: echo.queue)
            guard let first = try? worker.openLine(0, at: Self.loopback, of: lines),
                (try? worker.openLine(1, at: Self.loopback, of: lines)) != nil
            else { return }
            echo.queue.append([1].raw, on: 0, to: there)
            echo.queue.append([2].raw, on: 1, to: there)
            worker.close(first)
            worker.wantFlush(lines)
            worker.flushLines()
        }
        #expect(hear(1, client) == [[2]])
        crew.stop()
    }
}
