import Gateway
import RTP
import Settings
import Stream
import System
import Testing
import Wire

struct ListeningTests {
    static let loopback = Address(ipv4: 0x7f00_0001, port: 0)

    static var config: Config {
        var config = Config()
        config.http.listen = loopback
        config.webrtc.listen = loopback
        config.admin.listen = loopback
        config.rtmp.listen = loopback
        config.rtsp.listen = loopback
        config.srt.listen = loopback
        return config
    }

    @Test func theListFollowsTheConfiguration() {
        var config = Self.config
        let names = ListenerSpec.all(config, workers: 2).map { "\($0.name) \($0.count)" }
        #expect(
            names == [
                "http 2", "admin 1", "rtmp 2", "rtsp 2", "srt 1", "webrtc-udp 2", "webrtc-tcp 2",
            ])
        config.http.tls.certificate = .automatic
        config.admin.listen = nil
        let others = ListenerSpec.all(config, workers: 1).map(\.name)
        #expect(
            others == [
                "http", "https", "rtmp", "rtmps", "rtsp", "rtsps", "srt", "webrtc-udp",
                "webrtc-tcp",
            ])
    }

    /// What is written of a path is what its stream goes by.
    @Test func rulesOfAPathReachItsStream() throws {
        var sources = ConfigSources()
        let text = """
            paths:
              cam/*: { b-frames: refuse, on-loss: wait-key, publisher-grace: 3s }
              screen: { b-frames: keep, on-loss: continue }
            """
        sources.file = ("gateway.yml", Array(text.utf8))
        let config = try sources.load().config
        let camera = config.rules(for: "cam/door")
        #expect(camera.bFrames == .refuse && camera.onLoss == .waitKey)
        #expect(camera.grace == .seconds(3))
        #expect(config.rules(for: "screen").bFrames == .keep)
        let other = config.rules(for: "live/x")
        #expect(other == StreamRules() && other.bFrames == .drop && other.onLoss == .proceed)
        sources.file = ("gateway.yml", Array("paths: { a: { b-frames: maybe } }".utf8))
        let error = #expect(throws: ConfigErrors.self) { try sources.load() }
        #expect(error?.description.contains("b-frames: \"maybe\" is not") == true)
    }

    @Test func workersShareAPortAndEachSocketIsTakenOnce() throws {
        var nobody = Inherit.fromEnvironment()
        let sockets = try ListeningSockets.open(
            ListenerSpec.all(Self.config, workers: 2), adopting: &nobody)
        #expect(sockets.count("http") == 2 && sockets.count("admin") == 1)
        let first = sockets.takeTCP("http", worker: 0)?.localAddress
        #expect(first != nil && first == sockets.takeTCP("http", worker: 1)?.localAddress)
        let again = sockets.takeTCP("http", worker: 0) == nil
        #expect(again)
        let udp = sockets.takeUDP("webrtc-udp", worker: 1)?.localAddress
        #expect(udp != nil && udp == sockets.takeUDP("webrtc-udp", worker: 0)?.localAddress)
    }

    /// Sockets that share a port would let a second gateway join in silence.
    @Test func aPortOfAnotherGatewayIsBusy() throws {
        var nobody = Inherit.fromEnvironment()
        let sockets = try ListeningSockets.open(
            ListenerSpec.all(Self.config, workers: 2), adopting: &nobody)
        for (name, address) in sockets.addresses where name != "admin" {
            var config = Self.config
            switch name {
            case "http": config.http.listen = address
            case "rtmp": config.rtmp.listen = address
            case "rtsp": config.rtsp.listen = address
            case "srt": config.srt.listen = address
            default: config.webrtc.listen = address
            }
            let error = #expect(throws: StartError.self) {
                var nobody = Inherit.fromEnvironment()
                _ = try ListeningSockets.open(
                    ListenerSpec.all(config, workers: 2), adopting: &nobody)
            }
            #expect(error?.lines.contains("another program has this port") == true)
            #expect(error?.lines.hasSuffix(" code=cannot-listen") == true)
        }
    }
}
