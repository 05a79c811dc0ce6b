import Crypto
import Media
import RTP
import Stream
import Testing
import Wire

@testable import ICE

struct FanOutTests {
    @Test func hotPartFitsThreeCacheLines() {
        #expect(MemoryLayout<SlotHot>.stride <= 64)
        #expect(MemoryLayout<ViewerHot>.stride <= 64)
    }

    @Test(arguments: [SRTPProfile.aes128GCM, .aes256GCM, .aes128SHA1], [false, true])
    func everyByteArrives(profile: SRTPProfile, isConnection: Bool) throws {
        let (scene, end) = try FanOutScene.watched(
            [FanOutScene.video(), FanOutScene.audio()], profile: profile, tcp: isConnection)
        var sent: [[UInt8]] = []
        for number: Int64 in 0..<30 {
            let first = 100 + number * 3
            scene.frame(first, packets: 3, key: number == 0, ticks: number * 3000)
            scene.sound(10 + number, ticks: number * 960)
            for part: Int64 in 0..<3 {
                sent.append(
                    FanOutScene.payload(
                        .h264, first + part, 1000, isKey: number == 0, isFirst: part == 0,
                        isLast: part == 2, 0, 0, 0))
            }
            scene.flush()
            scene.pass(33)
        }
        #expect(end.video.map(\.payload) == sent)
        #expect(end.audio.count == 30)
        #expect(end.unreadable == 0 && end.reused == 0)
        let numbers = end.video.map(\.index)
        #expect(numbers == (0..<90).map { numbers[0] + $0 })
        let transports = end.media.compactMap(\.extensions.transportSequence)
        #expect(transports == (0..<120).map { transports[0] &+ UInt16($0) })
        #expect(end.video.filter { $0.header.marker }.count == 30)
        #expect(end.video.allSatisfy { $0.header.payloadType == 96 })
        #expect(end.audio.allSatisfy { $0.header.payloadType == 111 })
    }

    /// As a relay hands it over: every item has arrived at its home before it is looked at here.
    @Test func soundBeginsThoughItArrivedBeforeItIsLookedAt() throws {
        let scene = try FanOutScene()
        try scene.publish([FanOutScene.audio()])
        for number: Int64 in 0..<50 {
            scene.sound(number, ticks: number * 960)
            scene.pass(20)
        }
        let end = try scene.view()
        scene.flush()
        for number: Int64 in 50..<60 {
            scene.sound(number, ticks: number * 960)
            scene.pass(1)
            scene.flush()
            scene.pass(19)
        }
        // All that was said since it came, and nothing older.
        #expect(end.audio.count == 10)
    }

    @Test func aFrameLeavesInOneRun() throws {
        let (scene, end) = try FanOutScene.watched([FanOutScene.video(), FanOutScene.audio()])
        scene.frame(100, packets: 2, key: true, ticks: 0)
        scene.flush()
        // What the first packets carry besides is over once the peer has reported.
        for number: Int64 in 1..<60 {
            scene.frame(100 + number * 8, packets: 8, ticks: number * 3000)
            scene.runs.removeAll()
            scene.flush()
            if number > 2, !scene.runs.contains(1) { #expect(scene.runs == [8]) }
            scene.pass(33)
        }
        #expect(end.video.count == 2 + 59 * 8)
    }

    @Test func whatIsLostIsRepairedByRTX() throws {
        let (scene, end) = try FanOutScene.watched([FanOutScene.video(), FanOutScene.audio()])
        for number: Int64 in 0..<20 {
            scene.frame(100 + number, key: number == 0, ticks: number * 3000)
            scene.flush()
            scene.pass(33)
        }
        let lost = end.video[10]
        try scene.nack(end, [lost.header.sequence])
        scene.flush()
        #expect(end.repairs.count == 1)
        let repair = try #require(end.repairs.first)
        #expect(repair.header.payloadType == 97)
        #expect(repair.header.timestamp == lost.header.timestamp)
        #expect(Array(repair.payload.dropFirst(2)) == lost.payload)
        #expect(UInt16(repair.payload[0]) << 8 | UInt16(repair.payload[1]) == lost.header.sequence)
    }
}
