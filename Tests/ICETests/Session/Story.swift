import Browser
import Crypto
import Media
import Simulation
import Wire

@testable import ICE

/// What happens in one run: who publishes what over which network, and what goes wrong.
struct Story {
    var seed: UInt64
    var weather = Weather(lossPerMille: 0, delay: 10...15)
    var browserRole = DTLSSession.Role.client
    var profiles = SRTPProfile.preferred
    var engine = CryptoEngine.Kind.openSSL
    var browserEngine = CryptoEngine.Kind.openSSL
    var tracks = [FakeTrack(1111, 96, .vp8)]
    /// Payload types of the video section; the first is what it begins with.
    var videos: [Codec] = [.vp8]
    var layers: [String] = []
    var numbersTransport = true
    var feedback: NegotiatedCodec.Feedback = [.nack, .pli, .fir, .transportCC]
    var moves: [(at: Instant, address: Address)] = []
    var restartAt: Instant?
    /// The gateway is not run in between: what came waits in its socket.
    var stall: Range<Instant>?
    /// The first track goes on with another codec, with the next payload type.
    var codecChangeAt: Instant?
    var hasChannel = false
    var seconds: Int64 = 6

    var end: Instant { .start + .seconds(seconds) }
    static let codecs: [Codec] = [.vp8, .h264, .vp9, .av1, .h265]

    init(seed: UInt64) { self.seed = seed }

    /// Engines that this machine has: packets of one are opened by another.
    static let engines = CryptoEngine.Kind.allCases.filter {
        do {
            _ = try CryptoEngine.make($0)
            return true
        } catch { return false }
    }

    /// One of many.
    static func any(_ seed: UInt64) -> Story {
        var dice = SplitMix64(seed: seed)
        var story = Story(seed: seed)
        story.weather = anyWeather(seed, &dice)
        story.browserRole = dice.next() % 2 == 0 ? .client : .server
        let profiles = SRTPProfile.allCases
        story.profiles = [profiles[Int(dice.next() % UInt64(profiles.count))]]
        story.engine = engines[Int(dice.next() % UInt64(engines.count))]
        story.browserEngine = engines[Int(dice.next() % UInt64(engines.count))]
        story.choosePlan(seed % 8, &dice)
        switch dice.next() % 12 {
        case 0: story.moves = [(.start + .seconds(3), Address(ipv4: 0xcb00_7199, port: 61_000))]
        case 1, 2: story.restartAt = .start + .milliseconds(Int64(1500 + dice.next() % 3000))
        case 3: story.stall = .start + .seconds(3)..<(.start + .milliseconds(5200))
        default: break
        }
        // Where a tenth and more is lost, a handshake may take most of its ten seconds, and what is
        // repaired is judged by what comes after it.
        if !story.moves.isEmpty || story.weather.lossPerMille >= 100 || story.weather.burst != nil {
            story.seconds = 14
        }
        return story
    }

    private static func anyWeather(_ seed: UInt64, _ dice: inout SplitMix64) -> Weather {
        let delays: [ClosedRange<Int64>] = [0...1, 20...30, 50...60, 130...150]
        let losses: [UInt64] = [0, 0, 10, 50, 100, 200]
        var weather = Weather(
            lossPerMille: losses[Int(dice.next() % 6)], delay: delays[Int(dice.next() % 4)])
        weather.doubledPerMille = dice.next() % 3 * 20
        weather.keepsOrder = dice.next() % 2 == 0
        // Twice what the largest plan sends, so that bursts queue and repairs wait for them.
        if seed % 16 == 9 { weather.bitsPerSecond = 3_000_000 }
        if dice.next() % 5 == 0 {
            weather.lossPerMille = 0
            weather.burst = .init(beginPerMille: 10, endPerMille: 250)
        }
        return weather
    }

    private mutating func choosePlan(_ plan: UInt64, _ dice: inout SplitMix64) {
        switch plan {
        case 0: break
        case 1, 2:
            let codec = Self.codecs[Int(dice.next() % 5)]
            videos = [codec]
            tracks = [FakeTrack(1111, 96, codec)]
        case 3: repeatPlainly()
        case 4: sendLayers()
        case 5: changeSource()
        case 6:
            videos = [.vp8, .h264]
            codecChangeAt = .start + .seconds(3)
        default: sendWithoutRepair()
        }
        if dice.next() % 2 == 0 { addSound() }
    }

