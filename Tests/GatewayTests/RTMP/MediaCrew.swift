import Stream
import System
import Wire

@testable import Gateway

/// Workers that take RTMP and hand it on over HTTP, as the program does.
final class MediaCrew {
    let crew: Crew
    let httpPorts: [UInt16]

    /// - Parameter links: What it fetches and brings.
    init(
        workers: Int = 1, links: LinkPlan = LinkPlan(), onDemand: Bool = false
    ) throws {
        let resolver = Resolver(pool: try WorkPool("dns-test", threads: 1))
        var ports: [UInt16] = []
        crew = try Crew(workers: workers, serving: FFmpegTests.rtmp) { plan in
            let listener = try TCPListener(bind: Address(ipv4: 0x7f00_0001, port: 0))
            ports.append(listener.localAddress.port)
            plan.protocols.append(
                ServedProtocol("http") { HTTPSession(.front, at: $0.now) })
            plan.links = links
            plan.resolver = resolver
            plan.rules = { name in
                var rules = StreamRules()
                rules.isOnDemand = onDemand && links.source(name) != nil
                rules.stopAfter = .seconds(1)
                return rules
            }
            plan.listeners.append(.init(served: 1, socket: listener.takeDescriptor()))
        }
        httpPorts = ports
    }

    /// What its links do, all workers together.
    var links: [LinkReport] {
        (0..<httpPorts.count).flatMap { index in
            crew.ask(index) { worker in worker.links.map { $0.report(at: worker.now) } } ?? []
        }
    }

    var rtmpPorts: [UInt16] { crew.ports }
}
