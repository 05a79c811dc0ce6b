import Gateway
import Testing
import Wire

/// A stream has one home; who publishes and who reads may be anywhere.
struct TwoWorkersTests {
    @Test func aViewerElsewhereReadsFromTheCachedKeyFrame() throws {
        let crew = try Crew(workers: 2)
        let publisher = try crew.connect(to: 0)
        #expect(publisher.ask("publish live/a") == "published 1")
        publisher.say("key 1")
        publisher.say("delta 2")
        #expect(publisher.ask("echo done") == "done")
        let viewer = try crew.connect(to: 1)
        #expect(viewer.ask("read live/a") == "subscribed 1")
        #expect(viewer.hear(2) == ["item 1 (start)", "item 2"])
        publisher.say("delta 3")
        #expect(viewer.hear() == "item 3")
    }

    @Test func aPublisherElsewhereFeedsTheHome() throws {
        let crew = try Crew(workers: 2)
        let viewer = try crew.connect(to: 0)
        viewer.say("read live/a 5000")
        #expect(viewer.ask("echo waiting") == "waiting", "worker 0 is the home now")
        let publisher = try crew.connect(to: 1)
        #expect(publisher.ask("publish live/a") == "published 1")
        publisher.say("key 1")
        publisher.say("delta 2")
        #expect(viewer.hear(3) == ["subscribed 1", "item 1 (start)", "item 2"])
        let third = try crew.connect(to: 1)
        #expect(third.ask("read live/a") == "subscribed 1")
        #expect(third.hear(2) == ["item 1 (start)", "item 2"], "fed to the home and relayed back")
    }

    @Test func viewersEverywhereStayWhileThePublisherMoves() throws {
        let crew = try Crew(workers: 2)
        let first = try crew.connect(to: 0)
        #expect(first.ask("publish live/a sesame") == "published 1")
        first.say("key 1")
        #expect(first.ask("echo done") == "done")
        let here = try crew.connect(to: 0)
        let there = try crew.connect(to: 1)
        #expect(here.ask("read live/a") == "subscribed 1")
        #expect(there.ask("read live/a") == "subscribed 1")
        #expect(here.hear() == "item 1 (start)")
        #expect(there.hear() == "item 1 (start)")
        let second = try crew.connect(to: 1)
        #expect(second.ask("publish live/a sesame") == "published 2")
        #expect(first.hear() == "ended replaced")
        second.say("key 2")
        #expect(here.hear() == "item 2 (epoch)")
        #expect(there.hear() == "item 2 (epoch)")
    }

    @Test func keyRequestsReachThePublisherOnce() throws {
        let crew = try Crew(workers: 3)
        let waiting = try crew.connect(to: 0)
        waiting.say("read live/a 5000")
        #expect(waiting.ask("echo waiting") == "waiting")
        let publisher = try crew.connect(to: 1)
        #expect(publisher.ask("publish live/a") == "published 1")
        publisher.say("key 1")
        #expect(waiting.hear(2) == ["subscribed 1", "item 1 (start)"])
        for worker in 0..<3 {
            let viewer = try crew.connect(to: worker)
            #expect(viewer.ask("read live/a") == "subscribed 1")
            #expect(viewer.hear() == "item 1 (start)")
            viewer.say("wantkey")
            #expect(viewer.ask("echo done") == "done")
        }
        #expect(publisher.hear() == "keywanted")
        #expect(publisher.ask("echo done") == "done")
    }

    @Test func aNameIsTakenWhereverItIsAskedFor() throws {
        let crew = try Crew(workers: 2)
        let publisher = try crew.connect(to: 0)
        #expect(publisher.ask("publish live/a") == "published 1")
        let other = try crew.connect(to: 1)
        #expect(other.ask("publish live/a") == "refused publish nameInUse")
        #expect(other.ask("read live/nothing") == "refused read notFound")
    }

    @Test func waitingElsewhereEndsWithPatience() throws {
        let crew = try Crew(workers: 2)
        let home = try crew.connect(to: 0)
        home.say("read live/a 3000")
        #expect(home.ask("echo waiting") == "waiting")
        let elsewhere = try crew.connect(to: 1)
        #expect(elsewhere.ask("read live/a 50") == "refused read timeout")
    }

