import Gateway
import Settings
import Stream
import Testing

struct WorkerReloadTests {
    @Test func aReloadTouchesNothingThatRuns() throws {
        let crew = try Crew(workers: 2)
        let publisher = try crew.connect(to: 0)
        #expect(publisher.ask("publish live/a sesame") == "published 1")
        publisher.say("key 1")
        #expect(publisher.ask("echo done") == "done")
        let viewer = try crew.connect(to: 1)
        #expect(viewer.ask("read live/a") == "subscribed 1")
        #expect(viewer.hear() == "item 1 (start)")
        crew.neighbours.postToAll(
            .settings(
                WorkerSettings(
                    gate: Gate(publishKey: Secret("other"), loopback: .key),
                    rules: { _ in .init() })))
        publisher.say("delta 2")
        #expect(viewer.hear() == "item 2")
        let late = try crew.connect(to: 0)
        #expect(late.ask("publish live/b sesame") == "refused publish unauthenticated")
        #expect(late.ask("publish live/b") == "refused publish unauthenticated")
        #expect(late.ask("publish live/b other") == "published 1")
    }
}
