import Media
import Stream
import Testing
import Wire

@testable import ICE

/// What a publisher hears of WebRTC viewers.
struct FanOutDemandTests {
    private func demands(_ scene: FanOutScene, _ slot: SlotName = .video) -> [Demand] {
        scene.takeOrders().compactMap {
            if case .demand(_, slot, let demand) = $0 { demand } else { nil }
        }
    }

    /// So long that whatever changed has been told.
    private func settle(_ scene: FanOutScene) {
        scene.flush()
        scene.pass(1_000)
    }

    @Test func aPictureThatNobodyIsShownIsNotAskedFor() throws {
        let scene = try FanOutScene()
        try scene.publish()
        let ends = [try scene.view(), try scene.view()]
        settle(scene)
        #expect(demands(scene).isEmpty, "it sends everything until it is told")
        for end in ends { scene.fanOut.pause(try scene.id(end), .video, at: scene.now) }
        settle(scene)
        #expect(demands(scene) == [.nothing])
        scene.fanOut.resume(try scene.id(ends[1]), .video, at: scene.now)
        settle(scene)
        #expect(demands(scene) == [.everything])
        // Sound was never said anything of.
        #expect(scene.stream.codec(in: .audio) == .opus && demands(scene, .audio).isEmpty)
    }

    @Test func theHighestLayerThatAnybodyChoseIsTold() throws {
        let scene = try FanOutScene()
        try scene.publish([FanOutScene.video(rids: ["q", "h", "f"])])
        let low = try scene.view(layer: .rid("q"))
        let middle = try scene.view(layer: .rid("h"))
        for number: Int64 in 0..<5 {
            for layer: UInt8 in 0..<3 {
                scene.frame(1 + number, key: number == 0, ticks: number * 3000, layer: layer)
            }
            scene.flush()
            scene.pass(300)
        }
        #expect(demands(scene).map(\.highestLayer) == [1])
        let auto = try scene.view()
        settle(scene)
        #expect(demands(scene) == [.everything])
        for end in [auto, middle] {
            _ = scene.fanOut.remove(
                try scene.id(end), in: scene.stream, at: scene.now, into: &scene.orders)
        }
        // The layers are alive for as long as they send.
        scene.frame(6, ticks: 15_000, layer: 0)
        settle(scene)
        #expect(demands(scene).map(\.highestLayer) == [0])
        _ = scene.fanOut.remove(
            try scene.id(low), in: scene.stream, at: scene.now, into: &scene.orders)
        settle(scene)
        #expect(demands(scene) == [.nothing], "what was said does not outlive who said it")
    }
}
