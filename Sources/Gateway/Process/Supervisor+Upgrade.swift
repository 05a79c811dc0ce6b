import Settings
import System
import Wire

// SIGUSR2: a new version takes over, on the same sockets and under the same process number.
//
// First the new version's child: until it serves, nothing has changed. Then the old child is told
// to end, and the supervisor puts the new version in its own place. A new version that cannot do
// its work is found out while the old one still serves.
extension Supervisor {
    func beginUpgrade() {
        guard successor == nil, predecessor == nil, current != nil else {
            let why = current == nil ? "nothing serves at the moment" : "another one is going on"
            return log.warning("no upgrade now: \(why)")
        }
        log.info("upgrading: starting \(launch.executable)")
        do throws(StartError) {
            successor = try startChild()
        } catch {
            log.error(code: "upgrade-failed", "\(error.lines); the old version goes on")
        }
    }

    /// The new version's child is gone before it served.
    func failUpgrade(_ exit: ChildProcess.Exit) {
        let goesOn = current == nil ? "" : "; the old one goes on"
        log.error(
            code: "upgrade-failed", "the serving process of the new version \(exit)\(goesOn)")
        if current == nil, nextStart == nil { nextStart = Clock.now }
    }

    /// It serves: the old one may go, and so do we.
    func handOver(to new: ServingChild) {
        let now = Clock.now
        successor = nil
        nextStart = nil
        predecessor = current
        predecessor?.leave(until: lastMoment(now))
        current = new
        let succession = Succession(
            serving: new.process.pid, leaving: predecessor?.process.pid ?? 0,
            restarts: policy.restarts)
        var bequest = listeners.bequest()
        standIn.bequeath(&bequest)
        bequest.add(Program.lastGood, lastGood)
        new.bequeath(&bequest)
        let error = ChildProcess.become(
            launch.executable, launch.run, environment: succession.environment, bequest: bequest)
        log.error(
            code: "upgrade-failed",
            "\(error): the new version serves, its supervisor is the old one")
    }
}
