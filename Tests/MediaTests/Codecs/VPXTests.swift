import Codecs
import Media
import Testing
import Wire

struct VPXTests {
    /// libvpx: key frame and the frame after it.
    static let vp8Key = Hex.decode("1062009d012a4001b40000070885") ?? []
    static let vp8Delta = Hex.decode("b10d001011fc") ?? []
    static let vp9Key = Hex.decode("824983420013f00b3604") ?? []
    static let vp9Delta = Hex.decode("86004092f051") ?? []
    static let vp9Full = Hex.decode("a2498342" + "00027e0166c087") ?? []

    @Test func readsVP8() throws {
        let key = try VP8FrameHeader(Self.vp8Key.raw)
        #expect(key.isKey && key.isShown)
        #expect(key.width == 320 && key.height == 180)
        let delta = try VP8FrameHeader(Self.vp8Delta.raw)
        #expect(!delta.isKey && delta.isShown)
        let format = try Format(vp8: Self.vp8Key.raw)
        #expect(format.width == 320)
        #expect(throws: ParseError.self) { try Format(vp8: Self.vp8Delta.raw) }
        for count in 0..<10 {
            let cut = Array(Self.vp8Key.prefix(count))
            #expect(throws: ParseError.self, "cut to \(count)") { try VP8FrameHeader(cut.raw) }
        }
    }

    @Test func readsVP9() throws {
        let key = try VP9FrameHeader(Self.vp9Key.raw)
        #expect(key.isKey && key.isShown && key.profile == 0 && key.bitDepth == 8)
        #expect(key.width == 320 && key.height == 180)
        #expect(!(try VP9FrameHeader(Self.vp9Delta.raw)).isKey)
        let full = try VP9FrameHeader(Self.vp9Full.raw)
        #expect(full.profile == 1 && !full.subsamplesWidth)
        #expect(full.width == 320 && full.height == 180)
        for count in 0..<9 {
            let cut = Array(Self.vp9Key.prefix(count))
            #expect(throws: ParseError.self, "cut to \(count)") { try VP9FrameHeader(cut.raw) }
        }
    }

    @Test func namesVP9() throws {
        let format = try Format(vp9: Self.vp9Key.raw)
        #expect(format.width == 320 && format.height == 180)
        #expect(CodecsText.text(for: format) == "vp09.00.11.08")
        #expect(format.configuration == [1, 0, 0, 0, 0, 11, 0x82, 2, 2, 2, 0, 0])
        let read = try VPConfiguration(format.configuration.raw)
        #expect(read.bitDepth == 8 && read.level == 11)
    }

    @Test func readsASuperframe() throws {
        let plain = try VP9Superframe(Self.vp9Delta.raw)
        #expect(plain.count == 1 && plain.frames[0] == 6)
        let two = Self.vp9Key + [1, 2, 3] + [0xc1, 10, 3, 0xc1]
        let index = try VP9Superframe(two.raw)
        #expect(index.count == 2 && index.frames[0] == 10 && index.frames[1] == 3)
        let lying = Self.vp9Key + [0xc1, 200, 3, 0xc1]
        #expect(throws: ParseError.self) { try VP9Superframe(lying.raw) }
        #expect(throws: ParseError.self) { try VP9Superframe([UInt8]().raw) }
    }

    @Test(arguments: Damage.seeds)
    func survivesDamage(seed: UInt64) {
        for original in [Self.vp8Key, Self.vp9Key + [0xc0, 10, 0xc0], Self.vp9Full] {
            Damage.of(original, seed: seed) { bytes in
                if let index = try? VP9Superframe(bytes.raw) {
                    #expect((1...8).contains(index.count))
                    #expect((0..<index.count).allSatisfy { index.frames[$0] <= bytes.count })
                }
                for format in [try? Format(vp8: bytes.raw), try? Format(vp9: bytes.raw)] {
                    if let format { #expect((1...16384).contains(format.width)) }
                }
            }
        }
    }
}
