import Media
import RTSP
import Stream
import Testing
import Wire

/// RFC 2435 as FFmpeg sends it.
struct RTSPJPEGTests {
    /// The first fragment of a picture: a quantization header with tables of `count` bytes.
    private static func payload(
        type: UInt8 = 1, quality: UInt8 = 255, offset: UInt8 = 0, count: Int = 64
    ) -> [UInt8] {
        var bytes: [UInt8] = [0, 0, 0, offset, type, quality, 40, 30]
        if type >= 64 { bytes += [0, 4, 0xff, 0xff] }
        bytes += [0, 0, 0, UInt8(count)]
        bytes += (0..<count).map { UInt8($0 + 1) }
        return bytes + [0xaa, 0xbb]
    }

    private static func received(_ payload: [UInt8]) -> [UInt8] {
        let camera = RTSPClientTests.camera()
        let head: [UInt8] = [0x80, 26, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9]
        camera.send(RTSPReaderTests.frame(0, head + payload))
        guard camera.effects.media.count == 1 else { return [] }
        let media = camera.effects.media
        let bytes = [UInt8](copying: media.bytes(of: 0))
        #expect(media.items[0].meta.length == UInt32(bytes.count))
        return bytes
    }

    @Test(arguments: [0, 1, 64, 65] as [UInt8])
    func oneTableForBothIsSentTwice(type: UInt8) {
        let sent = Self.payload(type: type)
        let head = type >= 64 ? 12 : 8
        let table = Array(sent[(head + 4)..<(head + 68)])
        let wanted = Array(sent[..<head]) + [0, 0, 0, 128] + table + table + [0xaa, 0xbb]
        #expect(Self.received(sent) == wanted)
    }

    @Test func whatIsRightStaysAsItIs() {
        for right in [
            Self.payload(count: 128), Self.payload(quality: 80), Self.payload(offset: 9),
            Self.payload(type: 2), Self.payload(count: 0), Array(Self.payload().prefix(40)),
        ] {
            #expect(Self.received(right) == right)
        }
    }
}
