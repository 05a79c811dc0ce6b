import CAllocationCount
import CYardstick
import Crypto
import ICE
import Media
import RTP
import Stream
import Wire

/// A stream of VP8 packets and its viewers on one worker: frames of so many packets of one size,
/// for each of them everything from the history to the batch.
final class FanOutRow {
    static let viewers = 500
    static let size = 1100
    /// Frames in a round.
    static let frames = 8

    private let stream: Stream
    private let fanOut = FanOut(dice: SplitMix64(seed: 1))
    private var engine: CryptoEngine
    private var batch = SendBatch()
    private var framed = RTCOutput()
    private var orders = Orders()
    private var effects = Effects()
    private let wall = WallClockModel(utc: 1_700_000_000_000_000_000, at: .start)
    private let epoch: Epoch
    private var now = Instant.start + .seconds(1)
    private var sequence: Int64 = 1
    private var frame: Int64 = 0
    private let count: Int
    private(set) var sent = 0
    private(set) var runs = 0

    init(_ profile: SRTPProfile, packets count: Int) throws {
        self.count = count
        engine = try CryptoEngine.make()
        stream = Stream(name: "b", rules: StreamRules(), memory: MediaMemory(limit: 1 << 28))
        let slot = AnnouncedSlot(
            slot: .video, format: Format(codec: .vp8, clockRate: 90_000), form: .packets)
        var publication = Publication(
            principal: .configured, protocolName: "bench", slots: [slot])
        publication.answersNACK = true
        epoch = try stream.publish(publication, at: now, into: &orders)
        let certificate = try Certificate.selfSigned(commonName: "b", from: 0, days: 365_000)
        let context = try DTLSContext(certificate: certificate, isSimulated: true)
        for number in 0..<Self.viewers { try view(number, profile, context) }
        store()
        _ = flush()
    }

    private func view(
        _ number: Int, _ profile: SRTPProfile, _ context: DTLSContext
    ) throws {
        var extensions = HeaderExtensions()
        (extensions.mid, extensions.transportCC) = (1, 3)
        (extensions.absCaptureTime, extensions.playoutDelay) = (4, 5)
        let codec = NegotiatedCodec(
            codec: .vp8, payloadType: 96, rtx: 97, clockRate: 90_000, profile: nil,
            feedback: .nack)
        var video = NegotiatedMedia(
            mid: "0", codecs: [codec], extensions: extensions, isRTCPReducedSize: true)
        (video.ssrc, video.rtxSSRC) = (UInt32(2 * number + 1), UInt32(2 * number + 2))
        let negotiated = NegotiatedSession(
            role: .play, local: ICECredentials(ufrag: "a", password: "b"),
            remote: ICECredentials(ufrag: "c", password: "d"), dtls: .server, fingerprints: [],
            video: video, cname: "bench", omitsMidOnRTX: false)
        var dice = SplitMix64(seed: UInt64(number))
        let purpose = RTCPurpose.play(
            name: "b", Credential(), Subscription(wants: [], rule: .realTime))
        let session = RTCSession(
            negotiated, for: purpose, context: context, dice: &dice, at: now)
        let master = SRTPMaster(
            key: (0..<profile.keyCount).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) },
            salt: (0..<profile.saltCount).map { UInt8(truncatingIfNeeded: $0 &+ number) })
        let route = Route(
            remote: Address(ipv4: 0x7f00_0001 + UInt32(number), port: 4000),
            local: Address(ipv4: 0x7f00_0001, port: 8000))
        let key = engine.add(master, profile: profile, for: .sending)
        let id = fanOut.add(
            ViewerSetup(session, key: key, profile: profile, route: route, isValidated: true),
            at: now)
        // The peer knows our SSRC.
        let block = RTCPReportBlock(
            ssrc: video.ssrc, fractionLost: 0, cumulativeLost: 0, highestSequence: 0, jitter: 0,
            lastReport: 0, delay: 0)
        fanOut.feedback(id, .report(block), bytes: [UInt8]().raw, at: now)
    }

    private func store() {
        for part in 0..<count {
            var meta = ItemMeta(ticks: frame * 3000, arrival: now, length: Self.size, flags: [])
            if part == count - 1 { meta.flags = .marker }
            var payload = [UInt8](repeating: UInt8(truncatingIfNeeded: sequence), count: Self.size)
            payload[0] = part == 0 ? 0x10 : 0
            payload[1] = frame % 100 == 0 ? 0 : 1
            effects.packet(payload.raw, meta, sequence: sequence, channel: 0, slot: .video)
            sequence += 1
        }
        frame += 1
        stream.store(
            effects, items: 0..<count, slot: .video, layer: 0, epoch: epoch, at: now,
            into: &orders)
        effects.clear()
        orders.clear()
    }

    private func flush() -> UInt64 {
        let start = yardstick_thread_time()
        while true {
            let flushed = fanOut.flush(
                at: now, wall: wall, in: stream, engine: &engine, batch: &batch,
                framed: &framed, orders: &orders)
            runs += batch.runCount
            for number in 0..<batch.runCount { sent += batch.run(number).count }
            batch.clear()
            if flushed == .done { break }
        }
        return yardstick_thread_time() - start
    }

    /// - Returns: Nanoseconds for `frames` frames to all viewers.
    func run() -> UInt64 {
        var time: UInt64 = 0
        for _ in 0..<Self.frames {
            now = now + .milliseconds(2)
            store()
            time += flush()
        }
        return time
    }

    /// What a frame to all viewers allocates, at the least.
    func allocations() -> UInt64 {
        var least = UInt64.max
        for _ in 0..<10 {
            now = now + .milliseconds(2)
            store()
            let before = allocation_count_thread()
            _ = flush()
            least = min(least, allocation_count_thread() - before)
        }
        return least
    }

    func forget() { (sent, runs) = (0, 0) }
}
