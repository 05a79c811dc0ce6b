import CYardstick
import System
import Wire

/// A socket, and as many receivers on this machine that a thread on the other core empties.
@safe final class Outlet {
    let ports: [UInt16]
    let destinations: [Address]
    /// The socket's number, for the yardstick.
    let number: CInt
    private let socket: UDPSocket
    private var sender = BatchSender()
    private let receivers: [CInt]
    private let drain: OpaquePointer
    private(set) var expected: UInt64 = 0

    init(receivers count: Int) throws {
        var (ports, receivers): ([UInt16], [CInt]) = ([], [])
        for _ in 0..<count {
            var port: UInt16 = 0
            receivers.append(unsafe yardstick_udp_receiver(&port))
            ports.append(port)
        }
        self.ports = ports
        self.receivers = receivers
        destinations = ports.map { Address(ipv4: 0x7f00_0001, port: $0) }
        number = yardstick_udp_sender()
        socket = try UDPSocket(adopting: Descriptor(owning: number))
        unsafe drain = yardstick_drain_start(receivers, UInt32(count), 1)
    }

    deinit { unsafe yardstick_drain_stop(drain) }

    func send(_ batch: borrowing SendBatch) {
        expected += UInt64(batch.byteCount)
        var outcome = sender.send(batch, through: socket)
        while case .blocked(let place) = outcome {
            outcome = sender.send(batch, from: place, through: socket)
        }
    }

    /// Waits until the receivers have taken what was sent, so that both sides begin alike. What the
    /// kernel dropped will not come.
    func settle(_ bytes: UInt64 = 0) {
        expected += bytes
        let end = Clock.now + .milliseconds(200)
        while unsafe yardstick_drain_bytes(drain) < expected, Clock.now < end {}
        expected = unsafe yardstick_drain_bytes(drain)
    }
}
