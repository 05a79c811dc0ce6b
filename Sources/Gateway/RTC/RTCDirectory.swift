import Stream
import System
import Wire

/// Where each WebRTC session is: waiting for its peer, or at a worker. Shared by all workers; asked
/// at joins and changes, never for a packet of a peer that has been found.
package final class RTCDirectory: Sendable {
    private let table: Locked<RTCTable>

    package init(_ limits: RTCLimits = RTCLimits()) { table = Locked(RTCTable(limits)) }

    /// A place for an offer that is being answered. It must be filled or removed.
    func reserve(
        for source: Address, random: (UInt64, UInt64)
    ) throws(Refusal) -> RTCSessionName {
        try table.withLock { (table) throws(Refusal) in
            try table.reserve(for: source, random: random)
        }
    }

    func fill(_ name: RTCSessionName, _ offer: WaitingOffer) {
        table.withLock { $0.fill(name, offer) }
    }

    /// What an authentic stranger is to be told about a slot.
    func standing(of slot: UInt32) -> RTCTable.Standing { table.withLock { $0.standing(of: slot) } }

    /// The session is built here: nobody else builds it.
    ///
    /// - Returns: nil if it is gone, or somebody was faster.
    func claim(_ slot: UInt32, for worker: Int) -> WaitingOffer? {
        table.withLock { $0.claim(slot, for: worker) }
    }

    func find(_ name: RTCSessionName) -> RTCTable.Place? { table.withLock { $0.find(name) } }

    @discardableResult
    func remove(_ name: RTCSessionName) -> RTCTable.Place? {
        table.withLock { $0.remove(name) }
    }

    /// Removes it if its peer has not come: the time is over.
    func expire(_ name: RTCSessionName) -> Bool { table.withLock { $0.expire(name) } }

    func change<Result: Sendable>(
        _ name: RTCSessionName, _ body: @Sendable (inout RTCTable.Entry) -> Result
    ) -> Result? { table.withLock { $0.change(name, body) } }

    func note(_ name: RTCSessionName, stream: String) {
        table.withLock { $0.change(name) { $0.stream = stream } }
    }

    package func set(_ limits: RTCLimits) { table.withLock { $0.limits = limits } }

    package var counts: RTCTable.Counts { table.withLock { $0.counts } }
}
