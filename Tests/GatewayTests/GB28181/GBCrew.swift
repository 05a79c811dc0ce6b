import Foundation
import GB28181
import Stream
import System
import Wire

@testable import Gateway

/// Two workers that serve cameras and viewers, and a camera with real sockets.
final class GBCrew {
    static let device = "34020000001320000001"
    static let channel = "34020000001320000002"
    static let loopback = Address(ipv4: 0x7f00_0001, port: 0)

    let crew: Crew
    let httpPorts: [UInt16]
    let mediaPort: UInt16
    let signalling: Address

    init(_ transport: GBSettings.Transport) throws {
        let sip = try UDPSocket(bind: Self.loopback)
        let mediaUDP = try UDPSocket(bind: Self.loopback.with(port: Self.freePort()))
        signalling = sip.localAddress
        mediaPort = mediaUDP.localAddress.port
        let mediaTCP = try TCPListener(bind: Self.loopback.with(port: mediaPort))
        var settings = GBSettings(
            id: "34020000002000000001", domain: "3402000000", password: "",
            mediaPort: mediaPort)
        settings.transport = transport
        let plan = GBPlan(settings)
        let sockets = (
            Parcel(sip.takeDescriptor()), Parcel(mediaUDP.takeDescriptor()),
            Parcel(mediaTCP.takeDescriptor())
        )
        var ports: [UInt16] = []
        crew = try Crew(workers: 2) { worker in
            worker.gb = plan
            worker.rules = { name in
                var rules = StreamRules()
                rules.isOnDemand = GBPlan.camera(name) != nil
                rules.stopAfter = .milliseconds(500)
                // What converts sound reads it for a while after the last viewer.
                rules.convertsSound = false
                return rules
            }
            worker.protocols.append(
                ServedProtocol("http") { HTTPSession(.front, at: $0.now) })
            worker.protocols.append(ServedProtocol("gb28181-media") { _ in GBWire(.media) })
            let listener = try TCPListener(bind: Self.loopback)
            ports.append(listener.localAddress.port)
            worker.listeners.append(.init(served: 1, socket: listener.takeDescriptor()))
            guard worker.index == GBPlan.worker else { return }
            let roles: [(GBWire.Role, Parcel<Descriptor>)] = [
                (.signalling, sockets.0), (.media, sockets.1),
            ]
            for (role, parcel) in roles {
                guard let descriptor = parcel.take() else { continue }
                worker.lines.append(
                    .init(
                        ServedLine("gb28181") { GBLines.make(role, at: $0) },
                        socket: descriptor))
            }
            if let descriptor = sockets.2.take() {
                worker.listeners.append(.init(served: 2, socket: descriptor))
            }
        }
        httpPorts = ports
    }

    /// One that was free a moment ago for both, UDP and TCP: other tests take ports, too.
    private static func freePort() throws -> UInt16 {
        var port: UInt16 = 0
        for _ in 0..<20 {
            let socket = try UDPSocket(bind: loopback)
            port = socket.localAddress.port
            do {
                _ = try TCPListener(bind: loopback.with(port: port))
                return port
            } catch {}
        }
        return port
    }

    func report() -> GBReport? {
        crew.ask { worker in worker.gb?.report(true, at: worker.now) } ?? nil
    }

