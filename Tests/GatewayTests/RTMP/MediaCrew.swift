import Gateway
import System
import Wire

/// Workers that take RTMP and hand it on over HTTP, as the program does.
final class MediaCrew {
    let crew: Crew
    let httpPorts: [UInt16]

    init(workers: Int = 1) throws {
        var ports: [UInt16] = []
        crew = try Crew(workers: workers, serving: FFmpegTests.rtmp) { plan in
            let listener = try TCPListener(bind: Address(ipv4: 0x7f00_0001, port: 0))
            ports.append(listener.localAddress.port)
            plan.protocols.append(
                ServedProtocol("http") { HTTPSession(.front, at: $0.now) })
            plan.listeners.append(.init(served: 1, socket: listener.takeDescriptor()))
        }
        httpPorts = ports
    }

    var rtmpPorts: [UInt16] { crew.ports }
}
