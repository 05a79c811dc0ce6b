import Media
import Stream
import Testing
import Wire

/// Publishers come, leave, return and are replaced; viewers stay.
struct PublisherTests {
    @Test func onlyTheSamePrincipalTakesANameOver() throws {
        var scene = Scene()
        try scene.publish([h264()], by: .key("a"))
        let refusal = #expect(throws: Refusal.self) {
            try scene.publish([h264()], by: .key("b"))
        }
        #expect(refusal?.code == .nameInUse)
        try scene.publish([h264()], by: .key("a"))
        #expect(scene.takeOrders().contains(.endPublisher(1, .replaced)))
        #expect(scene.epoch == 2)
        #expect(scene.stream.figures.takenOver == 1)
    }

    /// It may be gone, and whoever comes in its place is not to wait until that is certain.
    @Test func aSilentPublisherKeepsItsNameFromNobody() throws {
        var scene = Scene()
        try scene.publish([h264()], by: .local)
        scene.stream.noteSilence(true, epoch: 1, into: &scene.orders)
        #expect(scene.takeOrders().contains(.changed))
        #expect(scene.stream.snapshot(at: scene.now).principal == nil)
        scene.stream.noteSilence(false, epoch: 1, into: &scene.orders)
        #expect(throws: Refusal.self) { try scene.publish([h264()], by: .key("b")) }
        scene.stream.noteSilence(true, epoch: 1, into: &scene.orders)
        try scene.publish([h264()], by: .key("b"))
        #expect(scene.takeOrders().contains(.endPublisher(1, .replaced)))
        #expect(scene.stream.snapshot(at: scene.now).principal == .key("b"))
    }

    /// Behind a proxy every peer is loopback: to be there is not to be the same person.
    @Test func loopbackIsNobodyInParticular() throws {
        var scene = Scene()
        try scene.publish([h264()], by: .local)
        #expect(throws: Refusal.self) { try scene.publish([h264()], by: .local) }
    }

    @Test func whatNamesAnOldEpochIsDropped() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true)
        try scene.publish([h264()])
        let rendition = try scene.opened()
        scene.frame(1, key: true, epoch: 1)
        #expect(rendition.encodings[0].history.isEmpty)
        #expect(scene.stream.figures.stale == 1)
        scene.stream.unpublish(epoch: 1, .done, at: scene.now, into: &scene.orders)
        #expect(scene.stream.isLive, "a late goodbye of the former publisher means nothing")
    }

    /// The next publisher by another protocol: frames instead of packets, the same rendition.
    @Test func viewersReadTheSameRenditionGivenOrDerived() throws {
        var scene = Scene()
        try scene.publish([h264(.video, .packets)], nack: true)
        let rendition = try scene.opened(.video, .h264, .packets)
        #expect(rendition.isGiven)
        scene.packet(sequence: 7_000, key: true)
        var cursor = Cursor(.realTime, liveFrom: scene.now)
        #expect(cursor.drain(rendition, at: scene.now) == [7_000])
        scene.pass(40)
        try scene.publish([h264()])
        #expect(!rendition.isGiven)
        scene.frame(0, key: true)
        guard case .jump(let index, .epoch) = cursor.peek(rendition, at: scene.now) else {
            Issue.record("the new publisher's key frame is a new run")
            return
        }
        let encoding = try #require(cursor.encoding)
        #expect(encoding.id == EncodingID(epoch: 2, layer: 0))
        #expect(bytes(encoding.history, index)?.first == 0x78, "STAP-A: parameter sets first")
        #expect(rendition.readerCount == 1)
    }

    /// A codec that the viewer has not agreed to: its rendition stays empty, and it hears of it.
    @Test func anotherCodecLeavesTheRenditionEmptyAndSaysSo() throws {
        var scene = Scene()
        try scene.publish([h264()])
        let rendition = try scene.opened(.video, .h264, .packets)
        _ = scene.takeOrders()
        try scene.publish([vp8()])
        scene.frame(0, key: true)
        #expect(rendition.encodings.isEmpty)
        #expect(scene.takeOrders().contains(.changed))
        #expect(scene.open(.video, .h264, .packets) == nil)
        #expect(scene.stream.snapshot(at: scene.now)[.video]?.format?.codec == .vp8)
    }

    @Test func viewersKeepTheirPlaceForFifteenSeconds() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let rendition = try scene.opened()
        var cursor = Cursor(.connection, liveFrom: scene.now)
        _ = cursor.drain(rendition, at: scene.now)
        scene.stream.unpublish(epoch: 1, .done, at: scene.now, into: &scene.orders)
        scene.pass(14_900)
        #expect(!scene.takeOrders().contains(.endReaders(.publisherGone)))
        #expect(cursor.peek(rendition, at: scene.now) == .nothing)
        try scene.publish([h264()])
        scene.frame(0, key: true)
        #expect(cursor.peek(rendition, at: scene.now) == .jump(1, .epoch))
        scene.stream.unpublish(epoch: 2, .done, at: scene.now, into: &scene.orders)
        #expect(scene.stream.deadline == scene.now + .seconds(15))
        scene.pass(15_000)
        #expect(scene.takeOrders().contains(.endReaders(.publisherGone)))
    }

    @Test func theStreamIsFreeWhenNothingHoldsIt() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.stream.unpublish(epoch: 1, .done, at: scene.now, into: &scene.orders)
        scene.pass(5_000)
        #expect(!scene.stream.isFree)
        scene.pass(10_000)
        #expect(scene.stream.isFree)
        #expect(scene.takeOrders().contains(.free))
    }

    /// What a viewer still reads of the former publisher, it reads to the end.
    @Test func theOldEpochIsReadToItsEnd() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let rendition = try scene.opened()
        var cursor = Cursor(.connection, liveFrom: scene.now)
        _ = cursor.peek(rendition, at: scene.now)
        cursor.advance()
        scene.frame(1)
        scene.frame(2)
        scene.pass(100)
        try scene.publish([h264()])
        scene.frame(0, key: true)
        #expect(cursor.peek(rendition, at: scene.now) == .item(2))
        cursor.advance()
        #expect(cursor.peek(rendition, at: scene.now) == .item(3))
        cursor.advance()
        #expect(cursor.peek(rendition, at: scene.now) == .jump(1, .epoch))
    }

    @Test func epochsGoOnWhereTheNameLeftOff() throws {
        let stream = Stream(
            name: "live/a", rules: StreamRules(), memory: plenty, lastEpoch: 41)
        var orders = Orders()
        let publication = Publication(
            principal: .key("k"), protocolName: "test", slots: [h264()])
        let epoch = try stream.publish(publication, at: .start, into: &orders)
        #expect(epoch == 42)
    }

    @Test func boundsOfTracksAndLayersAreRefusals() throws {
        var scene = Scene()
        let many = (0..<17).map { aac(SlotName(.audio, UInt8($0))) }
        #expect(throws: Refusal.self) { try scene.publish(many) }
        let rids = (0..<9).map { "r\($0)" }
        #expect(throws: Refusal.self) { try scene.publish([h264(.video, .packets, rids: rids)]) }
        #expect(throws: Refusal.self) { try scene.publish([h264(.audio)]) }
        #expect(!scene.stream.isLive)
    }
}
