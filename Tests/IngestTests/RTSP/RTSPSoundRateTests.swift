import Codecs
import Media
import RTSP
import Stream
import Testing
import Wire

/// G.711 that is not what its description says.
struct RTSPSoundRateTests {
    /// Formats that are announced while such packets come, one each 20 ms.
    private static func announced(
        _ description: String = "m=audio 0 RTP/AVP 8\r\na=control:track0\r\n", type: UInt8 = 8,
        bytes: Int, step: UInt32, seconds: Int = 14, burst: Int = 0
    ) -> [Format] {
        let camera = RTSPClientTests.camera { $0.tracks = [description] }
        var formats: [Format] = []
        for index in 0..<(seconds * 50 + burst) {
            var packet: [UInt8] = [0x80, type]
            packet.append(bigEndian: UInt16(index))
            packet.append(bigEndian: UInt32(index) &* step)
            packet.append(bigEndian: UInt32(9))
            packet += [UInt8](repeating: 0xd5, count: bytes)
            camera.send(RTSPReaderTests.frame(0, packet))
            for case .announce(_, let slot) in camera.effects.list { formats.append(slot.format) }
            camera.effects.clear()
            if index >= burst { camera.pass(.milliseconds(20)) }
        }
        #expect(camera.client.ending == nil)
        return formats
    }

    @Test func whatIsRightIsLeftAlone() {
        #expect(Self.announced(bytes: 160, step: 160).isEmpty)
        let wide = "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 PCMA/16000\r\na=control:track0\r\n"
        #expect(Self.announced(wide, type: 97, bytes: 320, step: 320).isEmpty)
    }

    /// By both kinds of stamps: those that count the samples, and those that count half of them.
    @Test(arguments: [160, 320] as [UInt32])
    func sixteenThousandThatAreCalledEight(step: UInt32) {
        let formats = Self.announced(bytes: 320, step: step)
        #expect(formats == [Format(g711: .pcma, sampleRate: 16_000)])
    }

    @Test func eightThousandThatAreCalledSixteen() {
        let wide = "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 PCMU/16000\r\na=control:track0\r\n"
        let formats = Self.announced(wide, type: 97, bytes: 160, step: 160)
        #expect(formats == [Format(g711: .pcmu, sampleRate: 8000)])
    }

    /// Two seconds that had waited in the camera look like a higher rate.
    @Test func aBurstAtTheStartIsNoRate() {
        #expect(Self.announced(bytes: 160, step: 160, burst: 100).isEmpty)
        #expect(Self.announced(bytes: 160, step: 160, burst: 150).isEmpty)
    }

    @Test func whatIsNoRateAtAllIsLeftAlone() {
        #expect(Self.announced(bytes: 240, step: 160).isEmpty, "12,000: nobody sends that")
    }
}
