import Codecs
import Containers
import Media
import Stream
import Testing
import Wire

/// Frames as a viewer of the stream gets them.
struct PSResult {
    var video: [ItemMeta] = []
    var videoBytes: [[UInt8]] = []
    var audio: [ItemMeta] = []
    var announced: [SlotName: Format] = [:]
    var isComplete = false
    var report = PSIntake.Report()
    /// After how long each picture was there, counted from its last byte.
    var delays: [Interval] = []
    var keysWanted = 0
}

enum PSRun {
    static let frameTime = Interval.milliseconds(40)

    /// Plays it in real time, which costs none; `isLost` says which payloads never come.
    static func play(
        _ frames: [[CameraStream.Payload]], cutting size: Int = .max,
        isLost: (Int) -> Bool = { _ in false }
    ) -> PSResult {
        var intake = PSIntake(channel: 1)
        var result = PSResult()
        var now = Instant.start + .seconds(10)
        var number = 0
        var hasGap = false
        for frame in frames {
            var last = now
            for payload in frame {
                defer { number += 1 }
                if isLost(number) {
                    hasGap = true
                    continue
                }
                if hasGap { intake.lose(1) }
                hasGap = false
                var effects = Effects()
                intake.receive(
                    payload.bytes.raw, isMarked: payload.isMarked, at: now, into: &effects)
                take(effects, &result, since: last, at: now)
                last = now
            }
            if frame.first?.picture != nil {
                let next = now + frameTime
                while intake.deadline < next {
                    var effects = Effects()
                    let at = max(now, intake.deadline)
                    intake.expire(at: at, into: &effects)
                    take(effects, &result, since: now, at: at)
                }
                now = next
            }
            if intake.wantsKey { result.keysWanted += 1 }
        }
        result.report = intake.report
        return result
    }

    static func take(
        _ effects: Effects, _ result: inout PSResult, since: Instant, at now: Instant
    ) {
        for effect in effects.list {
            switch effect {
            case .announce(_, let slot): result.announced[slot.slot] = slot.format
            case .format(_, let slot, _, let format): result.announced[slot] = format
            case .tracksComplete: result.isComplete = true
            case .media(_, let slot, _, let items):
                for index in items {
                    let meta = effects.media.items[index].meta
                    if slot == .video {
                        result.video.append(meta)
                        result.videoBytes.append([UInt8](copying: effects.media.bytes(of: index)))
                        result.delays.append(now - since)
                    } else {
                        result.audio.append(meta)
                    }
                }
            default: break
            }
        }
    }
}

/// What cameras really send, each kind by name: all pictures come, in order, with their times.
struct PSIntakeTests {
    static let tone: [[UInt8]] = (0..<10).map { [UInt8](repeating: 0xd5 ^ UInt8($0), count: 320) }

    static let aac: [[UInt8]] = {
        let bytes = CameraStream.vector("audio/lc-8000-mono.aac")
        var frames = ADTSFrames(bytes.raw)
        var found: [[UInt8]] = []
        while let frame = frames.next() {
            let start = frame.payload.lowerBound - frame.header.headerCount
            found.append(Array(bytes[start..<frame.payload.upperBound]))
        }
        return found
    }()

    static let habits: [(name: String, change: @Sendable (inout CameraStream) -> Void)] = [
        ("plain", { _ in }),
        ("no map", { $0.maps = .none }),
        ("a map in every pack", { $0.maps = .all }),
        ("a wrong checksum of the map (17)", { $0.hasBadChecksum = true }),
        ("several packets a picture", { $0.packetMaximum = 1200 }),
        ("a packet per unit", { $0.isPacketPerUnit = true }),
        ("packets without length", { $0.isUnbounded = true }),
        ("stuffing in the pack", { $0.stuffing = 7 }),
        ("packs without a body", { $0.hasBarePacks = true }),
        ("private streams (18)", { $0.hasPrivateStreams = true }),
        ("start codes of three bytes", { $0.startCode = [0, 0, 1] }),
        ("no markers", { $0.markers = .never }),
        ("markers everywhere", { $0.markers = .always }),
        ("sound without packs", { $0.audioHasPacks = false }),
        ("a zero between packets (20)", { $0.trailingZeros = 1 }),
        ("small RTP packets", { $0.payloadMaximum = 97 }),
        ("stamps that wrap at 33 bits", { $0.firstStamp = (1 << 33) - 36_000 }),
    ]

