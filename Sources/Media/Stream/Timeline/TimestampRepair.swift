import Media
package import Wire

/// Makes one track's time stamps what outputs need: rising, of even steps, true to the clock on the
/// wall. One for each track of a source; it never waits for a later frame.
///
/// Good stamps pass to the tick. Bad ones are found by what they contradict: their own usual step,
/// the samples in the frames, the arrival over seconds. Then time is counted in samples or taken
/// from arrival, until the stamps have been sane for thirty seconds.
///
///     trusted ── stamps count samples, not their clock ──▶ scaled
///        │ ▲
///        │ └── 30 s of sane stamps ──┐
///        ├── stamps contradict samples, which fit arrival ──▶ counted
///        └── to and fro, standing still, another speed ──▶ arrival
package struct TimestampRepair: Sendable {
    package enum Mode: UInt8, Sendable { case trusted, scaled, counted, arrival }

    package struct Frame: Equatable, Sendable {
        /// Unwrapped, in the input's rate; `nil`: the carrier gave none.
        package var stamp: Int64?
        /// Presentation less decoding time, in the input's rate.
        package var compositionOffset: Int64
        /// Audio in even frames: how many samples, at the rate its header claims. Not for Opus,
        /// whose encoder may pause.
        package var samples: Int64?

        package init(stamp: Int64?, compositionOffset: Int64 = 0, samples: Int64? = nil) {
            self.stamp = stamp
            self.compositionOffset = compositionOffset
            self.samples = samples
        }
    }

    package struct Stamp: Equatable, Sendable {
        package var ticks: Int64
        package var compositionOffset: Int32
        package var isDiscontinuity = false
    }

    /// A step back that lasts longer is not a device aligning its tracks: it is the new time.
    private static let holdMaximum = Interval.seconds(1)
    private static let reorderMaximum: Int64 = 1_000_000_000
    /// As many changes of direction among jumps, each within ten seconds of the last.
    private static let alternations = 4
    private static let alternationGap = Interval.seconds(10)
    private static let compositionMaximum: Int64 = 2_000_000_000
    /// The arrival mode's loop: how much of a deviation one frame takes away.
    private static let loopGain: Int64 = 50

    private let policy: RepairPolicy
    private let inputRate: Int32
    private let outputRate: Int32
    private let sampleRate: Int32

    package private(set) var mode = Mode.trusted
    package private(set) var counters = RepairCounters()
    /// What the samples really come at, where the header lied; decoders want to know.
    package private(set) var measuredRate: Int32

    // All times in nanoseconds; `lastOut` always lies on a tick of the output.
    private var hasBegun = false
    private var offset: Int64 = 0
    private var isAnchored = true
    private var lastStamp: Int64 = 0
    /// Not after a change of units: then there is nothing to compare with.
    private var hasLastStamp = false
    /// The frame before had a stamp: the step from it is one frame long.
    private var wasStamped = true
    private var lastOut: Int64 = 0
    private var lastTicks: Int64 = 0
    private var lastArrival = Instant.start
    private var lastSamples: Int64?
    private var usual = UsualStep()
    private var judge = StampJudge()
    private var firstLag: Int64 = 0
    private var heldSince: Instant?
    private var stoodSince: Instant?
    private var lastJump: (isForward: Bool, at: Instant, turns: Int)?
    private var arrivalStep: Int64 = 40_000_000
    private var toCorrect: Int64 = 0
    private var strikes = 0
    private var saneWindows = 0
    private var isDiscontinuity = false

    /// - Parameter sampleRate: As the codec's header claims; 0 for video.
    package init(
        policy: RepairPolicy, inputRate: Int32, outputRate: Int32, sampleRate: Int32 = 0
    ) {
        precondition(inputRate > 0 && outputRate > 0, "a clock rate is positive")
        self.policy = policy
        self.inputRate = inputRate
        self.outputRate = outputRate
        self.sampleRate = sampleRate
        measuredRate = sampleRate
    }

    package mutating func receive(
        _ frame: Frame, at now: Instant, origin: inout TimelineOrigin
    ) -> Stamp {
        let stamp = frame.stamp.map { nanoseconds($0) }
        let composition = compositionOffset(frame.compositionOffset)
        defer {
            lastArrival = now
            lastSamples = frame.samples.flatMap { samplesDuration($0) }
        }
        guard hasBegun else {
            return begin(stamp, composition, at: now, &origin)
        }
        isDiscontinuity = false
        let stampStep = hasLastStamp ? stamp.map { $0 &- lastStamp } : nil
        let passed = max(0, (now - lastArrival).nanoseconds)
        // A picture shown before one decoded earlier: its stamp is right and moves nothing.
        if let stamp, let stampStep, isReordered(stampStep, frame) {
            let ticks = Timebase.ticks(nanoseconds: stamp &+ offset, rate: outputRate)
            return Stamp(ticks: ticks, compositionOffset: composition)
        }
        let out =
            switch mode {
            case .trusted, .scaled: trusted(stamp, stampStep, passed, at: now)
            case .counted: counted()
            case .arrival: arrived(passed, at: now)
            }
        if let stamp {
            lastStamp = stamp
            hasLastStamp = true
        }
        wasStamped = stamp != nil
        let ticks = emit(out)
        watch(stampStep, at: now)
        return Stamp(
            ticks: ticks, compositionOffset: composition, isDiscontinuity: isDiscontinuity)
    }

    /// A track that begins without a stamp begins where its arrival puts it.
    private mutating func begin(
        _ stamp: Int64?, _ composition: Int32, at now: Instant, _ origin: inout TimelineOrigin
    ) -> Stamp {
        hasBegun = true
        let out = origin.begin(stamp: stamp, at: now)
        lastTicks = Timebase.ticks(nanoseconds: out, rate: outputRate)
        lastOut = Timebase.nanoseconds(lastTicks, rate: outputRate)
        lastStamp = stamp ?? 0
        hasLastStamp = stamp != nil
        isAnchored = stamp != nil
        offset = lastOut &- lastStamp
        firstLag = now.nanoseconds &- lastOut
        _ = judge.note(stampStep: nil, sampleStep: nil, out: lastOut, at: now)
        return Stamp(ticks: lastTicks, compositionOffset: composition)
    }

    /// Rising by a tick at least, whatever was computed.
    private mutating func emit(_ out: Int64) -> Int64 {
        let ticks = Timebase.ticks(nanoseconds: out, rate: outputRate)
        lastTicks = max(ticks, lastTicks &+ 1)
        lastOut = Timebase.nanoseconds(lastTicks, rate: outputRate)
        return lastTicks
    }

    // MARK: - The three ways to a time

    private mutating func trusted(
        _ stamp: Int64?, _ step: Int64?, _ passed: Int64, at now: Instant
    ) -> Int64 {
        guard let stamp else {
            counters.missingStamps &+= 1
            return lastOut &+ (lastSamples ?? usual.nanoseconds)
        }
        guard isAnchored, let step else {
            isAnchored = true
            return anchor(stamp, caughtUp(at: now))
        }
        if isJump(step, passed) {
            noteJump(step, at: now)
            // A pause that the arrival shows stays a pause; all else goes on with the usual step.
            let isPause = passed > 4 &* usual.nanoseconds &+ 200_000_000
            return anchor(stamp, lastOut &+ (isPause ? passed : usual.nanoseconds))
        }
        if step == 0 { return stand(passed, at: now) }
        stoodSince = nil
        let out = stamp &+ offset
        guard out > lastOut else { return hold(stamp, at: now) }
        heldSince = nil
        if step > 0, wasStamped { usual.note(step) }
        return out
    }

    private mutating func counted() -> Int64 {
        counters.countedFrames &+= 1
        let step = lastSamples ?? usual.nanoseconds
        if toCorrect > Self.second {
            defer { toCorrect = 0 }
            isDiscontinuity = true
            return lastOut &+ step &+ toCorrect
        }
        // Behind or ahead by little: five thousandths, which nobody hears. Ahead by much: there is
        // no way back in time, so half the speed until arrival has caught up.
        let part = toCorrect < -Self.second ? step / 2 : step / 200
        let correction = min(max(toCorrect, -part), part)
        toCorrect &-= correction
        return lastOut &+ step &+ correction
    }

    private mutating func arrived(_ passed: Int64, at now: Instant) -> Int64 {
        counters.arrivalFrames &+= 1
        arrivalStep &+= (min(passed, Self.second) &- arrivalStep) / Self.loopGain
        let target = now.nanoseconds &- (judge.baseline ?? firstLag)
        let predicted = lastOut &+ arrivalStep
        let deviation = target &- predicted
        if deviation > 3 &* Self.second {
            isDiscontinuity = true
            return target
        }
        return predicted &+ max(deviation / Self.loopGain, -arrivalStep / 2)
    }

    // MARK: - Anomalies

    private func isReordered(_ step: Int64, _ frame: Frame) -> Bool {
        policy.mayReorder && frame.samples == nil && sampleRate == 0 && mode == .trusted
            && isAnchored && step < 0 && step > -Self.reorderMaximum
    }

    /// Far away, and the arrival does not say that so much time has passed.
    private func isJump(_ step: Int64, _ passed: Int64) -> Bool {
        let isFar = step.magnitude > UInt64(policy.jump.nanoseconds)
        let isUnusual =
            policy.comparesWithUsual
            && step.magnitude > UInt64(max(10 &* usual.nanoseconds, Self.second / 2))
            && step > 0
        guard isFar || isUnusual else { return false }
        let tolerance = isFar ? Self.second : Self.second / 2
        return !policy.watchesArrival || (step &- passed).magnitude > UInt64(tolerance)
    }

    private mutating func noteJump(_ step: Int64, at now: Instant) {
        counters.jumps &+= 1
        isDiscontinuity = true
        judge.noteDirt()
        let isForward = step > 0
        var turns = 0
        if let last = lastJump, now - last.at < Self.alternationGap, last.isForward != isForward {
            turns = last.turns + 1
        }
        lastJump = (isForward, now, turns)
        if turns >= Self.alternations { distrust() }
    }

    /// Several frames share a stamp: half a step each, for the next stamp is not known yet.
    private mutating func stand(_ passed: Int64, at now: Instant) -> Int64 {
        counters.zeroSteps &+= 1
        let since = stoodSince ?? now
        stoodSince = since
        if now - since > Self.holdMaximum, policy.watchesArrival {
            judge.noteDirt()
            distrust()
        }
        return lastOut &+ min(usual.nanoseconds / 2, passed)
    }

    private mutating func hold(_ stamp: Int64, at now: Instant) -> Int64 {
        counters.backwardSteps &+= 1
        let since = heldSince ?? now
        heldSince = since
        guard now - since > Self.holdMaximum else { return lastOut &+ 1 }
        heldSince = nil
        return anchor(stamp, caughtUp(at: now))
    }

    /// One step on; or, where the timeline fell behind arrival while nothing could be believed,
    /// there.
    private mutating func caughtUp(at now: Instant) -> Int64 {
        let next = lastOut &+ (lastSamples ?? usual.nanoseconds)
        let target = now.nanoseconds &- (judge.baseline ?? firstLag)
        guard policy.watchesArrival, target &- next > 200_000_000 else { return next }
        isDiscontinuity = true
        return target
    }

    /// From here on this stamp means this time. On the output's grid, so that later ones fall on
    /// it.
    private mutating func anchor(_ stamp: Int64, _ out: Int64) -> Int64 {
        let ticks = max(Timebase.ticks(nanoseconds: out, rate: outputRate), lastTicks &+ 1)
        let placed = Timebase.nanoseconds(ticks, rate: outputRate)
        offset = placed &- stamp
        heldSince = nil
        stoodSince = nil
        return placed
    }

    // MARK: - Judgement over seconds

    private mutating func watch(_ stampStep: Int64?, at now: Instant) {
        let verdict = judge.note(
            stampStep: stampStep, sampleStep: lastSamples, out: lastOut, at: now)
        guard let verdict, policy.watchesArrival else { return }
        switch mode {
        case .trusted, .scaled: suspect(verdict)
        case .counted, .arrival: forgive(verdict)
        }
    }

    private mutating func suspect(_ verdict: StampJudge.Verdict) {
        let isSlow = !Self.sane.contains(verdict.stampsPerArrival)
        let isFar = verdict.drift.magnitude > UInt64(Self.second)
        strikes = isSlow || isFar || isMeasuredOff(verdict) ? strikes + 1 : 0
        if let perSamples = verdict.stampsPerSamples {
            let isOdd = !Self.sane.contains(perSamples) || verdict.oddSteps > 800
            let fits = verdict.samplesPerArrival.map { Self.sane.contains($0) } ?? false
            if isOdd, countsSamples(perSamples) { return change(to: .scaled, verdict) }
            if isOdd, fits { return change(to: .counted, verdict) }
        }
        // Once may be a burst after a stall. Drift has to last longer: it is compared with a
        // minimum.
        guard strikes >= (isSlow || isMeasuredOff(verdict) ? 2 : 3) else { return }
        if verdict.samplesPerArrival != nil {
            measureRate(verdict)
            change(to: .counted, verdict)
        } else {
            change(to: .arrival, verdict)
        }
    }

    private func isMeasuredOff(_ verdict: StampJudge.Verdict) -> Bool {
        verdict.samplesPerArrival.map { !Self.sane.contains($0) } ?? false
    }

    /// Stamps that advance by samples where the clock has another rate: 320 for 40 ms of G.711 in a
    /// clock of 90 kHz.
    private func countsSamples(_ perSamples: Int64) -> Bool {
        guard mode == .trusted, sampleRate > 0 else { return false }
        let expected = Int64(sampleRate) * 1000 / Int64(inputRate)
        return expected < 800 && (expected * 85 / 100...expected * 115 / 100).contains(perSamples)
    }

    /// The standard rate nearest to what arrives, if one is near; losses and jitter explain less
    /// than a fifth, and only then the header is doubted.
    private mutating func measureRate(_ verdict: StampJudge.Verdict) {
        guard let ratio = verdict.samplesPerArrival, !Self.sane.contains(ratio) else { return }
        let measured = Int64(measuredRate) * ratio / 1000
        let rates: [11 of Int32] = [
            8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000,
        ]
        for index in 0..<11 {
            let rate = Int64(rates[index])
            if (measured - rate).magnitude * 20 <= rate.magnitude { measuredRate = rates[index] }
        }
    }

    private mutating func forgive(_ verdict: StampJudge.Verdict) {
        if mode == .counted {
            measureRate(verdict)
            let isLarge = verdict.drift.magnitude > 150_000_000
            let isSmall = verdict.drift.magnitude < 30_000_000
            if isLarge { toCorrect = verdict.drift } else if isSmall { toCorrect = 0 }
        }
        var isSane = verdict.isClean && (900...1100).contains(verdict.stampsPerArrival)
        if let perSamples = verdict.stampsPerSamples {
            isSane = isSane && Self.sane.contains(perSamples) && verdict.oddSteps <= 200
        }
        saneWindows = isSane ? saneWindows + 1 : 0
        if saneWindows >= 15 { change(to: .trusted, verdict) }  // Of two seconds each.
    }

    /// At once, without waiting for a window: the stamps contradict themselves.
    private mutating func distrust() {
        change(to: lastSamples == nil ? .arrival : .counted, nil)
    }

    private mutating func change(to next: Mode, _ verdict: StampJudge.Verdict?) {
        counters.modeChanges &+= 1
        // Wrong stamps have moved the timeline from the first frame on: go by that one's delay.
        if let verdict, judge.windows < StampJudge.windowsToSettle, mode == .trusted {
            toCorrect = verdict.least &- firstLag
            judge.settle(firstLag)
        } else {
            toCorrect = verdict?.drift ?? 0
        }
        if mode == .scaled || next == .scaled { hasLastStamp = false }
        mode = next
        arrivalStep = usual.nanoseconds
        isAnchored = false
        strikes = 0
        saneWindows = 0
        stoodSince = nil
        heldSince = nil
    }

    // MARK: - Units

    private static let second: Int64 = 1_000_000_000
    /// In thousandths: what jitter and rounding explain.
    private static let sane: ClosedRange<Int64> = 800...1250

    private func nanoseconds(_ stamp: Int64) -> Int64 {
        let rate = mode == .scaled ? sampleRate : inputRate
        let value = Timebase.nanoseconds(stamp, rate: rate)
        guard policy.scalePerMille != 1000 else { return value }
        return Int64(clamping: Int128(value) * 1000 / Int128(policy.scalePerMille))
    }

    private func samplesDuration(_ samples: Int64) -> Int64? {
        guard measuredRate > 0, samples > 0, samples < 1 << 24 else { return nil }
        return Timebase.nanoseconds(samples, rate: measuredRate)
    }

    private func compositionOffset(_ offset: Int64) -> Int32 {
        let value = Timebase.nanoseconds(offset, rate: inputRate)
        let least = policy.allowsNegativeComposition ? -Self.compositionMaximum : 0
        guard value >= least, value <= Self.compositionMaximum else { return 0 }
        return Int32(clamping: Timebase.convert(offset, from: inputRate, to: outputRate))
    }
}
