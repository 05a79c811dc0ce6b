package import Stream
import System

/// Who has which name, for all workers: a lock around plain data, taken when somebody joins or a
/// stream changes, never for a packet.
package final class Hub: Sendable {
    private let registry: Locked<Registry>
    /// What is cut for HLS.
    let hls = HLSDirectory()

    package init(_ limits: Registry.Limits = Registry.Limits()) {
        registry = Locked(Registry(limits))
    }

    /// The home of a name; if it has none, the worker that asks becomes it.
    func claim(_ name: String, for worker: Int) throws(Refusal) -> Registry.Claim {
        try registry.withLock { (registry) throws(Refusal) in
            try registry.claim(name, for: worker)
        }
    }

    func entry(_ name: String) -> Registry.Entry? { registry.withLock { $0[name] } }

    /// What the home says of its stream now.
    ///
    /// - Returns: The other workers that want to know.
    func update(_ snapshot: StreamSnapshot, from worker: Int) -> [Int] {
        let bits = registry.withLock { $0.update(snapshot, from: worker) }
        return (0..<64).filter { bits & (1 << UInt64($0)) != 0 }
    }

    func setInterest(_ name: String, of worker: Int, _ isInterested: Bool) {
        registry.withLock { $0.setInterest(name, of: worker, isInterested) }
    }

    /// - Returns: False if somebody elsewhere still wants it: the home keeps it.
    func release(_ name: String, from worker: Int) -> Bool {
        registry.withLock { $0.release(name, from: worker) }
    }

    /// One more waits for a publisher of the name, at whichever worker.
    ///
    /// - Returns: False when as many wait already as may.
    func admitWaiter(_ name: String) -> Bool { registry.withLock { $0.admitWaiter(name) } }

    func waiterLeft(_ name: String) { registry.withLock { $0.waiterLeft(name) } }

    /// All streams, sorted by name.
    package var snapshots: [StreamSnapshot] {
        registry.withLock { registry in registry.names.compactMap { registry[$0]?.snapshot } }
    }
}
