package import Media
package import Stream
package import Wire

/// When a viewer who is told at the start what will come may begin: players wait for ever for a
/// track that was promised, and ignore one that was not.
package struct OutletStart: Sendable {
    /// As long as a publisher has to name its tracks.
    private static let patience = Interval.milliseconds(2_500)

    private let output: Output
    private let giveUpAt: Instant
    private var snapshot: StreamSnapshot
    package private(set) var hasBegun = false
    private var hasWaited = false

    package init(_ snapshot: StreamSnapshot, to output: Output, at now: Instant) {
        self.snapshot = snapshot
        self.output = output
        giveUpAt = now + Self.patience
    }

    package mutating func update(_ snapshot: StreamSnapshot) { self.snapshot = snapshot }

    package var deadline: Instant { hasBegun || hasWaited ? .distantFuture : giveUpAt }

    /// It has waited long enough: whatever comes first begins it, and until then nothing is due. (A
    /// deadline that stays in the past would keep its worker awake.)
    package mutating func expire(at now: Instant) {
        if now >= giveUpAt { hasWaited = true }
    }

    /// - Returns: Whether to begin now, with these slots.
    package mutating func begin(_ present: [PresentSlot], at now: Instant) -> Bool {
        let isComplete =
            Self.slots.allSatisfy { slot in
                present.contains { $0.slot == slot } || !isDue(slot)
            }
        hasBegun = isComplete || now >= giveUpAt
        return hasBegun
    }

    private static let slots = [SlotName.video, .audio]

    /// Whether something is to be expected in a slot that is empty.
    private func isDue(_ slot: SlotName) -> Bool {
        guard let format = snapshot[slot]?.format else { return !snapshot.tracksComplete }
        if case .refused = Carriage(format.codec, to: output) { return false }
        return true
    }

    /// Why nothing of this stream can go out here; nil: something can, or may come.
    package static func refusal(_ snapshot: StreamSnapshot, to output: Output) -> Refusal? {
        let refusals = slots.compactMap { slot in
            snapshot[slot]?.format.map { Carriage.refusal($0.codec, to: output) }
        }
        guard !refusals.isEmpty, refusals.allSatisfy({ $0 != nil }) else { return nil }
        return refusals[0]
    }

    /// What viewers of this family read: sound that is none of these is made into one of them.
    package static func subscription(
        video: [Codec], audio: [Codec] = [.mp3, .aac], patience: Interval
    ) -> Subscription {
        Subscription(
            wants: [
                .init(slot: .video, codecs: video, form: .frames),
                .init(slot: .audio, codecs: audio, form: .frames),
            ], rule: .connection, patience: patience)
    }
}
