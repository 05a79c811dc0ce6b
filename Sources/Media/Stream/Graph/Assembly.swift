import Media
import RTP
import Wire

/// A frame assembler on its way from one encoding of packets to a rendition of frames, over changes
/// of layer: each layer has a time base of its own, the frames have one.
struct Assembly {
    private let facts: PayloadFacts
    private let answersNACK: Bool
    private let onLoss: PacketShaper.LossPolicy
    private var assembler: FrameAssembler?
    private var assembled = AssembledFrames()
    private var generation: UInt16?
    /// Added to the ticks of the present layer.
    private var shift: Int64 = 0
    private var last: ItemMeta?
    private var wantsKey = false
    /// As the publisher's reports say; nil: the assembler assumes one.
    var roundTrip: Interval? { didSet { tellRoundTrip() } }

    init(
        _ format: Format, _ facts: PayloadFacts, answersNACK: Bool,
        onLoss: PacketShaper.LossPolicy
    ) {
        self.onLoss = onLoss
        self.facts = facts
        self.answersNACK = answersNACK
        assembler = Self.assembler(format, facts, answersNACK, onLoss)
    }

    private static func assembler(
        _ format: Format, _ facts: PayloadFacts, _ answersNACK: Bool,
        _ onLoss: PacketShaper.LossPolicy
    ) -> FrameAssembler? {
        FrameAssembler(format: format, facts: facts, answersNACK: answersNACK, onLoss: onLoss)
    }

    private mutating func tellRoundTrip() {
        if let roundTrip { assembler?.roundTrip = roundTrip }
    }

    var deadline: Instant { assembler?.deadline ?? .distantFuture }

    /// Another layer, from its key frame on. Layers have no common time stamps; when they arrived
    /// says how they lie to each other, to within the jitter.
    mutating func begin(_ format: Format, _ start: ItemMeta) {
        assembler = Self.assembler(format, facts, answersNACK, onLoss)
        tellRoundTrip()
        generation = nil
        guard let last else { return }
        let passed = Timebase.ticks(
            nanoseconds: (start.arrival - last.arrival).nanoseconds, rate: format.clockRate)
        shift = last.ticks &+ max(1, passed) &- start.ticks
    }

    mutating func receive(
        _ payload: RawSpan, _ index: Int64, _ meta: ItemMeta, into child: Rendition
    ) {
        assembler?.receive(payload, index, meta, at: meta.arrival, into: &assembled)
        store(in: child)
    }

    mutating func expire(at now: Instant, into child: Rendition) {
        assembler?.expire(at: now, into: &assembled)
        store(in: child)
    }

    mutating func takeKeyWish() -> Bool {
        defer { wantsKey = false }
        return wantsKey
    }

    private mutating func store(in child: Rendition) {
        wantsKey = wantsKey || assembled.wantsKeyframe
        defer { assembled.clear() }
        guard let target = child.encodings.first else { return }
        for place in 0..<assembled.frames.count {
            var meta = assembled.frames.items[place].meta
            if generation != meta.formatGeneration {
                generation = meta.formatGeneration
                let format = assembled.formats.first { $0.generation == meta.formatGeneration }
                if let format = format ?? assembler?.format { target.change(format) }
            }
            meta.ticks &+= shift
            last = meta
            target.store(assembled.frames.bytes(of: place), meta, at: nil)
        }
    }
}
