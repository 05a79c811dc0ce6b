import Media
import RTP
import Stream
import Testing
import Wire

/// What publishers hear of their readers, from here and from other workers.
struct DemandTests {
    private func demands(_ scene: inout Scene) -> [Demand] {
        scene.takeOrders().compactMap {
            if case .demand(_, .video, let demand) = $0 { demand } else { nil }
        }
    }

    @Test func nobodyReadsAndThenSomebodyDoes() throws {
        var scene = Scene()
        try scene.publish([h264(.video, .packets, rids: ["q", "h"])], nack: true)
        #expect(demands(&scene).isEmpty, "it sends everything until it is told")
        #expect(scene.stream.deadline == ms(1_000))
        scene.pass(1_000)
        #expect(demands(&scene) == [.nothing])
        let frames = try scene.opened(.video, .h264, .frames)
        #expect(demands(&scene).isEmpty, "once per second")
        scene.pass(1_000)
        #expect(demands(&scene) == [.everything], "what is made of it is read")
        scene.stream.close(frames, ReaderFigures(), at: scene.now, into: &scene.orders)
        scene.pass(1_000)
        #expect(demands(&scene) == [.nothing])
        scene.pass(1_000)
        #expect(demands(&scene).isEmpty, "said once")
    }

    @Test func theMostThatAnybodyUsesIsTold() throws {
        var scene = Scene()
        try scene.publish([h264(.video, .packets, rids: ["q", "h", "f"])], nack: true)
        let one = try scene.opened(.video, .h264, .packets)
        _ = try scene.opened(.video, .h264, .packets)
        func limit(_ bits: Int, _ layer: UInt8, _ reader: UInt64) {
            scene.stream.setDemand(
                Demand(bits: bits, highestLayer: layer), of: one, by: reader, at: scene.now,
                into: &scene.orders)
        }
        limit(300_000, 0, 1)
        scene.pass(1_000)
        #expect(demands(&scene).isEmpty, "the other one has no limit")
        limit(200_000, 1, 2)
        #expect(demands(&scene) == [Demand(bits: 300_000, highestLayer: 1)])
        scene.pass(1_000)
        scene.stream.setDemand(nil, of: one, by: 2, at: scene.now, into: &scene.orders)
        scene.stream.close(one, ReaderFigures(), at: scene.now, into: &scene.orders)
        #expect(demands(&scene) == [Demand(bits: 300_000, highestLayer: 0)])
    }

    @Test func readersElsewhereCount() throws {
        var pair = RelayTests.Pair()
        try pair.home.publish([h264(.video, .packets)], nack: true)
        pair.home.packet(sequence: 1, key: true)
        let far = try pair.open()
        try pair.turn()
        pair.home.pass(1_000)
        #expect(demands(&pair.home).isEmpty)
        pair.far.close(far, ReaderFigures(), at: pair.home.now, into: &pair.orders)
        pair.post()
        #expect(pair.letters.last == .demand(relay: 16, bits: 0, highestLayer: 0))
        #expect(demands(&pair.home) == [.nothing], "though the relay lingers")
        pair.home.pass(1_000)
        _ = try pair.open()
        pair.far.expire(at: pair.home.now, into: &pair.orders)
        pair.post()
        #expect(demands(&pair.home) == [.everything])
    }

