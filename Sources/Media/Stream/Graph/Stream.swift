import Media
package import Wire

/// A durable name with slots. It outlives its publishers: viewers read its renditions while
/// publishers come, leave, return and are replaced.
///
///     publisher ── publish ──▶ epoch ── store ──▶ given rendition ──▶ derived renditions
///     viewer    ── open ─────▶ Rendition, and a Cursor of its own in it
///
/// It is pure: told the time, it writes what it wants done into `Orders`. It lives at its home
/// worker; elsewhere a `RelayReader` fills the same renditions from the ring.
package final class Stream {
    package let name: String
    let memory: MediaMemory
    var rules: StreamRules
    var slots: [Slot] = []
    /// Parents before children: in this order one pass carries an item all the way.
    var derivations: [Derivation] = []
    var source: Source?
    var lastEpoch: Epoch
    var waiters = Waiters()
    /// The publisher has gone; until then its place is kept.
    var graceUntil: Instant?
    var stopSourceAt: Instant?
    var sourceIsWanted = false
    var wasReady = false
    var dirty = false
    var tally = Figures()

    package struct Figures: Equatable, Sendable {
        /// Items and changes that named an epoch that is over.
        package var stale: UInt64 = 0
        package var takenOver: UInt64 = 0
        package var keyRequests: UInt64 = 0
        /// Items for a slot or layer that nobody announced.
        package var unannounced: UInt64 = 0
    }

    /// - Parameter lastEpoch: What the name's epochs have reached in an earlier life, so that a
    ///   letter from then cannot be taken for one of now.
    package init(
        name: String, rules: StreamRules, memory: MediaMemory, lastEpoch: Epoch = 0
    ) {
        self.name = name
        self.rules = rules
        self.memory = memory
        self.lastEpoch = lastEpoch
    }

    package var figures: Figures { tally }
    /// The present publisher's incarnation; nil: there is none.
    package var epoch: Epoch? { source?.epoch }
    /// The newest incarnation so far.
    package var newestEpoch: Epoch { lastEpoch }
    package var publication: Publication? { source?.publication }
    package var isLive: Bool { source != nil }
    /// Viewers and relays. What is made of a rendition reads it too, for a while after its own last
    /// reader, and keeps no source running.
    package var readerCount: Int {
        slots.reduce(-derivations.count) {
            $0 + $1.renditions.reduce(0) { $0 + $1.readerCount }
        }
    }

    /// Somebody reads it, or waits for it.
    package var isWanted: Bool { !waiters.isEmpty || readerCount > 0 }

    /// Something was stored since the last call: its viewers have something to read.
    package func takeDirty() -> Bool {
        defer { dirty = false }
        return dirty
    }

    /// All announced slots have media, or two seconds have passed since the first.
    package func isReady(at now: Instant) -> Bool {
        guard let source, let first = source.firstMedia else { return false }
        if now - first >= rules.readyAfter { return true }
        return slots.allSatisfy { $0.announced == nil || $0.hasMedia }
    }

    package func snapshot(at now: Instant) -> StreamSnapshot {
        var snapshot = StreamSnapshot(name: name)
        snapshot.epoch = lastEpoch
        snapshot.isLive = isLive
        snapshot.isReady = isReady(at: now)
        snapshot.tracksComplete = source?.publication.tracksComplete ?? false
        snapshot.answersPLI = source?.publication.answersPLI ?? false
        snapshot.protocolName = source?.publication.protocolName ?? ""
        snapshot.principal = source?.isSilent == true ? nil : source?.publication.principal
        snapshot.slots = slots.map { slot in
            var state = StreamSnapshot.SlotState(
                slot: slot.name,
                format: slot.announced.map { slot.given?.format(at: now) ?? $0.format },
                form: slot.announced?.form ?? .frames, rids: slot.announced?.rids ?? [])
            state.advice = slot.advice
            return state
        }
        return snapshot
    }

    func slotIndex(_ name: SlotName) -> Int? { slots.firstIndex { $0.name == name } }
}
