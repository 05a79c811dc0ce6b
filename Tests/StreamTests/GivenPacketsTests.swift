import Media
import Stream
import Testing
import Wire

/// Packets as publishers send them: shaped on the way in, and made into frames for those who need
/// frames.
struct GivenPacketsTests {
    /// Pass-through of a camera: numbered anew, without a hole, parameter sets before key frames.
    @Test func aCameraIsShapedPacketByPacket() throws {
        var scene = Scene()
        try scene.publish([h264(.video, .packets)])
        let rendition = try scene.opened(.video, .h264, .packets)
        scene.packet(sequence: 60_000, key: true)
        scene.packet(sequence: 60_001)
        let history = rendition.encodings[0].history
        #expect(history.start == 1)
        #expect(history.end == 4, "parameter sets, key frame, picture: at once")
        #expect(bytes(history, 2) == payload(60_000, 200, key: true))
        scene.packet(sequence: 60_003)  // 60,002 is lost, and nobody can ask for it.
        scene.packet(sequence: 60_004)
        #expect((1..<history.end).allSatisfy { history.contains($0) }, "no hole stays open")
        #expect(scene.takeOrders().contains(.keyFrame(1, .video, layer: 0)))
    }

    /// WHIP: the shaper is the identity, and a hole stays open for the repair.
    @Test func whoRepairsKeepsItsNumbersAndBytes() throws {
        var scene = Scene()
        try scene.publish([h264(.video, .packets)], nack: true)
        let rendition = try scene.opened(.video, .h264, .packets)
        scene.packet(sequence: 500, key: true)
        scene.packet(sequence: 502)
        let history = rendition.encodings[0].history
        #expect(history.end == 503)
        #expect(!history.contains(501))
        #expect(bytes(history, 502) == payload(502, 200, key: false))
        #expect(!scene.takeOrders().contains(.keyFrame(1, .video, layer: 0)))
        scene.packet(sequence: 501)
        #expect(history.contains(501))
    }

    @Test func framesAreMadeOfPacketsFromTheCachedKeyFrameOn() throws {
        var scene = Scene()
        try scene.publish([h264(.video, .packets)], nack: true)
        for sequence: Int64 in 1...10 {
            scene.pass(33)
            scene.packet(sequence: sequence, key: sequence == 4)
        }
        scene.pass(4_000)  // An old group of pictures is as good as a young one.
        let frames = try scene.opened()
        let history = try #require(frames.encodings.first).history
        #expect(history.end == 8)
        #expect(history.lastKey == 1)
        #expect(bytes(history, 1) == nal(4, 200, key: true))
        scene.packet(sequence: 11)
        #expect(bytes(history, 8) == nal(11, 200, key: false))
    }

    /// A hole holds the frames back until it is repaired, and not for ever.
    @Test func framesWaitForARepair() throws {
        var scene = Scene()
        try scene.publish([h264(.video, .packets)], nack: true)
        let frames = try scene.opened()
        scene.packet(sequence: 1, key: true)
        for sequence: Int64 in [2, 4, 5] {
            scene.pass(10)
            scene.packet(sequence: sequence)
        }
        let history = try #require(frames.encodings.first).history
        #expect(history.end == 3)
        scene.packet(sequence: 3)
        #expect(history.end == 6, "3, 4 and 5 are there at once")
        scene.pass(10)
        scene.packet(sequence: 7)  // 6 never comes.
        #expect(history.end == 6)
        #expect(scene.stream.deadline <= scene.now + .milliseconds(400))
        scene.pass(400)
        #expect(history.end > 6, "patience has an end")
        #expect(scene.takeOrders().contains(.keyFrame(1, .video, layer: 0)))
    }

    /// The assembler reads one layer, the highest alive, and changes at a key frame.
    @Test func framesComeFromTheHighestLayerAlive() throws {
        var scene = Scene()
        try scene.publish([h264(.video, .packets, rids: ["l", "h"])], nack: true)
        let frames = try scene.opened()
        var sequence: Int64 = 1
        func send(_ layers: [UInt8], key: Bool = false) {
            scene.pass(33)
            for layer in layers {
                scene.packet(
                    sequence: sequence, key: key, size: layer == 1 ? 900 : 100, layer: layer)
            }
            sequence += 1
        }
        send([0, 1], key: true)
        for _ in 0..<40 { send([0, 1]) }
        send([0, 1], key: true)
        send([0, 1])
        let history = try #require(frames.encodings.first).history
        #expect(history.meta(history.end - 1)?.length == 905, "the high layer")
        for _ in 0..<50 { send([0]) }
        #expect(scene.takeOrders().contains(.keyFrame(1, .video, layer: 0)))
        let before = history.end
        send([0], key: true)
        send([0])
        #expect(history.end == before + 2)
        #expect(history.meta(history.end - 1)?.length == 105, "the low one is all there is")
        let ticks = (history.start..<history.end).compactMap { history.meta($0)?.ticks }
        #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $0 < $1 }, "one timeline")
    }

    /// Parameter sets of the stream, not of the description, are what viewers get; and a camera
    /// that changes its picture size has a new generation from there on.
    @Test(arguments: [true, false])
    func setsInTheStreamChangeTheFormat(answersNACK: Bool) throws {
        var scene = Scene()
        var slot = h264(.video, .packets)
        slot.format.parameterSets = []
        try scene.publish([slot], nack: answersNACK)
        let given = try scene.opened(.video, .h264, .packets)
        let frames = try scene.opened()
        var sequence: Int64 = 1
        var frame: Int64 = 0
        func keyFrame(_ sets: [String]) {
            scene.pass(40)
            for set in sets { send(Hex.decode(set) ?? [], marker: false) }
            send(payload(sequence, 300, key: true), marker: true)
        }
        func send(_ bytes: [UInt8], marker: Bool) {
            var meta = packet(frame, end: marker)
            meta.arrival = scene.now
            scene.effects.packet(
                bytes.raw, meta, sequence: sequence, channel: 0, slot: .video)
            sequence += 1
            scene.flush()
        }
        keyFrame(["6764000cacd941419f9f011000000300100000030320f1429960", "68eae3cb22c0"])
        #expect(given.format(at: scene.now)?.width == 320)
        #expect(frames.format(at: scene.now)?.width == 320)
        _ = scene.takeOrders()
        for number: Int64 in 4...7 { scene.packet(sequence: number) }
        (sequence, frame) = (8, 8)
        keyFrame(["6742c028da01e0089f97016a02020280000003008000001e078c1950", "68eae3cb22c0"])
        let encoding = try #require(frames.encodings.first)
        #expect(encoding.format.width == 1_920)
        #expect(encoding.format(at: encoding.history.end - 2).width == 320)
        #expect(scene.takeOrders().contains(.changed))
    }
}