    @Test(arguments: habits.map(\.name), [false, true])
    func everyHabitGivesAllPictures(habit: String, isH265: Bool) throws {
        var camera = CameraStream()
        camera.isH265 = isH265
        camera.audio = Self.tone
        try #require(Self.habits.first { $0.name == habit }).change(&camera)
        let pictures = camera.pictures.count
        let result = PSRun.play(camera.payloads(rounds: 2))
        // The last one may still wait for its end.
        #expect(result.video.count >= pictures * 2 - 1)
        #expect(result.announced[.video]?.codec == (isH265 ? .h265 : .h264))
        #expect(result.announced[.audio]?.codec == .pcma)
        #expect(result.audio.count >= pictures * 2 - 1)
        #expect(result.isComplete)
        #expect(result.report.damaged == 0 && result.report.dropped == 0)
        for (before, after) in zip(result.video, result.video.dropFirst()) {
            #expect(after.ticks - before.ticks == 3600)
        }
    }

    @Test(arguments: [false, true])
    func aMapThatLiesAboutThePicturesIsNotBelieved(isH265: Bool) {
        var camera = CameraStream()
        camera.isH265 = isH265
        camera.saidVideo = isH265 ? 0x1b : 0x24
        let result = PSRun.play(camera.payloads(rounds: 2))
        #expect(result.announced[.video]?.codec == (isH265 ? .h265 : .h264))
        #expect(result.video.count >= camera.pictures.count * 2 - 1)
        #expect(result.video.first?.isKey == true)
    }

    @Test func aacInsideOfWhatTheMapCallsG711IsAAC() {
        var camera = CameraStream()
        camera.audio = Self.aac
        camera.audioType = 0x90
        let result = PSRun.play(camera.payloads(rounds: 2))
        #expect(result.announced[.audio]?.codec == .aac)
        #expect(result.announced[.audio]?.sampleRate == 8000)
    }

    @Test func soundWithoutAMapIsKnownByItsBytes() {
        var camera = CameraStream()
        camera.maps = .none
        camera.audio = Self.aac
        #expect(PSRun.play(camera.payloads()).announced[.audio]?.codec == .aac)
        camera.audio = Self.tone
        #expect(PSRun.play(camera.payloads()).announced[.audio]?.codec == .pcma)
    }

    @Test func aPictureDoesNotWaitForTheNextOne() throws {
        var camera = CameraStream()
        camera.markers = .never
        let result = PSRun.play(camera.payloads(rounds: 6))
        let late = result.delays.dropFirst(5).filter { $0 > .milliseconds(20) }
        #expect(late.isEmpty)
        // Once markers have proved right there is no wait at all.
        camera.markers = .frame
        let marked = PSRun.play(camera.payloads(rounds: 12))
        let last = try #require(marked.delays.last)
        #expect(last == .zero)
        #expect(marked.report.trustsMarkers)
    }