    /// The home stops giving a rendition: readers elsewhere leave it and look for another.
    @Test func aRenditionThatIsGivenUpClosesItsRelays() throws {
        var pair = RelayTests.Pair()
        try pair.home.publish([h264()])
        pair.home.frame(0, key: true)
        let far = try pair.open(.h264, .frames)
        try pair.turn()
        #expect(!far.encodings.isEmpty)
        pair.home.pass(100)
        try pair.home.publish([vp8()])
        pair.write()
        #expect(pair.writers[16]?.isOver == true)
        for record in pair.ring { try pair.far.receive(record.raw, at: pair.home.now) }
        pair.ring = []
        #expect(pair.far.deadline == .start)
        pair.far.expire(at: pair.home.now, into: &pair.orders)
        #expect(pair.orders.list.contains(.changed))
        #expect(far.encodings.isEmpty, "nothing to stay for: `resolve` opens anew")
        let again = try pair.open(.vp8, .frames)
        #expect(again !== far)
        #expect(
            pair.letters.contains(
                .open(
                    relay: 17, stream: "live/cam1",
                    RenditionKey(slot: .video, codec: .vp8, form: .frames))))
    }

    /// Policy `refuse`: nothing is made of B-frames, and the publisher's people are told why.
    @Test func refusedFramesAreExplained() throws {
        var rules = StreamRules()
        rules.bFrames = .refuse
        var scene = Scene(rules: rules)
        try scene.publish([h264(.video, .frames)])
        _ = try scene.opened(.video, .h264, .packets)
        #expect(scene.stream.snapshot(at: scene.now)[.video]?.advice == nil)
        scene.frame(0, key: true)
        scene.frame(1, flags: [.bidirectional, .discardable])
        let advice = scene.stream.snapshot(at: scene.now)[.video]?.advice
        #expect(advice?.contains("bframes") == true)
        #expect(scene.takeOrders().contains(.changed))
    }

    /// The same of packets that come in as they are, where nothing is made: by each slice's type.
    @Test func refusedPacketsAreExplained() throws {
        for policy in [BFramePolicy.refuse, .drop, .keep] {
            var rules = StreamRules()
            rules.bFrames = policy
            var scene = Scene(rules: rules)
            try scene.publish([h264(.video, .packets)])
            let packets = try scene.opened(.video, .h264, .packets)
            scene.packet(sequence: 1, key: true)
            let before = try #require(packets.encodings.first).history.end
            _ = scene.takeOrders()
            // A slice of type B (ue(v) 1), to which nothing refers.
            scene.packet(sequence: 2, payload: [0x01, 0xa8, 1, 2, 3, 4])
            let stored = try #require(packets.encodings.first).history.end - before
            let advice = scene.stream.snapshot(at: scene.now)[.video]?.advice
            #expect((advice?.contains("b-frames: drop") == true) == (policy == .refuse))
            #expect(stored == (policy == .keep ? 1 : 0))
            #expect(scene.takeOrders().contains(.changed) == (policy == .refuse))
        }
    }

    /// Frames wait for a repair as long as one takes on the publisher's path.
    @Test(arguments: [(50, 150), (150, 350), (900, 400)] as [(Int64, Int64)])
    func framesWaitAsLongAsARepairTakes(roundTrip: Int64, patience: Int64) throws {
        var scene = Scene()
        try scene.publish([h264(.video, .packets)], nack: true)
        scene.stream.noteRoundTrip(.milliseconds(roundTrip), epoch: scene.epoch)
        let frames = try scene.opened(.video, .h264, .frames)
        scene.packet(sequence: 1, key: true)
        let made = try #require(frames.encodings.first).history.end
        scene.pass(20)
        scene.packet(sequence: 3)
        scene.pass(patience - 5)
        #expect(frames.encodings.first?.history.end == made, "it waits")
        scene.pass(10)
        #expect(frames.encodings.first?.history.end == made + 1, "and goes on")
    }

    /// `wait-key`: after a loss nothing until the next key frame; else the rest goes on.
    @Test(arguments: [false, true])
    func whatFollowsALoss(waits: Bool) throws {
        var rules = StreamRules()
        rules.onLoss = waits ? .waitKey : .proceed
        var scene = Scene(rules: rules)
        try scene.publish([h264(.video, .packets)])
        let packets = try scene.opened(.video, .h264, .packets)
        let frames = try scene.opened(.video, .h264, .frames)
        scene.packet(sequence: 1, key: true)
        for sequence: Int64 in 3..<20 where sequence != 10 {
            scene.pass(33)
            scene.packet(sequence: sequence)
        }
        scene.pass(100)
        let stored = try #require(packets.encodings.first).history.end
        let made = try #require(frames.encodings.first).history.end
        #expect(waits ? stored <= 5 : stored > 12)
        #expect(waits ? made <= 4 : made > 12)
    }
}
