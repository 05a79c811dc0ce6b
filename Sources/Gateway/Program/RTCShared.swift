import Crypto
import ICE
import Media
import Settings
import System
import Wire

/// What all workers of the process share for WebRTC: made once, by the main thread.
struct RTCShared {
    /// Browsers refuse certificates that are good for longer than a year or so; a session lives
    /// with the one it began with, and the process makes a new one at each start.
    private static let days: Int64 = 365
    private static let day: Int64 = 86_400

    let directory: RTCDirectory
    private let certificate: Certificate
    private let secret: [UInt8]
    private let udpPort: UInt16
    private let tcpPort: UInt16
    private let log: Log

    /// nil: WebRTC is switched off.
    init?(_ config: Config, _ sockets: ListeningSockets, _ log: Log) throws(StartError) {
        let ports = sockets.addresses
        guard let udp = ports.first(where: { $0.name == ListenerSpec.webrtcUDP }) else {
            return nil
        }
        udpPort = udp.address.port
        tcpPort = ports.first { $0.name == ListenerSpec.webrtcTCP }?.address.port ?? 0
        directory = RTCDirectory(RTCLimits(config))
        self.log = log.module("webrtc")
        var dice = SystemRandomNumberGenerator()
        secret = (0..<TicketKeys.secretSize).map { _ in UInt8.random(in: 0...255, using: &dice) }
        let now = Clock.utcNanoseconds / 1_000_000_000
        do throws(CertificateError) {
            certificate = try Certificate.selfSigned(
                commonName: "gateway", from: now - Self.day, days: Self.days)
        } catch {
            throw .failed(
                setting: "webrtc.listen", cause: "cannot make a certificate: \(error)",
                code: "bad-certificate")
        }
        do throws(CryptoEngineError) { _ = try CryptoEngine.make(config.webrtc.engine.kind) } catch
        {
            throw .failed(setting: "webrtc.srtp-engine", cause: "\(error)", code: "no-srtp-engine")
        }
    }

    func plan(_ config: Config) -> RTCPlan {
        var plan = RTCPlan(
            directory: directory, certificate: certificate, ticketSecret: secret,
            settings: settings(config))
        plan.engine = config.webrtc.engine.kind
        return plan
    }

    func settings(_ config: Config) -> RTCSettings {
        let sources = sources(config)
        let addresses = AdvertisedAddresses(sources.inputs)
        addresses.note(in: log)
        var settings = RTCSettings(addresses: addresses)
        if !sources.names.isEmpty || !sources.servers.isEmpty { settings.sources = sources }
        settings.prefer = config.webrtc.prefer.map(\.codec)
        settings.reserves = config.webrtc.reserve
        return settings
    }

    private func sources(_ config: Config) -> AddressSources {
        var inputs = AdvertisedAddresses.Inputs(udpPort: udpPort, tcpPort: tcpPort)
        inputs.configured = config.webrtc.advertise.compactMap(\.address)
        do throws(SystemError) {
            inputs.interfaces = try Interfaces.list().map {
                AdvertisedAddresses.Interface(name: $0.name, address: $0.address)
            }
        } catch {
            log.warning("\(error)")
        }
        // A socket on one address is not reached by any other.
        if let bound = config.webrtc.listen, !bound.isUnspecified {
            inputs.interfaces.removeAll { $0.address.with(port: 0) != bound.with(port: 0) }
            inputs.advertisesLoopback = bound.kind == .loopback
        }
        var sources = AddressSources(inputs)
        sources.names = config.webrtc.advertise.filter { $0.address == nil }
        sources.servers = config.webrtc.stun
        return sources
    }
}

extension EngineChoice {
    var kind: CryptoEngine.Kind? {
        switch self {
        case .auto: nil
        case .ipsecMB: .ipsecMB
        case .openssl: .openSSL
        case .libsrtp: .libSRTP
        }
    }
}

extension PreferredCodec {
    var codec: Codec {
        switch self {
        case .h264: .h264
        case .h265: .h265
        case .vp8: .vp8
        case .vp9: .vp9
        case .av1: .av1
        }
    }
}

extension RTCLimits {
    init(_ config: Config) {
        self.init()
        sessions = config.limits.sessions
        waiting = config.limits.pendingSessions
        waitingPerSource = config.limits.pendingSessionsPerSource
    }
}
