import Media
import Simulation
import Stream
import Testing
import Wire

/// What is stored is there, unchanged, until the rule lets it go.
struct HistoryTests {
    @Test func givesBackWhatWasStoredByIndex() {
        let history = History(.video, memory: plenty, for: .given, first: 7)
        for index: Int64 in 7..<20 {
            history.append(pattern(index, 100).raw, packet(index))
        }
        #expect(history.start == 7)
        #expect(history.end == 20)
        #expect((7..<20).allSatisfy { bytes(history, $0) == pattern($0, 100) })
        #expect(!history.contains(6))
        #expect(!history.contains(20))
        #expect(bytes(history, 20) == nil)
    }

    @Test func keepsTwoSecondsAndBackToTheLastKeyFrame() {
        let history = History(.video, memory: plenty, for: .given)
        // A key frame each 3 s, 30 frames a second, one packet each.
        for frame: Int64 in 0..<300 {
            let isKey = frame % 90 == 0
            history.append(
                pattern(frame, 500).raw, packet(frame, at: frame * 33, key: isKey))
        }
        // Frame 299 at 9,867 ms; its key frame is number 270: 957 ms back, so 2 s are kept.
        #expect(history.lastKey == 271)
        #expect(history.meta(history.start)?.arrival ?? .distantFuture >= ms(299 * 33 - 2000))
        #expect(history.start <= 240)
        for frame: Int64 in 300..<355 {
            history.append(pattern(frame, 500).raw, packet(frame, at: frame * 33, key: false))
        }
        // Now the key frame is older than 2 s, and it is where the history begins.
        #expect(history.start == 271)
    }

    @Test func audioKeepsTwoSecondsOnly() {
        let history = History(.audio, memory: plenty, for: .given)
        for index: Int64 in 0..<500 {
            history.append(pattern(index, 160).raw, packet(index, at: index * 20, key: true))
        }
        #expect(history.end - history.start <= 102)
        #expect(history.lastKey == nil, "audio begins anywhere: no list of key frames is kept")
    }

    @Test func aHoleIsFilledByTheLatePacket() {
        let history = History(.video, memory: plenty, for: .given)
        for index: Int64 in [1000, 1001, 1004, 1005] {
            history.store(pattern(index, 300).raw, packet(index, at: 1), at: index)
        }
        #expect(!history.contains(1002))
        #expect(history.nextPresent(from: 1002) == 1004)
        #expect(history.store(pattern(1003, 90).raw, packet(3, at: 5), at: 1003) == .repaired)
        #expect(history.store(pattern(1003, 90).raw, packet(3, at: 5), at: 1003) == .duplicate)
        #expect(history.store(pattern(1004, 90).raw, packet(3, at: 5), at: 1004) == .duplicate)
        #expect(bytes(history, 1003) == pattern(1003, 90))
        #expect(history.repairCount == 1)
        #expect(history.repair(0) == 1003)
        #expect(history.store(pattern(9, 9).raw, packet(9, at: 5), at: 999) == .tooOld)
    }

    @Test func aGroupOfPicturesLargerThanTheCapBreaksItUntilTheNextKeyFrame() {
        var limits = HistoryLimits.video
        limits.bytes = 256 << 10
        let history = History(limits, memory: plenty, for: .given)
        history.append(pattern(1, 9_000).raw, packet(1, at: 0, key: true, end: false))
        history.append(pattern(2, 700).raw, packet(2, at: 0, key: true, start: false))
        for index: Int64 in 3..<400 {
            history.append(pattern(index, 1_100).raw, packet(index, at: index))
        }
        #expect(history.isBroken)
        #expect(history.lastKey == nil)
        #expect(history.figures.broken == 1)
        #expect(history.still.count == 2, "the key frame is kept as a still")
        #expect(history.still.bytes.count == 9_700)
        #expect(bytes(history, 399) == pattern(399, 1_100), "who is live goes on")
        history.append(pattern(400, 5_000).raw, packet(400, at: 400, key: true))
        #expect(!history.isBroken)
        #expect(history.lastKey == 400)
        #expect(history.still.isEmpty)
    }

    @Test func theBudgetOfAllStreamsIsNeverPassed() {
        let memory = MediaMemory(limit: 1 << 20)
        let histories = (0..<4).map { _ in History(.video, memory: memory, for: .given) }
        var most = 0
        for index: Int64 in 0..<1_000 {
            for history in histories {
                history.append(pattern(index, 1_000).raw, packet(index, at: index))
            }
            most = max(most, memory.used)
        }
        #expect(most <= 1 << 20)
        #expect(memory.refused > 0)
        #expect(histories.allSatisfy { bytes($0, 1_000) != nil })
    }

    @Test func derivedHistoriesLeaveRoomForWhatArrives() {
        let memory = MediaMemory(limit: 1 << 20)
        let derived = History(.video, memory: memory, for: .derived)
        let given = History(.video, memory: memory, for: .given)
        for index: Int64 in 0..<1_500 {
            derived.append(pattern(index, 1_000).raw, packet(index, at: index))
        }
        let afterDerived = memory.used
        for index: Int64 in 0..<1_500 {
            given.append(pattern(index, 1_000).raw, packet(index, at: index))
        }
        #expect(afterDerived <= (1 << 20) / 8 * 7)
        #expect(memory.used > afterDerived)
    }

    @Test func memoryGoesBackWithTheHistory() {
        let memory = MediaMemory(limit: 16 << 20)
        do {
            let history = History(.video, memory: memory, for: .given)
            for index: Int64 in 0..<2_000 {
                history.append(pattern(index, 1_000).raw, packet(index, at: index))
            }
            #expect(memory.used > 1 << 20)
        }
        #expect(memory.used == 0)
    }

    @Test func whatCannotFitIsRefusedAndNothingElseIsHurt() {
        let memory = MediaMemory(limit: 128 << 10)
        let history = History(.video, memory: memory, for: .given)
        history.append(pattern(1, 100).raw, packet(1))
        #expect(history.append(pattern(2, 5 << 20).raw, packet(2)) == .tooLarge)
        // Within the bound of the history, but not within the budget.
        #expect(history.append(pattern(2, 300 << 10).raw, packet(2)) == .tooLarge)
        #expect(history.append(pattern(2, 100).raw, packet(2)) == .stored)
        #expect(bytes(history, history.end - 1) == pattern(2, 100))
    }

    @Test func aJumpOfTheNumbersBeginsAnew() {
        let history = History(.video, memory: plenty, for: .given)
        for index: Int64 in 0..<10 {
            history.store(pattern(index, 10).raw, packet(index), at: index)
        }
        #expect(history.store(pattern(9, 10).raw, packet(9), at: 1 << 40) == .reset)
        #expect(history.start == 1 << 40)
        #expect(history.end == (1 << 40) + 1)
    }

    @Test func findsWhereAudioJoins() {
        let history = History(.audio, memory: plenty, for: .given)
        for index: Int64 in 1...50 {
            history.append(pattern(index, 50).raw, packet(index, at: index * 20))
        }
        #expect(history.index(arrivedSince: ms(500)) == 25)
        #expect(history.index(arrivedSince: ms(501)) == 26)
        #expect(history.index(arrivedSince: ms(5_000)) == 51)
        #expect(history.index(arrivedSince: .start) == 1)
    }
}

/// A budget that does not bind.
var plenty: MediaMemory { MediaMemory(limit: 1 << 30) }
