import Wire

/// How the packets of one track go, with their reports.
enum RTSPCarrier: Equatable, Sendable {
    /// In the connection itself.
    case channels(RTSPTransport.Pair)
    /// By UDP.
    case lines(RTSPRoute)

    func has(_ way: RTSPWay) -> Bool {
        switch (self, way) {
        case (.channels(let pair), .channel(let number)):
            pair.first == UInt16(number) || pair.second == UInt16(number)
        case (.lines(let route), .line(let number)):
            number == route.line || number == route.line &+ 1
        default: false
        }
    }

    var channels: RTSPTransport.Pair? {
        if case .channels(let pair) = self { pair } else { nil }
    }

    var usesLines: Bool { if case .lines = self { true } else { false } }

    /// A report to the other end.
    func send(
        _ report: [UInt8], by queue: DatagramQueue, from local: Address, into out: inout Outbox
    ) {
        switch self {
        case .channels(let pair):
            out.appendInterleaved(report, channel: UInt8(truncatingIfNeeded: pair.second))
        case .lines(let route):
            guard let place = route.reports else { return }
            queue.append(report.raw, on: route.line &+ 1, to: place, from: local)
        }
    }

    /// Something came from the peer on one of our ports.
    mutating func learn(_ source: Address, on line: LineNumber) {
        guard case .lines(var route) = self, has(.line(line)) else { return }
        guard route.learn(source, on: line) else { return }
        self = .lines(route)
    }
}

/// Where something came from.
enum RTSPWay: Equatable {
    case channel(UInt8)
    case line(LineNumber)
}

/// Ports of one track: ours, and the other end's.
struct RTSPRoute: Equatable, Sendable {
    /// Ours for media; the one behind it is for reports.
    let line: LineNumber
    /// The peer's; nil: it has not said, and may tell by sending something.
    private(set) var media: Address?
    private(set) var reports: Address?
    private var learned: (media: Bool, reports: Bool) = (false, false)

    init(_ line: LineNumber, peer: Address, _ ports: RTSPTransport.Pair?) {
        self.line = line
        // OpenIPC says port 0.
        guard let ports, ports.first > 0, ports.second > 0 else { return }
        media = peer.with(port: ports.first)
        reports = peer.with(port: ports.second)
    }

    static func == (a: RTSPRoute, b: RTSPRoute) -> Bool {
        (a.line, a.media, a.reports) == (b.line, b.media, b.reports)
    }

    /// Behind a NAT the peer's ports are others than those that it has named: the first packet
    /// tells them. Only the first: whoever can send from its address cannot lead us on and on.
    ///
    /// - Returns: Whether that was news.
    mutating func learn(_ source: Address, on line: LineNumber) -> Bool {
        if line == self.line, !learned.media {
            learned.media = true
            media = source
            return true
        }
        if line != self.line, !learned.reports {
            learned.reports = true
            reports = source
            return true
        }
        return false
    }

    /// What opens the way through a NAT on our side (as FFmpeg does it): a packet that is none,
    /// and a report that says nothing.
    func punch(by queue: DatagramQueue, from local: Address) {
        if let media {
            let packet = [0x80] + [UInt8](repeating: 0, count: 11)
            queue.append(packet.raw, on: line, to: media, from: local)
        }
        if let reports {
            let report: [UInt8] = [0x80, 0xc9, 0, 1, 0, 0, 0, 0]
            queue.append(report.raw, on: line &+ 1, to: reports, from: local)
        }
    }
}

extension Address {
    /// Whether both are of one host: who can send from there is the peer, or its neighbour behind
    /// the same NAT.
    func isSameHost(as other: Address) -> Bool {
        high == other.high && low == other.low && scope == other.scope
    }
}
