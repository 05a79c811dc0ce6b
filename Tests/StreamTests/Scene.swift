import Media
import Stream
import Wire

/// A stream on a clock that a test holds, and a publisher in one hand.
struct Scene {
    let stream: Stream
    var effects = Effects()
    var orders = Orders()
    var now = ms(0)
    var epoch: Epoch = 0

    init(
        _ name: String = "live/cam1", rules: StreamRules = StreamRules(),
        memory: MediaMemory = plenty
    ) {
        stream = Stream(name: name, rules: rules, memory: memory)
    }

    mutating func publish(
        _ slots: [AnnouncedSlot], by principal: Principal = .key("k1"), nack: Bool = false,
        pli: Bool = true
    ) throws {
        var publication = Publication(
            principal: principal, protocolName: "test", slots: slots)
        publication.answersNACK = nack
        publication.answersPLI = pli
        epoch = try stream.publish(publication, at: now, into: &orders)
    }

    /// One video frame: 4 bytes of length and a NAL unit, as H.264 has it.
    mutating func frame(
        _ number: Int64, key: Bool = false, size: Int = 400, slot: SlotName = .video,
        flags: ItemMeta.Flags = [], epoch: Epoch? = nil
    ) {
        var meta = plainPacket(number, key: key)
        meta.arrival = now
        meta.flags.formUnion(flags)
        effects.frame(nal(number, size, key: key).raw, meta, channel: 0, slot: slot)
        store(epoch)
    }

    /// A packet as it came, of a frame of its own.
    mutating func packet(
        sequence: Int64, key: Bool = false, size: Int = 200, slot: SlotName = .video,
        layer: UInt8 = 0, payload bytes: [UInt8]? = nil
    ) {
        var meta = plainPacket(sequence, key: key)
        meta.arrival = now
        let bytes = bytes ?? payload(sequence, size, key: key)
        effects.packet(
            bytes.raw, meta, sequence: sequence, channel: 0, slot: slot, layer: layer)
        store(nil)
    }

    mutating func audio(_ number: Int64, slot: SlotName = .audio) {
        var meta = StreamTests.packet(number, key: true)
        meta.arrival = now
        effects.frame(pattern(number, 120).raw, meta, channel: 0, slot: slot)
        store(nil)
    }

    /// Stores what a test has written into the effects by hand.
    mutating func flush() { store(nil) }

    private mutating func store(_ named: Epoch?) {
        for effect in effects.list {
            guard case .media(_, let slot, let layer, let items) = effect else { continue }
            stream.store(
                effects, items: items, slot: slot, layer: layer, epoch: named ?? epoch, at: now,
                into: &orders)
        }
        effects.clear()
    }

    mutating func pass(_ milliseconds: Int64) {
        now = now + .milliseconds(milliseconds)
        stream.expire(at: now, into: &orders)
    }

    mutating func takeOrders() -> [Orders.Order] {
        defer { orders.clear() }
        return orders.list
    }

    mutating func open(
        _ slot: SlotName = .video, _ codec: Codec = .h264, _ form: Form = .frames
    ) -> Rendition? {
        stream.open(.init(slot: slot, codecs: [codec], form: form), at: now, into: &orders)
    }

    struct NothingToOpen: Error {}

    mutating func opened(
        _ slot: SlotName = .video, _ codec: Codec = .h264, _ form: Form = .frames
    ) throws -> Rendition {
        guard let rendition = open(slot, codec, form) else { throw NothingToOpen() }
        return rendition
    }
}

/// Outside of `Scene`, whose method of the same name sends one.
private func plainPacket(_ number: Int64, key: Bool) -> ItemMeta { packet(number, key: key) }

func h264(_ slot: SlotName = .video, _ form: Form = .frames, rids: [String] = []) -> AnnouncedSlot {
    var format = Format(codec: .h264, clockRate: 90_000)
    format.parameterSets = [[0x67, 0x42, 0xc0, 0x1f, 0xda], [0x68, 0xce, 0x3c, 0x80]]
    return AnnouncedSlot(slot: slot, format: format, form: form, rids: rids)
}

func opus(_ slot: SlotName = .audio, _ form: Form = .frames) -> AnnouncedSlot {
    AnnouncedSlot(slot: slot, format: Format(codec: .opus, clockRate: 48_000), form: form)
}

func aac(_ slot: SlotName = .audio) -> AnnouncedSlot {
    AnnouncedSlot(slot: slot, format: Format(codec: .aac, clockRate: 44_100), form: .frames)
}

func vp8(_ form: Form = .frames) -> AnnouncedSlot {
    AnnouncedSlot(slot: .video, format: Format(codec: .vp8, clockRate: 90_000), form: form)
}

/// A frame of one NAL unit behind its length: type 5 (IDR) or 1.
func nal(_ number: Int64, _ size: Int, key: Bool) -> [UInt8] {
    let unit = payload(number, size, key: key)
    return (0..<4).map { UInt8(truncatingIfNeeded: unit.count >> (24 - 8 * $0)) } + unit
}

/// A single NAL unit, as an RTP payload has it.
func payload(_ number: Int64, _ size: Int, key: Bool) -> [UInt8] {
    [key ? 0x65 : 0x41] + pattern(number, size).map { $0 | 0x80 }
}

extension Cursor {
    /// Reads all there is; what a socket that is always writable would get.
    mutating func drain(_ rendition: Rendition, at now: Instant) -> [Int64] {
        var read: [Int64] = []
        while true {
            switch peek(rendition, at: now) {
            case .item(let index), .jump(let index, _): read.append(index)
            case .nothing, .close: return read
            }
            advance()
        }
    }
}
