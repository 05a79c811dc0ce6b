import HLS
import Testing

/// Every rule is broken once, in a playlist that holds against all of them; it is to be named.
struct HLSCheckTests {
    static let media = """
        #EXTM3U
        #EXT-X-VERSION:9
        #EXT-X-TARGETDURATION:2
        #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3,CAN-SKIP-UNTIL=12,HOLD-BACK=6
        #EXT-X-PART-INF:PART-TARGET=1.0
        #EXT-X-MEDIA-SEQUENCE:7
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-MAP:URI="i1.mp4"
        #EXT-X-PROGRAM-DATE-TIME:2026-11-21T15:00:00.000Z
        #EXTINF:2.0,
        s7.m4s
        #EXT-X-PROGRAM-DATE-TIME:2026-11-21T15:00:02.000Z
        #EXTINF:2.0,
        s8.m4s
        #EXT-X-DISCONTINUITY
        #EXT-X-PROGRAM-DATE-TIME:2026-11-21T15:00:09.000Z
        #EXT-X-PART:DURATION=1.0,URI="p9.0.m4s",INDEPENDENT=YES
        #EXT-X-PART:DURATION=1.0,URI="p9.1.m4s"
        #EXTINF:2.0,
        s9.m4s
        #EXT-X-PART:DURATION=1.0,URI="p10.0.m4s",INDEPENDENT=YES
        #EXT-X-PRELOAD-HINT:TYPE=PART,URI="p10.1.m4s"

        """

    static let variants = """
        #EXTM3U
        #EXT-X-VERSION:6
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="de",DEFAULT=YES,URI="de.m3u8"
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",DEFAULT=NO,URI="en.m3u8"
        #EXT-X-STREAM-INF:BANDWIDTH=1000,AVERAGE-BANDWIDTH=900,CODECS="avc1.42c00c",\
        RESOLUTION=320x240,FRAME-RATE=25.000,AUDIO="a"
        v.m3u8

        """

    @Test func theSoundOnesHaveNothingToBeNamed() {
        #expect(HLSCheck.read(Self.media).findings == [])
        #expect(HLSCheck.read(Self.variants).findings == [])
    }

    struct Damage: Sendable, CustomTestStringConvertible {
        var old: String
        var new: String
        var rule: HLSRule
        var testDescription: String { "\(rule.rawValue): \(old) -> \(new)" }

        init(_ old: String, _ new: String, _ rule: HLSRule) {
            (self.old, self.new, self.rule) = (old, new, rule)
        }
    }

    @Test(arguments: [
        Damage("#EXTM3U\n", "", .notAPlaylist),
        Damage("#EXTM3U\n", " #EXTM3U\n", .notAPlaylist),
        Damage("s7.m4s", "s7\u{7}.m4s", .controlCharacter),
        Damage("VERSION:9\n", "VERSION:9\n#EXT-X-VERSION:9\n", .duplicateTag),
        Damage("TARGETDURATION:2\n", "TARGETDURATION:2\n#EXT-X-TARGETDURATION:2\n", .duplicateTag),
        Damage("MEDIA-SEQUENCE:7", "MEDIA-SEQUENCE:-7", .malformedTag),
        Damage("MEDIA-SEQUENCE:7", "MEDIA-SEQUENCE:x", .malformedTag),
        Damage("#EXTINF:2.0,\ns8", "#EXTINF:2.0\ns8", .malformedTag),
        Damage("#EXTINF:2.0,\ns8", "#EXTINF:-2.0,\ns8", .malformedTag),
        Damage("DURATION=1.0,URI=\"p9.0", "DURATION=1.0;URI=\"p9.0", .malformedAttributes),
        Damage("#EXT-X-MAP:URI=\"i1.mp4\"", "#EXT-X-MAP:URI=\"i1.mp4", .malformedAttributes),
        Damage("HOLD-BACK=6", "HOLD-BACK=6,HOLD-BACK=6", .malformedAttributes),
        Damage("PART-TARGET=1.0", "PART-TARGET=\"1.0\"", .missingAttribute),
        Damage("PART-HOLD-BACK=3,", "", .missingAttribute),
        Damage("DURATION=1.0,URI=\"p10.0.m4s\",", "URI=\"p10.0.m4s\",", .missingAttribute),
        Damage("VERSION:9", "VERSION:2", .versionTooLow),
        Damage("VERSION:9", "VERSION:5", .versionTooLow),
        Damage("#EXTINF:2.0,\ns8", "s8", .uriWithoutTag),
        Damage("s8.m4s\n", "", .tagWithoutURI),
        Damage("#EXT-X-TARGETDURATION:2\n", "", .noTargetDuration),
        Damage("#EXTINF:2.0,\ns7", "#EXTINF:2.5,\ns7", .segmentTooLong),
        Damage("s7.m4s\n", "s7.m4s\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n", .headAfterSegment),
        Damage("#EXT-X-MAP:URI=\"i1.mp4\"\n", "", .noMap),
        Damage("2026-11-21T15:00:02.000Z", "2026-13-21T15:00:02.000Z", .badDate),
        Damage("2026-11-21T15:00:02.000Z", "15:00:02", .badDate),
        Damage("2026-11-21T15:00:02.000Z", "2026-11-21T15:00:05.000Z", .dateOff),
        Damage("s7.m4s\n", "s7.m4s\n#EXT-X-PLAYLIST-TYPE:LIVE\n", .badPlaylistType),
        Damage("#EXTINF:2.0,\ns8", "#EXTINF:2.0,\n#EXT-X-BYTERANGE:1@2@3\ns8", .badByteRange),
        Damage("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p10.1.m4s\"", "#EXT-X-ENDLIST", .behindTheEnd),
        Damage("#EXT-X-PART-INF:PART-TARGET=1.0\n", "", .noPartInformation),
        Damage("#EXT-X-SERVER-CONTROL:", "#EXT-X-OTHER:", .noServerControl),
        Damage("DURATION=1.0,URI=\"p10.0", "DURATION=1.2,URI=\"p10.0", .partTooLong),
        Damage("DURATION=1.0,URI=\"p9.0", "DURATION=0.8,URI=\"p9.0", .partTooShort),
        Damage("DURATION=1.0,URI=\"p9.1", "DURATION=0.5,URI=\"p9.1", .partsDoNotAddUp),
        Damage("\"p9.0.m4s\",INDEPENDENT=YES", "\"p9.0.m4s\"", .partNotIndependent),
        Damage("PART-HOLD-BACK=3", "PART-HOLD-BACK=2.5", .partHoldBackTooSmall),
        Damage("HOLD-BACK=6", "HOLD-BACK=4", .holdBackTooSmall),
        Damage("CAN-SKIP-UNTIL=12", "CAN-SKIP-UNTIL=11", .skipTooSmall),
        Damage("URI=\"p10.1.m4s\"", "URI=\"p10.0.m4s\"", .badHint),
        Damage("HINT:TYPE=PART,", "HINT:", .badHint),
        Damage("#EXT-X-MAP", "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXT-X-MAP", .badSkip),
    ])
    func damageToAMediaPlaylistIsNamed(damage: Damage) throws { try check(damage, Self.media) }

