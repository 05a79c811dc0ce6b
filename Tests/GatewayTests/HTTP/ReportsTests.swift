import Browser
import ICE
import Media
import Stream
import Testing
import Wire

@testable import Gateway

/// Who publishes and plays, as the API tells it, and how it ends one of them.
@Suite(.serialized) struct ReportsTests {
    @Test func aPublisherIsListedAndEnded() throws {
        let crew = try RTCCrew(workers: 2)
        defer { crew.stop() }
        let browser = try crew.browser(.publish, "live/a", at: 0, via: [1])
        let isConnected = try browser.run { browser.isConnected }
        try #require(isConnected)
        try browser.run(.milliseconds(300), media: true) { false }
        let reports = try #require(crew.crew.ask(1) { $0.sessionReports })
        let report = try #require(reports.first)
        #expect(reports.count == 1)
        #expect(report.role == .publish)
        #expect(report.stream == "live/a")
        #expect(report.protocolName == "whip")
        #expect(report.id.utf8.count == 8)
        let streams = try #require(crew.crew.ask(1) { $0.streamReports })
        #expect(streams.first?.home?.snapshot.isLive == true)
        #expect(streams.first?.home?.tracks.first?.format.codec == .vp8)
        _ = crew.crew.ask(0) { $0.kick(report.id) }
        #expect(crew.directory.counts.sessions == 1, "it is not there")
        _ = crew.crew.ask(1) { $0.kick(report.id) }
        #expect(crew.directory.counts.sessions == 0)
        #expect(try #require(crew.crew.ask(1) { $0.sessionReports }).isEmpty)
    }
}
