import Browser
import Crypto
import Media
import RTP
import Stream
import Testing
import Wire

@testable import ICE

/// What a viewer has received, opened with the other half of its key.
struct Opened {
    var ssrc: UInt32
    var index: UInt64
    var header: RTPHeader
    var extensions: RTPExtensions
    var payload: [UInt8]
    var raw: [UInt8]
    var at: Instant
}

/// The far end of one viewer: opens what comes, and watches that no number is used twice.
final class FarEnd {
    let session: RTCSession
    let id: Box<ViewerID?>
    let route: Route
    var key: SRTPKey
    var receiver = SRTPReceiver()
    var media: [Opened] = []
    var controls: [RTCPItem] = []
    var controlAt: [Instant] = []
    var repeats: [Opened] = []
    /// By SSRC and index: the bytes. A second packet must be the same one.
    private var seen: [UInt32: [UInt64: [UInt8]]] = [:]
    private(set) var reused = 0
    private(set) var unreadable = 0
    var isConnection: Bool { route.isTCP }
    let setup: FarEnd.Setup

    struct Setup {
        var negotiated: NegotiatedSession
        var master: SRTPMaster
        var profile: SRTPProfile
    }

    final class Box<T> {
        var value: T
        init(_ value: T) { self.value = value }
    }

    init(
        _ session: RTCSession, _ key: SRTPKey, _ route: Route, _ setup: Setup
    ) {
        self.session = session
        self.key = key
        self.route = route
        self.setup = setup
        id = Box(nil)
    }

    func receive(_ bytes: [UInt8], _ engine: inout CryptoEngine, at now: Instant) {
        if RTPHeader.isRTCP(bytes.raw) { return receiveControl(bytes, &engine, at: now) }
        guard let header = try? RTPHeader(bytes.raw) else { return unreadable += 1 }
        var copy = bytes
        var packet: SRTPPacket?
        do {
            var span = copy.mutableSpan
            var window = unsafe span.mutableBytes
            packet = try? receiver.unprotect(&window, key: key, with: engine)
        }
        guard let packet else {
            // A replay: the same packet again, or a number used twice.
            let known = seen[header.ssrc]?.first {
                UInt16(truncatingIfNeeded: $0.key) == header.sequence
            }
            if let known, known.value == bytes { return note(known.key, header, bytes, now) }
            reused += known == nil ? 0 : 1
            return unreadable += 1
        }
        if let before = seen[packet.ssrc]?[packet.index], before != bytes { reused += 1 }
        seen[packet.ssrc, default: [:]][packet.index] = bytes
        keep(copy, header, packet, bytes, now)
    }

    private func note(_ index: UInt64, _ header: RTPHeader, _ bytes: [UInt8], _ now: Instant) {
        repeats.append(
            Opened(
                ssrc: header.ssrc, index: index, header: header, extensions: RTPExtensions(),
                payload: [], raw: bytes, at: now))
    }

    private func keep(
        _ copy: [UInt8], _ header: RTPHeader, _ packet: SRTPPacket, _ bytes: [UInt8],
        _ now: Instant
    ) {
        var map = ExtensionMap()
        map[.mid] = 1
        map[.transportSequence] = 3
        map[.absoluteCaptureTime] = 4
        map[.playoutDelay] = 5
        let extensions = (try? RTPExtensions(header, of: copy.raw, by: map)) ?? RTPExtensions()
        media.append(
            Opened(
                ssrc: packet.ssrc, index: packet.index, header: header, extensions: extensions,
                payload: Array(copy[packet.headerCount..<packet.count]), raw: bytes, at: now))
    }

    private func receiveControl(
        _ bytes: [UInt8], _ engine: inout CryptoEngine, at now: Instant
    ) {
        var copy = bytes
        var span = copy.mutableSpan
        var window = unsafe span.mutableBytes
        guard
            let count = try? receiver.unprotectRTCP(&window, key: key, with: engine),
            var reader = try? RTCPReader(window.bytes.extracting(0..<count))
        else { return unreadable += 1 }
        while let item = reader.next() {
            controls.append(item)
            controlAt.append(now)
        }
    }

