import Media
import Stream
import Testing

/// One table decides what goes where, and every refusal quotes it.
struct CarriageTests {
    /// The only codec that every output carries.
    @Test(arguments: Output.allCases)
    func h264GoesEverywhere(output: Output) {
        #expect(Carriage(.h264, to: output) == .carried)
    }

    @Test(arguments: [Output.hls, .flv, .rtmp, .mpegTS])
    func vp8IsRefusedWithTheFix(output: Output) {
        let refusal = Carriage.refusal(.vp8, to: output)
        #expect(refusal?.code == .unsupportedCodec)
        #expect(refusal?.sentence.contains("H.264") == true)
        #expect(refusal?.sentence.contains("webrtc.prefer") == true)
    }

    @Test func soundIsBridgedBothWays() {
        #expect(Carriage(.aac, to: .webrtc) == .transcoded(to: .opus))
        #expect(Carriage(.opus, to: .flv) == .transcoded(to: .aac))
        #expect(Carriage(.pcma, to: .webrtc) == .carried)
        #expect(Carriage(.pcma, to: .hls) == .transcoded(to: .aac))
        #expect(Carriage(.opus, to: .fmp4) == .carried)
        #expect(Carriage.codecs(for: .aac, to: .webrtc) == [.opus])
        #expect(Carriage.codecs(for: .vp8, to: .hls) == [])
    }

    @Test func modernVideoGoesIntoFragmentsOnly() {
        for codec in [Codec.vp9, .av1] {
            #expect(Carriage(codec, to: .fmp4) == .carried)
            #expect(Carriage.refusal(codec, to: .mpegTS) != nil)
        }
    }

    /// Each pair has an answer, and each refusal a sentence.
    @Test func theTableIsComplete() {
        for codec in Codec.allCases {
            for output in Output.allCases {
                if let refusal = Carriage.refusal(codec, to: output) {
                    #expect(refusal.sentence.contains(codec.name))
                    #expect(refusal.sentence.contains(output.rawValue))
                }
            }
        }
    }
}
