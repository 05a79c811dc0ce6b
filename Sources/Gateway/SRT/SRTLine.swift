import SRTPort
import System
import Wire

/// One connection of libsrt, and the pair of sockets by which a worker has it.
final class SRTLine {
    let id: UInt64
    let socket: SRTSocket
    let peer: Address
    /// Media comes from the peer.
    let isIncoming: Bool
    /// We called, and the peer has not said yes yet.
    var isCalling: Bool
    let isOurs: Bool
    private let worker: TCPSocket
    /// What has come and its worker has not taken; then no more is read from libsrt.
    private var incoming = Outbox(limit: 1 << 20)
    /// What its worker has said and libsrt has not taken; then no more is read from the worker.
    private var outgoing: [UInt8] = []
    private var sent = 0

    init(
        _ id: UInt64, _ socket: SRTSocket, _ peer: Address, isIncoming: Bool, isOurs: Bool,
        worker: consuming TCPSocket
    ) {
        self.id = id
        self.socket = socket
        self.peer = peer
        self.isIncoming = isIncoming
        self.isOurs = isOurs
        isCalling = isOurs
        self.worker = worker
    }

    var descriptor: CInt { worker.number }

    enum Outcome: Equatable { case goesOn, peerGone, workerGone }

    /// What libsrt reads at a time: a burst after a loss is some hundred messages.
    private static let messagesPerTurn = 64

    /// The peer has something.
    func receive(_ engine: SRTEngine, _ buffer: inout [UInt8]) -> Outcome {
        var outcome = Outcome.goesOn
        for _ in 0..<Self.messagesPerTurn where incoming.isEmpty || incoming.byteCount < 1 << 18 {
            var span = buffer.mutableSpan
            var window = unsafe span.mutableBytes
            guard let count = engine.receive(from: socket, into: &window) else {
                outcome = .peerGone
                break
            }
            guard count > 0 else { break }
            // A player may say something as well; nobody listens.
            if isIncoming { incoming.append(buffer.raw.extracting(0..<count)) }
        }
        guard isIncoming else { return outcome }
        let written = pass(engine)
        return outcome == .goesOn ? written : outcome
    }

    /// A call was taken.
    func greet(_ greeting: [UInt8], _ engine: SRTEngine) -> Outcome {
        isCalling = false
        incoming.append(greeting)
        return pass(engine)
    }

    /// Gives its worker what has come.
    func pass(_ engine: SRTEngine) -> Outcome {
        guard let isEmpty = try? worker.write(&incoming) else { return .workerGone }
        engine.watch(socket, reading: isEmpty, writing: false)
        engine.watch(descriptor: descriptor, reading: true, writing: !isEmpty)
        return .goesOn
    }

    /// Its worker has something, or is gone.
    func read(_ engine: SRTEngine, _ buffer: inout [UInt8]) -> Outcome {
        var span = buffer.mutableSpan
        var window = unsafe span.mutableBytes
        guard let reading = try? worker.read(into: &window) else { return .workerGone }
        switch reading {
        case .empty: return .goesOn
        case .end: return .workerGone
        case .bytes(let count):
            guard !isIncoming, !isCalling else { return .goesOn }
            outgoing.append(copying: buffer.raw.extracting(0..<count))
            return send(engine)
        }
    }

    /// Whole transport packets, seven in a message: what is left of one waits for its rest.
    func send(_ engine: SRTEngine) -> Outcome {
        // Out of here for as long as its bytes are lent.
        var bytes: [UInt8] = []
        swap(&bytes, &outgoing)
        let sending = Self.send(bytes, from: &sent, to: socket, engine)
        if sending == .taken {
            bytes.removeFirst(sent)
            sent = 0
        }
        swap(&bytes, &outgoing)
        let isFull = sending == .full
        engine.watch(socket, reading: true, writing: isFull)
        engine.watch(descriptor: descriptor, reading: !isFull, writing: false)
        return sending == .broken ? .peerGone : .goesOn
    }

    private static func send(
        _ bytes: [UInt8], from start: inout Int, to socket: SRTSocket, _ engine: SRTEngine
    ) -> SRTEngine.Sending {
        while true {
            let rest = bytes.count - start
            let count = min(SRTEngine.messageSize, rest - rest % 188)
            guard count > 0 else { return .taken }
            let sending = engine.send(
                bytes.raw.extracting(start..<start + count), to: socket)
            guard sending == .taken else { return sending }
            start += count
        }
    }

    /// libsrt has room again.
    func resume(_ engine: SRTEngine) -> Outcome {
        sent < outgoing.count ? send(engine) : .goesOn
    }
}
