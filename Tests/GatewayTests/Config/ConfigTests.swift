import Settings
import Testing
import Wire

struct ConfigTests {
    @Test func nothingAtAllIsTheDefaults() throws {
        let loaded = try ConfigTexts.load()
        #expect(loaded.config == Config())
        #expect(loaded.notes.isEmpty)
        #expect(try ConfigTexts.load("# only a comment\n").config == Config())
        #expect(try ConfigTexts.load("http:\n  # listen: :80\n").config == Config())
    }

    @Test func readsEachKindOfValue() throws {
        let config = try ConfigTexts.load(
            """
            http:
              listen: 127.0.0.1:80
              public: "https://v.example.org"
              trusted-proxies: [10.0.0.0/8]
              tls: { cert: [a.pem, b.pem], key: "a.key, b.key" }
            webrtc:
              listen: "[2001:db8::1]:8000"
              advertise: 203.0.113.5, 2001:db8::9, gw.example.org:9000
              stun: stun.example.org
              playout-delay: 250ms
              prefer: [vp8, h264]
            log: { level: debug, output: /var/log/gateway.log, max-size: 2MiB }
            media: { memory: 512MiB }
            shutdown: { drain: 2m }
            admin: { listen: off }
            """
        ).config
        #expect(config.http.listen == Address(ipv4: 0x7f00_0001, port: 80))
        #expect(config.http.publicOrigin == "https://v.example.org")
        #expect(config.http.trustedProxies[0].contains(Address(ipv4: 0x0a01_0203, port: 1)))
        #expect(!config.http.trustedProxies[0].contains(Address(ipv4: 0x0b01_0203, port: 1)))
        #expect(config.http.tls.certificate == .files(["a.pem", "b.pem"]))
        #expect(config.http.tls.keys == ["a.key", "b.key"])
        #expect(config.webrtc.listen == Address(ip: "2001:db8::1", port: 8000))
        #expect(
            config.webrtc.advertise.map(\.host) == [
                "203.0.113.5", "2001:db8::9", "gw.example.org",
            ])
        #expect(config.webrtc.advertise.map(\.port) == [0, 0, 9000])
        #expect(config.webrtc.stun.map(\.description) == ["stun.example.org"])
        #expect(config.webrtc.playoutDelay == .upTo(.milliseconds(250)))
        #expect(config.webrtc.prefer == [.vp8, .h264])
        #expect(config.log.level == .debug)
        #expect(config.log.output == .file("/var/log/gateway.log"))
        #expect(config.log.largestFile == 2 << 20)
        #expect(config.media.memory == .bytes(512 << 20))
        #expect(config.shutdown.drain == .seconds(120))
        #expect(config.admin.listen == nil)
    }

    @Test func eachSourceOverrulesTheOnesBefore() throws {
        let file = "workers: 2\nlog: { level: warning, format: json }\n"
        let environment = ["GATEWAY_WORKERS": "3", "GATEWAY_LOG_LEVEL": "error"]
        let config = try ConfigTexts.load(
            file, environment: environment, options: ["workers=4"]
        ).config
        #expect(config.workers == 4)
        #expect(config.log.level == .error)
        #expect(config.log.format == .json)
        #expect(config.shutdown.drain == .seconds(5))
    }

    @Test func aPathTakesTheExactNameThenTheFirstPattern() throws {
        let config = try ConfigTexts.load(
            """
            paths:
              "live/*": { gop-cache: 2s }
              "**": { gop-cache: 3s, latency-budget: 1s }
              live/cam1: { publisher-grace: 1m }
            """, options: ["paths.live/*.latency-budget=200ms", "paths.hall/a.b.gop-cache=1s"]
        ).config
        #expect(config.path("live/cam2").gopCache == .seconds(2))
        #expect(config.path("live/cam2").latencyBudget == .milliseconds(200))
        #expect(config.path("live/cam1").publisherGrace == .seconds(60))
        #expect(config.path("live/cam1").gopCache == .seconds(5), "rules are not mixed")
        #expect(config.path("live/hall/cam1").latencyBudget == .seconds(1))
        #expect(config.path("hall/a.b").gopCache == .seconds(1))
    }

    @Test func variablesStandInsideValues() throws {
        let file = """
            http: { listen: ":${PORT:8081}" }
            webrtc: { advertise: "${IPS}" }
            log: { output: "/tmp/$${x}$${HOME" }
            """
        let environment = ["IPS": "192.0.2.1,192.0.2.2:9000", "HOME": "not used"]
        let config = try ConfigTexts.load(file, environment: environment).config
        #expect(config.http.listen == .any(port: 8081))
        #expect(config.webrtc.advertise.map(\.port) == [0, 9000])
        #expect(config.log.output == .file("/tmp/${x}${HOME"))
    }

    @Test func aVariableCannotBringYAML() {
        let mistakes = ConfigTexts.mistakes(
            "workers: ${N}\n", environment: ["N": "1\nadmin: { listen: :9998 }"])
        #expect(mistakes.hasPrefix("gateway.yml:1:10: workers: \"1.admin:"))
    }

    @Test func aSecretMayComeFromAFile() throws {
        let config = try ConfigTexts.load(
            environment: ["GATEWAY_AUTH_PUBLISH_KEY_FILE": "/run/secrets/key"],
            files: ["/run/secrets/key": "correct-horse\n"]
        ).config
        #expect(config.auth.publishKey == .chosen(Secret("correct-horse")))
    }

    @Test(arguments: ConfigSources.shortcuts)
    func aNameOfAnotherServerIsTakenUnlessOursIsSet(name: String) throws {
        let both = [name: "203.0.113.5", "GATEWAY_WEBRTC_ADVERTISE": "203.0.113.6"]
        let alone = try ConfigTexts.load(environment: [name: "203.0.113.5"])
        #expect(alone.config.webrtc.advertise.map(\.host) == ["203.0.113.5"])
        #expect(alone.notes == ["\(name)=\"203.0.113.5\" is taken as webrtc.advertise"])
        let ours = try ConfigTexts.load(environment: both)
        #expect(ours.config.webrtc.advertise.map(\.host) == ["203.0.113.6"])
        #expect(ours.notes.isEmpty)
    }

    @Test func variablesOfKubernetesAreNotOurs() throws {
        let environment = [
            "GATEWAY_SERVICE_HOST": "10.0.0.1", "GATEWAY_PORT": "tcp://10.0.0.1:80",
            "GATEWAY_PORT_80_TCP_ADDR": "10.0.0.1", "GATEWAY_CONFIG": "x.yml", "PATH": "/bin",
        ]
        #expect(try ConfigTexts.load(environment: environment).config == Config())
    }

    @Test func aReloadTakesWhatItCanAndNamesTheRest() throws {
        let old = try ConfigTexts.load("workers: 2\n").config
        let wanted = try ConfigTexts.load(
            """
            workers: 3
            log: { level: debug }
            auth: { publish-key: correct-horse }
            paths: { "a/b": { gop-cache: 1s } }
            """
        ).config
        let (config, changes) = old.reloaded(to: wanted)
        #expect(config.workers == 2)
        #expect(config.log.level == .debug)
        #expect(config.path("a/b").gopCache == .seconds(1))
        #expect(changes.needRestart == ["workers"])
        #expect(changes.reloaded == ["auth.publish-key", "log.level", "paths"])
        #expect(config.reloaded(to: config).changes.isEmpty)
    }

    @Test func aSecretIsNeverPrinted() throws {
        let config = try ConfigTexts.load("auth: { publish-key: correct-horse }").config
        var dumped = ""
        dump(config, to: &dumped)
        let all = "\(config) \(String(reflecting: config)) \(dumped) \(config.auth.publishKey)"
        #expect(!all.contains("correct-horse"))
        let texts = Config.settings.map { $0.write(config) }
        #expect(!texts.contains { $0.contains("correct-horse") })
        #expect(texts.contains { $0.contains("(secret)") })
        let mistakes = ConfigTexts.mistakes(
            "auth: { publish-key: 'correct horse', read-key: [correct-horse] }",
            environment: ["GATEWAY_ADMIN_TOKEN": "correct horse"],
            options: ["auth.publish-key=short"])
        #expect(mistakes.split(separator: "\n").count == 4)
        #expect(!mistakes.contains("horse") && !mistakes.contains("short"))
    }
}