    @Test(arguments: [1, 5], [UInt64(1), 2, 3])
    func everyGroupWithoutALossIsComplete(percent: Int, seed: UInt64) {
        var camera = CameraStream()
        camera.payloadMaximum = 300
        let frames = camera.payloads(rounds: 20)
        var dice = SplitMix64(seed: seed)
        let count = frames.reduce(0) { $0 + $1.count }
        let lost = (0..<count).map { $0 > 0 && $0 < count - 1 && dice.next() % 100 < percent }
        let result = PSRun.play(frames) { lost[$0] }
        // Which groups of pictures lost nothing?
        var number = 0
        var groups: [(pictures: Int, isWhole: Bool)] = []
        for frame in frames {
            if frame[0].isKey { groups.append((0, true)) }
            groups[groups.count - 1].pictures += 1
            for _ in frame {
                if lost[number] { groups[groups.count - 1].isWhole = false }
                number += 1
            }
        }
        var got: [Int] = []
        for meta in result.video {
            if meta.isKey { got.append(0) }
            got[got.count - 1] += 1
        }
        let whole = groups.dropLast().filter(\.isWhole).map(\.pictures).reduce(0, +)
        #expect(result.video.count >= whole)
        #expect(result.video.allSatisfy { !$0.flags.contains(.damaged) })
        #expect(result.keysWanted > 0)
        #expect(
            got.filter { $0 == groups[0].pictures }.count
                >= groups.dropLast().count(where: \.isWhole))
    }

    /// Pictures go on at their pace: nothing of them was in what is missing.
    @Test func lossOfSoundCostsNoPicture() {
        var camera = CameraStream()
        camera.audio = Self.tone
        let frames = camera.payloads(rounds: 40)
        let payloads = Array(frames.joined())
        let sound = payloads.indices.filter { payloads[$0].picture == nil }
        // Late enough for markers to be believed.
        let late = sound.dropFirst(sound.count / 2)
        let lost = Set(late.filter { $0 % 7 == 0 })
        let result = PSRun.play(frames) { lost.contains($0) }
        #expect(!lost.isEmpty)
        #expect(result.report.damaged == 0 && result.report.dropped == 0)
        #expect(result.video.count >= camera.pictures.count * 40 - 1)
        #expect(result.keysWanted == 0)
    }

    /// When one of both times has wrapped, and from encoders that count wrongly.
    @Test func aPictureMayBeShownBeforeItIsDecoded() {
        let camera = CameraStream()
        let units: [UInt8] = camera.pictures[0].flatMap { [0, 0, 0, 1] + $0 }
        var intake = PSIntake(channel: 1)
        var effects = Effects()
        let now = Instant.start + .seconds(1)
        for stamp in [UInt64(90_000), 93_600, 97_200] {
            var packet = camera.pes(0xe0, units, stamp)
            packet.insert(contentsOf: camera.pes(0xe0, [], stamp + 900).suffix(5), at: 14)
            let count = packet.count - 6
            (packet[4], packet[5]) = (UInt8(count >> 8), UInt8(count & 0xff))
            (packet[7], packet[8]) = (0xc0, 10)
            let bytes = camera.packHeader(stamp) + packet
            intake.receive(bytes.raw, isMarked: true, at: now, into: &effects)
        }
        var result = PSResult()
        PSRun.take(effects, &result, since: now, at: now)
        #expect(result.video.count >= 2)
        #expect(result.video.first?.isKey == true)
    }

    @Test func aKeyFrameIsWantedUntilOneComes() {
        let frames = CameraStream().payloads(rounds: 2)
        var intake = PSIntake(channel: 1)
        var effects = Effects()
        var now = Instant.start + .seconds(1)
        for (number, frame) in frames.enumerated() {
            for payload in frame {
                intake.receive(
                    payload.bytes.raw, isMarked: payload.isMarked, at: now, into: &effects)
            }
            now = now + PSRun.frameTime
            if number == 0 {
                #expect(!intake.wantsKey)
                intake.lose(1)
                #expect(intake.wantsKey)
            }
        }
        #expect(!intake.wantsKey)
    }

    @Test func setsBeforeALostKeyFrameAreKept() {
        var camera = CameraStream()
        camera.isPacketPerUnit = true
        camera.maps = .none
        // Each unit in RTP packets of its own.
        var intake = PSIntake(channel: 1)
        var effects = Effects()
        let picture = camera.pictures[0]
        let now = Instant.start + .seconds(1)
        for unit in picture.prefix(2) {
            let bytes = camera.packHeader(90_000) + camera.pes(0xe0, [0, 0, 0, 1] + unit, 90_000)
            intake.receive(bytes.raw, isMarked: false, at: now, into: &effects)
        }
        intake.lose(1)
        // The next key frame comes without its sets.
        let slices: [UInt8] = picture.dropFirst(2).flatMap { [0, 0, 0, 1] + $0 }
        for stamp in [UInt64(93_600), 97_200] {
            let bytes = camera.packHeader(stamp) + camera.pes(0xe0, slices, stamp)
            intake.receive(bytes.raw, isMarked: true, at: now, into: &effects)
        }
        var result = PSResult()
        PSRun.take(effects, &result, since: now, at: now)
        #expect(result.video.first?.isKey == true)
    }

    @Test func anyDamageIsSurvived() {
        var camera = CameraStream()
        camera.audio = Self.tone
        let frames = camera.payloads(rounds: 2)
        for seed in UInt64(0)..<200 {
            var dice = SplitMix64(seed: seed)
            var intake = PSIntake(channel: 1)
            var effects = Effects()
            var now = Instant.start
            for payload in frames.joined() {
                var bytes = payload.bytes
                for _ in 0..<dice.next() % 3 {
                    bytes[Int(dice.next() % UInt64(bytes.count))] = UInt8(
                        truncatingIfNeeded: dice.next())
                }
                if dice.next() % 20 == 0 {
                    bytes.removeLast(Int(dice.next() % UInt64(bytes.count)))
                }
                if dice.next() % 30 == 0 { intake.lose(2) }
                now = now + .milliseconds(5)
                intake.receive(bytes.raw, isMarked: payload.isMarked, at: now, into: &effects)
                if intake.deadline <= now { intake.expire(at: now, into: &effects) }
                effects.clear()
            }
        }
    }
}