    /// A viewer at a worker, who has asked for a camera.
    func watch(_ stream: String, at worker: Int) throws -> Line {
        let viewer = try Line(port: httpPorts[worker])
        viewer.send(Array("GET /\(stream).flv HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        return viewer
    }
}

/// What a camera says and hears on its socket.
final class GBCamera {
    private let socket: UDPSocket
    private let server: Address
    private var sequence = 0
    private var heard: [SIPMessage] = []

    init(_ crew: GBCrew) throws {
        socket = try UDPSocket(bind: GBCrew.loopback)
        server = crew.signalling
    }

    func register(expires: Int = 3600) {
        sequence += 1
        say(
            [
                "REGISTER sip:34020000002000000001@3402000000 SIP/2.0",
                "Via: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bK\(sequence)",
                "From: <sip:\(GBCrew.device)@3402000000>;tag=1",
                "To: <sip:\(GBCrew.device)@3402000000>", "Call-ID: reg@10.0.0.1",
                "CSeq: \(sequence) REGISTER", "Contact: <sip:\(GBCrew.device)@10.0.0.1:5060>",
                "Expires: \(expires)", "Content-Length: 0", "", "",
            ].joined(separator: "\r\n"))
    }

    func answer(_ request: SIPMessage, _ status: Int) {
        var lines = ["SIP/2.0 \(status) Whatever"]
        lines += request.values("Via").map { "Via: \($0)" }
        lines.append("From: \(request["From"] ?? "")")
        lines.append("To: \(request["To"] ?? "")\(request.to?.tag == nil ? ";tag=cam" : "")")
        lines.append("Call-ID: \(request.callID)")
        lines.append("CSeq: \(request["CSeq"] ?? "")")
        lines += ["Content-Length: 0", "", ""]
        say(lines.joined(separator: "\r\n"))
    }

    private func say(_ text: String) { socket.send(Array(text.utf8).raw, to: server) }

    /// The next message of that kind within five seconds; others are answered and passed over.
    ///
    /// - Parameter meanwhile: Done again and again until then.
    func hear(
        meanwhile: () -> Void = {}, _ wanted: (SIPMessage) -> Bool
    ) -> SIPMessage? {
        var slab = ReceiveSlab()
        let end = Clock.now + .seconds(5)
        while Clock.now < end {
            if !heard.isEmpty {
                let message = heard.removeFirst()
                if message.status == nil, message.method == "MESSAGE" { answer(message, 200) }
                if wanted(message) { return message }
                continue
            }
            guard (try? socket.receive(into: &slab)) == true else {
                meanwhile()
                usleep(1000)
                continue
            }
            while slab.next() {
                slab.withBytes { bytes in
                    if let message = try? SIPMessage(datagram: bytes.bytes) {
                        heard.append(message)
                    }
                }
            }
        }
        return nil
    }

    func hear(_ method: String) -> SIPMessage? {
        hear { $0.status == nil && $0.method == method }
    }

    // MARK: - Media

    /// RTP packets of a camera's stream, 25 pictures a second and G.711.
    static func packets(ssrc: UInt32) -> [[UInt8]] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Vectors/gb28181/camera.rtp")
        let bytes = (try? Data(contentsOf: file)).map { [UInt8]($0) } ?? []
        var packets: [[UInt8]] = []
        var at = 0
        while at + 2 <= bytes.count {
            let count = Int(bytes[at]) << 8 | Int(bytes[at + 1])
            var packet = Array(bytes[at + 2..<at + 2 + count])
            for offset in 0..<4 {
                packet[8 + offset] = UInt8(truncatingIfNeeded: ssrc >> UInt32(24 - 8 * offset))
            }
            packets.append(packet)
            at += 2 + count
        }
        return packets
    }

    /// The same, later: its numbers go on.
    static func repeated(_ packet: [UInt8], after count: Int) -> [UInt8] {
        var packet = packet
        let number = (Int(packet[2]) << 8 | Int(packet[3])) + count
        packet[2] = UInt8(number >> 8 & 255)
        packet[3] = UInt8(number & 255)
        return packet
    }

    func send(_ packets: [[UInt8]], toPort port: UInt16) {
        for packet in packets {
            socket.send(packet.raw, to: server.with(port: port))
            usleep(5000)
        }
    }

    /// `y=` of an offer.
    static func ssrc(_ invite: SIPMessage) -> UInt32? {
        let text = String(decoding: invite.body, as: UTF8.self)
        return text.split(separator: "\r\n").first { $0.hasPrefix("y=") }
            .flatMap { UInt32($0.dropFirst(2)) }
    }
}
