import SRT
import SRTPort
import Stream
import Synchronization
import System
import Wire

/// The thread of libsrt: callers come in, calls go out, and bytes go to and fro between libsrt and
/// the workers.
final class SRTThread {
    /// How often figures are written down; also how long it sleeps at most.
    private static let figuresTime = Interval.seconds(1)

    private let shared: SRTShared
    private let engine: SRTEngine
    private var listener: SRTSocket?
    private var lines: [SRTSocket: SRTLine] = [:]
    private var sockets: [CInt: SRTSocket] = [:]
    private var events: [SRTEngine.Event] = []
    private var orders: [SRTOffice.Order] = []
    private var message = [UInt8](repeating: 0, count: SRTEngine.messageMaximum)
    /// Whole messages, so that what is read ends with a transport packet.
    private var buffer = [UInt8](repeating: 0, count: 48 * SRTEngine.messageSize)
    private var figuresAt = Instant.start

    static func run(_ shared: SRTShared, _ listener: Parcel<Descriptor>?) {
        var sleep = SRTSleep(shared, listener)
        if sleep.waitsForWork() {
            do throws(SRTError) {
                let thread = try SRTThread(shared, listener)
                if thread.carryOut(sleep.orders) { while thread.turn() {} }
                thread.end()
            } catch {
                shared.log.error(code: "srt", "no SRT until the next start: \(error)")
            }
        }
        shared.isOver.store(true, ordering: .releasing)
        // Calls that came too late: their sockets are closed, and whoever made them sees it.
        var late: [SRTOffice.Order] = []
        shared.mailbox.collect(into: &late)
    }

    private init(_ shared: SRTShared, _ listener: Parcel<Descriptor>?) throws(SRTError) {
        self.shared = shared
        engine = try SRTEngine()
        engine.watch(descriptor: shared.mailbox.bell.number, reading: true, writing: false)
        guard let descriptor = listener?.take() else { return }
        let settings = shared.settings.withLock { $0 }
        var options = SRTOptions()
        options.latency = settings.latency
        let door = SRTDoor { shared.judge($0, $1) }
        let socket = try engine.listen(on: descriptor.release(), options, door)
        engine.watch(socket, reading: true, writing: false)
        self.listener = socket
    }

    /// - Returns: False at the end.
    private func turn() -> Bool {
        engine.wait(Self.figuresTime, into: &events)
        for event in events { serve(event) }
        shared.mailbox.bell.awake()
        shared.mailbox.collect(into: &orders)
        guard carryOut(orders) else { return false }
        noteFigures()
        return true
    }

    private func carryOut(_ orders: [SRTOffice.Order]) -> Bool {
        for order in orders {
            switch order {
            case .call(let id, let peer, let options, let isIncoming, let socket):
                call(id, peer, options, isIncoming, socket)
            case .stopListening: stopListening()
            case .end: return false
            }
        }
        return true
    }

    private func serve(_ event: SRTEngine.Event) {
        switch event.subject {
        case .socket(let socket):
            if socket == listener { return acceptAll(socket) }
            guard let line = lines[socket] else { return }
            serve(line, isReadable: event.isReadable, isWritable: event.isWritable)
        case .descriptor(let number):
            guard let line = sockets[number].flatMap({ lines[$0] }) else { return }
            if event.isWritable { settle(line, line.pass(engine)) }
            if event.isReadable, lines[line.socket] != nil {
                settle(line, line.read(engine, &buffer))
            }
        }
    }

    private func serve(_ line: SRTLine, isReadable: Bool, isWritable: Bool) {
        let state = engine.state(of: line.socket)
        if line.isCalling {
            switch state {
            case .connecting: return
            case .connected: return settle(line, line.greet(SRTCaller.greeting, engine))
            case .broken: return close(line, Self.ending(engine.rejection(of: line.socket)))
            }
        }
        // What has come before the end is still passed on.
        if isReadable || state == .broken {
            settle(line, line.receive(engine, &message))
        }
        guard lines[line.socket] != nil else { return }
        if state == .broken { return settle(line, .peerGone) }
        if isWritable, !line.isIncoming { settle(line, line.resume(engine)) }
    }

