internal import CLinux
package import Wire

/// Names to addresses, for the whole process: asked on threads of its own, remembered for a while.
///
/// One question per name is on the way at a time, however many ask. A failure is remembered too,
/// longer each time: a thousand pulls of a dead camera must not become a thousand questions.
package final class Resolver: Sendable {
    package enum Answer: Equatable, Sendable {
        case addresses([Address])
        case failed(String)
    }

    package typealias Reply = @Sendable (Answer) -> Void

    /// getaddrinfo does not tell how long an answer holds; 30 s follow a moving camera closely.
    static let answerKept = Interval.seconds(30)
    static let failureKept = Interval.seconds(5)
    static let failureKeptMaximum = Interval.seconds(60)
    /// Names remembered: far above any configuration; peers can name hosts, too.
    static let namesMaximum = 1024
    /// Who waits for one name: beyond that something asks in a loop.
    static let waitersMaximum = 1000
    /// RFC 1035 §2.3.4.
    static let nameMaximum = 253

    private struct Entry {
        var answer: Answer?
        var expires = Instant.start
        /// How long the next failure is kept.
        var patience = Resolver.failureKept
        var waiters: [Reply] = []
        var isAsking = false
    }

    private let entries = Locked<[String: Entry]>([:])
    private let pool: WorkPool
    private let lookup: @Sendable (String) -> Answer
    private let now: @Sendable () -> Instant

    /// - Parameters:
    ///   - lookup: Blocks until it knows.
    ///   - now: The clock, which a test holds in its hand.
    package init(
        pool: WorkPool, lookup: @escaping @Sendable (String) -> Answer = Resolver.askSystem,
        now: @escaping @Sendable () -> Instant = { Clock.now }
    ) {
        self.pool = pool
        self.lookup = lookup
        self.now = now
    }

    /// Replies at once if it knows, else from a thread of its own: the reply must only post a
    /// letter. It may come late; whoever asked gives up by a deadline of its own.
    package func resolve(_ name: String, _ reply: @escaping Reply) {
        if let address = Address(ip: name) {
            reply(.addresses([address]))
            return
        }
        guard (1...Self.nameMaximum).contains(name.utf8.count) else {
            reply(.failed("\(name.utf8.count) bytes are no host name"))
            return
        }
        let time = now()
        let (answer, mustAsk) = entries.withLock { entries in
            Self.enter(name, reply, &entries, at: time)
        }
        if let answer { reply(answer) }
        guard mustAsk else { return }
        let isTaken = pool.submit { [weak self] in self?.ask(name) }
        if !isTaken { learn(name, .failed("too many names are being looked up")) }
    }

    private static func enter(
        _ name: String, _ reply: @escaping Reply, _ entries: inout [String: Entry], at now: Instant
    ) -> (answer: Answer?, mustAsk: Bool) {
        if entries[name] == nil, entries.count >= namesMaximum {
            entries = entries.filter { $0.value.isAsking || $0.value.expires > now }
            let oldest = entries.filter { !$0.value.isAsking }.min {
                $0.value.expires < $1.value.expires
            }
            if entries.count >= namesMaximum {
                guard let oldest else { return (.failed("too many names are in use"), false) }
                entries[oldest.key] = nil
            }
        }
        var entry = entries[name] ?? Entry()
        if let answer = entry.answer, now < entry.expires { return (answer, false) }
        guard entry.waiters.count < waitersMaximum else {
            return (.failed("too many wait for this name"), false)
        }
        entry.waiters.append(reply)
        let mustAsk = !entry.isAsking
        entry.isAsking = true
        entries[name] = entry
        return (nil, mustAsk)
    }

    private func ask(_ name: String) { learn(name, lookup(name)) }

    private func learn(_ name: String, _ answer: Answer) {
        let time = now()
        let waiters = entries.withLock { entries in
            var entry = entries[name] ?? Entry()
            entry.answer = answer
            entry.isAsking = false
            switch answer {
            case .addresses:
                entry.expires = time + Self.answerKept
                entry.patience = Self.failureKept
            case .failed:
                entry.expires = time + entry.patience
                entry.patience = min(entry.patience * 2, Self.failureKeptMaximum)
            }
            let waiters = entry.waiters
            entry.waiters = []
            entries[name] = entry
            return waiters
        }
        for reply in waiters { reply(answer) }
    }

    /// The host's own way: files, DNS, whatever nsswitch.conf says.
    package static func askSystem(_ name: String) -> Answer {
        // More addresses than anybody tries within the time there is.
        var found = [linux_address](repeating: linux_address(), count: 16)
        let count = unsafe found.withUnsafeMutableBufferPointer {
            unsafe linux_resolve(name, $0.baseAddress, CUnsignedInt($0.count))
        }
        guard count >= 0 else { return .failed(unsafe String(cString: linux_resolve_error(count))) }
        return .addresses(found.prefix(Int(count)).map { Address($0) })
    }
}
