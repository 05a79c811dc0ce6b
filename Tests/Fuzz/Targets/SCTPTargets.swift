import Browser
import SCTP
import Wire

/// Two associations of the library, and a peer between them who means harm: it knows tags and
/// checksums, holds packets back, changes them, writes its own. Nobody may trap, nobody may grow,
/// and both must be gone at the end.
func fuzzSCTP(_ bytes: RawSpan) {
    guard let pair = SCTPPair() else { return }
    var reader = ByteReader(bytes)
    var steps = 0
    while let kind = try? reader.read(UInt8.self), let size = try? reader.read(UInt8.self),
        steps < 64
    {
        steps += 1
        guard let data = try? reader.read(count: min(Int(size), reader.remaining)) else { break }
        pair.step(kind, size, [UInt8](copying: data))
    }
    pair.close()
}

private final class SCTPPair {
    private struct Packet {
        var from: UInt32
        var bytes: [UInt8]
    }

    private let engine = OneEngine.shared.engine
    private let left: UInt32
    private let right: UInt32
    private var events = SCTPEvents()
    private var underWay: [Packet] = []
    /// The head of a packet that each would take: ports and tag.
    private var heads: [UInt32: [UInt8]] = [:]

    init?() {
        guard let left = engine.open(port: 5000, into: &events),
            let right = engine.open(port: 5000, into: &events)
        else { return nil }
        (self.left, self.right) = (left, right)
        take()
        for _ in 0..<8 { exchange() }
        precondition(heads.count == 2, "nothing was lost on the way")
    }

    func step(_ kind: UInt8, _ size: UInt8, _ data: [UInt8]) {
        let end = kind & 8 == 0 ? left : right
        switch kind & 7 {
        case 0: inject(data, into: end)
        case 1, 2: inject(CRC32C.sealed((heads[end] ?? []) + data), into: end)
        case 3: send(data, kind, from: end)
        case 4: _ = engine.resetStream(UInt16(size), for: end, into: &events)
        case 5: engine.tick(.milliseconds(Int64(size) * 16), into: &events)
        case 6: change(data)
        default: exchange()
        }
        take()
    }

    /// A few bytes, or many: `kind` says how they are delivered.
    private func send(_ data: [UInt8], _ kind: UInt8, from end: UInt32) {
        let copies = kind & 64 == 0 ? 1 : 100
        let bytes = [[UInt8]](repeating: data, count: copies).flatMap { $0 }
        let reliability: SCTPDelivery.Reliability =
            switch kind >> 4 & 3 {
            case 1: .retransmits(1)
            case 2: .lifetime(milliseconds: 50)
            default: .reliable
            }
        _ = engine.send(
            bytes.raw, payload: 53, stream: UInt16(kind >> 6),
            delivery: .init(ordered: kind & 16 == 0, reliability: reliability), for: end,
            into: &events)
    }

    /// The oldest packet under way, changed by a peer that can seal it again.
    private func change(_ data: [UInt8]) {
        guard !underWay.isEmpty else { return }
        var packet = underWay.removeFirst()
        for (index, byte) in data.enumerated() where 12 + index < packet.bytes.count {
            packet.bytes[12 + index] ^= byte
        }
        inject(CRC32C.sealed(packet.bytes), into: other(packet.from))
    }

    private func other(_ end: UInt32) -> UInt32 { end == left ? right : left }

    private func inject(_ packet: [UInt8], into end: UInt32) {
        engine.receive(packet.raw, for: end, into: &events)
    }

    private func exchange() {
        let packets = underWay
        underWay = []
        for packet in packets {
            inject(packet.bytes, into: other(packet.from))
            take()
        }
    }

    private func take() {
        var written = 0
        for event in events.events {
            guard case .packet(let id, let range) = event else { continue }
            let bytes = Array(events.bytes[range])
            written += bytes.count
            // The tag of an INIT is none.
            if bytes[12] != 1 { heads[other(id)] = Array(bytes[..<12]) }
            if underWay.count < 256 { underWay.append(Packet(from: id, bytes: bytes)) }
        }
        precondition(written < 1 << 20, "a call's output is bounded")
        events.clear()
    }

    func close() {
        engine.close(left, into: &events)
        engine.close(right, into: &events)
        events.clear()
        precondition(engine.count == 0, "an association outlived its end")
    }
}
