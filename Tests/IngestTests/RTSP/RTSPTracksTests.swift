import Media
import RTP
import RTSP
import SDP
import Stream
import Testing
import Wire

/// Descriptions of cameras and encoders (brief 4, 6 and 7).
struct RTSPTracksTests {
    static func tracks(_ lines: String...) throws -> [RTSPTrack] {
        let text = (["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=x", "t=0 0"] + lines)
            .joined(separator: "\r\n")
        return RTSPTracks.read(try SDPDescription(repairing: Array(text.utf8).raw))
    }

    static func repaired(_ text: String) throws -> [RTSPTrack] {
        RTSPTracks.read(try SDPDescription(repairing: Array(text.utf8).raw))
    }

    @Test func headersThatAreBrokenDoNotHideTheMedia() throws {
        let ways = [
            // FLIR: an invalid t=; others: c= and o= without sense, s= twice, no line end.
            "v=0\r\no=\r\ns=a\r\ns=b\r\nc=IN IP4\r\nt=now\r\nm=video 0 RTP/AVP 96\r\n"
                + "a=rtpmap:96 H264/90000 \r\na=control:track1",
            "a=x:y\r\nv=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 h264/90000\na=control:track1",
            // TP-LINK TL-IPC44GW: an m-line that is none, between two that are.
            "v=0\r\nm=application/TP-LINK 0 RTP/AVP smart/1/90000\r\na=rtpmap:95 TP-LINK/90000\r\n"
                + "m=strange\r\na=control:no\r\nm=video 0 RTP/AVP 96\r\n"
                + "a=rtpmap:96 H264/90000\r\na=control:track1",
            "\u{1}junk\r\nv=0\r\ns=\u{2}\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
                + "a=control:track1",
        ]
        for way in ways {
            let tracks = try Self.repaired(way).filter { $0.slot != nil }
            #expect(tracks.map(\.control) == ["track1"], "\(way)")
            #expect(tracks.first?.payloads.first?.format.codec == .h264, "\(way)")
        }
    }

    @Test func staticPayloadTypesNeedNoMap() throws {
        let codecs = try Self.tracks(
            "m=audio 0 RTP/AVP 0", "m=audio 0 RTP/AVP 8", "m=audio 0 RTP/AVP 9",
            "m=audio 0 RTP/AVP 11", "m=audio 0 RTP/AVP 14", "m=video 0 RTP/AVP 26"
        ).map { $0.payloads.first?.format.codec }
        #expect(codecs == [.pcmu, .pcma, .g722, .l16, .mp2, .mjpeg])
    }

    @Test func severalTracksOfAKindGetSlotsOfTheirOwn() throws {
        let tracks = try Self.tracks(
            "m=video 0 RTP/AVP 26", "m=audio 0 RTP/AVP 8", "m=audio 0 RTP/AVP 0",
            "m=application 0 RTP/AVP 107", "a=rtpmap:107 vnd.onvif.metadata/90000")
        #expect(tracks.map(\.slot) == [.video, .audio, SlotName(.audio, 1), nil])
        #expect(tracks[3].reason != nil)
    }

    @Test func aacWithoutConfigIsLeftOutNotRefused() throws {
        // Dahua's backchannel lists MPEG4-GENERIC/64000 without config (gortsplib #479).
        let tracks = try Self.tracks(
            "m=audio 0 RTP/AVP 97 8", "a=rtpmap:97 MPEG4-GENERIC/64000",
            "a=rtpmap:8 PCMA/8000", "a=control:track2")
        #expect(tracks[0].payloads.map(\.format.codec) == [.pcma])
    }

