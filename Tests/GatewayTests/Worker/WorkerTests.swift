import Gateway
import Settings
import Testing
import Wire

/// Real workers, real sockets: what a protocol may rely on.
struct WorkerTests {
    @Test func answersInTheOrderAsked() throws {
        let crew = try Crew()
        let line = try crew.connect()
        for number in 0..<1000 { line.say("echo \(number)") }
        #expect(line.hear(1000) == (0..<1000).map(String.init))
    }

    @Test func whatIsPublishedIsRead() throws {
        let crew = try Crew()
        let publisher = try crew.connect()
        let viewer = try crew.connect()
        #expect(publisher.ask("publish live/a") == "published 1")
        publisher.say("key 1")
        publisher.say("delta 2")
        #expect(publisher.ask("echo done") == "done")
        #expect(viewer.ask("read live/a") == "subscribed 1")
        #expect(viewer.hear(2) == ["item 1 (start)", "item 2"], "from the cached key frame")
        publisher.say("delta 3")
        #expect(viewer.hear() == "item 3")
    }

    @Test func aViewerMayComeFirst() throws {
        let crew = try Crew()
        let viewer = try crew.connect()
        let impatient = try crew.connect()
        viewer.say("read live/later 5000")
        #expect(impatient.ask("read live/later") == "refused read notFound")
        let publisher = try crew.connect()
        #expect(publisher.ask("publish live/later") == "published 1")
        publisher.say("key 1")
        #expect(viewer.hear(2) == ["subscribed 1", "item 1 (start)"])
    }

    @Test func waitingEndsWithPatience() throws {
        let crew = try Crew()
        let viewer = try crew.connect()
        #expect(viewer.ask("read live/never 50") == "refused read timeout")
    }

    @Test func viewersStayWhileThePublisherIsReplaced() throws {
        let crew = try Crew()
        let first = try crew.connect()
        let viewer = try crew.connect()
        #expect(first.ask("publish live/a sesame") == "published 1")
        first.say("key 1")
        #expect(first.ask("echo done") == "done")
        #expect(viewer.ask("read live/a") == "subscribed 1")
        #expect(viewer.hear() == "item 1 (start)")

        let stranger = try crew.connect()
        #expect(stranger.ask("publish live/a") == "refused publish nameInUse")
        let second = try crew.connect()
        #expect(second.ask("publish live/a sesame") == "published 2")
        #expect(first.hear() == "ended replaced")
        second.say("key 2")
        #expect(viewer.hear() == "item 2 (epoch)")
        first.say("key ghost")
        second.say("delta 3")
        #expect(viewer.hear() == "item 3", "the old epoch's media goes nowhere")
    }

    @Test func aPublisherMayComeBack() throws {
        let crew = try Crew()
        let viewer = try crew.connect()
        do {
            let publisher = try crew.connect()
            #expect(publisher.ask("publish live/a") == "published 1")
            publisher.say("key 1")
            #expect(publisher.ask("echo done") == "done")
            #expect(viewer.ask("read live/a") == "subscribed 1")
            #expect(viewer.hear() == "item 1 (start)")
        }
        let again = try crew.connect()
        #expect(again.ask("publish live/a") == "published 2")
        again.say("key 2")
        #expect(viewer.hear() == "item 2 (epoch)")
    }

    @Test func keyRequestsOfManyAreOne() throws {
        let crew = try Crew()
        let publisher = try crew.connect()
        #expect(publisher.ask("publish live/a") == "published 1")
        publisher.say("key 1")
        #expect(publisher.ask("echo done") == "done")
        for _ in 0..<5 {
            let viewer = try crew.connect()
            #expect(viewer.ask("read live/a") == "subscribed 1")
            #expect(viewer.hear() == "item 1 (start)")
            viewer.say("wantkey")
            #expect(viewer.ask("echo done") == "done")
        }
        #expect(publisher.hear() == "keywanted")
        #expect(publisher.ask("echo done") == "done", "and no second one within 500 ms")
    }

    @Test func deadlinesComeWithoutTraffic() throws {
        let crew = try Crew()
        let line = try crew.connect()
        #expect(line.ask("timer 30") == "expired")
    }

    @Test func theLastWordsAreStillSent() throws {
        let crew = try Crew()
        let line = try crew.connect()
        line.say("big 2000")
        line.say("bye")
        #expect(line.hear(2000).count == 2000, "2 MB leave after the session has ended")
        #expect(line.hear() == nil)
    }

    @Test func badNamesAreRefused() throws {
        let crew = try Crew()
        let line = try crew.connect()
        #expect(line.ask("publish ../etc/passwd") == "refused publish badName")
        #expect(line.ask("publish api/x") == "refused publish badName")
    }

    @Test func whoSaysNothingIsSentAway() throws {
        var limits = WorkerLimits()
        limits.silence = .milliseconds(50)
        let crew = try Crew(limits: limits)
        let silent = try crew.connect()
        let speaking = try crew.connect()
        #expect(speaking.ask("echo hello") == "hello")
        #expect(silent.hear() == nil)
        #expect(speaking.ask("echo still here") == "still here")
    }

    @Test func aNetworkHasOnlySoManyNewcomers() throws {
        var limits = WorkerLimits()
        limits.newcomersPerNetwork = 3
        let crew = try Crew(limits: limits)
        let silent = try (0..<3).map { _ in try crew.connect() }
        #expect(try crew.connect().ask("echo me") == nil)
        silent[0].say("echo now I am somebody")
        #expect(silent[0].hear() == "now I am somebody")
        #expect(try crew.connect().ask("echo me") == "me")
    }

    @Test func stoppingEndsReadersAndThreads() throws {
        let crew = try Crew(workers: 2)
        let line = try crew.connect(to: 1)
        #expect(line.ask("echo hello") == "hello")
        crew.stop(after: .seconds(2))
        #expect(line.hear() == nil)
    }

    /// What came while its socket was full is not forgotten when nothing comes after it.
    @Test func aFullSocketThatHasRoomAgainGetsTheRest() throws {
        let crew = try Crew()
        let publisher = try crew.connect()
        #expect(publisher.ask("publish live/a") == "published 1")
        publisher.say("key start")
        #expect(publisher.ask("echo done") == "done")
        let viewer = try crew.connect()
        viewer.limitReceiveBuffer()
        #expect(viewer.ask("read live/a") == "subscribed 1")
        #expect(viewer.hear() == "item start (start)")
        let filler = String(repeating: "-", count: 1000)
        for portion in 0..<5 {
            // Less than an outbox takes at a time: only the socket holds it back.
            for number in 0..<50 { publisher.say("delta \(portion * 50 + number)\(filler)") }
            #expect(publisher.ask("echo done") == "done")
        }
        let heard = viewer.hear(250).map { $0.prefix { $0 != "-" } }
        #expect(heard == (0..<250).map { "item \($0)" })
    }
}
