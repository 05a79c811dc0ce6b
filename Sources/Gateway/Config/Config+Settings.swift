import Wire

// The table of settings, in the order in which people read about them.
extension Config {
    package static let settings: [Setting<Config>] =
        http + webrtc + otherProtocols + gb28181 + auth + hooks + admin + log + limits + program

    private static let http: [Setting<Config>] = [
        Setting(
            "http.listen", \.http.listen, .listen, .restart,
            "The page, the API, WHIP and WHEP: one origin for all."),
        Setting(
            "http.public", \.http.publicOrigin, .origin, .reload,
            "The origin that browsers see when a proxy stands in front of us."),
        Setting(
            "http.trusted-proxies", \.http.trustedProxies, .list(of: .range), .reload,
            "Proxies whose X-Forwarded-For we believe; no others are."),
        Setting(
            "http.pages", \.http.pages, .path, .reload,
            "The folder with the page; empty: the one that came with the program."),
        Setting(
            "http.tls.listen", \.http.tls.listen, .listen, .restart,
            "The same over HTTPS, as soon as there is a certificate."),
        Setting(
            "http.tls.cert", \.http.tls.certificate, .certificate, .reload,
            "The chain, or several for several names (SNI; who names none gets the first);"
                + " 'auto' makes one of our own (browsers warn once)."),
        Setting(
            "http.tls.key", \.http.tls.keys, .list(of: .path), .reload,
            "The private keys, PEM files: one for each certificate, in the same order."),
    ]

    private static let webrtc: [Setting<Config>] = [
        Setting(
            "webrtc.listen", \.webrtc.listen, .listen, .restart,
            "All WebRTC media: one UDP port, and the same TCP port."),
        Setting(
            "webrtc.tcp", \.webrtc.tcp, .yesOrNo, .restart,
            "Media over TCP for viewers whose network blocks UDP."),
        Setting(
            "webrtc.advertise", \.webrtc.advertise, .list(of: .advertised), .reload,
            "Our public addresses, when we are behind NAT or in a container."),
        Setting(
            "webrtc.stun", \.webrtc.stun, .list(of: .stunServer), .reload,
            "Servers that tell us our public address, when we do not know it."),
        Setting(
            "webrtc.ice-servers", \.webrtc.iceServers, .list(of: .iceServer), .reload,
            "STUN and TURN servers that clients are told of; none is needed to reach us."),
        Setting(
            "webrtc.ice", \.webrtc.ice, .word, .restart,
            "We answer connectivity checks and start none."),
        Setting(
            "webrtc.playout-delay", \.webrtc.playoutDelay, .playoutDelay, .reload,
            "How long players may hold pictures back to play smoothly."),
        Setting(
            "webrtc.prefer", \.webrtc.prefer, .list(of: .word), .reload,
            "Codecs in the order we offer them to publishers."),
        Setting(
            "webrtc.reserve", \.webrtc.reserve, .yesOrNo, .reload,
            "Answer tracks that a stream may get later; false for strict players."),
        Setting(
            "webrtc.srtp-engine", \.webrtc.engine, .word, .restart,
            "What encrypts the packets; 'auto' takes the fastest that is built in."),
    ]

    private static let gb28181: [Setting<Config>] = [
        Setting(
            "gb28181.enabled", \.gb28181.enabled, .yesOrNo, .restart,
            "Cameras and recorders that register to us by SIP (GB/T 28181)."),
        Setting(
            "gb28181.id", \.gb28181.id, .digits(20), .restart,
            "Our number: in a camera's settings the SIP server's ID."),
        Setting(
            "gb28181.domain", \.gb28181.domain, .digits(10), .restart,
            "Our domain, which is also the realm of the password."),
        Setting(
            "gb28181.listen", \.gb28181.listen, .listen, .restart,
            "SIP over UDP and TCP."),
        Setting(
            "gb28181.password", \.gb28181.password, .key, .restart,
            "The password of all devices; made at first start and kept in state.dir."),
        Setting(
            "gb28181.sip-advertise", \.gb28181.sipAdvertise, .ownAddress, .restart,
            "The address that devices are told to reach us at; empty: the one they reached."),
        Setting(
            "gb28181.media.listen", \.gb28181.mediaListen, .listen, .restart,
            "The media of all cameras: one UDP port, and the same TCP port."),
        .later(
            "gb28181.media.ports", default: "", awaits: "ports of single cameras",
            "Ports of single devices."),
        Setting(
            "gb28181.media.advertise", \.gb28181.mediaAdvertise, .ownAddress, .restart,
            "Where cameras are told to send media, when we are behind NAT."),
        Setting(
            "gb28181.media.transport", \.gb28181.transport, .word, .restart,
            "What is asked of cameras first: TCP loses nothing on the way."),
    ]

