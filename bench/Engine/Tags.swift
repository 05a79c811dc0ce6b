import CYardstick
import System
import Wire

/// One stream to a thousand viewers over TCP: a small head of each viewer's own and a body that
/// all share, one write each, as a tag of HTTP-FLV leaves.
@safe final class Tags: Contest {
    static let viewers = 1000
    static let perRound = 4

    let name: String
    let units = Tags.viewers * Tags.perRound
    private let sockets: [Viewer]
    private let numbers: [CInt]
    private let receivers: [CInt]
    private let head = [UInt8](repeating: 1, count: 16)
    private let body: Chunk
    private let drain: OpaquePointer
    private var expected: UInt64 = 0

    private final class Viewer {
        let socket: TCPSocket
        var outbox = Outbox()

        init(_ number: CInt) throws { socket = try TCPSocket(adopting: Descriptor(owning: number)) }

        func send(_ head: [UInt8], _ body: Chunk) throws {
            outbox.append(head.raw)
            outbox.append(body)
            _ = try socket.write(&outbox)
        }
    }

    init(size: Int, drainCPU: Int) throws {
        name = "TCP, \(size) B to \(Tags.viewers), one write each"
        body = Chunk([UInt8](repeating: 2, count: size))
        var numbers: [CInt] = []
        var receivers: [CInt] = []
        for _ in 0..<Tags.viewers {
            var pair: [CInt] = [0, 0]
            let result = unsafe yardstick_tcp_pair(&pair)
            if result < 0 { throw SystemError(doing: "connect a viewer", code: -result) }
            numbers.append(pair[0])
            receivers.append(pair[1])
        }
        self.numbers = numbers
        self.receivers = receivers
        sockets = try numbers.map { try Viewer($0) }
        unsafe drain = yardstick_drain_start(receivers, UInt32(receivers.count), CInt(drainCPU))
    }

    deinit { unsafe yardstick_drain_stop(drain) }

    func ours() throws {
        for _ in 0..<Tags.perRound {
            for viewer in sockets { try viewer.send(head, body) }
        }
        expected += UInt64(units * (head.count + body.count))
    }

    func yardstick() throws {
        for _ in 0..<Tags.perRound {
            let sent = unsafe body.bytes.withUnsafeBytes {
                unsafe yardstick_write_all(
                    numbers, UInt32(numbers.count), head, head.count, $0.baseAddress, $0.count)
            }
            if sent < 0 { throw SystemError(doing: "write", code: CInt(-sent)) }
        }
        expected += UInt64(units * (head.count + body.count))
    }

    func settle() {
        let end = Clock.now + .seconds(5)
        while unsafe yardstick_drain_bytes(drain) < expected, Clock.now < end {}
    }
}
