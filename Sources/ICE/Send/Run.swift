import Wire

/// A stretch of one source encoding that leaves towards one viewer without a seam: inside it, the
/// outgoing number and time stamp are the incoming ones plus a constant.
///
/// Holes inside a run stay holes: a packet that is repaired late still has its number. What a
/// viewer skips (a switch of encoding, a drop, a jump to a key frame) ends the run, and the next
/// one continues the outgoing numbers without a gap.
package struct Run: Equatable, Sendable {
    /// Which history: index into the viewer's list of encodings of the slot.
    package var encoding: UInt8 = 0
    /// Bits by which source spacing is shrunk while a join burst catches up; 0: untouched.
    package var ticksShift: UInt8 = 0
    /// What is added to the VP8 picture id and TL0PICIDX; 0: the payload is sent as it is.
    package var pictureIDDelta: UInt16 = 0
    package var tl0Delta: UInt8 = 0
    /// What its packets are called, and their repetitions; 0: those have no stream of their own.
    package var payloadType: UInt8 = 0
    package var repairType: UInt8 = 0
    /// Source indexes: the first, and the one after the last (`openEnd` while the run goes on).
    package var sourceFirst: Int64
    package var sourceEnd: Int64
    /// 64 bits, so that the roll-over counter is `outFirst >> 16` and no number is ever used twice.
    package var outFirst: UInt64
    package var ticksFirst: Int64
    package var timestampFirst: UInt32

    package static let openEnd = Int64.max

    package init(
        encoding: UInt8, sourceFirst: Int64, outFirst: UInt64, ticksFirst: Int64,
        timestampFirst: UInt32, ticksShift: UInt8 = 0
    ) {
        self.encoding = encoding
        self.sourceFirst = sourceFirst
        sourceEnd = Self.openEnd
        self.outFirst = outFirst
        self.ticksFirst = ticksFirst
        self.timestampFirst = timestampFirst
        self.ticksShift = ticksShift
    }

    package func contains(source: Int64) -> Bool { source >= sourceFirst && source < sourceEnd }

    package func contains(out: UInt64) -> Bool {
        guard out >= outFirst else { return false }
        return sourceEnd == Self.openEnd || out - outFirst < UInt64(sourceEnd - sourceFirst)
    }

    package func outIndex(of source: Int64) -> UInt64 {
        outFirst &+ UInt64(bitPattern: source &- sourceFirst)
    }

    package func sourceIndex(of out: UInt64) -> Int64 {
        sourceFirst &+ Int64(bitPattern: out &- outFirst)
    }

    /// The RTP time stamp of something at `ticks` of the source. An arithmetic shift, so that a
    /// packet from before the run's first (audio reordered at its start) still lies before it.
    package func timestamp(of ticks: Int64) -> UInt32 {
        timestampFirst &+ UInt32(truncatingIfNeeded: (ticks &- ticksFirst) >> Int64(ticksShift))
    }
}

/// The last runs of one slot towards one viewer, newest first: eight are more than a second of the
/// most nervous switching, and what is older is older than any repair.
package struct RunList: Sendable {
    package static let capacity = 8

    private var runs: [8 of Run]
    package private(set) var count = 0

    package init() {
        runs = .init(
            repeating: Run(
                encoding: 0, sourceFirst: 0, outFirst: 0, ticksFirst: 0, timestampFirst: 0))
    }

    /// The run that media leaves by; meaningful only when `count` is not zero.
    package var current: Run {
        get { runs[0] }
        set { runs[0] = newValue }
    }

    package var isOpen: Bool { count > 0 && runs[0].sourceEnd == Run.openEnd }

    /// Ends the current run before `source`: that packet and what follows belong to another one.
    package mutating func close(before source: Int64) {
        guard isOpen else { return }
        runs[0].sourceEnd = max(source, runs[0].sourceFirst)
    }

    package mutating func begin(_ run: Run) {
        precondition(!isOpen, "the run before has not ended")
        var index = min(count, Self.capacity - 1)
        while index > 0 {
            runs[index] = runs[index - 1]
            index -= 1
        }
        runs[0] = run
        count = min(count + 1, Self.capacity)
    }

    /// The run a late or repeated packet of the source belongs to.
    package func run(source: Int64, encoding: UInt8) -> Run? {
        for index in 0..<count
        where runs[index].encoding == encoding && runs[index].contains(source: source) {
            return runs[index]
        }
        return nil
    }

    /// Other numbers for the encodings, or none for one whose history is gone.
    mutating func rename(_ number: (UInt8) -> UInt8) {
        for index in 0..<count { runs[index].encoding = number(runs[index].encoding) }
    }

    func forEach(_ body: (Run) -> Void) {
        for index in 0..<count { body(runs[index]) }
    }

    /// The run that gave an outgoing packet its number.
    package func run(out: UInt64) -> Run? {
        for index in 0..<count where runs[index].contains(out: out) { return runs[index] }
        return nil
    }
}
