import ICE
import Media
import SDP
import Testing
import Wire

struct CodecChoiceTests {
    static func facts(_ video: StreamFacts.Slot, audio: StreamFacts.Slot = .open) -> StreamFacts {
        StreamFacts(audio: audio, video: video)
    }

    static func video(_ name: String, _ slot: StreamFacts.Slot) throws -> NegotiatedMedia? {
        try Corpus.answer(Corpus.offer(name), facts(slot)).session.video
    }

    @Test(arguments: [
        ("42e01f", H264Profile.constrainedBaseline), ("42c01f", .constrainedBaseline),
        ("4240ff", .constrainedBaseline), ("4D8028", .constrainedBaseline),
        ("58c00a", .constrainedBaseline), ("422001f", .constrainedBaseline),
        ("42001f", .baseline), ("58800a", .baseline), ("4d001f", .main), ("4d401f", .main),
        ("640028", .high), ("64001f", .high), ("640c1f", .constrainedHigh),
    ])
    func readsProfilesByClass(text: String, expected: H264Profile) {
        #expect(H264Profile(text) == expected)
    }

    @Test(arguments: ["f4001f", "zz001f", "42e0", "", "42e01f0"])
    func refusesOtherProfiles(text: String) { #expect(H264Profile(text) == nil) }

    /// The parameter sets of the stream decide, not the offer's order.
    @Test(arguments: [
        (0x42e01f as UInt32, UInt8(98)), (0x42001f, 98), (0x640028, 96), (0x640c28, 96),
        (0x4d001f, 96),
    ])
    func answersSafariByTheRealProfile(profile: UInt32, payloadType: UInt8) throws {
        let format = Corpus.h264(profile)
        let media = try #require(try Self.video("safari-whep", .filled(format)))
        #expect(media.codecs[0].payloadType == payloadType)
        #expect(media.codec(for: format)?.payloadType == payloadType)
        #expect(media.codecs.allSatisfy { $0.payloadType != 100 }, "mode 0 is for nobody")
    }

    @Test(arguments: [
        (0x42e01f as UInt32, UInt8(108)), (0x42001f, 102), (0x4d001f, 116), (0x640028, 116),
    ])
    func answersChromiumByTheRealProfile(profile: UInt32, payloadType: UInt8) throws {
        let media = try #require(
            try Self.video("chromium-whep", .filled(Corpus.h264(profile))))
        #expect(media.codecs[0].payloadType == payloadType)
    }

    /// A later source may have another codec: all of them are there, each with its RTX.
    @Test func answersForTheStreamsLife() throws {
        let media = try #require(try Self.video("chromium-whep", .open))
        let codecs = Set(media.codecs.map(\.codec))
        #expect(codecs == [.vp8, .vp9, .h264, .av1])
        #expect(media.codecs.allSatisfy { $0.rtx != nil })
        #expect(media.ssrc != 0 && media.rtxSSRC != 0 && media.ssrc != media.rtxSSRC)
        #expect(media.codec(for: Format(codec: .av1, clockRate: 90_000))?.codec == .av1)
    }