    @Test(arguments: [
        Damage("BANDWIDTH=1000,AVERAGE-", "AVERAGE-", .noBandwidth),
        Damage("BANDWIDTH=1000", "BANDWIDTH=0", .noBandwidth),
        Damage("CODECS=\"avc1.42c00c\",", "", .noCodecs),
        Damage("320x240", "320", .badResolution),
        Damage("FRAME-RATE=25.000", "FRAME-RATE=0", .badFrameRate),
        Damage("AVERAGE-BANDWIDTH=900", "AVERAGE-BANDWIDTH=1100", .averageAbovePeak),
        Damage("AUDIO=\"a\"", "AUDIO=\"b\"", .unknownGroup),
        Damage(
            "TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\"", "GROUP-ID=\"a\",NAME=\"en\"", .badRendition),
        Damage("NAME=\"en\"", "NAME=\"de\"", .badRendition),
        Damage("DEFAULT=NO", "DEFAULT=YES", .twoDefaults),
        Damage("v.m3u8\n", "", .tagWithoutURI),
        Damage("v.m3u8\n", "v.m3u8\n#EXTINF:2,\ns1.ts\n", .mixedKinds),
    ])
    func damageToAMultivariantPlaylistIsNamed(damage: Damage) throws {
        try check(damage, Self.variants)
    }

    private func check(_ damage: Damage, _ text: String) throws {
        let damaged = text.replacing(damage.old, with: damage.new, maxReplacements: 1)
        #expect(damaged != text)
        let rules = Set(HLSCheck.read(damaged).findings.map(\.rule))
        #expect(rules.contains(damage.rule), "named were \(rules)")
    }

    @Test func anEmptyPlaylistIsNamed() {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
        #expect(HLSCheck.read(text).findings.map(\.rule) == [.noSegments])
    }

    /// From one reload to the next.
    @Test(arguments: [
        Damage("MEDIA-SEQUENCE:7", "MEDIA-SEQUENCE:6", .wentBack),
        Damage("s8.m4s", "s8b.m4s", .segmentChanged),
        Damage("#EXT-X-DISCONTINUITY\n", "", .segmentChanged),
        Damage("p9.1.m4s", "p9.1b.m4s", .partChanged),
        Damage("TARGETDURATION:2", "TARGETDURATION:3", .targetChanged),
        Damage(
            "MEDIA-SEQUENCE:7\n", "MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n",
            .discontinuityLost),
    ])
    func whatWasPublishedStays(damage: Damage) {
        var watch = HLSWatch()
        #expect(watch.read(Self.media, at: 0).findings == [])
        let next = Self.media.replacing(damage.old, with: damage.new, maxReplacements: 1)
        let rules = Set(watch.read(next, at: 1).findings.map(\.rule))
        #expect(rules.contains(damage.rule), "named were \(rules)")
    }

    @Test func aPlaylistThatStandsStillIsNamed() {
        var watch = HLSWatch()
        _ = watch.read(Self.media, at: 0)
        #expect(watch.read(Self.media, at: 2.9).findings == [])
        #expect(watch.read(Self.media, at: 3.1).findings.map(\.rule) == [.stale])
    }

    @Test func anEndThatVanishesIsNamed() {
        var watch = HLSWatch()
        let ended = Self.media.replacing(
            "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p10.1.m4s\"",
            with: "#EXTINF:1.0,\ns10.m4s\n#EXT-X-ENDLIST")
        #expect(watch.read(ended, at: 0).findings == [])
        #expect(watch.read(Self.media, at: 1).findings.contains { $0.rule == .endVanished })
    }

    @Test func segmentsThatVanishAreNamed() throws {
        var watch = HLSWatch()
        _ = watch.read(Self.media, at: 0)
        let cut = try #require(Self.media.firstRange(of: "#EXT-X-DISCONTINUITY\n"))
        let shorter = String(Self.media[..<cut.lowerBound])
        let rules = watch.read(shorter, at: 1).findings.map(\.rule)
        #expect(rules.contains(.segmentVanished))
    }
}
