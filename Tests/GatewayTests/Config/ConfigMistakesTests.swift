import Settings
import Testing

/// Every mistake is answered with its place, the setting, and what would be right.
struct ConfigMistakesTests {
    @Test(arguments: [
        (
            "http:\n  listen: 99999\n",
            "gateway.yml:2:11: http.listen: \"99999\" is not an address to listen on: "
                + ":PORT, IP:PORT, or off"
        ),
        (
            "http:\n  tls: true\n",
            "gateway.yml:2:8: http.tls: is a section with these settings: "
                + "listen, cert, key"
        ),
        ("workers: [1]", "gateway.yml:1:10: workers: expected a number from 0 to 256, not a list"),
        (
            "log: { level: verbose }",
            "gateway.yml:1:15: log.level: \"verbose\" is not 'debug', "
                + "'info', 'warning' or 'error'"
        ),
        (
            "shutdown:\n  drain: 5\n",
            "gateway.yml:2:10: shutdown.drain: \"5\" is not a duration "
                + "like 500ms, 5s or 2m, from 0ms to 10m"
        ),
        (
            "webrtc:\n  advertise:\n    - 192.0.2.1\n    - 192.0.2.256\n",
            "gateway.yml:4:7: webrtc.advertise: \"192.0.2.256\" is not an IP address or "
                + "host name that viewers can reach, with or without a port"
        ),
        (
            "auth: { jwks: \"https://h/keys\" }",
            "gateway.yml:1:15: auth.jwks: JWT is not built into "
                + "this version yet: remove this setting"
        ),
        (
            "paths: { \"a b\": }",
            "gateway.yml:1:10: paths.a b: not a stream name or pattern: use "
                + "letters, digits, ._~- and / or *"
        ),
        (
            "paths: { \"a/**/b\": }",
            "gateway.yml:1:10: paths.a/**/b: not a stream name or pattern: "
                + "use letters, digits, ._~- and / or *"
        ),
        (
            "paths: { \"a\": 5s }",
            "gateway.yml:1:10: paths.a: is a section with settings like "
                + "gop-cache"
        ),
        (
            "log: { output: \"${DIR}/x.log\" }",
            "gateway.yml:1:16: the variable \"DIR\" is not set: set "
                + "it, or write ${DIR:default}"
        ),
        ("log: { output: \"${DIR\" }", "gateway.yml:1:16: ${ without }; write $${ for the text ${"),
        (
            "- a\n",
            "gateway.yml:1:1: the file must hold 'name: value' lines with these settings: "
                + "http, webrtc, rtmp, hls, rtsp, srt, gb28181, auth, hooks, compat, admin, log, "
                + "media, "
                + "limits, workers, state, demo, supervise, shutdown, config, paths"
        ),
    ])
    func inAFile(file: String, message: String) {
        #expect(ConfigTexts.mistakes(file) == message)
    }

    @Test(arguments: [
        (
            "webrtc: { advertize: }",
            "webrtc.advertize: no such setting: did you mean webrtc.advertise?"
        ),
        ("web-rtc: { tcp: on }", "web-rtc: no such setting: did you mean webrtc?"),
        ("playout-delay: 1", "playout-delay: no such setting: did you mean webrtc.playout-delay?"),
        ("admin: { address: x }", "admin.address: no such setting: admin has these: listen, token"),
        ("path: { a: }", "path: no such setting: did you mean paths?"),
        (
            "paths: { a: { gopcache: 1s } }",
            "paths.a.gopcache: no such setting: did you mean gop-cache?"
        ),
        (
            "paths: { a: { record: yes } }",
            "paths.a.record: no such setting: a path has these: "
                + "latency-budget, gop-cache, publisher-grace, audio, b-frames, on-loss, source, "
                + "source-transport, on-demand, forward, srt-passphrase"
        ),
    ])
    func aNameThatDoesNotExist(file: String, message: String) {
        let mistake = ConfigTexts.mistakes(file)
        #expect(mistake.hasPrefix("gateway.yml:1:") && mistake.hasSuffix(": " + message))
    }

    @Test(arguments: [
        (
            "GATEWAY_HTTP_LISTEN", "x",
            "GATEWAY_HTTP_LISTEN: http.listen: \"x\" is not an address "
                + "to listen on: :PORT, IP:PORT, or off"
        ),
        (
            "GATEWAY_HTTP_LISTENS", ":80",
            "GATEWAY_HTTP_LISTENS: no setting has this variable: did "
                + "you mean GATEWAY_HTTP_LISTEN?"
        ),
        ("GATEWAY_ELSE", "1", "GATEWAY_ELSE: no setting has this variable"),
        (
            "GATEWAY_WORKERS_FILE", "/n",
            "GATEWAY_WORKERS_FILE: only keys and tokens come from files: use "
                + "GATEWAY_WORKERS"
        ),
        (
            "GATEWAY_ADMIN_TOKEN_FILE", "/n",
            "GATEWAY_ADMIN_TOKEN_FILE: cannot read \"/n\": No such "
                + "file or directory"
        ),
        (
            "NAT_1_TO_1_IP", "1.2.3.4/5",
            "NAT_1_TO_1_IP: webrtc.advertise: \"1.2.3.4/5\" is not an IP address "
                + "or host name that viewers can reach, with or without a port"
        ),
    ])
    func inTheEnvironment(variable: String, value: String, message: String) {
        #expect(ConfigTexts.mistakes(environment: [variable: value]) == message)
    }

    @Test(arguments: [
        ("workers=x", "--set: workers: \"x\" is not a number from 0 to 256"),
        ("worker=1", "--set: worker: no such setting: did you mean workers?"),
        ("workers", "--set \"workers\": write --set NAME=VALUE"),
        (
            "paths.live/*.gop-cash=1s",
            "--set: paths.live/*.gop-cash: no such setting: did you mean "
                + "gop-cache?"
        ),
        (
            "paths.gop-cache=1s",
            "--set: paths.gop-cache: no such setting: did you mean "
                + "paths.PATTERN.gop-cache?"
        ),
    ])
    func inAnOption(option: String, message: String) {
        #expect(ConfigTexts.mistakes(options: [option]) == message)
    }

    @Test(arguments: [
        (
            "http: { listen: \":9998\" }",
            "gateway.yml: admin.listen: port 9998 is taken by "
                + "http.listen: choose another"
        ),
        (
            "http: { tls: { cert: c.pem } }",
            "gateway.yml: http.tls.key: http.tls.cert needs it: "
                + "name the PEM file with the private key"
        ),
        (
            "http: { tls: { cert: [a.pem, b.pem], key: [a.key] } }",
            "gateway.yml: http.tls.key: 2 certificates need 2 keys: "
                + "name the PEM files in the same order"
        ),
        (
            "http: { tls: { key: k.pem } }",
            "gateway.yml: http.tls.cert: there is a key but no "
                + "certificate: name the PEM file with the chain"
        ),
    ])
    func twoSettingsThatDoNotGoTogether(file: String, message: String) {
        #expect(ConfigTexts.mistakes(file) == message)
    }

    @Test func allOfThemAreToldInOneGoButNotForEver() {
        #expect(ConfigTexts.mistakes("a: 1\nb: 2\n").split(separator: "\n").count == 2)
        let many = (0..<500).map { "key\($0): 1\n" }.joined()
        #expect(ConfigTexts.mistakes(many).split(separator: "\n").count == 20)
    }
}
