import Media
import Stream
import Testing
import Wire

/// One clock per stream: capture time, over slots, reports and publishers.
struct CaptureTests {
    /// Without reports the least delayed arrivals say when things were taken; jitter does not.
    @Test func arrivalsSayWhenThingsWereTaken() throws {
        var scene = Scene()
        try scene.publish([h264()])
        let rendition = try scene.opened()
        for number: Int64 in 0..<600 {
            let late = number % 7 == 3 ? Int64(25) : 0
            scene.now = ms(1_000 + number * 100 / 3 + late)
            scene.frame(number, key: number % 60 == 0)
        }
        let encoding = rendition.encodings[0]
        let error = encoding.capture(of: 599 * 3_000) - ms(1_000 + 599 * 100 / 3)
        #expect(abs(error.nanoseconds) < 3_000_000)
        #expect(encoding.captureSource == .arrival)
    }

    /// Sound that arrives 80 ms later than the picture it belongs to: reports put it back.
    @Test func reportsOfAWebRTCPublisherAlignSoundAndPicture() throws {
        var scene = Scene()
        try scene.publish([h264(.video, .packets), opus(.audio, .packets)], nack: true)
        let video = try scene.opened(.video, .h264, .packets).encodings[0]
        let audio = try scene.opened(.audio, .opus, .packets).encodings[0]
        for number: Int64 in 0..<400 {
            scene.now = ms(1_000 + number * 100 / 3)
            scene.packet(sequence: number, key: number == 0)
            var meta = packet(0)
            meta.ticks = number * 1_600  // 48 kHz, as far as the picture.
            meta.arrival = scene.now + .milliseconds(80)
            scene.effects.packet(
                pattern(number, 60).raw, meta, sequence: number, channel: 0, slot: .audio)
            scene.flush()
            guard number % 30 == 0 else { continue }
            let ntp = 50_000_000_000 + number * 100_000_000 / 3
            report(scene, .video, ntp, number * 3_000)
            report(scene, .audio, ntp, number * 1_600)
        }
        #expect(video.captureSource == .senderReport)
        let apart = audio.capture(of: 1_600 * 399) - video.capture(of: 3_000 * 399)
        #expect(abs(apart.nanoseconds) < 25_000_000, "\(apart.milliseconds) ms")
    }

    /// Republish: another origin of time stamps, and capture time goes on.
    @Test func captureTimeGoesOnOverPublishers() throws {
        var scene = Scene()
        try scene.publish([h264()])
        let rendition = try scene.opened()
        for number: Int64 in 0..<30 {
            scene.pass(33)
            scene.frame(number + 1_000_000, key: number == 0)
        }
        let before = rendition.encodings[0].capture(of: 1_000_029 * 3_000)
        scene.pass(33)
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let after = rendition.encodings[0].capture(of: 0)
        #expect(after - before >= .milliseconds(33))
        #expect(after - before < .milliseconds(40))
    }

    /// The new publisher's reports say that its pictures were taken before the last one's end.
    @Test func reportsDoNotTakeTimeBackOverPublishers() throws {
        var scene = Scene()
        try scene.publish([h264(.video, .packets)], nack: true)
        let rendition = try scene.opened(.video, .h264, .packets)
        for number: Int64 in 0..<60 {
            scene.pass(33)
            scene.packet(sequence: number, key: number == 0)
        }
        let last = rendition.encodings[0].capture(of: 59 * 3_000)
        try scene.publish([h264(.video, .packets)], nack: true)
        let map = rendition.encodings[0]
        scene.stream.noteRoundTrip(.milliseconds(2_400), epoch: scene.epoch)
        for number: Int64 in 0..<200 {
            scene.pass(33)
            scene.packet(sequence: number, key: number == 0)
            scene.stream.noteClock(
                slot: .video, layer: 0, ntp: scene.now.nanoseconds, ticks: number * 3_000,
                epoch: scene.epoch, at: scene.now)
            #expect(map.capture(of: number * 3_000) - last >= .milliseconds(33))
        }
        #expect(map.captureSource == .senderReport)
        let age = scene.now - map.capture(of: 199 * 3_000)
        #expect(age > .milliseconds(1_000), "the reports do count: \(age.milliseconds) ms")
    }

    private func report(_ scene: Scene, _ slot: SlotName, _ ntp: Int64, _ ticks: Int64) {
        scene.stream.noteClock(
            slot: slot, layer: 0, ntp: ntp, ticks: ticks, epoch: scene.epoch, at: scene.now)
    }
}
