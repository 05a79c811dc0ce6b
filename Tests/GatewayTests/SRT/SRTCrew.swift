import SRT
import SRTPort
import Settings
import Stream
import System
import Testing
import Wire

@testable import Gateway

/// Workers that take SRT and hand it on over HTTP, as the program does.
final class SRTCrew {
    let crew: Crew
    let office: SRTOffice
    let port: UInt16
    let httpPort: UInt16

    static let loopback = Address(ipv4: 0x7f00_0001, port: 0)

    init(
        workers: Int = 1, gate: Gate = Gate(publishKey: Secret("sesame")),
        passphrase: String = "", links: LinkPlan = LinkPlan()
    ) throws {
        let sink = LogSink(
            level: .error, format: .text, clock: .system, delivery: .direct { _ in })
        let socket = try UDPSocket(bind: Self.loopback)
        port = socket.localAddress.port
        let settings = SRTSettings(gate: gate) { _ in Secret(passphrase) }
        let found = Locked<Neighbours?>(nil)
        let office = try SRTOffice(socket.takeDescriptor(), settings, Log(sink, "srt")) { arrival in
            let neighbours = found.withLock { $0 }
            neighbours?.post(.srt(arrival), to: Int(arrival.id) % workers)
        }
        self.office = office
        var ports: [UInt16] = []
        let resolver = Resolver(pool: try WorkPool("dns-test", threads: 1))
        crew = try Crew(workers: workers, gate: gate) { plan in
            let listener = try TCPListener(bind: Self.loopback)
            ports.append(listener.localAddress.port)
            plan.protocols.append(ServedProtocol("http") { HTTPSession(.front, at: $0.now) })
            plan.listeners.append(.init(served: 1, socket: listener.takeDescriptor()))
            plan.srt = office
            plan.links = links
            plan.resolver = resolver
        }
        httpPort = ports[0]
        let neighbours = crew.neighbours
        found.withLock { $0 = neighbours }
    }

    func url(_ id: String, _ more: String = "") -> String {
        "srt://127.0.0.1:\(port)?streamid=\(id)\(more)"
    }

    func play(_ path: String) -> ([String], String) {
        FFmpegTests.play("http://127.0.0.1:\(httpPort)/\(path)", seconds: 1)
    }

    var links: [LinkReport] {
        crew.ask(0) { worker in worker.links.map { $0.report(at: worker.now) } } ?? []
    }

    deinit {
        office.end()
        crew.stop()
    }
}

/// A caller of our own: libsrt without a gateway around it, to see what a caller is told.
final class SRTCallerProbe {
    private let engine: SRTEngine

    init() throws { engine = try SRTEngine() }

    /// What became of a call: empty: it was taken.
    func call(_ port: UInt16, _ id: String, passphrase: String = "") throws -> String {
        var options = SRTOptions()
        options.streamID = id
        options.passphrase = passphrase
        let peer = SRTCrew.loopback.with(port: port)
        let socket = try engine.connect(to: peer, options)
        engine.watch(socket, reading: true, writing: true)
        defer {
            engine.watch(socket, reading: false, writing: false)
            engine.close(socket)
        }
        var events: [SRTEngine.Event] = []
        for _ in 0..<50 {
            engine.wait(.milliseconds(100), into: &events)
            switch engine.state(of: socket) {
            case .connecting: continue
            case .connected: return ""
            case .broken: return engine.rejection(of: socket)
            }
        }
        return "nothing happened"
    }

    deinit { engine.stop() }
}