    func packets(_ ssrc: UInt32) -> [Opened] { media.filter { $0.ssrc == ssrc } }
    var video: [Opened] { packets(FanOutScene.videoSSRC) }
    var audio: [Opened] { packets(FanOutScene.audioSSRC) }
    var repairs: [Opened] { packets(FanOutScene.rtxSSRC) }
    var reports: [RTCPSenderInfo] {
        controls.compactMap { if case .senderInfo(let info) = $0 { info } else { nil } }
    }
}

/// A stream, its publisher in one hand, and viewers with real keys in the other.
final class FanOutScene {
    static let (videoSSRC, rtxSSRC, audioSSRC): (UInt32, UInt32, UInt32) = (0x1111, 0x2222, 0x3333)
    static let local = Address(ipv4: 0xc000_0201, port: 8000)

    var stream: Stream
    var fanOut: FanOut
    var engine: CryptoEngine
    /// The other side's keys live in an engine of their own.
    var far: CryptoEngine
    var batch: SendBatch
    var framed = RTCOutput()
    var orders = Orders()
    var effects = Effects()
    var now = Instant.start + .seconds(1)
    var epoch: Epoch = 0
    var wall: WallClockModel
    var ends: [FarEnd] = []
    var lose: (FarEnd, [UInt8]) -> Bool = { _, _ in false }
    var fullTimes = 0
    var runs: [Int] = []
    private var dice: SplitMix64
    private let context: DTLSContext

    init(
        seed: UInt64 = 1, kind: CryptoEngine.Kind? = nil, batch capacity: Int = 160 * 1024,
        runs: Int = 64
    ) throws {
        dice = SplitMix64(seed: seed)
        fanOut = FanOut(dice: SplitMix64(seed: seed ^ 77))
        engine = try CryptoEngine.make(kind)
        far = try CryptoEngine.make(.openSSL)
        batch = SendBatch(capacity: capacity, runs: runs)
        wall = WallClockModel(utc: 1_700_000_000_000_000_000, at: .start)
        stream = Stream(
            name: "live/x", rules: StreamRules(), memory: MediaMemory(limit: 1 << 28))
        context = try DTLSContext(
            certificate: try #require(PublishWorld.certificate), isSimulated: true)
    }

    /// A scene with pictures, and one viewer of them.
    static func watched(
        _ slots: [AnnouncedSlot] = [video()], profile: SRTPProfile = .aes128GCM,
        tcp: Bool = false
    ) throws -> (scene: FanOutScene, end: FarEnd) {
        let scene = try FanOutScene()
        try scene.publish(slots)
        return (scene, try scene.view(profile: profile, tcp: tcp))
    }

    // MARK: Publishing

    static func video(_ codec: Codec = .h264, rids: [String] = []) -> AnnouncedSlot {
        var format = Format(codec: codec, clockRate: 90_000)
        if codec == .h264 {
            format.parameterSets = [[0x67, 0x42, 0xc0, 0x1f, 0xda], [0x68, 0xce, 0x3c, 0x80]]
            format.profile = 0x42c01f
        }
        return AnnouncedSlot(slot: .video, format: format, form: .packets, rids: rids)
    }

    static func audio(_ codec: Codec = .opus) -> AnnouncedSlot {
        let rate: Int32 = codec == .opus ? 48_000 : 8_000
        return AnnouncedSlot(
            slot: .audio, format: Format(codec: codec, clockRate: rate), form: .packets)
    }

    func publish(
        _ slots: [AnnouncedSlot] = [video(), audio()], nack: Bool = true, pli: Bool = true
    ) throws {
        var publication = Publication(
            principal: .key("k"), protocolName: "test", slots: slots)
        publication.answersNACK = nack
        publication.answersPLI = pli
        epoch = try stream.publish(publication, at: now, into: &orders)
    }

    /// One frame of so many packets. Its number is in each payload.
    func frame(
        _ sequence: Int64, packets: Int = 1, size: Int = 1000, key: Bool = false, ticks: Int64,
        codec: Codec = .h264, layer: UInt8 = 0, without: Set<Int> = [], picture: UInt16 = 0,
        tl0: UInt8 = 0, temporal: UInt8 = 0
    ) {
        for part in 0..<packets where !without.contains(part) {
            var meta = ItemMeta(ticks: ticks, arrival: now, length: size, flags: [])
            if part == packets - 1 { meta.flags = .marker }
            let bytes = Self.payload(
                codec, sequence + Int64(part), size, isKey: key, isFirst: part == 0,
                isLast: part == packets - 1, picture, tl0, temporal)
            effects.packet(
                bytes.raw, meta, sequence: sequence + Int64(part), channel: 0, slot: .video,
                layer: layer)
        }
        store()
    }

    static func payload(
        _ codec: Codec, _ number: Int64, _ size: Int, isKey: Bool, isFirst: Bool, isLast: Bool,
        _ picture: UInt16, _ tl0: UInt8, _ temporal: UInt8
    ) -> [UInt8] {
        var head: [UInt8]
        if codec == .vp8 {
            // X; I, L, T; a long picture id; TL0; layer.
            head = [isFirst ? 0x90 : 0x80, 0xe0, 0x80 | UInt8(picture >> 8 & 0x7f)]
            head += [UInt8(truncatingIfNeeded: picture), tl0, temporal << 6, isKey ? 0 : 1]
        } else if isFirst, isLast {
            head = [isKey ? 0x65 : 0x41, 0x80]
        } else {
            let type: UInt8 = isKey ? 5 : 1
            head = [0x5c, type | (isFirst ? 0x80 : 0) | (isLast ? 0x40 : 0), 0x80]
        }
        head += (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
        var value = UInt64(bitPattern: number) &* 0x9e37_79b9
        while head.count < size {
            value = value &* 6_364_136_223_846_793_005 &+ 1
            head.append(UInt8(truncatingIfNeeded: value >> 33))
        }
        return head
    }

    func sound(_ sequence: Int64, ticks: Int64, size: Int = 120) {
        var meta = ItemMeta(ticks: ticks, arrival: now, length: size, flags: [])
        meta.flags = .marker
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: Int64($0) &* 7 &+ sequence) }
        effects.packet(bytes.raw, meta, sequence: sequence, channel: 0, slot: .audio)
        store()
    }