    /// OBS.
    private mutating func repeatPlainly() {
        videos = [.h264]
        tracks = [FakeTrack(1111, 96, .h264)]
        tracks[0].repair = .plain
        numbersTransport = false
        feedback = [.nack, .pli, .fir]
    }

    /// FFmpeg.
    private mutating func sendWithoutRepair() {
        videos = [.h264]
        tracks = [FakeTrack(1111, 96, .h264)]
        tracks[0].repair = .never
        numbersTransport = false
        feedback = []
        browserRole = .server
    }

    /// Three layers; the highest stops for a while, as Chrome's does.
    private mutating func sendLayers() {
        layers = ["q", "h", "f"]
        tracks = layers.enumerated().map { number, rid in
            var track = FakeTrack(1111 + UInt32(number), 96, .vp8)
            track.layer = UInt8(number)
            track.rid = rid
            track.interval = .milliseconds(20)
            return track
        }
        tracks[2].until = .start + .seconds(3)
    }

    /// The encoder begins anew with another SSRC.
    private mutating func changeSource() {
        tracks[0].until = .start + .seconds(3)
        var next = FakeTrack(2222, 96, .vp8, firstNumber: 100_000)
        next.from = .start + .seconds(3)
        next.firstIndex = 200
        tracks.append(next)
    }

    private mutating func addSound() {
        var sound = FakeTrack(7777, 111, .opus)
        sound.interval = .milliseconds(20)
        sound.size = 80
        sound.repair = .never
        tracks.append(sound)
    }

    /// Whether each packet can be expected to arrive: with a long way and heavy loss a second is
    /// not always enough, a translator that forgets loses more than that, and so does a stall.
    var isEasy: Bool {
        weather.lossPerMille <= 50 && weather.delay.upperBound <= 60 && weather.burst == nil
            && moves.isEmpty && stall == nil
    }

    func negotiated(
        _ ours: ICECredentials, _ theirs: ICECredentials, _ peer: Fingerprint
    ) -> NegotiatedSession {
        var extensions = HeaderExtensions()
        extensions.mid = FakeBrowser.midID
        extensions.transportCC = numbersTransport ? FakeBrowser.transportID : 0
        extensions.rid = FakeBrowser.ridID
        extensions.repairedRID = FakeBrowser.repairedID
        var video = NegotiatedMedia(
            mid: "0", codecs: codecs(), extensions: extensions, isRTCPReducedSize: true)
        video.layers = layers
        let hasSound = tracks.contains { $0.slot == .audio }
        var audioExtensions = extensions
        audioExtensions.rid = 0
        audioExtensions.repairedRID = 0
        let audio = NegotiatedMedia(
            mid: "1",
            codecs: [
                NegotiatedCodec(
                    codec: .opus, payloadType: 111, rtx: nil, clockRate: 48_000, profile: nil,
                    feedback: numbersTransport ? [.transportCC] : [])
            ], extensions: audioExtensions, isRTCPReducedSize: true)
        return NegotiatedSession(
            role: .publish, local: ours, remote: theirs,
            dtls: browserRole == .client ? .server : .client, fingerprints: [peer],
            audio: hasSound ? audio : nil, video: video,
            channel: hasChannel ? NegotiatedChannel(remotePort: 5000, maxMessageSize: 65_536) : nil,
            cname: "gateway",
            omitsMidOnRTX: false)
    }

    private func codecs() -> [NegotiatedCodec] {
        videos.enumerated().map { place, codec in
            let repairs = tracks.contains { $0.repair == .stream && $0.slot == .video }
            return NegotiatedCodec(
                codec: codec, payloadType: 96 + UInt8(2 * place),
                rtx: repairs ? 97 + UInt8(2 * place) : nil, clockRate: 90_000, profile: nil,
                feedback: feedback)
        }
    }
}