    private func settle(_ line: SRTLine, _ outcome: SRTLine.Outcome) {
        switch outcome {
        case .goesOn: break
        case .peerGone: close(line, .failed("the other end is gone"))
        case .workerGone: close(line, nil)
        }
    }

    /// Wrong words are not tried again soon.
    private static func ending(_ words: String) -> LinkEnding {
        let isDenied = ["1401", "1403", "password", "Password"].contains { words.contains($0) }
        return isDenied ? .denied(words) : .failed(words)
    }

    // MARK: - Callers and calls

    private func acceptAll(_ listener: SRTSocket) {
        while let (socket, peer) = engine.accept(listener) {
            let settings = shared.settings.withLock { $0 }
            // The door has judged it; a reload may have come between.
            guard let text = engine.streamID(of: socket),
                case .accept(let request, _) = settings.judge(text, peer),
                let pair = try? TCPSocket.pair()
            else {
                engine.close(socket)
                continue
            }
            let id = shared.takeNumber()
            var theirs: Parcel<TCPSocket>?
            pair.take { first, second in
                theirs = Parcel(second)
                add(
                    SRTLine(
                        id, socket, peer, isIncoming: request.mode == .publish, isOurs: false,
                        worker: first))
            }
            guard let theirs else { continue }
            shared.board.noteAccepted()
            shared.log.info("\(peer): \(request.mode.rawValue) \(request.name)")
            shared.deliver(SRTArrival(id: id, socket: theirs, peer: peer, request: request))
        }
    }

    private func call(
        _ id: UInt64, _ peer: Address, _ options: SRTOptions, _ isIncoming: Bool,
        _ worker: Parcel<TCPSocket>
    ) {
        guard let end = worker.take() else { return }
        do throws(SRTError) {
            let socket = try engine.connect(to: peer, options)
            add(
                SRTLine(
                    id, socket, peer, isIncoming: isIncoming, isOurs: true, worker: end))
            engine.watch(socket, reading: true, writing: true)
        } catch {
            shared.board.noteEnd(of: id, .failed(error.description))
        }
    }

    private func add(_ line: SRTLine) {
        lines[line.socket] = line
        sockets[line.descriptor] = line.socket
        shared.board.note(SRTFigures(), of: line.id, isIncoming: line.isIncoming)
        engine.watch(line.socket, reading: true, writing: false)
        engine.watch(descriptor: line.descriptor, reading: true, writing: false)
    }

    private func close(_ line: SRTLine, _ words: LinkEnding?) {
        guard lines.removeValue(forKey: line.socket) != nil else { return }
        if let last = engine.figures(of: line.socket, isIncoming: line.isIncoming) {
            shared.board.note(last, of: line.id, isIncoming: line.isIncoming)
        }
        engine.watch(descriptor: line.descriptor, reading: false, writing: false)
        sockets[line.descriptor] = nil
        engine.watch(line.socket, reading: false, writing: false)
        engine.close(line.socket)
        // Before its end of the pair is closed with it: the worker asks when it sees that.
        shared.board.noteEnd(of: line.id, line.isOurs ? words : nil)
    }

    private func noteFigures() {
        let now = Clock.now
        guard now >= figuresAt else { return }
        figuresAt = now + Self.figuresTime
        for line in Array(lines.values) {
            // libsrt says once that a connection broke: not to who is not watching just then, or
            // begins to watch it later.
            serve(line, isReadable: false, isWritable: false)
            guard lines[line.socket] != nil, !line.isCalling else { continue }
            guard let figures = engine.figures(of: line.socket, isIncoming: line.isIncoming)
            else { continue }
            shared.board.note(figures, of: line.id, isIncoming: line.isIncoming)
        }
    }

    // MARK: - The end

    private func stopListening() {
        guard let listener else { return }
        engine.watch(listener, reading: false, writing: false)
        engine.close(listener)
        self.listener = nil
    }

    private func end() {
        stopListening()
        for line in Array(lines.values) { close(line, .failed("the gateway stops")) }
        engine.stop()
    }
}
