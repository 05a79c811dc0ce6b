import Stream
import Testing
import Wire

struct CaptureMapTests {
    /// Sends frames over a network with jitter; gives the error of the map in nanoseconds.
    static func run(
        seconds: Int, seed: UInt64, partsPerMillion: Int64 = 0,
        each: (Int, inout CaptureMap) -> Void = { _, _ in }
    ) -> (worst: Int64, last: Int64) {
        var random = SplitMix64(seed: seed)
        var map = CaptureMap(rate: 90_000)
        var worst: Int64 = 0
        var last: Int64 = 0
        for frame in 0..<seconds * 25 {
            let taken = Int64(frame) * 40_000_000
            let ticks = Int64(frame) * 3600 + Int64(frame) * 3600 * partsPerMillion / 1_000_000
            let jitter = Int64.random(in: 0...60_000_000, using: &random)
            let network: Int64 = 20_000_000 + jitter * jitter / 60_000_000
            map.receive(ticks: ticks, at: Instant(nanoseconds: taken + network))
            each(frame, &map)
            last = map.capture(of: ticks).nanoseconds - taken
            if frame > 250 { worst = max(worst, abs(last - 20_000_000)) }
        }
        return (worst, last)
    }

    /// Jitter of up to 60 ms does not move the map by more than a few milliseconds.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func followsTheLowerEnvelope(seed: UInt64) {
        let (worst, _) = Self.run(seconds: 60, seed: seed)
        #expect(worst < 5_000_000, "\(worst)")
    }

    @Test(arguments: [-100, 100] as [Int64])
    func followsADeviceThatDrifts(partsPerMillion: Int64) {
        let (worst, _) = Self.run(seconds: 120, seed: 7, partsPerMillion: partsPerMillion)
        #expect(worst < 8_000_000, "\(worst)")
    }

    /// A backlog at the start is older than its arrival says.
    @Test func findsTheAgeOfABacklog() {
        var map = CaptureMap(rate: 1000)
        for frame in 0..<50 { map.receive(ticks: Int64(frame) * 40, at: .start) }
        #expect(map.capture(of: 0) == Instant(nanoseconds: -1_960_000_000))
    }

    /// After a stall of twelve seconds everything is late at once: the map stays.
    @Test func aStallDoesNotMoveIt() {
        var map = CaptureMap(rate: 1000)
        for frame in 0..<500 {
            map.receive(ticks: Int64(frame) * 40, at: .start + .milliseconds(Int64(frame) * 40))
        }
        let before = map.capture(of: 0)
        for frame in 500..<800 {
            map.receive(ticks: Int64(frame) * 40, at: .start + .seconds(32))
        }
        #expect(abs((map.capture(of: 0) - before).milliseconds) <= 1)
    }

    /// WebRTC: arrival until both tracks have reported, then the publisher's clock, slewed.
    @Test func alignsTracksBySenderReports() {
        var clock = SenderClock()
        clock.announce(track: 0)
        clock.announce(track: 1)
        var video = CaptureMap(rate: 90_000)
        var audio = CaptureMap(rate: 48_000)
        let ntp: Int64 = 3_900_000_000_000_000_000
        // Audio took 100 ms longer on its first way.
        video.receive(ticks: 0, at: .start + .milliseconds(30), clock: clock)
        audio.receive(ticks: 0, at: .start + .milliseconds(130), clock: clock)
        #expect(audio.capture(of: 0) - video.capture(of: 0) == .milliseconds(100))
        video.report(ntp: ntp, ticks: 0)
        clock.report(track: 0, ntp: ntp, at: .start + .milliseconds(30), rtt: .milliseconds(40))
        video.receive(ticks: 90, at: .start + .milliseconds(31), clock: clock)
        #expect(video.source == .arrival)
        audio.report(ntp: ntp, ticks: 0)
        clock.report(track: 1, ntp: ntp, at: .start + .milliseconds(45), rtt: .milliseconds(40))
        var last = audio.capture(of: 0)
        for second in 1...40 {
            let now = Instant.start + .seconds(Int64(second))
            video.receive(ticks: Int64(second) * 90_000, at: now, clock: clock)
            audio.receive(ticks: Int64(second) * 48_000, at: now, clock: clock)
            #expect((last - audio.capture(of: 0)).nanoseconds <= 5_000_000)
            last = audio.capture(of: 0)
        }
        #expect(video.source == .senderReport)
        #expect(audio.capture(of: 0) == video.capture(of: 0))
        #expect(video.capture(of: 0) == .start + .milliseconds(10))
        let opus = audio.derived(rate: 8000)
        #expect(opus.capture(of: 8000) == audio.capture(of: 48_000))
        #expect(audio.ticks(at: audio.capture(of: 4711)) == 4711)
    }

    /// Cameras: reports of 1970 align audio with video but give no absolute time.
    @Test func takesFromACameraOnlyTheAlignment() {
        var video = CaptureMap(rate: 90_000)
        var audio = CaptureMap(rate: 8000)
        for frame in 0..<20 {
            let now = Instant.start + .milliseconds(Int64(frame) * 40)
            video.receive(ticks: Int64(frame) * 3600, at: now)
            audio.receive(ticks: Int64(frame) * 320 + 800, at: now)
        }
        video.report(ntp: 1_000_000_000, ticks: 0)
        audio.report(ntp: 1_000_000_000, ticks: 0)
        audio.align(to: video)
        audio.receive(ticks: 7200, at: .start + .milliseconds(800))
        #expect(audio.capture(of: 0) == video.capture(of: 0))
    }
}
