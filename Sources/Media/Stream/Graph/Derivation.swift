import Media
import RTP
import Wire

/// One edge of a stream's graph: reads the parent rendition as any reader does, and fills the
/// child. Catching up with the cached group of pictures and going on live are the same thing.
final class Derivation {
    /// One turn's share of a back-fill: 256 KiB take about 0.2 ms, so that the media of others
    /// is not held up when somebody joins.
    static let bytesPerTurn = 256 << 10

    enum Kind {
        case packetize(BFramePolicy)
        case assemble(PayloadFacts, answersNACK: Bool, onLoss: PacketShaper.LossPolicy)
        /// Made elsewhere, by message: frames leave by `Stream.takeForTranscode`.
        case transcode
    }

    let kind: Kind
    let parent: Rendition
    let child: Rendition
    /// The parent's encoding that is being read.
    private(set) var reading: Encoding
    private var next: Int64
    private var repairsSeen: UInt64
    private var generation: UInt16?
    private var packetizer: Packetizer?
    private var assembly: Assembly?
    private var scratch = ItemBatch()

    /// What the publisher should be asked for, after the last `advance`.
    private(set) var keyWish: Encoding?
    /// Frames came that are not to be sent, and the policy is to say so.
    private(set) var refusesBFrames = false

    init(_ kind: Kind, from parent: Rendition, reading: Encoding, to child: Rendition) {
        self.kind = kind
        self.parent = parent
        self.child = child
        self.reading = reading
        let history = reading.history
        // Audio from now: what has passed would only be heard late.
        next = history.beginsAnywhere ? history.end : history.lastKey ?? history.end
        repairsSeen = history.repairCount
        if case .assemble(let facts, let answersNACK, let onLoss) = kind {
            assembly = Assembly(
                reading.format, facts, answersNACK: answersNACK, onLoss: onLoss)
        }
    }

    /// Something of the parent has not been read yet, and will be without more coming.
    var isBehind: Bool {
        if case .transcode = kind { return false }
        return next < reading.history.end
    }

    /// When frames that wait for a packet wait no longer.
    var deadline: Instant { isBehind ? .distantFuture : assembly?.deadline ?? .distantFuture }

    /// Reads on, for at most one turn's share.
    func advance(at now: Instant) {
        keyWish = nil
        switch kind {
        case .packetize(let policy): read { $0.packetize($1, policy) }
        case .assemble:
            changeLayer(at: now)
            feedRepairs()
            read { $0.assemble($1) }
            if !isBehind { assembly?.expire(at: now, into: child) }
            if assembly?.takeKeyWish() == true { keyWish = reading }
        case .transcode: return
        }
    }

    func follow(roundTrip: Interval) { assembly?.roundTrip = roundTrip }

    private func read(_ body: (Derivation, Int64) -> Void) {
        let history = reading.history
        // A reader like any other: what has left the history is skipped.
        if next < history.start { next = history.lastKey ?? history.end }
        var budget = Self.bytesPerTurn
        while budget > 0, let index = history.nextPresent(from: next) {
            next = index + 1
            budget -= Int(history.meta(index)?.length ?? 0) + 64  // A floor for tiny items.
            body(self, index)
        }
    }

    /// Sound that has waited longer is not converted any more: a machine that is too busy gives
    /// less sound, not later sound.
    private static let backlogMaximum = Interval.milliseconds(500)

    /// Frames on their way to the transcoder.
    func take(at now: Instant, into out: inout TranscodeInput) {
        skipBacklog(at: now, into: &out)
        read { derivation, index in
            let history = derivation.reading.history
            guard let meta = history.meta(index), let frame = history.bytes(index) else { return }
            if derivation.generation != meta.formatGeneration {
                derivation.generation = meta.formatGeneration
                out.formats.append(derivation.reading.format(at: index))
            }
            out.frames.append(frame, meta)
        }
    }

    private func skipBacklog(at now: Instant, into out: inout TranscodeInput) {
        let history = reading.history
        guard let first = history.nextPresent(from: max(next, history.start)),
            let oldest = history.meta(first), now - oldest.arrival > Self.backlogMaximum
        else { return }
        while let index = history.nextPresent(from: next), let meta = history.meta(index),
            now - meta.arrival > Self.backlogMaximum / 5
        {
            next = index + 1
            out.skipped += 1
        }
    }

    // MARK: Frames to packets

    private func packetize(_ index: Int64, _ policy: BFramePolicy) {
        let history = reading.history
        guard let meta = history.meta(index), let target = child.encodings.first,
            let frame = history.bytes(index)
        else { return }
        if reading.followsAnother { target.follow(reading) }
        if policy == .refuse, meta.flags.isSuperset(of: [.bidirectional, .discardable]) {
            refusesBFrames = true
        }
        if generation != meta.formatGeneration {
            generation = meta.formatGeneration
            let format = reading.format(at: index)
            target.change(format)
            if packetizer == nil { packetizer = Packetizer(format: format, bFrames: policy) }
        }
        packetizer?.packetize(frame, meta, format: target.format, into: &scratch)
        for item in 0..<scratch.count {
            target.store(scratch.bytes(of: item), scratch.items[item].meta, at: nil)
        }
        scratch.clear()
    }

    // MARK: Packets to frames

    private func assemble(_ index: Int64) {
        let history = reading.history
        guard let meta = history.meta(index), let payload = history.bytes(index) else { return }
        // By the packet's own time, not ours: in a back-fill they are seconds apart.
        assembly?.receive(payload, index, meta, into: child)
    }

    /// Late packets in the order they came: the assembler is still waiting for them.
    private func feedRepairs() {
        let history = reading.history
        while repairsSeen < history.repairCount {
            let index = history.repair(repairsSeen)
            repairsSeen += 1
            if let index, index < next { assemble(index) }
        }
    }

    /// The highest layer that is alive, entered at a key frame no older than what was read.
    private func changeLayer(at now: Instant) {
        guard parent.encodings.count > 1, let best = parent.best(at: now), best !== reading else {
            return
        }
        let history = best.history
        let last = reading.history.meta(next - 1)?.arrival ?? .start
        guard let key = history.lastKey, let start = history.meta(key), start.arrival >= last else {
            keyWish = best
            return
        }
        reading = best
        next = key
        repairsSeen = history.repairCount
        assembly?.begin(best.format, start)
    }
}
