import Codecs
package import Media
import Wire

/// Brings given packets into the normal form of the house, packet by packet, and never waits.
///
/// For a publisher that answers NACK it is nothing but a look: numbers stay, holes stay open until
/// they are repaired. For all others it numbers what it emits 1, 2, 3 …, because a hole that is
/// never filled stalls a browser, and repairs what cameras do to H.264 and H.265: see `NALShaper`.
package struct PacketShaper: Sendable {
    /// 1,400 bytes of UDP payload less our header, extensions, a repair's number and the tag:
    /// below it a given packet is passed on as it is.
    package static let payloadMaximum = 1400 - 12 - 32 - 2 - 16

    package enum Numbering: Sendable {
        /// The publisher's extended sequence numbers.
        case publisher
        /// Our own, without holes.
        case own
    }

    /// What follows a loss that nobody repairs.
    package enum LossPolicy: Sendable {
        /// The broken frame is dropped, the rest goes on: grey blocks, but no standing picture.
        case proceed
        /// Nothing until the next key frame: a standing picture, but no grey blocks.
        case waitKey
    }

    private let numbering: Numbering
    private var classifier: PacketClassifier
    private var nal: NALShaper?
    private let isVideo: Bool
    /// Parameter sets seen in-band; `nil` for codecs that have none.
    private var sets: ParameterSets?
    private var knownChanges: UInt32 = 0
    package private(set) var format: Format
    /// Own numbers: the next one out, and the next one in.
    private var next: Int64 = 1
    private var expected: Int64?
    private var waitsForKey = false

    /// - Parameter format: As described (SDP); what comes in-band wins.
    package init(
        format: Format, numbering: Numbering, bFrames: BFramePolicy = .keep,
        onLoss: LossPolicy = .proceed
    ) {
        self.format = format
        self.numbering = numbering
        classifier = PacketClassifier(format.codec)
        isVideo = format.codec.kind == .video
        guard let codec = NALCodec(format.codec) else { return }
        if numbering == .own {
            nal = NALShaper(codec, format, bFrames: bFrames, onLoss: onLoss)
        } else {
            sets = ParameterSets(codec)
            sets?.note(format.parameterSets)
            knownChanges = sets?.changes ?? 0
        }
    }

    /// - Parameter index: The publisher's extended sequence number.
    /// - Parameter meta: With ticks, arrival, and the marker among the flags.
    package mutating func shape(
        _ payload: RawSpan, _ index: Int64, _ meta: ItemMeta, into out: inout ShapedPackets
    ) {
        guard payload.byteCount > 0 else { return skip(index) }
        if nal != nil {
            nal?.shape(payload, index, meta, into: &out)
            if let new = nal?.format, new.generation != format.generation { format = new }
            return
        }
        var meta = classifier.classify(payload, index, meta)
        if numbering == .publisher {
            if sets != nil, meta.isKey { noteSets(payload, into: &out) }
            meta.formatGeneration = format.generation
            return out.append(payload, meta, index)
        }
        passOn(payload, index, meta, into: &out)
    }

    /// A packet without payload takes a number, but nobody misses it.
    private mutating func skip(_ index: Int64) {
        if nal != nil { nal?.skip(index) }
        if expected == index { expected = index + 1 }
    }

    /// Codecs other than H.264 and H.265 under own numbers. A video decoder that misses a reference
    /// shows nothing good, and their sources send key frames when asked: wait for one.
    private mutating func passOn(
        _ payload: RawSpan, _ index: Int64, _ meta: ItemMeta, into out: inout ShapedPackets
    ) {
        let due = expected ?? index
        guard index >= due || due - index > SequenceUnwrapper.jumpMaximum else {
            out.late += 1
            return
        }
        expected = index + 1
        if isVideo {
            if index != due {
                waitsForKey = true
                out.wantsKeyframe = true
            }
            if meta.isKey, meta.startsFrame { waitsForKey = false }
            guard !waitsForKey else {
                out.dropped += 1
                return
            }
        }
        var meta = meta
        meta.formatGeneration = format.generation
        out.append(payload, meta, next)
        next += 1
    }

    /// Identity: the sets stay where they are, we only want to know them.
    private mutating func noteSets(_ payload: RawSpan, into out: inout ShapedPackets) {
        guard let codec = sets?.codec, let packet = try? NALPacket(payload, codec) else { return }
        switch packet {
        case .unit(let unit) where unit.isParameterSet: sets?.note(payload)
        case .aggregate:
            var units = AggregateUnits(payload, codec)
            while let range = (try? units.next()) ?? nil {
                sets?.note(payload.extracting(range))
            }
        case .unit, .fragment: break
        }
        guard let sets, sets.changes != knownChanges, var changed = sets.format else { return }
        knownChanges = sets.changes
        changed.generation = format.generation &+ 1
        format = changed
        out.formats.append(changed)
    }
}

/// What a shaper emits for the packets of a turn; its owner clears it afterwards.
package struct ShapedPackets: Sendable {
    package internal(set) var batch = ItemBatch()
    /// The number of each item of `batch`.
    package private(set) var indices: [Int64] = []
    /// Formats that began, in order; items say by generation which one holds for them.
    package internal(set) var formats: [Format] = []
    /// Something is gone for good.
    package internal(set) var wantsKeyframe = false
    /// B-frames were seen and the policy is to refuse them.
    package internal(set) var refusesBFrames = false
    /// Counted since `clear`: packets that came too late, and packets left out.
    package internal(set) var late = 0
    package internal(set) var dropped = 0

    package init() {}

    package var isEmpty: Bool { batch.isEmpty }

    package mutating func clear() {
        batch.clear()
        indices.removeAll(keepingCapacity: true)
        formats.removeAll(keepingCapacity: true)
        (wantsKeyframe, refusesBFrames) = (false, false)
        (late, dropped) = (0, 0)
    }

    mutating func append(_ payload: RawSpan, _ meta: ItemMeta, _ index: Int64) {
        batch.append(payload, meta)
        indices.append(index)
    }

    /// Items are written to the batch first and numbered afterwards.
    mutating func number(from next: inout Int64) {
        while indices.count < batch.count {
            indices.append(next)
            next += 1
        }
    }
}
