import Glibc
import Testing
import Wire

@testable import System

struct TCPSocketTests {
    private func read(_ socket: borrowing TCPSocket, _ maximum: Int = 65_536) throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: maximum)
        var span = buffer.mutableSpan
        var window = unsafe span.mutableBytes
        switch try socket.read(into: &window) {
        case .bytes(let count): return Array(buffer.prefix(count))
        case .empty: return []
        case .end: return nil
        }
    }

    private func readAll(_ socket: borrowing TCPSocket, _ count: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        let end = Clock.now + .seconds(2)
        while all.count < count, Clock.now < end {
            guard let more = try read(socket) else { break }
            all += more
        }
        return all
    }

    @Test func connectsAcceptsAndTalks() throws {
        var listener = try TCPListener(bind: loopback)
        let client = try TCPSocket(connectingTo: listener.localAddress)
        var poller = try Poller()
        _ = try poller.add(listener, tag: 0)
        try poller.wait(.seconds(1))
        guard let accepted = try listener.accept() else {
            Issue.record("nobody came")
            return
        }
        let peer = accepted.peer
        let server = accepted.takeSocket()
        let clientAddress = client.localAddress
        let failure = client.error("connect")
        #expect(peer == clientAddress)
        #expect(failure == nil)
        var outbox = Outbox()
        outbox.append("hello, ")
        outbox.append(Chunk(Array("world".utf8)))
        let isDone = try client.write(&outbox)
        #expect(isDone)
        #expect(try readAll(server, 12) == Array("hello, world".utf8))
        client.finishSending()
        #expect(try read(server) == nil)
        let more = try listener.accept() == nil
        #expect(more)
    }

    @Test func aFullSocketLeavesTheRestInTheOutbox() throws {
        let pair = try TCPSocket.pair()
        var outbox = Outbox(limit: 8 * 1024 * 1024)
        let sent = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        outbox.append(Chunk(sent))
        var received: [UInt8] = []
        var blocks = 0
        while try !pair.first.write(&outbox) {
            blocks += 1
            received += try readAll(pair.second, 1)
        }
        received += try readAll(pair.second, sent.count - received.count)
        #expect(blocks > 0)
        #expect(received == sent)
    }

    @Test func aDeadPortSaysSo() throws {
        let port: Address
        do {
            let listener = try TCPListener(bind: loopback)
            port = listener.localAddress
        }
        let client = try TCPSocket(connectingTo: port)
        var poller = try Poller()
        _ = try poller.add(client, .write, tag: 0)
        try poller.wait(.seconds(1))
        let isBroken = poller.next()?.isBroken
        let error = client.error("connect to \(port)")
        #expect(isBroken == true)
        #expect(error?.code == ECONNREFUSED)
        #expect(error?.description.contains("nothing listens there") == true)
    }

    @Test func writingToAClosedPeerIsAnErrorAndNoSignal() throws {
        let pair = try TCPSocket.pair()
        var first: TCPSocket? = pair.takeFirst()
        guard let socket = first.take() else { return }
        var outbox = Outbox()
        outbox.append([1])
        #expect(throws: SystemError.self) { try socket.write(&outbox) }
    }
}
