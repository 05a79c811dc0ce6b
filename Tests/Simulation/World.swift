package import Wire

/// A clock that a test holds in its hand: it jumps from event to event and never back.
package struct VirtualClock: Sendable {
    package private(set) var now: Instant

    package init(at start: Instant = .start) { now = start }

    package mutating func jump(to instant: Instant) {
        precondition(instant >= now, "a clock does not run backwards")
        now = instant
    }
}

/// Machines and links as one program: whatever is due first happens first.
///
/// A test implements it with its sessions and links; `run` does the stepping. A run costs what its
/// events cost, and the same seeds give the same story.
package protocol World {
    /// When something happens next: the earliest arrival, deadline or action; nil: never again.
    var nextEvent: Instant? { get }
    /// Does all that is due.
    mutating func step(at now: Instant)
}

extension World {
    /// Steps until `end`, or until nothing is left to happen.
    ///
    /// - Returns: The time it ended at, and the number of steps.
    /// - Parameter stepMaximum: A world that never comes to rest is a finding, not a hang.
    @discardableResult
    package mutating func run(
        until end: Instant, from start: Instant = .start, stepMaximum: Int = 1_000_000
    ) -> (now: Instant, steps: Int) {
        var clock = VirtualClock(at: start)
        var steps = 0
        while let next = nextEvent, next <= end {
            guard steps < stepMaximum else {
                preconditionFailure("\(stepMaximum) steps by \(clock.now): the world spins")
            }
            clock.jump(to: max(clock.now, next))
            step(at: clock.now)
            steps += 1
        }
        return (clock.now, steps)
    }
}

/// A client behind a translator that forgets: its messages come from another port, or another
/// address, from some moment on (a phone that changes networks).
package struct Rebinding: Sendable {
    private var current: Address
    private var changes: [(at: Instant, address: Address)]

    package init(_ first: Address, _ changes: [(at: Instant, address: Address)]) {
        current = first
        self.changes = changes.sorted { $0.at < $1.at }
    }

    /// The address that what is sent now seems to come from.
    package mutating func address(at now: Instant) -> Address {
        while let next = changes.first, next.at <= now {
            current = next.address
            changes.removeFirst()
        }
        return current
    }

    package var nextChange: Instant? { changes.first?.at }
}
