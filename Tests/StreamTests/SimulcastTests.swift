import Media
import Stream
import Testing
import Wire

/// Layers of one publisher: the highest that is alive, changed at key frames only.
struct SimulcastTests {
    /// Three layers of 100, 400 and 900 bytes a packet, and which of them are sent.
    struct Layers {
        var scene = Scene()
        var rendition: Rendition
        var sequence: Int64 = 1

        init() throws {
            try scene.publish([h264(.video, .packets, rids: ["q", "h", "f"])], nack: true)
            rendition = try scene.opened(.video, .h264, .packets)
        }

        mutating func send(_ layers: [UInt8], keys: Set<UInt8> = [], count: Int = 1) {
            for _ in 0..<count {
                scene.pass(33)
                for layer in layers {
                    scene.packet(
                        sequence: sequence, key: keys.contains(layer),
                        size: [100, 400, 900][Int(layer)], layer: layer)
                }
                sequence += 1
            }
        }
    }

    @Test func readsTheHighestLayerThatIsAlive() throws {
        var layers = try Layers()
        layers.send([0, 1, 2], keys: [0, 1, 2])
        layers.send([0, 1, 2], count: 40)  // Over a second: rates are known.
        #expect(layers.rendition.best(at: layers.scene.now)?.rid == "f")
        layers.send([0, 1], count: 50)  // Chrome stops the top layer: 1.65 s of silence.
        #expect(layers.rendition.best(at: layers.scene.now)?.rid == "h")
    }

    @Test func aDeadLayerIsLeftForTheNextAtItsKeyFrame() throws {
        var layers = try Layers()
        layers.send([0, 1, 2], keys: [0, 1, 2])
        layers.send([0, 1, 2], count: 40)
        var cursor = Cursor(.realTime, liveFrom: layers.scene.now)
        _ = cursor.drain(layers.rendition, at: layers.scene.now)
        #expect(cursor.encoding?.rid == "f")
        layers.send([0, 1], count: 50)
        #expect(cursor.peek(layers.rendition, at: layers.scene.now) == .nothing)
        let wished = cursor.takeKeyWish()
        let wish = try #require(wished)
        #expect(wish == EncodingID(epoch: 1, layer: 1), "the request names the layer")
        layers.scene.stream.requestKey(
            wish, of: layers.rendition, at: layers.scene.now, into: &layers.scene.orders)
        #expect(layers.scene.takeOrders().contains(.keyFrame(1, .video, layer: 1)))
        layers.send([0, 1], keys: [1])
        guard case .jump(_, .layer) = cursor.peek(layers.rendition, at: layers.scene.now) else {
            Issue.record("it should have changed the layer")
            return
        }
        #expect(cursor.encoding?.rid == "h")
    }

    @Test func aHigherLayerIsEnteredAtAKeyFrameAndUntilThenTheLowerOneIsRead() throws {
        var layers = try Layers()
        layers.send([0], keys: [0])
        layers.send([0], count: 35)
        var cursor = Cursor(.realTime, liveFrom: layers.scene.now)
        _ = cursor.drain(layers.rendition, at: layers.scene.now)
        #expect(cursor.encoding?.rid == "q")
        for _ in 0..<40 {
            layers.send([0, 2])
            #expect(!cursor.drain(layers.rendition, at: layers.scene.now).isEmpty)
        }
        #expect(cursor.encoding?.rid == "q")
        #expect(cursor.takeKeyWish() == EncodingID(epoch: 1, layer: 2))
        layers.send([0, 2], keys: [2])
        layers.send([0, 2])
        _ = cursor.drain(layers.rendition, at: layers.scene.now)
        #expect(cursor.encoding?.rid == "f")
        #expect(cursor.figures[.layer] == 1)
    }
}
