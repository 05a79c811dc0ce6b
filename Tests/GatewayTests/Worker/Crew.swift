import Glibc
import Settings
import Stream
import Synchronization
import System
import Wire

@testable import Gateway

/// Real workers on real threads, with the line protocol on a loopback port of each.
final class Crew {
    let neighbours: Neighbours
    let hub = Hub()
    let transcoders: TranscodePool
    let ports: [UInt16]
    private var threads: [ThreadBox] = []
    private let jobs: [Locked<[Job]>]

    /// Something to be done with a worker, on its thread.
    typealias Job = @Sendable (Worker) -> Void

    /// Arrays hold no threads: those cannot be copied.
    private final class ThreadBox {
        var thread: Thread?
        init(_ thread: consuming Thread) { self.thread = consume thread }
        func join() {
            if let thread = thread.take() { thread.join() }
        }
    }

    init(
        workers: Int = 1, gate: Gate = Gate(publishKey: Secret("sesame")),
        limits: WorkerLimits = WorkerLimits(), tls: TLSMaterial? = nil,
        front: FrontPlan = FrontPlan(), rtc: RTCPlan? = nil,
        serving: ServedProtocol = ServedProtocol("line") { LineSession($0.peer) },
        with prepare: (inout WorkerPlan) throws -> Void = { _ in }
    ) throws {
        jobs = (0..<workers).map { _ in Locked([]) }
        neighbours = try Neighbours(count: workers)
        transcoders = try TranscodePool(threads: 1, for: neighbours)
        let sink = LogSink(
            level: .error, format: .text, clock: .system, delivery: .direct { _ in })
        let log = Log(sink, "worker")
        let wall = WallClock()
        var ports: [UInt16] = []
        for index in 0..<workers {
            let listener = try TCPListener(bind: Address(ipv4: 0x7f00_0001, port: 0))
            ports.append(listener.localAddress.port)
            var plan = WorkerPlan(
                index: index, protocols: [serving],
                listeners: [.init(served: 0, tls: tls, socket: listener.takeDescriptor())],
                gate: gate, wall: wall, seed: UInt64(index))
            plan.limits = limits
            plan.transcoders = transcoders
            plan.front = front
            plan.rtc = rtc
            try prepare(&plan)
            let (neighbours, hub, jobs) = (neighbours, hub, jobs[index])
            threads.append(
                ThreadBox(
                    try Thread("worker-\(index)") { [plan] in
                        guard let worker = try? Worker(plan, neighbours, hub, log) else { return }
                        worker.run { worker in
                            for job in jobs.withLock({ take(&$0) }) { job(worker) }
                        }
                    }))
        }
        self.ports = ports
    }

    /// Does it on the worker's thread, after its turn, and waits.
    func ask<Result: Sendable>(
        _ worker: Int = 0, _ job: @escaping @Sendable (Worker) -> Result
    ) -> Result? {
        guard let answers = try? Mailbox<Result>(), var poller = try? Poller(),
            (try? poller.add(answers.bell, tag: 0)) != nil
        else { return nil }
        jobs[worker].withLock { $0.append { answers.post(job($0)) } }
        // A letter that says nothing: the worker wakes up.
        neighbours.post(.changed(""), to: worker)
        try? poller.wait(.seconds(20))
        var answer: [Result] = []
        answers.collect(into: &answer)
        return answer.first
    }

    func connect(to worker: Int = 0) throws -> Line { try Line(port: ports[worker]) }

    /// Stops all workers and waits for their threads: a test leaves nothing running.
    func stop(after patience: Interval = .zero) {
        neighbours.postToAll(.stop(after: patience))
        for thread in threads { thread.join() }
        threads = []
    }

    deinit { stop() }
}

/// The other end: a blocking socket that speaks in lines and never waits longer than five seconds.
final class Line {
    private let descriptor: CInt
    private var buffer: [UInt8] = []

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        _ = unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 { throw SystemError(doing: "connect to port \(port)", code: errno) }
    }

    deinit { close(descriptor) }

    func limitReceiveBuffer() {
        var size: CInt = 4096
        _ = unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
    }

    func say(_ text: String) { send(Array("\(text)\n".utf8)) }

    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// The next line; nil at the end of the connection or after five seconds of silence.
    func hear() -> String? {
        while true {
            if let end = buffer.firstIndex(of: 10) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeSubrange(...end)
                return line
            }
            let piece = receive()
            if piece == nil, !buffer.isEmpty {
                // The end without a line's end: what is left is the last line.
                defer { buffer = [] }
                return String(decoding: buffer, as: UTF8.self)
            }
            guard let piece else { return nil }
            buffer.append(contentsOf: piece)
        }
    }

    /// Bytes as they come; nil at the end, or after five seconds of silence.
    func receive() -> [UInt8]? {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(descriptor, &piece, piece.count, 0)
        return count > 0 ? Array(piece[..<count]) : nil
    }

    func hear(_ count: Int) -> [String] { (0..<count).compactMap { _ in hear() } }

    /// Whether this line comes, sooner or later, after others.
    func hears(_ wanted: String) -> Bool {
        while let line = hear() { if line == wanted { return true } }
        return false
    }

    func ask(_ text: String) -> String? {
        say(text)
        return hear()
    }
}

private func take<Element>(_ list: inout [Element]) -> [Element] {
    defer { list.removeAll() }
    return list
}
