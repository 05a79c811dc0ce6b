import CAllocationCount
import CYardstick
import Crypto
import ICE
import Media
import RTP
import Stream
import Wire

/// What a row sends, and to how many.
struct Load {
    var profile = SRTPProfile.aes128GCM
    /// Of a frame.
    var packets = 8
    var size = 1100
    /// The last packet of a frame is a byte longer, as libwebrtc splits frames: two runs.
    var isUneven = false
    var viewers = 500
    /// Frames in a round.
    var frames = 8
    /// Streams, each with so many viewers.
    var streams = 1

    var packetsPerRound: UInt64 { UInt64(packets * viewers * frames * streams) }
}

/// Streams of VP8 packets and their viewers on one worker: for each frame everything from the
/// history to the batch, and to the socket where there is one.
final class FanOutRow {
    let load: Load
    private var streams: [Watched] = []
    private var engine: CryptoEngine
    private var batch = SendBatch()
    private var framed = RTCOutput()
    private var orders = Orders()
    private let outlet: Outlet?
    private let wall = WallClockModel(utc: 1_700_000_000_000_000_000, at: .start)
    private var now = Instant.start + .seconds(1)
    /// Since the first flush.
    private(set) var sent = 0
    /// Runs by their length.
    private(set) var lengths: [Int: Int] = [:]

    /// One stream, and who watches it.
    private final class Watched {
        let stream: Stream
        let fanOut: FanOut
        var epoch: Epoch = 0
        var sequence: Int64 = 1
        var frame: Int64 = 0
        var effects = Effects()

        init(_ number: Int) {
            stream = Stream(
                name: "b", rules: StreamRules(), memory: MediaMemory(limit: 1 << 28))
            fanOut = FanOut(dice: SplitMix64(seed: UInt64(number)))
        }
    }

    init(_ load: Load, to outlet: Outlet? = nil) throws {
        self.load = load
        self.outlet = outlet
        engine = try CryptoEngine.make()
        let certificate = try Certificate.selfSigned(commonName: "b", from: 0, days: 365_000)
        let context = try DTLSContext(certificate: certificate, isSimulated: true)
        for number in 0..<load.streams {
            let watched = Watched(number)
            watched.epoch = try watched.stream.publish(
                Viewers.publication, at: now, into: &orders)
            streams.append(watched)
            for viewer in 0..<load.viewers {
                try view(watched, number * load.viewers + viewer, context)
            }
        }
        store()
        _ = flush()
        // A second of frames: what a browser is told at the start only has been told then.
        for _ in 0..<20 {
            now = now + .milliseconds(60)
            store()
            _ = flush()
        }
        lengths = [:]
    }

    private func view(_ watched: Watched, _ number: Int, _ context: DTLSContext) throws {
        let negotiated = Viewers.negotiated(number)
        var dice = SplitMix64(seed: UInt64(number))
        let session = RTCSession(
            negotiated, for: Viewers.purpose, context: context, dice: &dice, at: now)
        let profile = load.profile
        let master = SRTPMaster(
            key: (0..<profile.keyCount).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) },
            salt: (0..<profile.saltCount).map { UInt8(truncatingIfNeeded: $0 &+ number) })
        let route = Route(
            remote: outlet?.destinations[number]
                ?? Address(ipv4: 0x7f00_0001 + UInt32(number), port: 4000),
            local: .any(port: 0))
        let key = engine.add(master, profile: profile, for: .sending)
        let id = watched.fanOut.add(
            ViewerSetup(session, key: key, profile: profile, route: route, isValidated: true),
            at: now)
        // The peer knows our SSRC.
        let block = RTCPReportBlock(
            ssrc: negotiated.video?.ssrc ?? 0, fractionLost: 0, cumulativeLost: 0,
            highestSequence: 0, jitter: 0, lastReport: 0, delay: 0)
        watched.fanOut.feedback(id, .report(block), bytes: [UInt8]().raw, at: now)
    }

    private func store() {
        for watched in streams { store(watched) }
    }

    private func store(_ watched: Watched) {
        for part in 0..<load.packets {
            let isLast = part == load.packets - 1
            let size = load.size + (isLast && load.isUneven ? 1 : 0)
            var meta = ItemMeta(
                ticks: watched.frame * 3000, arrival: now, length: size, flags: [])
            if isLast { meta.flags = .marker }
            var payload = [UInt8](
                repeating: UInt8(truncatingIfNeeded: watched.sequence), count: size)
            payload[0] = part == 0 ? 0x10 : 0
            payload[1] = watched.frame == 0 ? 0 : 1
            watched.effects.packet(
                payload.raw, meta, sequence: watched.sequence, channel: 0, slot: .video)
            watched.sequence += 1
        }
        watched.frame += 1
        watched.stream.store(
            watched.effects, items: 0..<load.packets, slot: .video, layer: 0,
            epoch: watched.epoch, at: now, into: &orders)
        watched.effects.clear()
        orders.clear()
    }

    private func flush() -> UInt64 {
        let start = yardstick_thread_time()
        for watched in streams {
            while watched.fanOut.flush(
                at: now, wall: wall, in: watched.stream, engine: &engine, batch: &batch,
                framed: &framed, orders: &orders) == .batchFull
            {
                empty()
            }
        }
        empty()
        return yardstick_thread_time() - start
    }

    private func empty() {
        outlet?.send(batch)
        for number in 0..<batch.runCount {
            sent += batch.run(number).count
            lengths[batch.run(number).count, default: 0] += 1
        }
        batch.clear()
    }

    /// - Returns: Nanoseconds for `load.frames` frames to all viewers.
    func run() -> UInt64 {
        var time: UInt64 = 0
        for _ in 0..<load.frames {
            now = now + .milliseconds(2)
            store()
            time += flushInRound()
        }
        return time
    }

    /// By its name `instructions.py` knows what to count: not how viewers join.
    @inline(never) private func flushInRound() -> UInt64 { flush() }

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

    /// Runs of so many packets, and how many of them.
    var histogram: String {
        let all = lengths.values.reduce(0, +)
        return lengths.sorted { $0.key < $1.key }
            .map { "\($0.key): \($0.value * 100 / max(1, all)) %" }.joined(separator: ", ")
    }
}
