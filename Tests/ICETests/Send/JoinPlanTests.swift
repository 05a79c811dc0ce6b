import ICE
import Testing
import Wire

struct JoinPlanTests {
    /// Two seconds of 2 Mbit/s at 30 fps since the last key frame.
    var usual: JoinPlan.Situation {
        var situation = JoinPlan.Situation()
        situation.hasKey = true
        situation.burstBytes = 500_000
        situation.burstFrames = 60
        situation.burstLength = .seconds(2)
        situation.streamRate = 2_000_000
        situation.answersPLI = true
        return situation
    }

    @Test func burstsWhenItCatchesUpUnseen() {
        let plan = JoinPlan.decide(usual)
        #expect(plan.way == .burst(shift: 4), "2 s >> 4 is the first below the 240 ms of decoding")
        #expect(plan.catchUp <= JoinPlan.catchUpMaximum)
        #expect(plan.rate == 20_000_000)
    }

    @Test func asksForAKeyFrameWhenTheBurstWouldShow() {
        var situation = usual
        situation.burstFrames = 120
        #expect(JoinPlan.decide(situation).way == .freshKey)
    }

    @Test func waitsForTheNextKeyFrameWhenItIsNear() {
        var situation = usual
        situation.burstFrames = 120
        situation.answersPLI = false
        situation.nextKeyIn = .milliseconds(900)
        #expect(JoinPlan.decide(situation).way == .still)
        situation.nextKeyIn = .milliseconds(1100)
        #expect(JoinPlan.decide(situation).way == .fastForward)
    }

    @Test func doesNotAskTwice() {
        var situation = usual
        situation.burstFrames = 120
        situation.requestFailed = true
        #expect(JoinPlan.decide(situation).way == .fastForward)
    }

    @Test func withoutAnyKeyFrameItWaits() {
        #expect(JoinPlan.decide(JoinPlan.Situation()).way == .waitKey)
        var situation = JoinPlan.Situation()
        situation.answersPLI = true
        #expect(JoinPlan.decide(situation).way == .freshKey)
    }

    /// A path that carries no more than the stream can never catch up.
    @Test func aThinPathNeverBursts() {
        var situation = usual
        situation.target = 2_000_000
        situation.answersPLI = false
        #expect(JoinPlan.decide(situation).way == .fastForward)
        #expect(JoinPlan.decide(situation).rate == 2_000_000)
    }

    @Test func aFreshKeyFrameNeedsNoShrinking() {
        var situation = usual
        situation.burstBytes = 30_000
        situation.burstFrames = 1
        situation.burstLength = .zero
        #expect(JoinPlan.decide(situation).way == .burst(shift: 0))
    }
}

struct DecisionsTests {
    @Test func keepsTheLastInOrder() {
        var decisions = Decisions()
        for number in Int32(0)..<40 {
            decisions.note(.skippedToKey, number, at: .start + .seconds(Int64(number)))
        }
        #expect(decisions.all.map(\.detail) == Array(8..<40))
        #expect(decisions.total == 40)
    }
}
