import Stream
import Testing
import Wire

/// Every anomaly seen in the field as a camera of our own: true times, a network with jitter, and
/// stamps that lie in one way. The output must rise, stay near the truth, and say what it did.
struct TimestampRepairTests {
    /// One run of a device.
    struct Device {
        var policy = RepairPolicy.pes
        var inputRate: Int32 = 90_000
        var outputRate: Int32 = 90_000
        var sampleRate: Int32 = 0
        var samples: Int64?
        /// True distance of frames, in nanoseconds.
        var interval: Int64 = 40_000_000
        var frames = 3000
        /// Up to so many milliseconds, mostly little.
        var jitter: Int64 = 30
        /// The stamp of a frame, in the input's rate, given its number and true time.
        var stamp: (Int, Int64) -> Int64?
    }

    struct Outcome {
        /// Against the truth, in milliseconds: over all frames, and in the last half.
        var worst: Int64 = 0
        var worstLate: Int64 = 0
        var isRising = true
        var discontinuities = 0
        var repair: TimestampRepair
    }

    static func run(_ device: Device, seed: UInt64 = 1) -> Outcome {
        var random = SplitMix64(seed: seed)
        var origin = TimelineOrigin()
        let repair = TimestampRepair(
            policy: device.policy, inputRate: device.inputRate, outputRate: device.outputRate,
            sampleRate: device.sampleRate)
        var outcome = Outcome(repair: repair)
        var first: Int64?
        var last = Int64.min
        for index in 0..<device.frames {
            let taken = Int64(index) * device.interval
            let spread = Int64.random(in: 0...device.jitter, using: &random)
            let delay = 20_000_000 + spread * spread * 1_000_000 / max(1, device.jitter)
            let frame = TimestampRepair.Frame(
                stamp: device.stamp(index, taken), samples: device.samples)
            let now = Instant(nanoseconds: 1_000_000_000 + taken + delay)
            let stamp = outcome.repair.receive(frame, at: now, origin: &origin)
            if stamp.ticks <= last { outcome.isRising = false }
            last = stamp.ticks
            if stamp.isDiscontinuity { outcome.discontinuities += 1 }
            let out = stamp.ticks * 1000 / Int64(device.outputRate)
            let base = first ?? out
            first = base
            let error = abs(out - base - taken / 1_000_000)
            outcome.worst = max(outcome.worst, error)
            if index > device.frames / 2 { outcome.worstLate = max(outcome.worstLate, error) }
        }
        return outcome
    }

    static let seeds: Range<UInt64> = 0..<10

    @Test(arguments: seeds)
    func goodStampsPassToTheTick(seed: UInt64) {
        let outcome = Self.run(Device { index, _ in 4_711 + Int64(index) * 3600 }, seed: seed)
        #expect(outcome.isRising && outcome.worst == 0 && outcome.discontinuities == 0)
        #expect(outcome.repair.counters == RepairCounters())
    }

    /// A device clock 100 ppm off is carried, not corrected: the capture map follows it.
    @Test func driftIsCarried() {
        let outcome = Self.run(Device { index, _ in Int64(index) * 36_000 / 10 + Int64(index) / 3 })
        #expect(outcome.repair.counters == RepairCounters())
    }

    @Test func aFrameWithoutStampGoesOnByTheUsualStep() {
        let outcome = Self.run(Device { index, _ in index % 3 == 1 ? nil : Int64(index) * 3600 })
        #expect(outcome.isRising && outcome.worst <= 1)
        #expect(outcome.repair.counters.missingStamps == 1000)
    }

    @Test(arguments: seeds, [-900_000_000, 900_000_000, 400_000] as [Int64])
    func aJumpGoesOn(seed: UInt64, jump: Int64) {
        let device = Device { index, _ in Int64(index) * 3600 + (index >= 1000 ? jump : 0) }
        let outcome = Self.run(device, seed: seed)
        #expect(outcome.isRising && outcome.worst <= 45)
        #expect(outcome.repair.counters.jumps == 1 && outcome.discontinuities == 1)
        #expect(outcome.repair.mode == .trusted)
    }

    /// The camera stood still for ten seconds and its clock did not: that is no error.
    @Test func aPauseStaysAPause() {
        var origin = TimelineOrigin()
        var repair = TimestampRepair(policy: .pes, inputRate: 90_000, outputRate: 90_000)
        var last: Int64 = 0
        for index in 0..<200 {
            let time = Int64(index) * 40 + (index >= 100 ? 10_000 : 0)
            let frame = TimestampRepair.Frame(stamp: time * 90)
            last = repair.receive(frame, at: .start + .milliseconds(time), origin: &origin).ticks
        }
        #expect(last == (199 * 40 + 10_000 + 2000) * 90)
        #expect(repair.counters.jumps == 0)
    }

