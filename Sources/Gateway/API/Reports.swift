package import ICE
package import SRTPort
import Stream
import System
package import Wire

/// What a worker says of one stream: how many read it here and, from its home, the rest.
package struct StreamReport: Sendable {
    package var name: String
    /// By protocol.
    package var viewers: [String: Int]
    package var home: Home?

    var viewerCount: Int { viewers.values.reduce(0, +) }

    package struct Home: Sendable {
        var snapshot: StreamSnapshot
        var uptime: Interval?
        var tracks: [TrackFigures]
        var conversions: [ConversionReport]
    }
}

/// Something that a peer publishes or reads.
package struct SessionReport: Sendable {
    package enum Role: String, Sendable { case publish, read }

    /// Enough to tell sessions apart and to end one by the API; no key to anything.
    package var id: String
    package var worker: Int
    package var role: Role
    package var protocolName: String
    package var stream: String
    package var peer: Address
    package var uptime: Interval
    /// WebRTC and SRT only.
    package var roundTrip: Interval?
    package var viewer: ViewerReport?
    package var srt: SRTFigures?
}

extension Worker {
    /// All who publish or read here.
    func forEachParticipant(_ body: (Participant) -> Void) {
        connections.forEach(body)
        rtc?.peers.forEach(body)
        gb?.sessions.values.forEach(body)
    }

    var sessionReports: [SessionReport] {
        var reports: [SessionReport] = []
        forEachParticipant { reports += $0.reports(at: self) }
        return reports
    }

    var streamReports: [StreamReport] {
        streams.values.map { local in
            StreamReport(
                name: local.name, viewers: local.viewers,
                home: local.stream.map { stream in
                    StreamReport.Home(
                        snapshot: stream.snapshot(at: now),
                        uptime: stream.liveSince.map { now - $0 },
                        tracks: stream.trackFigures(at: now),
                        conversions: local.transcodings.map { $0.report(at: now) })
                })
        }
    }

    /// Ends the session with this id, if it is here.
    func kick(_ id: String) {
        var found: Participant?
        forEachParticipant { participant in
            if participant.reports(at: self).contains(where: { $0.id == id }) {
                found = participant
            }
        }
        guard let found else { return }
        log.info("\(found.service) \(found.peer): ended by the API", ["session": id])
        found.dismiss(.kicked, at: self)
    }
}
