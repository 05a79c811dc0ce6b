import Media
import Stream
import Testing
import Wire

/// A viewer's place: where it begins, what it skips, when it is sent away.
struct CursorTests {
    @Test func beginsAtTheCachedKeyFrameAndReadsToTheHead() throws {
        var scene = Scene()
        try scene.publish([h264()])
        for number: Int64 in 0..<10 { scene.frame(number, key: number % 4 == 0) }
        let rendition = try scene.opened()
        var cursor = Cursor(.realTime, liveFrom: scene.now)
        #expect(cursor.peek(rendition, at: scene.now) == .jump(9, .start))
        #expect(cursor.drain(rendition, at: scene.now) == [9, 10])
        scene.frame(10)
        #expect(cursor.peek(rendition, at: scene.now) == .item(11))
        #expect(cursor.peek(rendition, at: scene.now) == .item(11), "looking moves nothing")
    }

    @Test func aFreshStartWaitsForAKeyFrameAndAsksForIt() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let rendition = try scene.opened()
        scene.pass(100)
        var cursor = Cursor(.realTime, keyAfter: scene.now, liveFrom: scene.now)
        scene.frame(1)
        #expect(cursor.peek(rendition, at: scene.now) == .nothing)
        #expect(cursor.takeKeyWish() == EncodingID(epoch: 1, layer: 0))
        #expect(cursor.takeKeyWish() == nil)
        scene.frame(2, key: true)
        #expect(cursor.peek(rendition, at: scene.now) == .jump(3, .start))
    }

    /// WebRTC: more than 500 ms behind, and there is a key frame ahead.
    @Test func aLateRealTimeReaderSkipsToTheNextKeyFrame() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let rendition = try scene.opened()
        var cursor = Cursor(.realTime, liveFrom: scene.now)
        _ = cursor.drain(rendition, at: scene.now)
        for number: Int64 in 1..<40 {
            scene.pass(33)
            scene.frame(number, key: number == 35)
        }
        #expect(cursor.peek(rendition, at: scene.now) == .jump(36, .lag))
        _ = cursor.drain(rendition, at: scene.now)
        #expect(cursor.figures[.lag] == 1)
        #expect(cursor.figures[.start] == 1)
    }

    /// … and there is none: to the head, with a request.
    @Test func withoutAKeyFrameAheadItWaitsAtTheHeadAndAsks() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let rendition = try scene.opened()
        var cursor = Cursor(.realTime, liveFrom: scene.now)
        _ = cursor.drain(rendition, at: scene.now)
        for number: Int64 in 1..<40 {
            scene.pass(33)
            scene.frame(number)
        }
        #expect(cursor.peek(rendition, at: scene.now) == .nothing)
        #expect(cursor.state == .waitKey)
        #expect(cursor.takeKeyWish() != nil)
        scene.pass(33)
        scene.frame(40, key: true)
        #expect(cursor.peek(rendition, at: scene.now) == .jump(41, .lag))
    }

    /// Drops begin at the start of a frame: half a frame is worse than none.
    @Test func finishesTheFrameItIsInBeforeItSkips() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true, size: 3_000)
        let rendition = try scene.opened(.video, .h264, .packets)
        var cursor = Cursor(.realTime, liveFrom: scene.now)
        guard case .jump(let first, .start) = cursor.peek(rendition, at: scene.now) else {
            Issue.record("there is a key frame to begin with")
            return
        }
        cursor.advance()
        for number: Int64 in 1..<60 {
            scene.pass(33)
            scene.frame(number, key: number == 50)
        }
        let history = try #require(cursor.encoding).history
        var read: [Int64] = []
        while case .item(let index) = cursor.peek(rendition, at: scene.now) {
            read.append(index)
            cursor.advance()
        }
        #expect(read.first == first + 1)
        #expect(history.meta(try #require(read.last))?.endsFrame == true)
        guard case .jump(let key, .lag) = cursor.peek(rendition, at: scene.now) else {
            Issue.record("it should have skipped")
            return
        }
        #expect(history.meta(key)?.isKey == true)
    }

    /// TCP: 2 s behind, next key frame; with none it goes on; 10 s: closed.
    @Test func aSlowConnectionSkipsAtTwoSecondsAndIsClosedAtTen() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let rendition = try scene.opened()
        var cursor = Cursor(.connection, liveFrom: scene.now)
        _ = cursor.drain(rendition, at: scene.now)
        for number: Int64 in 1...100 {
            scene.pass(30)
            scene.frame(number)
        }
        #expect(cursor.peek(rendition, at: scene.now) == .item(2), "no key frame: read on")
        scene.frame(101, key: true)
        #expect(cursor.peek(rendition, at: scene.now) == .jump(102, .lag))
        #expect(!cursor.isHopeless)
        for number: Int64 in 102...450 {
            scene.pass(30)
            scene.frame(number)
        }
        #expect(cursor.isHopeless, "nobody peeks for a socket that is full")
        #expect(cursor.peek(rendition, at: scene.now) == .close)
    }

    @Test func whatHasLeftTheHistoryIsAGapAndNotAnError() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let rendition = try scene.opened()
        var cursor = Cursor(.recorder, liveFrom: scene.now)
        _ = cursor.drain(rendition, at: scene.now)
        for number: Int64 in 1..<300 {
            scene.pass(33)
            scene.frame(number, key: number % 30 == 0)
        }
        guard case .jump(let index, .gone) = cursor.peek(rendition, at: scene.now) else {
            Issue.record("what it was to read is gone")
            return
        }
        #expect(index == 271)
    }

    @Test func aPausedViewerGoesOnWithAKeyFrame() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let rendition = try scene.opened()
        var cursor = Cursor(.realTime, liveFrom: scene.now)
        _ = cursor.drain(rendition, at: scene.now)
        cursor.pause()
        scene.pass(50)
        scene.frame(1)
        #expect(cursor.peek(rendition, at: scene.now) == .nothing)
        cursor.resume(at: scene.now)
        #expect(cursor.peek(rendition, at: scene.now) == .nothing)
        #expect(cursor.takeKeyWish() != nil)
        scene.frame(2, key: true)
        #expect(cursor.peek(rendition, at: scene.now) == .jump(3, .resume))
    }

    /// A late packet is sent as a repair, with its place in the run.
    @Test func latePacketsAreRepairsOfTheRunTheyBelongTo() throws {
        var scene = Scene()
        try scene.publish([h264(.video, .packets)], nack: true)
        let rendition = try scene.opened(.video, .h264, .packets)
        scene.packet(sequence: 998)
        scene.packet(sequence: 1_000, key: true)
        var cursor = Cursor(.realTime, liveFrom: scene.now)
        for sequence: Int64 in [1_001, 1_004] { scene.packet(sequence: sequence) }
        #expect(cursor.drain(rendition, at: scene.now) == [1_000, 1_001, 1_004])
        #expect(cursor.nextRepair() == nil)
        for sequence: Int64 in [1_003, 999, 1_002] { scene.packet(sequence: sequence) }
        #expect(cursor.nextRepair() == 1_003)
        #expect(cursor.nextRepair() == 1_002, "999 came before the run began")
        #expect(cursor.nextRepair() == nil)
        #expect(cursor.drain(rendition, at: scene.now) == [])
    }
}