    @Test func rejectsOnlyWhatCanNeverCome() throws {
        let offer = try Corpus.offer("chromium-whep")
        let (answer, session) = try Corpus.answer(
            offer, StreamFacts(audio: .absent, video: .open))
        #expect(session.audio == nil && session.video != nil)
        #expect(answer.medias[0].port == 0 && answer.medias[1].port == 9)
        #expect(answer.groups == [SDPGroup(semantics: "BUNDLE", mids: ["1"])])
        #expect(answer.medias[0].candidates.isEmpty && !answer.medias[1].candidates.isEmpty)
        let error = #expect(throws: NegotiationError.self) {
            try Corpus.answer(offer, StreamFacts(audio: .absent, video: .absent))
        }
        #expect(error?.code == .noCommonCodec)
    }

    @Test func namesBothSidesWhenThereIsNoWay() throws {
        let offer = try Corpus.offer("firefox-whep")
        let hevc = Format(codec: .h265, clockRate: 90_000)
        let error = #expect(throws: NegotiationError.self) {
            try Corpus.answer(offer, Self.facts(.filled(hevc)))
        }
        let detail = error?.detail ?? ""
        for word in ["H.265", "VP8", "VP9", "AV1", "HLS"] { #expect(detail.contains(word)) }
    }

    /// AAC becomes Opus on the way, so a player needs one of ours and no AAC.
    @Test func audioMayBeTranscoded() throws {
        let aac = Format(codec: .aac, clockRate: 48_000)
        let offer = try Corpus.offer("chromium-whep")
        let session = try Corpus.answer(offer, Self.facts(.open, audio: .filled(aac))).session
        #expect(session.audio?.codecs.map(\.codec) == [.opus, .g722, .pcmu, .pcma])
        let pcma = Format(codec: .pcma, clockRate: 8000)
        let other = try Corpus.answer(offer, Self.facts(.open, audio: .filled(pcma))).session
        #expect(other.audio?.codecs[0].codec == .pcma)
    }

    /// Chrome sends the first codec of the answer: H.264 reaches every output.
    @Test func publishersGetH264First() throws {
        let offer = try Corpus.offer("chromium-whip")
        let video = try #require(try Corpus.answer(offer, Corpus.facts("")).session.video)
        #expect(video.codecs[0].codec == .h264 && video.codecs[0].payloadType == 102)
        #expect(!video.codecs.contains { [104, 114, 39].contains($0.payloadType) })
        var policy = Corpus.policy
        policy.prefer = [.av1]
        let other = try Corpus.answer(offer, Corpus.facts(""), policy: policy).session.video
        #expect(other?.codecs.map(\.codec).first == .av1)
        #expect(video.sources == [OfferedSource(ssrc: 1_530_944_411, rtx: 541_622_772)])
    }

    @Test func someClientsGetOneCodec() throws {
        var policy = Corpus.policy
        policy.onlyOneCodec = true
        let offer = try Corpus.offer("gstreamer-whipclientsink-whip")
        let (answer, session) = try Corpus.answer(offer, Corpus.facts(""), policy: policy)
        #expect(session.video?.codecs.map(\.codec) == [.h264])
        #expect(answer.medias[0].formats.map(\.payloadType) == [97, 99])
    }

    /// OBS sends goog-remb and no transport-cc; FFmpeg 8.0 sends nothing at all.
    @Test func feedbackIsWhatBothKnow() throws {
        let obs = try Corpus.answer(Corpus.offer("obs30-whip"), Corpus.facts("")).session
        #expect(obs.video?.codecs[0].feedback == [.nack, .pli, .fir, .remb])
        #expect(obs.video?.codecs[0].rtx == nil)
        let ffmpeg = try Corpus.answer(Corpus.offer("ffmpeg8-whip"), Corpus.facts("")).session
        #expect(ffmpeg.video?.codecs[0].feedback == [])
        #expect(ffmpeg.dtls == .client)
    }

    @Test func extensionsAreThoseWeUse() throws {
        let play = try Corpus.answer(Corpus.offer("chromium-whep"), Self.facts(.open)).session
        #expect(play.video?.extensions.playoutDelay != 0 && play.video?.extensions.mid != 0)
        #expect(play.video?.extensions.absSendTime == 0 && play.video?.extensions.rid == 0)
        let firefox = try Corpus.answer(Corpus.offer("firefox-whep"), Self.facts(.open)).session
        #expect(firefox.video?.extensions.playoutDelay == 0 && firefox.omitsMidOnRTX)
        let layers = try Corpus.answer(
            Corpus.offer("firefox-whip-simulcast"), Corpus.facts("firefox"))
        #expect(layers.session.video?.extensions.rid == 9)
        #expect(layers.session.video?.layers == ["q", "h", "f"])
        let rid = layers.answer.medias[1].extensions.first { $0.id == 9 }
        #expect(rid?.direction == .recvonly)
    }

    @Test func channelsCanBeRefused() throws {
        let offer = try Corpus.offer("chromium-whep-channel")
        #expect(try Corpus.answer(offer, Self.facts(.open)).session.channel?.remotePort == 5000)
        var policy = Corpus.policy
        policy.acceptsChannels = false
        let (answer, session) = try Corpus.answer(offer, Self.facts(.open), policy: policy)
        #expect(session.channel == nil)
        #expect(answer.medias.last?.port == 0)
    }
}