    @Test func aacInItsThreeForms() throws {
        let hbr = try Self.tracks(
            "m=audio 0 RTP/AVP 97", "a=rtpmap:97 mpeg4-generic/48000/2",
            "a=fmtp:97 streamtype=5;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;"
                + "config=1190")
        let payload = try #require(hbr[0].payloads.first)
        #expect(payload.format.sampleRate == 48_000 && payload.format.channels == 2)
        #expect(payload.isNormal)
        let lbr = try Self.tracks(
            "m=audio 0 RTP/AVP 97", "a=rtpmap:97 mpeg4-generic/8000/1",
            "a=fmtp:97 mode=AAC-lbr;sizelength=6;indexlength=2;indexdeltalength=2;config=1588")
        #expect(lbr[0].payloads.first?.facts.sizeLength == 6)
        #expect(lbr[0].payloads.first?.isNormal == false)
        let latm = try Self.tracks(
            "m=audio 0 RTP/AVP 97", "a=rtpmap:97 MP4A-LATM/44100/2",
            "a=fmtp:97 profile-level-id=15;object=2;cpresent=0;config=400024203fc0")
        #expect(latm[0].payloads.first?.facts.isLATM == true)
        #expect(latm[0].payloads.first?.format.sampleRate == 44_100)
    }

    @Test func rawPCMOfFFmpegIsGuessedFromTheBandwidth() throws {
        // go2rtc #523: a dynamic payload type and no rtpmap.
        let tracks = try Self.tracks("m=audio 0 RTP/AVP 97", "b=AS:1536")
        let payload = try #require(tracks[0].payloads.first)
        #expect(payload.format.codec == .l16 && payload.isLittleEndian)
        #expect(payload.format.sampleRate == 48_000 && payload.format.channels == 2)
        #expect(try Self.tracks("m=audio 0 RTP/AVP 97", "b=AS:77")[0].payloads.isEmpty)
    }

    @Test func opusIsAlwaysFortyEightThousandByTwo() throws {
        let tracks = try Self.tracks("m=audio 0 RTP/AVP 96", "a=rtpmap:96 opus/8000/1")
        #expect(tracks[0].payloads.first?.clockRate == 48_000)
        #expect(tracks[0].payloads.first?.format.channels == 2)
    }

    @Test func setsOfH265CountOnlyTogether() throws {
        let tracks = try Self.tracks(
            "m=video 0 RTP/AVP 96", "a=rtpmap:96 H265/90000",
            "a=fmtp:96 sprop-vps=QAEMAf//AWAAAAMAsAAAAwAAAwBdqgJA")
        #expect(tracks[0].payloads.first?.format.parameterSets.isEmpty == true)
    }

    @Test func setsWithStartCodesAndFmtpElsewhereDoNotHurt() throws {
        let set: [UInt8] = [0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x47, 0xfe, 0x88]
        let tracks = try Self.tracks(
            "m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000",
            "a=fmtp:96 packetization-mode=1;profile-level-id=ffffff;sprop-parameter-sets="
                + Base64.encode(set.raw) + ",aM48gA==",
            "m=audio 0 RTP/AVP 8", "a=fmtp:96 sprop-parameter-sets=AAAA")
        #expect(tracks.map(\.slot) == [.video, .audio])
        let format = try #require(tracks[0].payloads.first?.format)
        if let first = format.parameterSets.first {
            #expect(first.first == 0x67)
            // profile-level-id is not to be believed: the set says it.
            #expect(format.profile == 0x42c01e)
        }
    }

    @Test func aSendonlyTrackIsForTalkingUnlessAllAre() throws {
        let talk = try Self.tracks(
            "m=video 0 RTP/AVP 26", "a=recvonly", "m=audio 0 RTP/AVP 0", "a=recvonly",
            "m=audio 0 RTP/AVP 8", "a=sendonly")
        #expect(talk.map(\.isBackchannel) == [false, false, true])
        #expect(talk.map(\.slot) == [.video, .audio, nil])
        // Some mark everything so, and mean nothing by it.
        let all = try Self.tracks(
            "m=video 0 RTP/AVP 26", "a=sendonly", "m=audio 0 RTP/AVP 8", "a=sendonly")
        #expect(all.map(\.isBackchannel) == [false, false])
        #expect(all.map(\.slot) == [.video, .audio])
    }

    // MARK: - Packets

    /// An intake of one track, and what came out of it.
    struct Intake {
        var intake: RTSPIntake
        var origin = TimelineOrigin()
        var effects = Effects()

        init(_ track: RTSPTrack, isOrdered: Bool = true) throws {
            intake = try #require(RTSPIntake(track, channel: 1, isOrdered: isOrdered))
        }

