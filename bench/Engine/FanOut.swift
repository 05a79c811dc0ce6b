import CYardstick
import System
import Wire

/// One payload to a thousand viewers over UDP, `perPeer` datagrams each: a run of 1 is what a
/// forwarded packet costs, a run of 8 a frame. Without encryption: only the way to the wire.
@safe final class FanOut: Contest {
    static let size = 1200
    static let peers = 1000
    /// Packets a receiver gets in one round: its socket must hold them, or dropping is measured.
    static let perRound = 40

    let name: String
    let units: Int
    private let perPeer: Int
    private let source: Address
    private let socket: UDPSocket
    private let destinations: [Address]
    private let receivers: [CInt]
    private let payload = [UInt8](repeating: 7, count: FanOut.size)
    private let plan: OpaquePointer
    private let drain: OpaquePointer
    private var batch = SendBatch()
    private var sender = BatchSender()
    private var expected: UInt64 = 0

    /// - Parameter source: Set: each datagram names the address it leaves from, ours only.
    init(perPeer: Int, source: Address = .any(port: 0), name: String, drainCPU: Int) throws {
        self.name = name
        self.perPeer = perPeer
        self.source = source
        units = FanOut.peers * FanOut.perRound
        var ports: [UInt16] = []
        var receivers: [CInt] = []
        for _ in 0..<FanOut.peers {
            var port: UInt16 = 0
            receivers.append(unsafe yardstick_udp_receiver(&port))
            ports.append(port)
        }
        self.receivers = receivers
        destinations = ports.map { Address(ipv4: 0x7f00_0001, port: $0) }
        let number = yardstick_udp_sender()
        socket = try UDPSocket(adopting: Descriptor(owning: number))
        unsafe plan = yardstick_fanout_new(
            number, 0, ports, UInt32(FanOut.peers), UInt32(perPeer), FanOut.size)
        unsafe drain = yardstick_drain_start(receivers, UInt32(FanOut.peers), CInt(drainCPU))
    }

    deinit {
        unsafe yardstick_drain_stop(drain)
        unsafe yardstick_fanout_free(plan)
    }

    func ours() throws {
        let payload = payload
        for _ in 0..<FanOut.perRound / perPeer {
            for destination in destinations {
                if !batch.fits(perPeer * FanOut.size, datagrams: perPeer) { flush() }
                batch.begin(to: destination, from: source)
                for _ in 0..<perPeer {
                    var window = ByteWriter(batch.window(FanOut.size))
                    window.write(payload.raw)
                    batch.commit(FanOut.size)
                }
            }
            flush()
        }
        expected += UInt64(units * FanOut.size)
    }

    private func flush() {
        var outcome = sender.send(batch, through: socket)
        while case .blocked(let place) = outcome {
            outcome = sender.send(batch, from: place, through: socket)
        }
        batch.clear()
    }

    func yardstick() throws {
        for _ in 0..<FanOut.perRound / perPeer {
            let sent = unsafe yardstick_fanout_send(plan, payload)
            if sent < 0 { throw SystemError(doing: "send", code: CInt(-sent)) }
        }
        expected += UInt64(units * FanOut.size)
    }

    func settle() {
        let end = Clock.now + .seconds(1)
        while unsafe yardstick_drain_bytes(drain) < expected, Clock.now < end {}
        // What the kernel dropped will not come; the next round counts from here.
        expected = unsafe yardstick_drain_bytes(drain)
    }
}
