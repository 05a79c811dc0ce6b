import Media
import RTP
import Testing
import Wire

@testable import ICE

/// What a player without a screen counts.
struct ViewedTrackTests {
    static func track(asksAgain: Bool = true) -> ViewedTrack {
        let format = ClientAnswer.Format(
            payloadType: 96, rtx: 97, codec: .vp8, clockRate: 90_000, asksAgain: asksAgain)
        var track = ViewedTrack(ClientAnswer.Track(kind: .video, formats: [format]))
        track.begin(7, format)
        return track
    }

    /// Frames of three packets, 33 ms apart; numbers wrap on the way.
    static func play(
        _ track: inout ViewedTrack, _ numbers: [Int], repairs: Bool = false
    ) {
        for number in numbers {
            let frame = number / 3
            let now = Instant.start + .milliseconds(Int64(33 * frame + (repairs ? 40 : 0)))
            _ = track.receive(
                UInt16(truncatingIfNeeded: 65_530 + number),
                UInt32(truncatingIfNeeded: frame &* 3000),
                count: 1000, isRepair: repairs, at: now)
        }
    }

    @Test func everythingThatCameIsCountedOnce() {
        var track = Self.track()
        Self.play(&track, Array(0..<300))
        Self.play(&track, [299, 298])
        #expect(track.figures.packets == 300 && track.figures.bytes == 300_000)
        #expect(track.figures.duplicates == 2 && track.figures.lost == 0)
        #expect(track.figures.frames == 100)
        #expect(track.figures.longestPause == .milliseconds(33))
    }

    @Test func aHoleIsAskedForAndARepairFillsIt() {
        var track = Self.track()
        Self.play(&track, Array(0..<30) + Array(32..<60))
        #expect(track.figures.lost == 2 && track.figures.packets == 58)
        var asked: [UInt16] = []
        while let output = track.nack?.poll(at: .start + .seconds(1)) {
            if case .nack(let nack) = output { nack.forEach { asked.append($0) } }
        }
        #expect(asked == [24, 25])
        Self.play(&track, [30, 31], repairs: true)
        #expect(track.figures.lost == 0 && track.figures.repaired == 2)
        #expect(track.figures.packets == 60)
        // Late packets begin no frame that has begun before.
        #expect(track.figures.frames == 20)
    }

    @Test func anotherSourceBeginsAnewAndNothingIsForgotten() {
        var track = Self.track()
        Self.play(&track, [0, 1, 3])
        track.begin(8, track.formats[0])
        Self.play(&track, [900, 901])
        #expect(track.figures.packets == 5 && track.figures.lost == 1)
    }
}
