import Crypto
import Foundation
import GB28181
import Wire

/// A camera that registers and answers, on the test's clock; its messages are made by hand.
struct SimulatedCamera {
    static let server = "34020000002000000001"
    static let domain = "3402000000"
    static let password = "12345678"

    var id = "34020000001320000001"
    var password = Self.password
    var sequence = 0
    var callID = "1011047669@192.168.1.64"
    var contact = "192.168.1.64:5060"
    var expires = 3600
    var algorithm = "MD5"

    static func settings() -> GBSettings {
        var settings = GBSettings(
            id: server, domain: domain, password: password, mediaPort: 10_000)
        settings.mediaAddress = Address(ipv4: 0xc633_6402, port: 0)
        return settings
    }

    static let home = GBRoute(
        peer: Address(ipv4: 0xcb00_7109, port: 40211), local: Address(ipv4: 0xc633_6402, port: 5060)
    )

    mutating func register(_ authorization: String? = nil) -> String {
        sequence += 1
        var lines = [
            "REGISTER sip:\(Self.server)@\(Self.domain) SIP/2.0",
            "Via: SIP/2.0/UDP 192.168.1.64:5060;rport;branch=z9hG4bK\(sequence)a",
            "From: <sip:\(id)@\(Self.domain)>;tag=2043466181",
            "To: <sip:\(id)@\(Self.domain)>", "Call-ID: \(callID)",
            "CSeq: \(sequence) REGISTER", "Contact: <sip:\(id)@\(contact)>",
            "Max-Forwards: 70", "User-Agent: IP Camera", "Expires: \(expires)",
        ]
        if let authorization { lines.append("Authorization: \(authorization)") }
        return lines.joined(separator: "\r\n") + "\r\nContent-Length: 0\r\n\r\n"
    }

    func authorization(_ challenge: String, uri: String? = nil) -> String {
        let fields = AuthFields(challenge)
        var proof = DigestAuth()
        proof.algorithm = DigestAuth.Algorithm(algorithm) ?? .md5
        proof.user = id
        proof.realm = fields?["realm"] ?? ""
        proof.nonce = fields?["nonce"] ?? ""
        proof.method = "REGISTER"
        proof.uri = uri ?? "sip:\(Self.server)@\(Self.domain)"
        return "Digest username=\"\(id)\", realm=\"\(proof.realm)\", nonce=\"\(proof.nonce)\", "
            + "uri=\"\(proof.uri)\", response=\"\(proof.response(password: password))\", "
            + "algorithm=\(algorithm)"
    }

    mutating func message(_ body: String, from: String? = nil) -> String {
        sequence += 1
        let sender = from ?? id
        return [
            "MESSAGE sip:\(Self.server)@\(Self.domain) SIP/2.0",
            "Via: SIP/2.0/UDP 192.168.1.64:5060;rport;branch=z9hG4bKm\(sequence)",
            "From: <sip:\(sender)@\(Self.domain)>;tag=m\(sequence)",
            "To: <sip:\(Self.server)@\(Self.domain)>", "Call-ID: m\(sequence)@192.168.1.64",
            "CSeq: \(sequence) MESSAGE", "Content-Type: Application/MANSCDP+xml",
            "Content-Length: \(body.utf8.count)",
        ].joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    mutating func keepAlive() -> String {
        message(
            "<?xml version=\"1.0\"?>\r\n<Notify>\r\n<CmdType>Keepalive</CmdType>\r\n"
                + "<SN>43</SN>\r\n<DeviceID>\(id)</DeviceID>\r\n<Status>OK</Status>\r\n</Notify>")
    }

    func item(_ number: Int, name: String = "camera") -> String {
        let digits = String(format: "%06d", number)
        return "<Item><DeviceID>34020000001320\(digits)</DeviceID><Name>\(name)</Name>"
            + "<Manufacturer>Sim</Manufacturer><ParentID>\(id)</ParentID><Status>ON</Status>"
            + "<Info><PTZType>1</PTZType></Info></Item>"
    }

    mutating func catalogue(_ number: String, total: Int, _ items: [String]) -> String {
        message(
            "<?xml version=\"1.0\" encoding=\"GB2312\"?><Response><CmdType>Catalog</CmdType>"
                + "<SN>\(number)</SN><DeviceID>\(id)</DeviceID><SumNum>\(total)</SumNum>"
                + "<DeviceList Num=\"\(items.count)\">\(items.joined())</DeviceList></Response>")
    }
}

/// A platform on the test's clock, and what it has sent.
struct PlatformScene {
    var platform: GBPlatform
    var now = Instant.start + .seconds(1000)
    var sent: [(message: SIPMessage, route: GBRoute)] = []
    var events: [GBEffect] = []

    init(_ settings: GBSettings = SimulatedCamera.settings()) {
        platform = GBPlatform(settings, seed: 7)
    }

    @discardableResult
    mutating func tell(_ text: String, from route: GBRoute = SimulatedCamera.home) -> SIPMessage? {
        var effects: [GBEffect] = []
        platform.receive(datagram: Array(text.utf8).raw, route, at: now, into: &effects)
        return note(effects)
    }

    @discardableResult
    mutating func note(_ effects: [GBEffect]) -> SIPMessage? {
        var last: SIPMessage?
        for effect in effects {
            if case .send(let bytes, let route) = effect {
                guard let message = try? SIPMessage(datagram: bytes.raw) else { continue }
                sent.append((message, route))
                last = message
            } else {
                events.append(effect)
            }
        }
        return last
    }

    mutating func pass(_ time: Interval) {
        let end = now + time
        while platform.deadline <= end {
            now = max(now, platform.deadline)
            var effects: [GBEffect] = []
            platform.expire(at: now, into: &effects)
            note(effects)
            if platform.deadline <= now { now = now + .milliseconds(1) }
        }
        now = end
    }

    /// Registers, with the right password.
    @discardableResult
    mutating func register(
        _ camera: inout SimulatedCamera, from route: GBRoute = SimulatedCamera.home
    ) -> Int? {
        pass(.milliseconds(10))
        let challenge = tell(camera.register(), from: route)?["WWW-Authenticate"] ?? ""
        return tell(camera.register(camera.authorization(challenge)), from: route)?.status
    }

    /// The newest request of that method, and the text of its body.
    func last(_ method: String) -> SIPMessage? {
        sent.last { $0.message.status == nil && $0.message.method == method }?.message
    }

    func question(_ command: String) -> DeviceMessage? {
        for entry in sent.reversed() where entry.message.status == nil {
            if let said = try? DeviceMessage(entry.message.body, .plain), said.command == command {
                return said
            }
        }
        return nil
    }

    /// What a device answers to a request of ours.
    static func answer(
        _ request: SIPMessage, _ status: Int, body: String = "", tag: String = "dev1"
    ) -> String {
        let to = (request["To"] ?? "") + (request.to?.tag == nil ? ";tag=\(tag)" : "")
        var lines = ["SIP/2.0 \(status) Whatever"]
        lines += request.values("Via").map { "Via: \($0)" }
        lines += ["From: \(request["From"] ?? "")", "To: \(to)", "Call-ID: \(request.callID)"]
        lines += ["CSeq: \(request["CSeq"] ?? "")", "Content-Length: \(body.utf8.count)"]
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }
}
