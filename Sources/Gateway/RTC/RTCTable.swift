package import ICE
import Stream
import Wire

/// Bounds on WebRTC sessions, all of them settings (numbers.md "Bounds").
package struct RTCLimits: Equatable, Sendable {
    /// Publishers and viewers at a time.
    package var sessions = 10_000
    /// Answered, but not connected yet.
    package var waiting = 2_000
    package var waitingPerSource = 200

    package init() {}
}

/// An offer that has been answered, and whose peer has not come yet: all that a worker needs to
/// build the session when it does.
package struct WaitingOffer: Sendable {
    package var name: RTCSessionName
    package var negotiated: NegotiatedSession
    package var purpose: RTCPurpose
    /// Who asked over HTTP, and how: the gate judges these again when the session claims its name.
    package var request: GateRequest

    /// We begin the handshake, so we need not wait for the peer's first record.
    var startsHandshake: Bool { negotiated.dtls == .client }
}

/// The directory as plain data.
package struct RTCTable: Sendable {
    package enum Place: Equatable, Sendable { case waiting, at(worker: Int) }

    /// What a worker may do for a stranger that named this slot.
    enum Standing {
        case nobody
        /// Any worker answers; `ufrag` is ours, because slots are used again.
        case waiting(ufrag: String, startsHandshake: Bool)
        case at(worker: Int)
    }

    package struct Counts: Equatable, Sendable {
        package var sessions = 0
        package var waiting = 0
    }

    struct Entry {
        let name: RTCSessionName
        let source: Address
        var etag = ""
        /// What the peer calls itself now: other words in a PATCH are an ICE restart.
        var remote = ICECredentials(ufrag: "", password: "")
        var mid = ""
        /// What it publishes or plays.
        var stream = ""
        var kind = ""
        var restartedAt: Instant?
        var offer: WaitingOffer?
        var worker: Int?
    }

    var limits: RTCLimits
    private var entries: [Entry?] = []
    /// First in, first out: a slot rests before it is used again.
    private var free: [UInt32] = []
    private var freeStart = 0
    private var waitingBySource: [Address: Int] = [:]
    private(set) var counts = Counts()

    init(_ limits: RTCLimits) { self.limits = limits }

    mutating func reserve(
        for source: Address, random: (UInt64, UInt64)
    ) throws(Refusal) -> RTCSessionName {
        let network = Self.network(source)
        try check(network, source)
        let slot = takeSlot()
        let name = RTCSessionName(slot: slot, random: random)
        entries[Int(slot)] = Entry(name: name, source: network)
        counts.sessions += 1
        counts.waiting += 1
        waitingBySource[network, default: 0] += 1
        return name
    }

    private func check(_ network: Address, _ source: Address) throws(Refusal) {
        if counts.sessions >= limits.sessions {
            throw Refusal(
                .overloaded, "\(limits.sessions) sessions exist already: see limits.sessions")
        }
        if counts.waiting >= limits.waiting {
            throw Refusal(
                .overloaded,
                "\(limits.waiting) sessions wait for their peers: see limits.pending-sessions")
        }
        if waitingBySource[network, default: 0] >= limits.waitingPerSource {
            throw Refusal(
                .tooMany,
                "\(limits.waitingPerSource) sessions from \(source.ip) wait for their peers: see "
                    + "limits.pending-sessions-per-source")
        }
    }

    mutating func fill(_ name: RTCSessionName, _ offer: WaitingOffer) {
        guard isCurrent(name) else { return }
        let index = Int(name.slot)
        entries[index]?.offer = offer
        entries[index]?.remote = offer.negotiated.remote
        entries[index]?.mid = offer.negotiated.firstMid.mid
        entries[index]?.kind = offer.negotiated.firstMid.kind
        entries[index]?.stream = offer.purpose.streamName
    }

    func standing(of slot: UInt32) -> Standing {
        guard Int(slot) < entries.count, let entry = entries[Int(slot)] else { return .nobody }
        if let worker = entry.worker { return .at(worker: worker) }
        guard let offer = entry.offer else { return .nobody }
        return .waiting(
            ufrag: offer.negotiated.local.ufrag, startsHandshake: offer.startsHandshake)
    }

    mutating func claim(_ slot: UInt32, for worker: Int) -> WaitingOffer? {
        guard Int(slot) < entries.count, let entry = entries[Int(slot)],
            let offer = entry.offer
        else { return nil }
        entries[Int(slot)]?.offer = nil
        entries[Int(slot)]?.worker = worker
        noteNoLongerWaiting(entry)
        return offer
    }

    func find(_ name: RTCSessionName) -> Place? {
        guard isCurrent(name), let entry = entries[Int(name.slot)] else { return nil }
        return entry.worker.map { .at(worker: $0) } ?? .waiting
    }

    mutating func remove(_ name: RTCSessionName) -> Place? {
        guard let place = find(name), let entry = entries[Int(name.slot)] else { return nil }
        if place == .waiting { noteNoLongerWaiting(entry) }
        entries[Int(name.slot)] = nil
        counts.sessions -= 1
        free.append(name.slot)
        return place
    }

    mutating func expire(_ name: RTCSessionName) -> Bool {
        guard find(name) == .waiting else { return false }
        return remove(name) != nil
    }

    mutating func change<Result>(
        _ name: RTCSessionName, _ body: (inout Entry) -> Result
    ) -> Result? {
        guard isCurrent(name), var entry = entries[Int(name.slot)] else { return nil }
        let result = body(&entry)
        entries[Int(name.slot)] = entry
        return result
    }

    /// All of the name: the slot alone says nothing.
    private func isCurrent(_ name: RTCSessionName) -> Bool {
        Int(name.slot) < entries.count && entries[Int(name.slot)]?.name == name
    }

    private mutating func takeSlot() -> UInt32 {
        if freeStart < free.count {
            defer { compact() }
            freeStart += 1
            return free[freeStart - 1]
        }
        entries.append(nil)
        return UInt32(entries.count - 1)
    }

    private mutating func compact() {
        guard freeStart > 1024, freeStart > free.count / 2 else { return }
        free.removeFirst(freeStart)
        freeStart = 0
    }

    private mutating func noteNoLongerWaiting(_ entry: Entry) {
        counts.waiting -= 1
        let count = waitingBySource[entry.source, default: 0]
        waitingBySource[entry.source] = count > 1 ? count - 1 : nil
    }

    /// An address without its port; of IPv6 the 64 bits that one household has.
    private static func network(_ source: Address) -> Address {
        source.isIPv4
            ? source.with(port: 0) : Address(high: source.high, low: 0, port: 0)
    }
}

extension NegotiatedSession {
    /// The m-line that carries the transport for all, and its kind.
    var firstMid: (mid: String, kind: String) {
        if let video { return (video.mid, "video") }
        return (audio?.mid ?? "", "audio")
    }
}
