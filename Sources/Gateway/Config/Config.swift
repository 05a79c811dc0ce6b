package import Wire

/// Every setting, with its default as the initial value. Decoding is the only place that checks;
/// the rest of the program receives values that cannot be wrong.
///
/// A value of this type never changes: a reload makes a new one.
package struct Config: Equatable, Sendable {
    package var http = HTTP()
    package var webrtc = WebRTC()
    package var rtmp = RTMP()
    package var hls = HLS()
    package var rtsp = RTSP()
    package var srt = SRT()
    package var gb28181 = GB28181()
    package var auth = Auth()
    package var admin = Admin()
    package var log = Log()
    package var media = Media()
    package var limits = Limits()
    package var state = State()
    package var shutdown = Shutdown()
    package var file = File()
    /// 0: one for each core.
    package var workers = 0
    /// Whether a small parent restarts us when we die.
    package var supervise = true
    package var demo = false
    /// In the order of the file.
    package var paths: [PathRule] = []

    package init() {}

    package struct HTTP: Equatable, Sendable {
        package var listen: Address? = .any(port: 8080)
        package var tls = TLS()
        /// Empty: the Host of the request.
        package var publicOrigin = ""
        /// Empty: beside the program.
        package var pages = ""
        package var trustedProxies: [AddressRange] = []
    }

    package struct TLS: Equatable, Sendable {
        package var listen: Address? = .any(port: 8443)
        package var certificate = CertificateSource.off
        /// One for each certificate, in the same order.
        package var keys: [String] = []
    }

    package struct WebRTC: Equatable, Sendable {
        package var listen: Address? = .any(port: 8000)
        package var tcp = true
        package var advertise: [HostPort] = []
        package var stun: [HostPort] = []
        package var iceServers: [ICEServerURL] = []
        package var ice = ICEMode.lite
        package var playoutDelay = PlayoutDelay.auto
        package var prefer: [PreferredCodec] = [.h264]
        package var reserve = true
        package var engine = EngineChoice.auto
    }

    package struct RTMP: Equatable, Sendable {
        package var listen: Address? = .any(port: 1935)
        /// Opened when there is a certificate (`http.tls.cert`).
        package var tlsListen: Address? = .any(port: 1936)
    }

    package struct HLS: Equatable, Sendable {
        package var segment = Interval.seconds(2)
        /// Zero: no parts, and plain HLS.
        package var part = Interval.milliseconds(200)
        package var segments = 8
    }

    package struct RTSP: Equatable, Sendable {
        package var listen: Address? = .any(port: 8554)
        /// Opened when there is a certificate (`http.tls.cert`).
        package var tlsListen: Address? = .any(port: 8322)
        package var transports: [MediaTransport] = [.tcp, .udp]
        /// Pairs for media over UDP, of our players and publishers and of cameras that we fetch.
        package var ports: PortRange? = PortRange(30_500, 31_499)
    }

    package enum MediaTransport: String, CaseIterable, Sendable { case tcp, udp }

    package struct SRT: Equatable, Sendable {
        package var listen: Address? = .any(port: 8890)
        /// Empty: nothing is encrypted.
        package var passphrase = Secret("")
        package var latency = Interval.milliseconds(120)
        /// For callers whose stream id does not say it.
        package var mode = SRTMode.publish
        /// For callers without a stream id; empty: they are sent away.
        package var stream = ""
    }

    package enum SRTMode: String, CaseIterable, Sendable { case publish, read }

    package struct GB28181: Equatable, Sendable {
        package var enabled = false
        /// The numbers that every camera's manual has in its example.
        package var id = "34020000002000000001"
        package var domain = "3402000000"
        package var listen: Address? = .any(port: 5060)
        package var password = Key.generated
        /// nil: where the device has reached us.
        package var sipAdvertise: Address?
        package var mediaListen: Address? = .any(port: 10_000)
        package var mediaAdvertise: Address?
        package var transport = MediaTransport.tcp
    }

    package enum ICEMode: String, CaseIterable, Sendable {
        case lite
    }

    package struct Auth: Equatable, Sendable {
        package var publishKey = Key.generated
        package var read = ReadAccess.private
        package var readKey = Key.generated
        package var loopback = LoopbackAccess.open
    }

    package struct Admin: Equatable, Sendable {
        package var listen: Address? = Address(ipv4: 0x7f00_0001, port: 9998)
        package var token = Key.generated
    }

    package struct Log: Equatable, Sendable {
        package var level = LogLevel.info
        package var format = LogStyle.text
        package var output = LogDestination.stdout
        package var largestFile = 100 << 20
        package var oldFiles = 5
    }

    package struct Media: Equatable, Sendable {
        package var memory = MemoryBound.percent(25)
    }

    package struct Limits: Equatable, Sendable {
        package var sessions = 10_000
        package var streams = 2_000
        package var pendingSessions = 2_000
        package var pendingSessionsPerSource = 200
        package var newConnectionsPerSource = 256
        /// Mbit/s; 0: no limit.
        package var bandwidth = 0
        /// Of a worker's time; 0: no limit.
        package var cpu = 90
    }

    package struct State: Equatable, Sendable {
        /// Empty: `$STATE_DIRECTORY`, /var/lib/gateway as root, or ./state.
        package var directory = ""
    }

    package struct Shutdown: Equatable, Sendable {
        package var drain = Interval.seconds(5)
    }

    package struct File: Equatable, Sendable {
        package var watch = true
    }
}

/// What holds for the streams whose names fit a pattern.
package struct PathConfig: Equatable, Sendable {
    package var latencyBudget = Interval.milliseconds(500)
    package var gopCache = Interval.seconds(5)
    package var publisherGrace = Interval.seconds(15)
    package var audio = AudioConversion.auto
    package var bFrames = BFrames.drop
    package var onLoss = OnLoss.continue
    package var source: LinkURL?
    package var sourceTransport = SourceTransport.auto
    package var onDemand = false
    package var forward: [LinkURL] = []
    /// Empty: as `srt.passphrase`.
    package var srtPassphrase = Secret("")

    package init() {}
}

/// `"live/*": { gop-cache: 2s }`
package struct PathRule: Equatable, Sendable {
    package var pattern: PathPattern
    package var settings: PathConfig

    package init(pattern: PathPattern, settings: PathConfig) {
        self.pattern = pattern
        self.settings = settings
    }
}

extension Config {
    /// A rule with the very name wins; else the first one in the file whose pattern fits.
    package func path(_ name: String) -> PathConfig {
        let rule =
            paths.first { $0.pattern.text == name } ?? paths.first { $0.pattern.fits(name) }
        return rule?.settings ?? PathConfig()
    }
}