    private static let auth: [Setting<Config>] = [
        Setting(
            "auth.publish-key", \.auth.publishKey, .key, .reload,
            "Who has it may publish; made at first start and kept in state.dir."),
        Setting(
            "auth.read", \.auth.read, .word, .reload,
            "Who may watch: the local network, everybody, or who has the key."),
        Setting(
            "auth.read-key", \.auth.readKey, .key, .reload,
            "Who has it may watch."),
        Setting(
            "auth.loopback", \.auth.loopback, .word, .reload,
            "Whether programs on this machine need a key; 'key' behind a TCP balancer."),
        .later("auth.mode", default: "internal", awaits: "another mode", "Who decides."),
        .later("auth.hook", default: "", awaits: "the auth hook", "Asked before each decision."),
        .later("auth.jwks", default: "", awaits: "JWT", "Where the keys of tokens are."),
    ]

    private static let hooks: [Setting<Config>] = [
        .later("hooks.url", default: "", awaits: "event hooks", "Told what happens."),
        .later("hooks.format", default: "native", awaits: "event hooks", "In which dialect."),
        .later("compat", default: "[]", awaits: "the compatible APIs", "APIs of other servers."),
    ]

    private static let admin: [Setting<Config>] = [
        Setting(
            "admin.listen", \.admin.listen, .listen, .restart,
            "Metrics, health and debugging; not for the public."),
        Setting(
            "admin.token", \.admin.token, .key, .reload,
            "The bearer token of the API; made at first start."),
    ]

    private static let log: [Setting<Config>] = [
        Setting("log.level", \.log.level, .word, .reload, "The least important lines to write."),
        Setting("log.format", \.log.format, .word, .restart, "Text, or one JSON object a line."),
        Setting("log.output", \.log.output, .logOutput, .restart, "SIGUSR1 opens a file again."),
        Setting(
            "log.max-size", \.log.largestFile, .size((1 << 20)...(10 << 30)), .restart,
            "A file that gets larger is renamed, and a new one begun."),
        Setting(
            "log.keep", \.log.oldFiles, .number(0...100), .restart,
            "How many renamed files stay."),
    ]

    private static let limits: [Setting<Config>] = [
        Setting(
            "media.memory", \.media.memory, .memory, .restart,
            "For the recent pictures of all streams together."),
        Setting(
            "limits.sessions", \.limits.sessions, .number(1...1_000_000), .reload,
            "Publishers and viewers at a time."),
        Setting(
            "limits.streams", \.limits.streams, .number(1...1_000_000), .reload,
            "Names in use at a time."),
        Setting(
            "limits.pending-sessions", \.limits.pendingSessions, .number(1...1_000_000), .reload,
            "Sessions that are answered but not connected yet."),
        Setting(
            "limits.pending-sessions-per-source", \.limits.pendingSessionsPerSource,
            .number(1...1_000_000), .reload, "The same, for one address."),
        Setting(
            "limits.new-connections-per-source", \.limits.newConnectionsPerSource,
            .number(1...1_000_000), .reload,
            "TCP connections without a first request, for one network (/24 or /56)."),
        Setting(
            "limits.bandwidth", \.limits.bandwidth, .number(0...1_000_000), .reload,
            "Mbit/s that may leave before new viewers are refused; 0: no limit."),
        Setting(
            "limits.cpu", \.limits.cpu, .number(0...100), .reload,
            "Percent of a worker's time before new viewers are refused; 0: no limit."),
    ]

    private static let program: [Setting<Config>] = [
        Setting(
            "workers", \.workers, .number(0...256), .restart,
            "Threads that move packets; 0: one for each core."),
        Setting(
            "state.dir", \.state.directory, .path, .restart,
            "Keys and tokens; empty: $STATE_DIRECTORY, /var/lib/gateway as root, or ./state."),
        Setting(
            "demo", \.demo, .yesOrNo, .restart,
            "Publishes live/demo (VP8) and live/demo-h264: live pictures without a camera."),
        Setting(
            "supervise", \.supervise, .yesOrNo, .restart,
            "A small parent process starts us again when we die."),
        Setting(
            "shutdown.drain", \.shutdown.drain, .duration(.zero ... .seconds(600)), .reload,
            "After SIGTERM: the time to finish what is going on."),
        Setting(
            "config.watch", \.file.watch, .yesOrNo, .reload,
            "Read this file again when it changes, as after SIGHUP."),
    ]