    /// The device aligns its tracks: a few hundred milliseconds back, and on from there.
    @Test(arguments: seeds)
    func aSmallStepBackIsHeld(seed: UInt64) {
        let device = Device { index, _ in Int64(index) * 3600 - (index >= 1000 ? 27_000 : 0) }
        let outcome = Self.run(device, seed: seed)
        #expect(outcome.isRising && outcome.worst <= 341)
        #expect((7...9).contains(outcome.repair.counters.backwardSteps))
    }

    /// More than a second back, but no jump: held for a second, then the new time holds.
    @Test(arguments: seeds)
    func aLongStepBackIsTheNewTime(seed: UInt64) {
        let device = Device { index, _ in Int64(index) * 3600 - (index >= 1000 ? 225_000 : 0) }
        let outcome = Self.run(device, seed: seed)
        #expect(outcome.isRising && outcome.worst <= 1200)
        #expect(outcome.worstLate <= 200 && outcome.discontinuities == 1)
    }

    /// Pairs of frames share a stamp.
    @Test(arguments: seeds)
    func zeroStepsAreSpread(seed: UInt64) {
        let outcome = Self.run(Device { index, _ in Int64(index / 2 * 2) * 3600 }, seed: seed)
        #expect(outcome.isRising && outcome.worst <= 40)
        #expect(outcome.repair.counters.zeroSteps == 1500)
        #expect(outcome.repair.mode == .trusted)
    }

    /// AAC of 22.05 kHz, 21.5 frames a second, each stamped 92.9 ms after the last; from time to
    /// time the stamps fall back to the video's clock.
    @Test(arguments: seeds)
    func audioStampedTwiceTooFastIsCounted(seed: UInt64) {
        var device = Device { index, taken in
            let base = Int64(index / 100 * 100) * 46_439_909
            return (base + (taken - base) * 2) * 9 / 100_000
        }
        device.sampleRate = 22_050
        device.outputRate = 22_050
        device.samples = 1024
        device.interval = 46_439_909
        let outcome = Self.run(device, seed: seed)
        #expect(outcome.isRising && outcome.worst <= 2600 && outcome.worstLate <= 200)
        #expect(outcome.repair.mode == .counted && outcome.repair.measuredRate == 22_050)
        #expect(outcome.repair.counters.countedFrames > 2800)
    }

    /// G.711 counted in samples where the clock has 90 kHz.
    @Test(arguments: seeds)
    func stampsInSamplesAreScaled(seed: UInt64) {
        var device = Device { index, _ in Int64(index) * 320 }
        device.sampleRate = 8000
        device.outputRate = 8000
        device.samples = 320
        let outcome = Self.run(device, seed: seed)
        #expect(outcome.isRising && outcome.worst <= 2200 && outcome.worstLate <= 200)
        #expect(outcome.repair.mode == .scaled && outcome.repair.counters.modeChanges == 1)
    }

    /// G.711 of 16 kHz that nobody can tell: bytes come twice as fast as they play.
    @Test(arguments: seeds)
    func theTrueRateIsMeasured(seed: UInt64) {
        var device = Device { index, _ in Int64(index) * 3600 }
        device.sampleRate = 8000
        device.outputRate = 8000
        device.samples = 640
        let outcome = Self.run(device, seed: seed)
        #expect(outcome.isRising && outcome.worstLate <= 200)
        #expect(outcome.repair.measuredRate == 16_000)
    }

    /// Stamps that leap to and fro: arrival is all there is.
    @Test(arguments: seeds)
    func toAndFroGoesByArrival(seed: UInt64) {
        let device = Device { index, _ in
            Int64(index) * 3600 + (index / 20 % 2 == 1 ? 1_800_000 : 0)
        }
        let outcome = Self.run(device, seed: seed)
        #expect(outcome.isRising && outcome.worst <= 250 && outcome.worstLate <= 150)
        #expect(outcome.repair.mode == .arrival)
    }

    @Test(arguments: seeds)
    func aStampThatStandsStillGoesByArrival(seed: UInt64) {
        let outcome = Self.run(Device { _, _ in 0 }, seed: seed)
        #expect(outcome.isRising && outcome.worst <= 1300 && outcome.worstLate <= 150)
        #expect(outcome.repair.mode == .arrival)
    }

    /// Stamped as 25 pictures a second, but 12 come.
    @Test(arguments: seeds)
    func aWrongFrameRateGoesByArrival(seed: UInt64) {
        var device = Device { index, _ in Int64(index) * 3600 }
        device.interval = 83_333_333
        let outcome = Self.run(device, seed: seed)
        #expect(outcome.isRising && outcome.worst <= 3000 && outcome.worstLate <= 150)
        #expect(outcome.repair.mode == .arrival)
    }