        mutating func packet(
            _ sequence: UInt16, _ stamp: UInt32, type: UInt8, ssrc: UInt32 = 7,
            payload: [UInt8] = [1, 2, 3, 4], at milliseconds: Int64
        ) {
            var bytes: [UInt8] = [0x80, type]
            bytes.append(bigEndian: sequence)
            bytes.append(bigEndian: stamp)
            bytes.append(bigEndian: ssrc)
            intake.receive(
                (bytes + payload).raw, at: .start + .milliseconds(milliseconds), origin: &origin,
                into: &effects)
        }

        var ticks: [Int64] { effects.media.items.map(\.meta.ticks) }
    }

    static let jpeg = "m=video 0 RTP/AVP 26"

    @Test func anotherSourceWithoutAWordGoesOnWithAHole() throws {
        var camera = try Intake(try Self.tracks(Self.jpeg)[0])
        for index in 0..<10 {
            camera.packet(
                UInt16(100 + index), UInt32(index * 3600), type: 26, at: Int64(index) * 40)
        }
        for index in 0..<10 {
            camera.packet(
                UInt16(60_000 + index), 0xf000_0000 + UInt32(index * 3600), type: 26, ssrc: 9,
                at: Int64(10 + index) * 40)
        }
        let numbers = camera.effects.sequences
        #expect(numbers.count == 20)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
        let steps = zip(camera.ticks, camera.ticks.dropFirst()).map { $1 - $0 }
        #expect(steps.allSatisfy { (3000...4500).contains($0) }, "\(steps)")
    }

    @Test func packetsOnUDPComeInOrder() throws {
        var camera = try Intake(try Self.tracks(Self.jpeg)[0], isOrdered: false)
        for (place, number) in [0, 2, 1, 3, 5].enumerated() {
            camera.packet(
                UInt16(100 + number), UInt32(number * 3600), type: 26, at: Int64(place) * 2)
        }
        let first = camera.effects.sequences[0]
        #expect(camera.effects.sequences.map { $0 - first } == [0, 1, 2, 3])
        camera.intake.release(at: .start + .seconds(1), into: &camera.effects)
        #expect(camera.effects.sequences.last.map { $0 - first } == 5)
    }

    @Test func theFirstPayloadTypeIsActiveUntilAnotherComes() throws {
        var camera = try Intake(
            try Self.tracks("m=audio 0 RTP/AVP 8 0", "a=control:a")[0])
        camera.packet(1, 0, type: 8, at: 0)
        camera.packet(2, 160, type: 8, at: 20)
        #expect(camera.effects.list.count == 1)
        camera.packet(3, 320, type: 0, at: 40)
        let announced = camera.effects.list.compactMap { effect -> Codec? in
            if case .announce(_, let slot) = effect { slot.format.codec } else { nil }
        }
        #expect(announced == [.pcmu])
        camera.packet(4, 320, type: 77, at: 60)
        #expect(camera.intake.unknown == 1)
    }

    @Test func rawPCMIsTurnedAround() throws {
        var camera = try Intake(try Self.tracks("m=audio 0 RTP/AVP 97", "b=AS:128")[0])
        camera.packet(1, 0, type: 97, payload: [1, 2, 3, 4], at: 0)
        #expect(camera.effects.media.bytes == [2, 1, 4, 3])
    }

    @Test func reportsSayHowSoundLiesToPictures() throws {
        var camera = try Intake(try Self.tracks(Self.jpeg)[0])
        camera.packet(1, 90_000, type: 26, at: 0)
        var report: [UInt8] = [0x80, 200, 0, 6]
        report.append(bigEndian: UInt32(7))
        report.append(bigEndian: NTPTime(unixNanoseconds: 5_000_000_000).bits)
        report.append(bigEndian: UInt32(99_000))
        report += [UInt8](repeating: 0, count: 8)
        camera.intake.receiveReport(report.raw, at: .start, into: &camera.effects)
        guard case .clock(_, _, _, let ntp, let ticks) = camera.effects.list.last else {
            Issue.record("no clock: \(camera.effects.list)")
            return
        }
        #expect(ticks - camera.ticks[0] == 9000)
        #expect((ntp - 5_000_000_000).magnitude < 1000)
        #expect(camera.intake.report(at: .start + .seconds(1))?.ssrc == 7)
    }
}