    func store() {
        for effect in effects.list {
            guard case .media(_, let slot, let layer, let items) = effect else { continue }
            stream.store(
                effects, items: items, slot: slot, layer: layer, epoch: epoch, at: now,
                into: &orders)
        }
        effects.clear()
    }

    // MARK: Viewing

    static func negotiated(
        _ codecs: [Codec] = [.h264, .vp8], hasRTX: Bool = true, isFirefox: Bool = false,
        transport: UInt8 = 3, audio: [Codec] = [.opus, .pcma]
    ) throws -> NegotiatedSession {
        var extensions = HeaderExtensions()
        (extensions.mid, extensions.transportCC) = (1, transport)
        (extensions.absCaptureTime, extensions.playoutDelay) = (4, isFirefox ? 0 : 5)
        let pictures = codecs.enumerated().map { place, codec in
            NegotiatedCodec(
                codec: codec, payloadType: UInt8(96 + 2 * place),
                rtx: hasRTX ? UInt8(97 + 2 * place) : nil, clockRate: 90_000,
                profile: codec == .h264 ? .constrainedBaseline : nil,
                feedback: [.nack, .pli, .transportCC])
        }
        var video = NegotiatedMedia(
            mid: "0", codecs: pictures, extensions: extensions, isRTCPReducedSize: true)
        (video.ssrc, video.rtxSSRC) = (videoSSRC, hasRTX ? rtxSSRC : 0)
        extensions.playoutDelay = 0
        var sounds = NegotiatedMedia(
            mid: "1",
            codecs: audio.map {
                NegotiatedCodec(
                    codec: $0, payloadType: $0 == .opus ? 111 : 8, rtx: nil,
                    clockRate: $0 == .opus ? 48_000 : 8_000, profile: nil, feedback: [])
            }, extensions: extensions, isRTCPReducedSize: true)
        sounds.ssrc = audioSSRC
        var dice = SplitMix64(seed: 3)
        let peer = try #require(FakeBrowser.certificate)
        return NegotiatedSession(
            role: .play, local: ICEWorld.credentials(&dice), remote: ICEWorld.credentials(&dice),
            dtls: .server, fingerprints: [peer.fingerprint()],
            audio: audio.isEmpty ? nil : sounds, video: codecs.isEmpty ? nil : video,
            channel: nil, cname: "gateway", omitsMidOnRTX: isFirefox)
    }

