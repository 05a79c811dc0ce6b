import Media
import Stream
import Testing
import Wire

/// Sources that are started when somebody wants them, and those who wait.
struct OnDemandTests {
    static var onDemand: StreamRules {
        var rules = StreamRules()
        rules.isOnDemand = true
        return rules
    }

    @Test func manyWaitersAreOneStartAndAreLetGoFiftyATurn() throws {
        var scene = Scene(rules: Self.onDemand)
        for id: UInt64 in 0..<120 {
            try scene.stream.wait(
                id, patience: .seconds(10), at: scene.now, into: &scene.orders)
        }
        #expect(scene.takeOrders() == [.startSource])
        try scene.publish([h264()])
        scene.frame(0, key: true)
        #expect(told(&scene) == [])
        for expected in [50, 50, 20, 0] {
            #expect(scene.stream.deadline == .start || expected == 0)
            scene.pass(0)
            #expect(told(&scene).count == expected)
        }
    }

    @Test func theThousandAndFirstIsRefused() throws {
        var scene = Scene()
        for id: UInt64 in 0..<1_000 {
            try scene.stream.wait(id, patience: .seconds(10), at: scene.now, into: &scene.orders)
        }
        let refusal = #expect(throws: Refusal.self) {
            try scene.stream.wait(
                1_000, patience: .seconds(10), at: scene.now, into: &scene.orders)
        }
        #expect(refusal?.code == .tooMany)
        scene.stream.stopWaiting(3)
        try scene.stream.wait(1_000, patience: .seconds(10), at: scene.now, into: &scene.orders)
    }

    @Test func patienceEndsAtTenSecondsWhateverWasAsked() throws {
        var scene = Scene()
        try scene.stream.wait(7, patience: .seconds(600), at: scene.now, into: &scene.orders)
        scene.pass(9_999)
        #expect(told(&scene) == [])
        scene.pass(1)
        #expect(told(&scene) == [7])
        #expect(scene.stream.isFree)
    }

    @Test func oneFailureIsTheResultOfAll() throws {
        var scene = Scene(rules: Self.onDemand)
        for id: UInt64 in 1...3 {
            try scene.stream.wait(id, patience: .seconds(5), at: scene.now, into: &scene.orders)
        }
        _ = scene.takeOrders()
        let cause = Refusal(.sourceFailed, "rtsp://192.0.2.7: 401")
        scene.stream.sourceFailed(cause)
        scene.pass(0)
        #expect(scene.takeOrders().prefix(3) == (1...3).map { .tell($0, .failed(cause)) }[...])
        try scene.stream.wait(4, patience: .seconds(5), at: scene.now, into: &scene.orders)
        #expect(scene.takeOrders().contains(.startSource), "the next one tries again")
    }

    @Test func theSourceIsStoppedTwentySecondsAfterTheLastReader() throws {
        var scene = Scene(rules: Self.onDemand)
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let rendition = try scene.opened()
        scene.pass(60_000)
        #expect(!scene.takeOrders().contains(.stopSource))
        scene.stream.close(rendition, ReaderFigures(), at: scene.now, into: &scene.orders)
        scene.pass(15_000)
        let again = try scene.opened()
        scene.pass(15_000)
        #expect(!scene.takeOrders().contains(.stopSource), "somebody came back")
        scene.stream.close(again, ReaderFigures(), at: scene.now, into: &scene.orders)
        scene.pass(19_999)
        #expect(!scene.takeOrders().contains(.stopSource))
        scene.pass(1)
        #expect(scene.takeOrders().contains(.stopSource))
    }

    /// What makes packets of frames goes on for a while, and is nobody who watches.
    @Test func whatIsMadeForReadersDoesNotKeepTheSourceRunning() throws {
        var scene = Scene(rules: Self.onDemand)
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let packets = try scene.opened(.video, .h264, .packets)
        #expect(scene.stream.readerCount == 1)
        scene.stream.close(packets, ReaderFigures(), at: scene.now, into: &scene.orders)
        #expect(scene.stream.readerCount == 0)
        scene.pass(20_000)
        #expect(scene.takeOrders().contains(.stopSource))
        #expect(scene.stream.readerCount == 0)
    }

    /// However many viewers lose the picture, the publisher hears it once per 500 ms.
    @Test func keyRequestsOfAllViewersAreJoined() throws {
        var scene = Scene()
        try scene.publish([h264()])
        let rendition = try scene.opened()
        let id = EncodingID(epoch: 1, layer: 0)
        var requests = 0
        for _ in 0..<100 {  // A second of viewers that ask each 10 ms.
            for _ in 0..<20 {
                scene.stream.requestKey(id, of: rendition, at: scene.now, into: &scene.orders)
            }
            scene.pass(10)
            requests += scene.takeOrders().count { $0 == .keyFrame(1, .video, layer: 0) }
        }
        #expect(requests == 3, "at 0, 500 and 1,000 ms")
        scene.frame(0, key: true)
        scene.pass(5_000)
        #expect(!scene.takeOrders().contains(.keyFrame(1, .video, layer: 0)))
    }

    @Test func aRequestForADerivedRenditionReachesItsSource() throws {
        var scene = Scene()
        try scene.publish([h264()])
        let packets = try scene.opened(.video, .h264, .packets)
        let id = try #require(packets.encodings.first).id
        scene.stream.requestKey(id, of: packets, at: scene.now, into: &scene.orders)
        #expect(scene.takeOrders().contains(.keyFrame(1, .video, layer: 0)))
    }

    @Test func aPublisherThatCannotMakeKeyFramesIsNotAsked() throws {
        var scene = Scene()
        try scene.publish([h264()], pli: false)
        let rendition = try scene.opened()
        scene.stream.requestKey(
            EncodingID(epoch: 1, layer: 0), of: rendition, at: scene.now, into: &scene.orders)
        #expect(!scene.takeOrders().contains(.keyFrame(1, .video, layer: 0)))
    }

    private func told(_ scene: inout Scene) -> [Waiters.ID] {
        scene.takeOrders().compactMap {
            if case .tell(let id, _) = $0 { return id }
            return nil
        }
    }
}