    private static let otherProtocols: [Setting<Config>] = [
        Setting(
            "rtmp.listen", \.rtmp.listen, .listen, .restart,
            "Encoders and players that speak RTMP: OBS, FFmpeg, VLC."),
        Setting(
            "rtmp.tls.listen", \.rtmp.tlsListen, .listen, .restart,
            "The same encrypted (RTMPS), as soon as there is a certificate."),
        Setting(
            "hls.segment", \.hls.segment, .duration(.seconds(1) ... .seconds(20)), .reload,
            "HLS: a segment ends with the first key frame after so long."),
        Setting(
            "hls.part", \.hls.part, .duration(.zero ... .seconds(1)), .reload,
            "LL-HLS: how much is published at a time, at least; 0: plain HLS."),
        Setting(
            "hls.segments", \.hls.segments, .number(4...100), .reload,
            "HLS: how many segments a playlist lists."),
        Setting(
            "rtsp.listen", \.rtsp.listen, .listen, .restart,
            "Encoders, players and recorders that speak RTSP: FFmpeg, GStreamer, VLC, NVRs."),
        Setting(
            "rtsp.tls.listen", \.rtsp.tlsListen, .listen, .restart,
            "The same encrypted (RTSPS), as soon as there is a certificate."),
        Setting(
            "rtsp.transports", \.rtsp.transports, .list(of: .word), .restart,
            "What media may travel by; TCP always, and without UDP no ports are opened."),
        Setting(
            "rtsp.ports", \.rtsp.ports, .ports, .restart,
            "UDP ports for media and its reports, a pair for each track; off: no UDP."),
        Setting(
            "srt.listen", \.srt.listen, .listen, .restart,
            "Encoders and players that speak SRT: OBS, FFmpeg, vMix, hardware (UDP)."),
        Setting(
            "srt.passphrase", \.srt.passphrase, .passphrase, .reload,
            "All SRT callers encrypt with it; empty: none may."),
        Setting(
            "srt.latency", \.srt.latency, .duration(.milliseconds(20) ... .seconds(8)), .restart,
            "How long SRT may ask for lost packets again; a caller may want more."),
        Setting(
            "srt.mode", \.srt.mode, .word, .reload,
            "What SRT callers want whose stream id is a name only."),
        Setting(
            "srt.stream", \.srt.stream, .streamName, .reload,
            "The stream of SRT callers without a stream id; empty: they are sent away."),
    ]
}

extension PathConfig {
    package static let settings: [Setting<PathConfig>] = [
        Setting(
            "latency-budget", \.latencyBudget, .duration(.milliseconds(50) ... .seconds(10)),
            .reload, "A viewer further behind jumps to the next key frame."),
        Setting(
            "gop-cache", \.gopCache, .duration(.zero ... .seconds(60)), .reload,
            "How far back a new viewer's first picture may lie."),
        Setting(
            "publisher-grace", \.publisherGrace, .duration(.zero ... .seconds(600)), .reload,
            "How long viewers stay when the publisher is gone."),
        Setting(
            "audio", \.audio, .word, .reload,
            "Sound in another codec for those who need it: 'auto' makes it, 'off' leaves it out."),
        Setting(
            "b-frames", \.bFrames, .word, .reload,
            "Towards browsers, which cannot show them; refuse tells the publisher why."),
        Setting(
            "on-loss", \.onLoss, .word, .reload,
            "After a loss nobody repairs: go on, or wait for a key frame (no grey pictures)."),
        Setting(
            "source", \.source, .source, .reload,
            "Where to fetch the stream from; for one name, not for a pattern."),
        Setting(
            "source-transport", \.sourceTransport, .word, .reload,
            "RTSP cameras: TCP, UDP, or whichever brings media (TCP first)."),
        Setting(
            "on-demand", \.onDemand, .yesOrNo, .reload,
            "Fetch it only while somebody watches."),
        Setting(
            "forward", \.forward, .list(of: .destination), .reload,
            "Where to bring the stream while it is live; an application gets the name behind it."),
        Setting(
            "srt-passphrase", \.srtPassphrase, .passphrase, .reload,
            "SRT callers of these streams encrypt with it; empty: as srt.passphrase."),
    ]
}