    @discardableResult
    func view(
        _ negotiated: NegotiatedSession? = nil, profile: SRTPProfile = .aes128GCM,
        tcp: Bool = false, isValidated: Bool = true, layer: LayerChoice = .auto
    ) throws -> FarEnd {
        let settled = try negotiated ?? Self.negotiated()
        let number = UInt8(truncatingIfNeeded: ends.count + 1)
        let session = RTCSession(
            settled,
            for: .play(name: "live/x", Credential(), Subscription(wants: [], rule: .realTime)),
            context: context, dice: &dice, at: now)
        let master = SRTPMaster(
            key: (0..<profile.keyCount).map { UInt8($0) &* 3 &+ number },
            salt: (0..<profile.saltCount).map { UInt8($0) &+ number })
        let route = Route(
            remote: Address(ipv4: 0x0a00_0000 + UInt32(ends.count), port: 4000),
            local: Self.local, connection: tcp ? UInt32(ends.count + 1) : 0)
        let end = FarEnd(
            session, far.add(master, profile: profile, for: .receiving), route,
            FarEnd.Setup(negotiated: settled, master: master, profile: profile))
        let key = engine.add(master, profile: profile, for: .sending)
        var setup = ViewerSetup(
            session, key: key, profile: profile, route: route, isValidated: isValidated)
        setup.layer = layer
        end.id.value = fanOut.add(setup, at: now)
        ends.append(end)
        return end
    }

    func flush() {
        while true {
            let flushed = fanOut.flush(
                at: now, wall: wall, in: stream, engine: &engine, batch: &batch, framed: &framed,
                orders: &orders)
            deliver()
            guard flushed == .batchFull else { return }
            fullTimes += 1
        }
    }

    private func deliver() {
        for number in 0..<batch.runCount {
            let run = batch.run(number)
            runs.append(run.count)
            var offset = run.offset
            while offset < run.bytes.upperBound {
                let end = min(offset + run.segmentSize, run.bytes.upperBound)
                give(
                    Array(copying: batch.bytes.extracting(offset..<end)),
                    Route(remote: run.destination, local: run.source))
                offset = end
            }
        }
        batch.clear()
        for entry in framed.entries {
            guard case .send(let route, let range) = entry else { continue }
            give(Array(framed.bytes[range]), route)
        }
        framed.clear()
    }

    private func give(_ bytes: [UInt8], _ route: Route) {
        guard let end = ends.first(where: { $0.route.remote == route.remote }) else { return }
        guard !lose(end, bytes) else { return }
        end.receive(bytes, &far, at: now)
    }

    func changed() { fanOut.resolve(in: stream, at: now, into: &orders) }

    /// Time goes on; what is due on the way is done.
    func pass(_ milliseconds: Int64) {
        let end = now + .milliseconds(milliseconds)
        var turns = 0
        while fanOut.deadline < end, turns < 10_000 {
            now = max(now, fanOut.deadline)
            flush()
            turns += 1
        }
        #expect(turns < 10_000, "it never comes to rest")
        now = end
        stream.expire(at: now, into: &orders)
    }

    func id(_ end: FarEnd) throws -> ViewerID { try #require(end.id.value) }

    func nack(_ end: FarEnd, _ sequences: [UInt16], ssrc: UInt32 = videoSSRC) throws {
        for sequence in sequences {
            fanOut.feedback(
                try id(end), .nack(media: ssrc, RTCPNack(first: sequence, mask: 0)),
                bytes: [UInt8]().raw, at: now)
        }
    }

    func takeOrders() -> [Orders.Order] {
        defer { orders.clear() }
        return orders.list
    }
}
