import Crypto
import ICE
import Stream
import System
import Wire

/// What one worker keeps for WebRTC. It is made with the worker and lives on its thread.
final class RTCDesk {
    let directory: RTCDirectory
    let context: DTLSContext
    var settings: RTCSettings
    var tickets: TicketKeys
    var engine: CryptoEngine
    /// For all that must not be guessed: names, tickets, secrets of sessions.
    var dice = SystemRandomNumberGenerator()
    /// Offers answered here whose peers have not come, the oldest first.
    private var waiting: [(name: RTCSessionName, until: Instant)] = []

    init(_ plan: RTCPlan) throws(WorkerStartError) {
        directory = plan.directory
        settings = plan.settings
        tickets = TicketKeys(secret: plan.ticketSecret.raw)
        do throws(TLSError) { context = try DTLSContext(certificate: plan.certificate) } catch {
            throw WorkerStartError("\(error)")
        }
        do throws(CryptoEngineError) { engine = try CryptoEngine.make(plan.engine) } catch {
            throw WorkerStartError("\(error)")
        }
    }

    /// Our credentials for a session: whoever shows them later is recognised by any worker.
    func issue(_ slot: UInt32, worker: Int, at now: Instant) -> ICECredentials {
        let end = (now + LiteAgent.connectLimit).nanoseconds / 1_000_000_000 + 1
        let ticket = Ticket(
            slot: slot, worker: UInt8(worker), expires: UInt32(truncatingIfNeeded: end))
        return tickets.issue(ticket, random: dice.next())
    }

    /// Names the present credentials of a session, in quotes.
    func newETag() -> String { "\"\(String(dice.next(), radix: 36))\"" }

    func waitFor(_ name: RTCSessionName, until end: Instant) { waiting.append((name, end)) }

    /// When the oldest offer is over.
    var nextOfferEnd: Instant { waiting.first?.until ?? .distantFuture }

    /// - Returns: How many peers never came.
    func expireOffers(at now: Instant) -> Int {
        var count = 0
        var lost = 0
        while count < waiting.count, waiting[count].until <= now {
            if directory.expire(waiting[count].name) { lost += 1 }
            count += 1
        }
        waiting.removeFirst(count)
        return lost
    }
}
