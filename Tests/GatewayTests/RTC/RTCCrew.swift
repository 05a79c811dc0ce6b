import Browser
import Crypto
import Glibc
import ICE
import SCTP
import SDP
import Settings
import Stream
import System
import Testing
import Wire

@testable import Gateway

/// Workers that serve WebRTC, each on a UDP port of its own: so a test chooses who receives.
final class RTCCrew {
    static let certificate = try? Certificate.selfSigned(
        commonName: "gateway", from: 0, days: 365_000)

    let crew: Crew
    let directory: RTCDirectory
    /// The UDP port of each worker.
    let ports: [UInt16]
    /// The port for ICE-TCP of each worker.
    let tcpPorts: [UInt16]
    /// The thread of all associations, those of the browsers, too; nil: no channels.
    let channels: SCTPOffice?
    /// What browsers hear of theirs, by their numbers.
    let news = Locked<[UInt64: [SCTPReport]]>([:])
    /// As the owner of an association: no worker.
    static let browsers: UInt16 = 99
    var lastChannels: UInt64 = 0

    init(
        workers: Int = 1, limits: RTCLimits = RTCLimits(),
        gate: Gate = Gate(publishKey: Secret("sesame")), hasChannels: Bool = false,
        with prepare: (inout RTCPlan) -> Void = { _ in }
    ) throws {
        let directory = RTCDirectory(limits)
        self.directory = directory
        var sockets: [Parcel<Descriptor>] = []
        var ports: [UInt16] = []
        for _ in 0..<workers {
            let socket = try UDPSocket(bind: Address(ipv4: 0x7f00_0001, port: 0))
            ports.append(socket.localAddress.port)
            sockets.append(Parcel(socket.takeDescriptor()))
        }
        self.ports = ports
        var inputs = AdvertisedAddresses.Inputs(udpPort: ports[0], tcpPort: 0)
        inputs.configured = [Address(ipv4: 0x7f00_0001, port: 0)]
        let neighbours = Locked<Neighbours?>(nil)
        channels = hasChannels ? try Self.office(neighbours, news) : nil
        var plan = RTCPlan(
            directory: directory, certificate: try #require(Self.certificate),
            ticketSecret: [UInt8](repeating: 7, count: TicketKeys.secretSize),
            settings: RTCSettings(addresses: AdvertisedAddresses(inputs)))
        plan.channels = channels
        prepare(&plan)
        let shared = plan
        var tcpPorts: [UInt16] = []
        crew = try Crew(workers: workers, gate: gate, serving: .numbers) {
            $0.rtc = shared
            $0.datagramSockets = [sockets[$0.index]]
            let listener = try TCPListener(bind: Address(ipv4: 0x7f00_0001, port: 0))
            tcpPorts.append(listener.localAddress.port)
            $0.protocols.append(ServedProtocol("ice-tcp") { _ in FramedSession() })
            $0.listeners.append(.init(served: 1, socket: listener.takeDescriptor()))
        }
        self.tcpPorts = tcpPorts
        let all = crew.neighbours
        neighbours.withLock { $0 = all }
    }

    private static func office(
        _ neighbours: Locked<Neighbours?>, _ news: Locked<[UInt64: [SCTPReport]]>
    ) throws -> SCTPOffice {
        try SCTPOffice(engine: { OneEngine.shared.engine }) { worker, list in
            guard worker == Int(browsers) else {
                neighbours.withLock { $0 }?.post(.channels(list), to: worker)
                return
            }
            news.withLock { news in
                for item in list { news[item.session, default: []].append(item.report) }
            }
        }
    }

    func stop() {
        crew.stop()
        channels?.end()
        while channels?.isOver == false { usleep(1000) }
    }

    func open(
        _ role: Offer.Role, _ name: String, at worker: Int = 0,
        credential: Credential = Credential(), peer: Address = Address(ipv4: 0x7f00_0001, port: 9),
        isPassive: Bool = false, hasChannel: Bool = false
    ) throws -> RTCOpened {
        let offer = RTCOffer(
            role: role, name: name,
            sdp: OfferText.make(role, isPassive: isPassive, hasChannel: hasChannel),
            credential: credential,
            request: GateRequest(peer: peer))
        return try #require(
            crew.ask(worker) { worker in
                let opened = Locked<RTCOpened?>(nil)
                worker.openRTC(offer) { answer in opened.withLock { $0 = answer } }
                return opened.withLock { $0 }
            } ?? nil)
    }

    /// A browser that has read our answer and speaks to the ports of these workers.
    func browser(
        _ role: Offer.Role, _ name: String, at worker: Int = 0, via workers: [Int] = [0],
        isPassive: Bool = false, tcp: Int? = nil, hasChannel: Bool = false
    ) throws -> SocketBrowser {
        guard
            case .accepted(let answer) = try open(
                role, name, at: worker, isPassive: isPassive, hasChannel: hasChannel)
        else { throw Refused() }
        return try SocketBrowser(
            answer, ports: workers.map { ports[$0] }, isPassive: isPassive,
            tcp: tcp.map { tcpPorts[$0] })
    }

    struct Refused: Error {}

    func counters() throws -> WorkerCounters {
        var total = WorkerCounters()
        for worker in ports.indices {
            total += try #require(crew.ask(worker) { $0.counters })
        }
        return total
    }
}

/// An offer in the words of a browser: one video track, VP8 with repairs.
enum OfferText {
    static let credentials = ICECredentials(ufrag: "abcd", password: "0123456789abcdefghijklmn")

    static func make(
        _ role: Offer.Role, isPassive: Bool, hasChannel: Bool = false
    ) -> [UInt8] {
        let fingerprint = FakeBrowser.certificate?.fingerprint().description ?? ""
        var lines = [
            "v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0",
            "a=group:BUNDLE \(hasChannel ? "0 1" : "0")",
            "m=video 9 UDP/TLS/RTP/SAVPF 96 97", "c=IN IP4 0.0.0.0",
            "a=ice-ufrag:\(credentials.ufrag)", "a=ice-pwd:\(credentials.password)",
            "a=fingerprint:\(fingerprint)", "a=setup:\(isPassive ? "passive" : "actpass")",
            "a=mid:0", role == .publish ? "a=sendonly" : "a=recvonly", "a=rtcp-mux",
            "a=rtcp-rsize",
            "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            "a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 transport-cc", "a=rtcp-fb:96 ccm fir",
            "a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli", "a=rtpmap:97 rtx/90000",
            "a=fmtp:97 apt=96", "a=ssrc:\(FakeBrowser.ssrc) cname:x",
            "a=ssrc:\(FakeBrowser.rtxSSRC) cname:x",
            "a=ssrc-group:FID \(FakeBrowser.ssrc) \(FakeBrowser.rtxSSRC)",
        ]
        if hasChannel {
            lines += [
                "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0",
                "a=ice-ufrag:\(credentials.ufrag)", "a=ice-pwd:\(credentials.password)",
                "a=fingerprint:\(fingerprint)", "a=setup:\(isPassive ? "passive" : "actpass")",
                "a=mid:1", "a=sctp-port:5000", "a=max-message-size:262144",
            ]
        }
        return Array(lines.map { $0 + "\r\n" }.joined().utf8)
    }
}