    /// Four per cent off shows only in the drift.
    @Test func aSlightlyWrongFrameRateIsFoundByDrift() {
        var device = Device { index, _ in Int64(index) * 3600 }
        device.interval = 41_666_667
        device.frames = 6000
        let outcome = Self.run(device)
        #expect(outcome.isRising && outcome.worst <= 1600)
    }

    /// Thirty seconds of sane stamps, and they are believed again.
    @Test func saneStampsAreForgiven() {
        let device = Device { index, _ in
            Int64(index) * 3600 + (index < 200 && index / 20 % 2 == 1 ? 1_800_000 : 0)
        }
        let outcome = Self.run(device)
        #expect(outcome.isRising && outcome.repair.mode == .trusted)
        #expect(outcome.repair.counters.modeChanges == 2)
    }

    /// RTMP: milliseconds, which must not look like an error of audio.
    @Test func millisecondsAreNoError() {
        var device = Device { _, taken in taken / 1_000_000 }
        device.policy = .rtmp
        device.inputRate = 1000
        device.outputRate = 44_100
        device.sampleRate = 44_100
        device.samples = 1024
        device.interval = 23_219_955
        let outcome = Self.run(device)
        #expect(outcome.isRising && outcome.worst <= 1)
        #expect(outcome.repair.counters == RepairCounters())
    }

    /// RTP with B-frames: presentation times in decoding order pass unchanged.
    @Test func reorderedPicturesPass() {
        var origin = TimelineOrigin()
        var repair = TimestampRepair(policy: .rtp, inputRate: 90_000, outputRate: 90_000)
        let order: [Int64] = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8]
        var ticks: [Int64] = []
        for (index, picture) in order.enumerated() {
            let frame = TimestampRepair.Frame(stamp: picture * 3600)
            let now = Instant.start + .milliseconds(Int64(index) * 40)
            ticks.append(repair.receive(frame, at: now, origin: &origin).ticks)
        }
        #expect(ticks == order.map { $0 * 3600 + 180_000 })
        #expect(repair.counters == RepairCounters())
    }

    /// Trick play: four seconds of recording in one of ours.
    @Test func playbackIsDividedByItsScale() {
        var device = Device { index, _ in Int64(index) * 14_400 }
        device.policy = .playback(scalePerMille: 4000)
        let outcome = Self.run(device)
        #expect(outcome.isRising && outcome.worst <= 1)
        #expect(outcome.repair.mode == .trusted && outcome.repair.counters.jumps == 0)
    }

    /// Tracks keep their distance if it is one, and count from arrival if it is another epoch.
    @Test func tracksBeginTogether() {
        var origin = TimelineOrigin()
        let video = origin.begin(stamp: 50_000_000_000, at: .start)
        let near = origin.begin(stamp: 49_500_000_000, at: .start + .milliseconds(10))
        let far = origin.begin(stamp: 9_000_000_000, at: .start + .milliseconds(30))
        #expect(near - video == -500_000_000)
        #expect(far - video == 30_000_000)
    }

    @Test func compositionOffsetsAreBounded() {
        var origin = TimelineOrigin()
        var repair = TimestampRepair(policy: .pes, inputRate: 90_000, outputRate: 90_000)
        for (offset, expected) in [(3600, 3600), (-3600, 0), (900_000, 0)] as [(Int64, Int32)] {
            let frame = TimestampRepair.Frame(stamp: 0, compositionOffset: offset)
            let stamp = repair.receive(frame, at: .start, origin: &origin)
            #expect(stamp.compositionOffset == expected)
        }
        var rtmp = TimestampRepair(policy: .rtmp, inputRate: 1000, outputRate: 90_000)
        let frame = TimestampRepair.Frame(stamp: 0, compositionOffset: -40)
        let stamp = rtmp.receive(frame, at: .start, origin: &origin)
        #expect(stamp.compositionOffset == -3600)
    }

    /// Stamps from an enemy: any number after any other, at any time.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func survivesAnything(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var origin = TimelineOrigin()
        var repair = TimestampRepair(
            policy: .rtmp, inputRate: 1000, outputRate: 90_000, sampleRate: 48_000)
        var now = Instant.start
        var last = Int64.min
        for _ in 0..<5000 {
            now = now + .milliseconds(Int64.random(in: 0...200, using: &random))
            let wild = Int64.random(in: .min ... .max, using: &random)
            let shift = Int64.random(in: 0...63, using: &random)
            let frame = TimestampRepair.Frame(
                stamp: Bool.random(using: &random) ? wild >> shift : nil,
                compositionOffset: wild, samples: wild >> 50)
            let ticks = repair.receive(frame, at: now, origin: &origin).ticks
            #expect(ticks > last)
            last = ticks
        }
    }
}
