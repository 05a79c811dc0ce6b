import Media
import Stream
import Testing
import Wire

// The hard cases of the media model, row by row. Those that a test elsewhere covers whole; that it
// is there under this name is checked by TidyTests:
//
//   simulcast and frames           GivenPacketsTests.framesComeFromTheHighestLayerAlive
//   another protocol takes over    PublisherTests.viewersReadTheSameRenditionGivenOrDerived
//   another codec, other workers   TwoWorkersTests.viewersElsewhereFollowToAnotherCodec
//   VP8 to HLS and FLV             CarriageTests.vp8IsRefusedWithTheFix
//   H.264 first for publishers     CodecChoiceTests.publishersGetH264First
//   cameras, packet by packet      GivenPacketsTests.aCameraIsShapedPacketByPacket
//   B-frames of cameras            DemandTests.refusedPacketsAreExplained
//   parameter change in passing    GivenPacketsTests.setsInTheStreamChangeTheFormat
//   sound only, video late, never  ReadinessTests.soundNeedsNoPicture,
//                                  ReadinessTests.orTwoSecondsAfterTheFirstMedia
//   late track                     ReadinessTests.aSlotThatIsFilledLaterIsFoundAfterTheChange,
//                                  CodecChoiceTests.answersForTheStreamsLife
//   two sound tracks               ReadinessTests.twoAudioTracksAreTwoSlots
//   burst of a group of pictures   JoinPlanTests.burstsWhenItCatchesUpUnseen,
//                                  RunTests.shrinksTheSpacingOfAJoinBurst,
//                                  FanOutTests.whatIsLostIsRepairedByRTX
//   history by time, long GOP      HistoryTests.keepsTwoSecondsAndBackToTheLastKeyFrame,
//     HistoryTests.aGroupOfPicturesLargerThanTheCapBreaksItUntilTheNextKeyFrame
//   drops and numbers per viewer   RunTests.whatWasSkippedHasNoNumber,
//                                  SentRingTests.findsWhatLeftByBothNumbers
//   recovered late packets         CursorTests.latePacketsAreRepairsOfTheRunTheyBelongTo
//   data slots                     ReadinessTests.dataSlotsCarryMessages
//   slow TCP viewers               CursorTests.aSlowConnectionSkipsAtTwoSecondsAndIsClosedAtTen
//   on demand, many waiting        OnDemandTests.manyWaitersAreOneStartAndAreLetGoFiftyATurn
//   key requests over workers      RelayTests.keyRequestsOfTheOtherSideAreJoinedAtHome,
//                                  TwoWorkersTests.keyRequestsReachThePublisherOnce
//   relay ring loss                RelayTests.aHoleIsAskedForOnce
//   publisher on another worker    RegistryTests.theHomeStays,
//                                  TwoWorkersTests.aPublisherElsewhereFeedsTheHome
//   sessions on another worker     RTCPublishTests.anyWorkerAnswersAndAnyWorkerReceives
//   a layer that nobody reads      DemandTests.theMostThatAnybodyUsesIsTold,
//                                  TwoWorkersTests.thePublisherHearsWhatAnybodyUses
//
// Not shown by any test yet: plain resends under GCM, VP8 picture ids per viewer, chunks of LL-HLS,
// a connection of ICE over TCP that moves to another worker.

/// Hard cases that need a scene of their own.
struct HardCaseTests {
    private func read(_ reader: inout Reader, _ scene: Scene) -> [Int] {
        var tracks: [Int] = []
        while case .item(let track, _, _) = reader.peek(at: scene.now) {
            tracks.append(track)
            reader.advance()
        }
        return tracks
    }

    /// A viewer whose answer names two codecs goes on in the other one, from its key frame.
    @Test func theSourceComesBackInAnotherCodec() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let want = Subscription.Want(slot: .video, codecs: [.vp8, .h264], form: .frames)
        var reader = Reader(Subscription(wants: [want], rule: .realTime), at: scene.now)
        reader.resolve(in: scene.stream, at: scene.now, into: &scene.orders)
        #expect(read(&reader, scene) == [0])
        scene.pass(40)
        try scene.publish([vp8()])
        scene.frame(1)
        reader.resolve(in: scene.stream, at: scene.now, into: &scene.orders)
        #expect(read(&reader, scene).isEmpty, "not before its key frame")
        scene.frame(2, key: true)
        #expect(read(&reader, scene) == [0])
    }

    /// The first publisher had no sound; the place that the viewer kept for it is filled.
    @Test func republishedWithSound() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let wants = [
            Subscription.Want(slot: .video, codecs: [.h264], form: .frames),
            Subscription.Want(slot: .audio, codecs: [.opus], form: .frames),
        ]
        var reader = Reader(Subscription(wants: wants, rule: .realTime), at: scene.now)
        reader.resolve(in: scene.stream, at: scene.now, into: &scene.orders)
        #expect(read(&reader, scene) == [0])
        scene.pass(40)
        try scene.publish([h264(), opus()])
        reader.resolve(in: scene.stream, at: scene.now, into: &scene.orders)
        scene.frame(0, key: true)
        scene.audio(0)
        #expect(Set(read(&reader, scene)) == [0, 1])
    }

    /// A camera's packets go through one by one: a hole is waited for by nobody, and numbered over.
    @Test func passThroughWaitsForNothing() throws {
        var scene = Scene()
        try scene.publish([h264(.video, .packets)])
        let packets = try scene.opened(.video, .h264, .packets)
        scene.packet(sequence: 100, key: true)
        let before = try #require(packets.encodings.first).history.end
        scene.packet(sequence: 103)
        let history = try #require(packets.encodings.first).history
        #expect(history.end == before + 1, "at once, under the next number")
    }

    /// No roll-over counter: a number has 64 bits from the publisher's packet on.
    @Test func numbersGoOnWhereSixteenBitsEnd() throws {
        var scene = Scene()
        try scene.publish([h264(.video, .packets)], nack: true)
        let packets = try scene.opened(.video, .h264, .packets)
        for sequence: Int64 in 65_534...65_538 {
            scene.packet(sequence: sequence, key: sequence == 65_534)
        }
        var cursor = Cursor(.realTime, liveFrom: scene.now)
        #expect(cursor.drain(packets, at: scene.now) == Array(65_534...65_538))
    }

    /// Who joins late gets the publisher's own numbers and bytes: a NACK for them can be answered.
    @Test func aJoinIsRepairedFromTheSameHistory() throws {
        var scene = Scene()
        try scene.publish([h264(.video, .packets)], nack: true)
        for sequence: Int64 in 10..<20 { scene.packet(sequence: sequence, key: sequence == 12) }
        let packets = try scene.opened(.video, .h264, .packets)
        var cursor = Cursor(.realTime, liveFrom: scene.now)
        #expect(cursor.drain(packets, at: scene.now).first == 12)
        let history = try #require(packets.encodings.first).history
        #expect(bytes(history, 15) == payload(15, 200, key: false))
    }
}
