import CYardstick
import Crypto
import Wire

/// One engine and profile, and the yardstick's row that does the same work.
struct ProtectRow {
    var name: String
    var kind: CryptoEngine.Kind
    var profile: SRTPProfile
    var inBatch = false
    /// The number of the C row; `nil`: there is none to compare with.
    var yardstick: Int32?

    static let all = [
        ProtectRow(
            name: "AES-128-GCM, libipsec-mb", kind: .ipsecMB, profile: .aes128GCM, yardstick: 2),
        ProtectRow(
            name: "AES-256-GCM, libipsec-mb", kind: .ipsecMB, profile: .aes256GCM),
        ProtectRow(
            name: "AES-CM SHA-1 jobs, libipsec-mb", kind: .ipsecMB, profile: .aes128SHA1,
            inBatch: true, yardstick: 3),
        ProtectRow(
            name: "AES-128-GCM, OpenSSL", kind: .openSSL, profile: .aes128GCM, yardstick: 1),
        ProtectRow(name: "AES-CM SHA-1, OpenSSL", kind: .openSSL, profile: .aes128SHA1),
        ProtectRow(name: "AES-128-GCM, libsrtp2", kind: .libSRTP, profile: .aes128GCM),
        ProtectRow(name: "AES-CM SHA-1, libsrtp2", kind: .libSRTP, profile: .aes128SHA1),
    ]

    static let keys = 256
    /// Frames of one packet to each key, in a round.
    static let repeats = 40

    func run(size: Int, rounds: Int) throws -> String? {
        guard var ours = try? ProtectBench(self, size: size) else { return nil }
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let c = unsafe yardstick.flatMap {
            unsafe yardstick_srtp_new($0, UInt32(Self.keys), size)
        }
        defer { if let c = unsafe c { unsafe yardstick_srtp_free(c) } }
        var best = (ours: UInt64.max, c: UInt64.max)
        for _ in 0...rounds {
            let start = yardstick_thread_time()
            for _ in 0..<Self.repeats { ours.run(payload) }
            let middle = yardstick_thread_time()
            if let c = unsafe c {
                for _ in 0..<Self.repeats { unsafe yardstick_srtp_run(c, payload) }
            }
            let end = yardstick_thread_time()
            best = (min(best.ours, middle - start), min(best.c, end - middle))
        }
        let packets = UInt64(Self.keys * Self.repeats)
        return line(size: size, ours: best.ours / packets, c: best.c / packets)
    }

    private func line(size: Int, ours: UInt64, c: UInt64) -> String {
        func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        let label = "\(name), \(size) B"
        let head = label + right(right("\(ours)", 7), 47 - label.count)
        guard yardstick != nil, c > 0 else { return head }
        let ratio = Double(ours * 100 / c) / 100
        return head + right("\(c)", 7) + right("\(ratio)", 8)
    }
}

/// Ours: keys in the engine's table, packets in an arena, as a worker has them.
struct ProtectBench: ~Copyable {
    private var engine: CryptoEngine
    private let keys: [SRTPKey]
    private let inBatch: Bool
    private let size: Int
    private let stride: Int
    private var arena: [UInt8]
    private var index: UInt64 = 1

    init(_ row: ProtectRow, size: Int) throws {
        var engine = try CryptoEngine.make(row.kind)
        let profile = row.profile
        keys = (0..<ProtectRow.keys).map { number in
            let master = SRTPMaster(
                key: (0..<profile.keyCount).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) },
                salt: (0..<profile.saltCount).map { UInt8(truncatingIfNeeded: $0 &+ number) })
            return engine.add(master, profile: profile, for: .sending)
        }
        self.engine = engine
        inBatch = row.inBatch
        self.size = size
        stride = (12 + size + 16 + 63) & ~63
        arena = [UInt8](repeating: 0, count: stride * 64)
    }

    mutating func run(_ payload: [UInt8]) {
        // Taken out for the loop: a window into it and a method of ours may not overlap.
        var arena: [UInt8] = []
        swap(&arena, &self.arena)
        defer { swap(&arena, &self.arena) }
        var span = arena.mutableSpan
        var window = unsafe span.mutableBytes
        for number in keys.indices {
            let start = (number & 63) * stride
            Self.header(&window, at: start, index: index, ssrc: UInt32(number))
            protect(payload.raw, into: &window, at: start, number)
            // The arena holds 64: what lies there is finished before it is written again.
            if inBatch, number & 63 == 63 { engine.finish() }
        }
        engine.finish()
        index += 1
    }

    private func protect(
        _ payload: RawSpan, into window: inout MutableRawSpan, at start: Int, _ number: Int
    ) {
        unsafe window.withUnsafeMutableBytes {
            let slot = unsafe UnsafeMutableRawBufferPointer(rebasing: $0[start..<start + stride])
            var packet = unsafe MutableRawSpan(_unsafeBytes: slot)
            _ = engine.protect(
                &packet, headerCount: 12, payload: payload, ssrc: UInt32(number), index: index,
                key: keys[number], together: inBatch)
        }
    }

    private static func header(
        _ window: inout MutableRawSpan, at start: Int, index: UInt64, ssrc: UInt32
    ) {
        let first = 0x8060_0000 | UInt32(UInt16(truncatingIfNeeded: index))
        window.storeBytes(of: first.bigEndian, toByteOffset: start, as: UInt32.self)
        let timestamp = UInt32(truncatingIfNeeded: index &* 3000)
        window.storeBytes(of: timestamp.bigEndian, toByteOffset: start + 4, as: UInt32.self)
        window.storeBytes(of: ssrc.bigEndian, toByteOffset: start + 8, as: UInt32.self)
    }
}
