import Containers
import Media
import Testing
import Wire

/// Bodies of tags, old and enhanced (brief 4 and 5).
struct FLVUnitsTests {
    static let hvc1: [UInt8] = Array("hvc1".utf8)
    static let av01: [UInt8] = Array("av01".utf8)

    static func video(_ body: [UInt8]) throws -> [FLVUnit] {
        var units = FLVUnits(video: body.raw)
        var found: [FLVUnit] = []
        while let unit = try units.next() { found.append(unit) }
        return found
    }

    static func audio(_ body: [UInt8]) throws -> [FLVUnit] {
        var units = FLVUnits(audio: body.raw)
        var found: [FLVUnit] = []
        while let unit = try units.next() { found.append(unit) }
        return found
    }

    @Test func oldVideoHasASignedOffset() throws {
        let unit = try #require(try Self.video([0x17, 1, 0xff, 0xff, 0xf6, 9, 9]).first)
        #expect(unit.codec == .known(.h264))
        #expect(unit.role == .frame)
        #expect(unit.compositionOffset == -10)
        #expect(unit.payload == 5..<7)
        #expect(try Self.video([0x17, 0, 0, 0, 0, 1]).first?.role == .configuration)
        #expect(try Self.video([0x1c, 0, 0, 0, 0, 1]).first?.codec == .known(.h265))
    }

    @Test func commandFramesAndSilenceHoldNothing() throws {
        #expect(try Self.video([0x57, 0]).isEmpty)
        #expect(try Self.video([]).isEmpty)
        #expect(try Self.audio([]).isEmpty)
        #expect(try Self.audio([0xaf, 1]).isEmpty)
        // Enhanced: a command byte follows, no codec.
        #expect(try Self.video([0x80 | 0x50 | 1, 0]).isEmpty)
    }

    @Test func soundIsKnownByItsNumber() throws {
        #expect(try Self.audio([0xaf, 0, 0x12, 0x10]).first?.role == .configuration)
        #expect(try Self.audio([0x2f, 1]).first?.codec == .known(.mp3))
        let law = try #require(try Self.audio([0x72, 1]).first)
        #expect(law.codec == .known(.pcma))
        #expect(law.channels == 1)
        #expect(try Self.audio([0xb2, 1]).first?.codec == .known(.speex))
    }

    @Test func enhancedFramesHaveAnOffsetOrNone() throws {
        let with = try #require(
            try Self.video([0x80 | 0x10 | 1] + Self.hvc1 + [0, 0, 40] + [1, 2]).first)
        #expect(with.codec == .known(.h265))
        #expect(with.compositionOffset == 40)
        #expect(with.payload == 8..<10)
        let without = try #require(try Self.video([0x80 | 0x10 | 3] + Self.hvc1 + [1, 2]).first)
        #expect(without.payload == 5..<7)
        // AV1 has none in either.
        let av1 = try #require(try Self.video([0x80 | 0x20 | 1] + Self.av01 + [1, 2]).first)
        #expect(av1.payload == 5..<7)
        #expect(try Self.video([0x80 | 0x10] + Self.hvc1 + [7]).first?.role == .configuration)
        #expect(try Self.video([0x80 | 0x10 | 2] + Self.hvc1).first?.role == .end)
        #expect(try Self.video([0x80 | 0x50 | 4] + Self.hvc1 + [7]).first?.role == .other)
    }

    @Test func extensionsStandBeforeEverything() throws {
        // Two of them, the second of 256 bytes and more.
        let long = [UInt8](repeating: 0, count: 300)
        let body: [UInt8] =
            [0x80 | 0x10 | 7, 2, 0, 0, 250, 0x07] + [255, 1, 43] + long + [0x11] + Self.hvc1
            + [0, 0, 0, 5]
        let unit = try #require(try Self.video(body).first)
        #expect(unit.presentationOffset == 250)
        #expect(unit.role == .frame)
        #expect(body[unit.payload].elementsEqual([5]))
    }

    @Test func oneTrackOfMany() throws {
        let body: [UInt8] = [0x80 | 0x10 | 6, 0x01] + Self.hvc1 + [3] + [0, 0, 0] + [8, 8]
        let unit = try #require(try Self.video(body).first)
        #expect(unit.track == 3)
        #expect(body[unit.payload].elementsEqual([8, 8]))
    }

    @Test func severalTracksInOneBody() throws {
        let body: [UInt8] =
            [0x80 | 0x10 | 6, 0x13] + Self.hvc1 + [0, 0, 0, 2, 1, 2] + [1, 0, 0, 1, 3]
        let units = try Self.video(body)
        #expect(units.map(\.track) == [0, 1])
        #expect(units.map { Array(body[$0.payload]) } == [[1, 2], [3]])
    }

    @Test func severalCodecsInOneBody() throws {
        let body: [UInt8] =
            [0x90 | 5, 0x21] + Array("Opus".utf8) + [0, 0, 0, 1, 9] + Array("mp4a".utf8)
            + [1, 0, 0, 2, 7, 7]
        let units = try Self.audio(body)
        #expect(units.map(\.codec) == [.known(.opus), .known(.aac)])
        #expect(units.map { Array(body[$0.payload]) } == [[9], [7, 7]])
    }

    @Test func whatIsCutIsRefused() {
        let body: [UInt8] = [0x80 | 0x10 | 6, 0x13] + Self.hvc1 + [0, 0, 0, 2, 1, 2]
        for count in 1..<body.count {
            #expect(throws: ParseError.self) { try Self.video(Array(body[..<count])) }
        }
    }

    @Test func unknownLettersAreNamed() throws {
        let unit = try #require(try Self.video([0x90] + Array("vvc1".utf8) + [1]).first)
        #expect(unit.codec.codec == nil)
        #expect(unit.codec.name == "vvc1")
        #expect(try Self.video([0x12, 1]).first?.codec.name == "codec number 2")
    }
}