    /// Everything through small rings and sockets, in order and whole.
    @Test(arguments: [(0, 1), (1, 0), (1, 1)])
    func thousandsOfFramesArriveInOrder(publisherAt: Int, viewerAt: Int) throws {
        let crew = try Crew(workers: 2)
        let waiting = try crew.connect(to: 0)
        waiting.say("read live/a 5000")
        #expect(waiting.ask("echo waiting") == "waiting")
        let publisher = try crew.connect(to: publisherAt)
        #expect(publisher.ask("publish live/a") == "published 1")
        publisher.say("key start")
        #expect(waiting.hear(2) == ["subscribed 1", "item start (start)"])
        let viewer = try crew.connect(to: viewerAt)
        #expect(viewer.ask("read live/a") == "subscribed 1")
        #expect(viewer.hear() == "item start (start)")
        let filler = String(repeating: "-", count: 1000)
        // In portions: a machine that is busy elsewhere must not make the viewer late.
        for portion in 0..<20 {
            let numbers = portion * 100..<(portion + 1) * 100
            for number in numbers { publisher.say("delta \(number)\(filler)") }
            let heard = viewer.hear(100).map { $0.prefix { $0 != "-" } }
            #expect(heard == numbers.map { "item \($0)" })
        }
    }

    @Test func aPublisherThatVanishesElsewhereIsMissed() throws {
        let crew = try Crew(workers: 2)
        let home = try crew.connect(to: 0)
        home.say("read live/a 5000")
        #expect(home.ask("echo waiting") == "waiting")
        do {
            let publisher = try crew.connect(to: 1)
            #expect(publisher.ask("publish live/a") == "published 1")
            publisher.say("key 1")
            #expect(home.hear(2) == ["subscribed 1", "item 1 (start)"])
        }
        // Its place is kept: the same name may be published again at once, by anybody allowed to.
        let again = try crew.connect(to: 0)
        var answer = again.ask("publish live/a")
        for _ in 0..<100 where answer != "published 2" { answer = again.ask("publish live/a") }
        #expect(answer == "published 2")
        again.say("key 2")
        #expect(home.hear() == "item 2 (epoch)")
    }

    /// What viewers of all workers use together reaches the publisher, wherever it is.
    @Test(arguments: [0, 1])
    func thePublisherHearsWhatAnybodyUses(publisherAt: Int) throws {
        let crew = try Crew(workers: 2)
        let here = try crew.connect(to: 0)
        here.say("read live/a 5000")
        #expect(here.ask("echo waiting") == "waiting", "worker 0 is the home")
        let publisher = try crew.connect(to: publisherAt)
        publisher.say("demands")
        #expect(publisher.ask("publish live/a") == "published 1")
        publisher.say("key 1")
        #expect(here.hear(2) == ["subscribed 1", "item 1 (start)"])
        let there = try crew.connect(to: 1)
        #expect(there.ask("read live/a") == "subscribed 1")
        #expect(there.hear() == "item 1 (start)")
        here.say("limit 200000 0")
        there.say("limit 300000 1")
        #expect(publisher.hears("demand 300000 1"))
        there.say("leave")
        #expect(publisher.hears("demand 200000 0"), "who has left needs nothing")
        here.say("limit 250000 0")
        #expect(publisher.hears("demand 250000 0"))
        #expect(there.ask("read live/a") == "subscribed 1")
        #expect(publisher.hears("demand all 255"), "one who has said nothing may need everything")
    }

    /// The home stops giving what is read elsewhere: those readers find what it gives now.
    @Test func viewersElsewhereFollowToAnotherCodec() throws {
        let crew = try Crew(workers: 2)
        let first = try crew.connect(to: 0)
        #expect(first.ask("publish live/a sesame") == "published 1")
        first.say("key 1")
        #expect(first.ask("echo done") == "done")
        let there = try crew.connect(to: 1)
        #expect(there.ask("read live/a") == "subscribed 1")
        #expect(there.hear() == "item 1 (start)")
        for (epoch, codec) in [(2, "h264"), (3, "vp8"), (4, "h264")] {
            let next = try crew.connect(to: epoch % 2)
            #expect(next.ask("publish live/a sesame \(codec)") == "published \(epoch)")
            next.say("key \(epoch)")
            next.say("echo done")
            #expect(next.hears("done"))
            #expect(there.hear()?.hasPrefix("item \(epoch)") == true)
            next.say("delta after \(epoch)")
            #expect(there.hear() == "item after \(epoch)")
        }
    }
}
