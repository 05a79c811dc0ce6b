import Gateway
import Testing

struct WaitersTests {
    /// A thousand may wait for one name, wherever they landed; the next one is told so.
    @Test func theBoundHoldsOverAllWorkers() throws {
        var limits = WorkerLimits()
        limits.newcomersPerNetwork = 2000
        let crew = try Crew(workers: 2, limits: limits)
        let waiting = try (0..<1000).map { number in
            let viewer = try crew.connect(to: number % 2)
            viewer.say("read live/popular 9000")
            if number == 0 || number > 990 { _ = viewer.ask("echo there") }
            return viewer
        }
        // The last ones were heard of; those before them were sent before them.
        for viewer in waiting { _ = viewer.ask("echo there") }
        let late = try crew.connect(to: 1)
        #expect(late.ask("read live/popular 9000") == "refused read tooMany")
        #expect(late.ask("read live/other 10") == "refused read timeout")

        let publisher = try crew.connect(to: 0)
        #expect(publisher.ask("publish live/popular") == "published 1")
        publisher.say("key 1")
        var served = 0
        for viewer in waiting where viewer.hear(2) == ["subscribed 1", "item 1 (start)"] {
            served += 1
        }
        #expect(served == 1000, "released fifty a turn, all with the same picture")
        #expect(late.ask("read live/popular") == "subscribed 1")
    }

    /// Who leaves while waiting makes room for another.
    @Test func whoLeavesIsNotCounted() throws {
        let crew = try Crew()
        for _ in 0..<1100 {
            let viewer = try crew.connect()
            viewer.say("read live/a 9000")
            #expect(viewer.ask("echo there") == "there")
        }
        let last = try crew.connect()
        last.say("read live/a 9000")
        #expect(last.ask("echo waits") == "waits")
    }
}
