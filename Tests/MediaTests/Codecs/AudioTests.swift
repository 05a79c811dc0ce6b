import Codecs
import Media
import Testing
import Wire

struct AudioTests {
    @Test(
        arguments: [
            ([0xfc, 1], 1, 960, true),  // CELT 20 ms, one frame, stereo.
            ([0x08, 1], 1, 960, false),  // SILK 20 ms.
            ([0x18, 1], 1, 2880, false),  // SILK 60 ms.
            ([0x60, 1], 1, 480, false),  // Hybrid 10 ms.
            ([0x81, 1, 1], 2, 120, false),  // Two equal frames of 2.5 ms.
            ([0x9a, 1, 1, 1], 2, 960, false),
            ([0x9b, 6], 6, 960, false),  // 120 ms: as long as may be.
        ] as [([UInt8], Int, Int, Bool)])
    func knowsHowLongOpusPlays(bytes: [UInt8], frames: Int, samples: Int, stereo: Bool) throws {
        let packet = try OpusPacket(bytes.raw)
        #expect(packet.frames == frames && packet.frameSamples == samples)
        #expect(packet.isStereo == stereo && packet.samples == frames * samples)
    }

    /// R11: code 3 with 63 frames; none; no count at all; two equal frames of an odd size.
    @Test(arguments: [[], [0x9b, 63], [0x9b, 0], [0x9b], [0x81, 1], [0x9b, 7]] as [[UInt8]])
    func refusesOpusThatCannotBe(bytes: [UInt8]) {
        #expect(throws: ParseError.self) { try OpusPacket(bytes.raw) }
    }

    /// ffmpeg's own, then one with a mapping.
    @Test func readsAndWritesOpusHead() throws {
        let bytes = Hex.decode("4f707573486561640102380180bb0000000000") ?? []
        let head = try OpusHead(bytes.raw)
        #expect(head.channels == 2 && head.preSkip == 312 && head.inputRate == 48_000)
        var back: [UInt8] = []
        head.write(into: &back)
        #expect(back == bytes)
        var many = head
        many.channels = 3
        many.mappingFamily = 1
        many.mapping = [2, 1, 0, 2, 1]
        back = []
        many.write(into: &back)
        #expect(try OpusHead(back.raw) == many)
        #expect(Format(many).configuration == [1, 2, 1, 0, 2, 1])
        for count in 0..<back.count {
            let cut = Array(back.prefix(count))
            #expect(throws: ParseError.self, "cut to \(count)") { try OpusHead(cut.raw) }
        }
        Damage.of(back, seed: 1) { damaged in
            guard let head = try? OpusHead(damaged.raw) else { return }
            #expect(head.channels > 0)
        }
    }

    /// A camera says "see the program config element", and there is none to see.
    @Test func aHeaderWithoutChannelsIsRefused() throws {
        let header = try ADTSHeader([0xff, 0xf1, 0x50, 0x00, 0x02, 0x1f, 0xfc].raw)
        #expect(header.channelConfiguration == 0)
        #expect(throws: ParseError.self) { try Format(header.configuration) }
        let stereo = try ADTSHeader([0xff, 0xf1, 0x50, 0x80, 0x02, 0x1f, 0xfc].raw)
        #expect(try Format(stereo.configuration).channels == 2)
    }

    @Test func readsMPEGAudio() throws {
        let third = try MPEGAudioHeader([0xff, 0xfb, 0x94, 0x64].raw)
        #expect(third.layer == 3 && third.sampleRate == 48_000 && third.bitrate == 128_000)
        #expect(third.samples == 1152 && third.frameCount == 384 && third.channels == 2)
        let second = try MPEGAudioHeader([0xff, 0xfd, 0xa4, 0xc4].raw)
        #expect(second.layer == 2 && second.bitrate == 192_000 && second.channels == 1)
        #expect(second.frameCount == 576)
        let half = try MPEGAudioHeader([0xff, 0xf3, 0x40, 0xc4].raw)
        #expect(half.sampleRate == 22_050 && half.samples == 576 && half.frameCount == 104)
        for bytes in [[0xff, 0xfb], [0xff, 0xfb, 0xf4, 0], [0xff, 0xfb, 0x9c, 0], [0, 0, 0, 0]]
            as [[UInt8]]
        {
            #expect(throws: ParseError.self) { try MPEGAudioHeader(bytes.raw) }
        }
    }

    /// ffmpeg's ac3 (stereo) and eac3 (5.1), 48 kHz.
    @Test func readsAC3() throws {
        let bytes = Hex.decode("0b77fe95144043e106f4") ?? []
        let plain = try AC3Header(bytes.raw)
        #expect(!plain.isEnhanced && plain.sampleRate == 48_000 && plain.channels == 2)
        #expect(plain.frameCount == 768 && plain.samples == 1536)
        let other = Hex.decode("0b77037f3f87c00020f8") ?? []
        let enhanced = try AC3Header(other.raw)
        #expect(enhanced.isEnhanced && enhanced.channels == 6 && enhanced.samples == 1536)
        #expect(enhanced.frameCount == 1792 && enhanced.sampleRate == 48_000)
        for count in 0..<7 {
            let cut = Array(bytes.prefix(count))
            #expect(throws: ParseError.self) { try AC3Header(cut.raw) }
        }
    }

    @Test func readsFLAC() throws {
        let bytes =
            Hex.decode(
                "664c6143000000221200120000" + "00c20004ff0bb800f0000025"
                    + "80bad7bf8f781a2330b6b7b8712d" + "acb304") ?? []
        let info = try FLACStreamInfo(bytes.raw)
        #expect(info.sampleRate == 48_000 && info.channels == 1 && info.bitsPerSample == 16)
        #expect(info.blockMaximum == 4608)
        #expect(try FLACStreamInfo(info.bytes.raw) == info)
        for count in 0..<bytes.count {
            let cut = Array(bytes.prefix(count))
            #expect(throws: ParseError.self) { try FLACStreamInfo(cut.raw) }
        }
    }

    @Test func countsTicks() throws {
        let frame = [UInt8](repeating: 0, count: 320)
        func ticks(_ bytes: [UInt8], _ format: Format) -> Int64? {
            AudioDuration.ticks(of: bytes.raw, format)
        }
        #expect(ticks(frame, Format(g711: .pcma)) == 320)
        // G.722: 40 ms of 16 kHz are 320 bytes and 320 ticks of a clock of 8 kHz.
        #expect(ticks(frame, .g722) == 320)
        #expect(ticks(frame, Format(g726Bits: 4)) == 640)
        let aac = try Format(AACConfiguration(sampleRate: 48_000, channels: 2))
        #expect(ticks(frame, aac) == 1024)
        #expect(ticks([0xfc, 1, 2], Format(opusChannels: 2)) == 960)
        #expect(ticks([], Format(opusChannels: 2)) == nil)
    }

    @Test func namesCodecsForPlayers() throws {
        let h264 = try Format(h264: H264Tests.high, parameterSets: [H264Tests.high])
        #expect(CodecsText.text(for: h264) == "avc1.64000c")
        let sets = [H265Tests.video, H265Tests.main, H265Tests.picture]
        let h265 = try Format(h265: H265Tests.main, parameterSets: sets)
        #expect(CodecsText.text(for: h265) == "hvc1.1.6.L60.90")
        #expect(CodecsText.text(for: Format(opusChannels: 2)) == "opus")
        #expect(CodecsText.text(for: Format(g711: .pcmu)) == nil)
        let aac = try Format(AACConfiguration(sampleRate: 44_100, channels: 2))
        #expect(CodecsText.text(for: aac) == "mp4a.40.2")
    }
}
