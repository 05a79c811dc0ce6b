import Foundation
import Gateway
import Glibc
import System
import Testing
import Wire

/// A child that hangs is as bad as a dead one.
@Suite(.serialized) struct HeartbeatTests {
    @Test func theParentIsFasterThanTheWatchdogOfSystemd() {
        let usual = HeartbeatPlan(watchdog: nil)
        #expect(usual.patience == .seconds(10) && usual.interval == .seconds(2))
        let short = HeartbeatPlan(["WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"], pid: 7)
        #expect(short.patience == .milliseconds(1500) && short.interval == .milliseconds(300))
        #expect(HeartbeatPlan(["WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"], pid: 7) == usual)
        #expect(HeartbeatPlan(["WATCHDOG_USEC": "3000000"], pid: 7) == short)
        #expect(HeartbeatPlan(watchdog: .seconds(3600)) == usual)
        for text in ["", "0", "-1", "x", "99999999999999999999"] {
            #expect(HeartbeatPlan(["WATCHDOG_USEC": text], pid: 7) == usual)
        }
    }

    @Test func aChildThatHangsIsReplaced() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway(
                RunningGateway.anyPorts, in: folder, environment: ["WATCHDOG_USEC": "2000000"])
            _ = try gateway.line("serving, version")
            let first = try #require(gateway.children.first)
            kill(first, SIGSTOP)
            let stopped = Date()
            _ = try gateway.line("code=child-hung")
            let seconds = Date().timeIntervalSince(stopped)
            #expect(seconds > 0.7 && seconds < 2, "half of the watchdog's time: \(seconds) s")
            let line = try gateway.line("serving, version", number: 2)
            #expect(line.contains("restarts=1"))
            #expect(!RunningGateway.isAlive(first))
            let metrics = try HTTP.get("/metrics", port: gateway.port("admin"))
            #expect(metrics.contains("gateway_restarts_total 1\n"))
            gateway.send(SIGTERM)
            try gateway.endWell(deaths: 1)
        }
    }

    /// A machine that slept, a debugger: the beats that did not come were nobody's fault.
    @Test func aParentThatWasStoppedBlamesNobody() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway(
                RunningGateway.anyPorts, in: folder, environment: ["WATCHDOG_USEC": "2000000"])
            _ = try gateway.line("serving, version")
            let child = try #require(gateway.children.first)
            gateway.send(SIGSTOP)
            kill(child, SIGSTOP)
            usleep(2_500_000)
            gateway.send(SIGCONT)
            usleep(300_000)
            kill(child, SIGCONT)
            usleep(1_500_000)
            #expect(gateway.children == [child] && !gateway.text.contains("child-hung"))
            gateway.send(SIGTERM)
            try gateway.endWell()
        }
    }

    /// Its main thread may be well while a worker is not: then it says nothing to its parent.
    @Test func aWorkerThatDoesNotComeRoundIsNoticed() throws {
        let crew = try Crew(workers: 2)
        _ = crew.neighbours.areReading()
        let isWell = RunningGateway.until { crew.neighbours.areReading() }
        #expect(isWell)
        let nobody = try Neighbours(count: 2)
        #expect(nobody.areReading(), "nobody has been asked before")
        #expect(!nobody.areReading() && !nobody.areReading())
    }
}
