import CYardstick
import Crypto
import ICE
import Media
import RTP
import Stream
import Wire

/// A packet's way in, step by step, and its protection alone: each loop does one thing to many
/// packets, as they lie in memory.
final class Stages {
    private static let count = 256
    private static let headerCount = 20
    private static let room = 1200
    private let load: Load
    private var engine: CryptoEngine
    private let sending: SRTPKey
    private let receiving: SRTPKey
    private var receiver = SRTPReceiver()
    private let keys: [SRTPKey]
    private let stream = Stream(
        name: "b", rules: StreamRules(), memory: MediaMemory(limit: 1 << 28))
    private var epoch: Epoch = 0
    private var orders = Orders()
    private var effects = Effects()
    private var now = Instant.start
    private var index: UInt64 = 1
    private var arena = [UInt8](repeating: 0, count: Stages.count * Stages.room)
    private let payload: [UInt8]
    private(set) var found = 0

    /// The least of each stage so far, in nanoseconds for all packets of a round.
    struct Times {
        var demux = UInt64.max
        var unprotect = UInt64.max
        var parse = UInt64.max
        var store = UInt64.max
        var protect = UInt64.max
    }
    private(set) var best = Times()

    init(_ load: Load) throws {
        self.load = load
        payload = [UInt8](repeating: 1, count: load.size)
        engine = try CryptoEngine.make()
        func master(_ number: Int) -> SRTPMaster {
            SRTPMaster(
                key: (0..<load.profile.keyCount).map { UInt8(truncatingIfNeeded: $0 + number) },
                salt: (0..<load.profile.saltCount).map { UInt8(truncatingIfNeeded: $0 + number) })
        }
        sending = engine.add(master(0), profile: load.profile, for: .sending)
        receiving = engine.add(master(0), profile: load.profile, for: .receiving)
        var keys: [SRTPKey] = []
        for number in 0..<load.viewers {
            keys.append(engine.add(master(number), profile: load.profile, for: .sending))
        }
        self.keys = keys
        epoch = try stream.publish(Viewers.publication, at: now, into: &orders)
    }

    /// Each stage in nanoseconds per packet.
    func nanoseconds(_ stage: KeyPath<Times, UInt64>) -> UInt64 {
        let packets = stage == \.protect ? UInt64(load.viewers * load.packets) : UInt64(Self.count)
        return best[keyPath: stage] / packets
    }

    func run() {
        now = now + .milliseconds(100)
        receive()
        store()
        protect()
        index += UInt64(max(Self.count, load.packets))
    }

    private func receive() {
        let payload = payload
        var arena: [UInt8] = []
        swap(&arena, &self.arena)
        defer { swap(&arena, &self.arena) }
        var span = arena.mutableSpan
        var bytes = unsafe span.mutableBytes
        for place in 0..<Self.count {
            var window = bytes._mutatingExtracting(place * Self.room..<(place + 1) * Self.room)
            Self.header(&window, index + UInt64(place), 1)
            _ = engine.protect(
                &window, headerCount: Self.headerCount, payload: payload.raw, ssrc: 1,
                index: index + UInt64(place), key: sending)
        }
        let size = Self.headerCount + load.size + load.profile.tagCount
        let start = yardstick_thread_time()
        for place in 0..<Self.count {
            let first = place * Self.room
            if Demux(bytes.bytes.extracting(first..<first + size)) == .rtp { found += 1 }
        }
        let demuxed = yardstick_thread_time()
        for place in 0..<Self.count {
            let first = place * Self.room
            var window = bytes._mutatingExtracting(first..<first + size)
            let opened = try? receiver.unprotect(&window, key: receiving, with: engine)
            if opened != nil { found += 1 }
        }
        let opened = yardstick_thread_time()
        var map = ExtensionMap()
        map[.mid] = 1
        map[.transportSequence] = 3
        for place in 0..<Self.count {
            let first = place * Self.room
            let packet = bytes.bytes.extracting(first..<first + size)
            guard let header = try? RTPHeader(packet),
                let extensions = try? RTPExtensions(header, of: packet, by: map)
            else { continue }
            if extensions.transportSequence != nil { found += 1 }
        }
        let parsed = yardstick_thread_time()
        best.demux = min(best.demux, demuxed - start)
        best.unprotect = min(best.unprotect, opened - demuxed)
        best.parse = min(best.parse, parsed - opened)
    }

    private func store() {
        let payload = payload
        let start = yardstick_thread_time()
        for place in 0..<Self.count {
            let sequence = Int64(index) + Int64(place)
            var meta = ItemMeta(
                ticks: sequence * 300, arrival: now, length: load.size, flags: [])
            if place % 8 == 7 { meta.flags = .marker }
            effects.packet(payload.raw, meta, sequence: sequence, channel: 0, slot: .video)
            stream.store(
                effects, items: 0..<1, slot: .video, layer: 0, epoch: epoch, at: now,
                into: &orders)
            effects.clear()
        }
        best.store = min(best.store, yardstick_thread_time() - start)
        orders.clear()
    }

    /// The engine alone, as the fan-out calls it: no viewers, no records, no runs.
    private func protect() {
        let payload = payload
        var arena: [UInt8] = []
        swap(&arena, &self.arena)
        defer { swap(&arena, &self.arena) }
        var span = arena.mutableSpan
        var bytes = unsafe span.mutableBytes
        let start = yardstick_thread_time()
        var place = 0
        for (number, key) in keys.enumerated() {
            for packet in 0..<load.packets {
                var window = bytes._mutatingExtracting(
                    place * Self.room..<(place + 1) * Self.room)
                Self.header(&window, index + UInt64(packet), UInt32(number))
                _ = engine.protect(
                    &window, headerCount: Self.headerCount, payload: payload.raw,
                    ssrc: UInt32(number), index: index + UInt64(packet), key: key,
                    together: true)
                place = (place + 1) % 128
            }
            if place == 0 { engine.finish() }
        }
        engine.finish()
        best.protect = min(best.protect, yardstick_thread_time() - start)
    }

    @_lifetime(window: copy window)
    private static func header(_ window: inout MutableRawSpan, _ index: UInt64, _ ssrc: UInt32) {
        let words: [5 of UInt32] = [
            0x9060_0000 | UInt32(index & 0xffff), UInt32(truncatingIfNeeded: index &* 300), ssrc,
            0xbede_0001, 0x3100_0000 | UInt32(index & 0xffff) << 8,
        ]
        for place in 0..<5 {
            window.storeBytes(
                of: words[place].bigEndian, toByteOffset: 4 * place, as: UInt32.self)
        }
    }
}
