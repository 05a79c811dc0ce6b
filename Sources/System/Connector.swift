package import Wire

/// The only way out: resolves a name, judges the addresses, connects to the first that answers.
///
/// One per worker. The worker passes it the events with its tag, calls `advance` each turn and when
/// `deadline` has passed, and takes what is finished with `next`.
package struct Connector: ~Copyable {
    package enum Transport: Sendable {
        case tcp
        /// Nothing is connected: the result is the address.
        case udp
    }

    package struct Target: Sendable {
        package var host: String
        package var port: UInt16
        package var transport: Transport

        package init(host: String, port: UInt16, transport: Transport = .tcp) {
            self.host = host
            self.port = port
            self.transport = transport
        }
    }

    package enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        case name(String, reason: String)
        /// Every address is one that we may not connect to: the first of them.
        case forbidden(Address, AddressClass)
        case unreachable(Address, code: CInt)
        case silent(Address)
        case tooMany

        package var description: String {
            switch self {
            case .name(let name, let reason): "look up \(name): \(reason)"
            case .forbidden(let address, let kind):
                "connect to \(address): \(kind) addresses are not allowed here"
            case .unreachable(let address, let code):
                SystemError(doing: "connect to \(address)", code: code).description
            case .silent(let address): "connect to \(address): no answer"
            case .tooMany: "too many connections are being opened"
            }
        }
    }

    /// Names one attempt.
    package struct Ticket: Hashable, Sendable { let number: Int }

    /// How an attempt ended.
    package struct Finished: ~Copyable {
        package let ticket: Ticket
        package let result: Result<Address, Failure>
        /// Connected, and in no poller. `nil` for UDP and failures.
        package let socket: TCPSocket?
        package consuming func takeSocket() -> TCPSocket? { socket }
    }

    static let lookupPatience = Interval.seconds(3)
    /// For one address; then the next.
    static let connectPatience = Interval.seconds(2)
    /// For all of them together.
    static let patience = Interval.seconds(10)
    /// Attempts at a time: all cameras of a large site after a power cut.
    static let attemptsMaximum = 4096

    private final class Attempt {
        let ticket: Ticket
        let target: Target
        let rule: OutboundRule
        let giveUpAt: Instant
        var deadline: Instant
        var addresses: ArraySlice<Address> = []
        var current: Address?
        var socket: TCPSocket?
        var registration: Poller.Registration?
        var failure: Failure?

        init(_ ticket: Ticket, _ target: Target, _ rule: OutboundRule, at now: Instant) {
            self.ticket = ticket
            self.target = target
            self.rule = rule
            giveUpAt = now + Connector.patience
            deadline = now + Connector.lookupPatience
        }
    }

    private struct Resolved: Sendable {
        var ticket: Ticket
        var answer: Resolver.Answer
    }

    private let resolver: Resolver
    private let letters: Mailbox<Resolved>
    private let tag: Int
    private var collected: [Resolved] = []
    private var attempts: [Ticket: Attempt] = [:]
    private var finished: [Attempt] = []
    private var lastNumber = 0

    /// - Parameters:
    ///   - bell: The worker's: answers of the resolver ring it.
    ///   - tag: What the connector's events carry in the worker's poller.
    package init(resolver: Resolver, bell: Bell, tag: Int) {
        self.resolver = resolver
        self.tag = tag
        letters = Mailbox(bell: bell)
    }

    /// Begins an attempt. It always ends, in 10 s at most, unless it is cancelled.
    package mutating func connect(
        to target: Target, allowedBy rule: OutboundRule, at now: Instant
    ) -> Ticket {
        lastNumber += 1
        let ticket = Ticket(number: lastNumber)
        let attempt = Attempt(ticket, target, rule, at: now)
        guard attempts.count < Self.attemptsMaximum else {
            attempt.failure = .tooMany
            finished.append(attempt)
            return ticket
        }
        attempts[ticket] = attempt
        let letters = letters
        resolver.resolve(target.host) { letters.post(Resolved(ticket: ticket, answer: $0)) }
        return ticket
    }

    package mutating func cancel(_ ticket: Ticket, in poller: inout Poller) {
        guard let attempt = attempts.removeValue(forKey: ticket) else { return }
        Self.close(attempt, &poller)
    }

    /// When to call `advance` even if nothing happens.
    package var deadline: Instant {
        attempts.values.map(\.deadline).min() ?? .distantFuture
    }

    /// Takes the answers that have come, and gives up what has taken too long.
    package mutating func advance(at now: Instant, in poller: inout Poller) {
        letters.collect(into: &collected)
        for letter in collected {
            guard let attempt = attempts[letter.ticket] else { continue }
            take(letter.answer, attempt, at: now, &poller)
        }
        collected.removeAll(keepingCapacity: true)
        for attempt in Array(attempts.values) where attempt.deadline <= now {
            if let address = attempt.current {
                attempt.failure = .silent(address)
                tryNext(attempt, at: now, &poller)
            } else {
                fail(attempt, .name(attempt.target.host, reason: "no answer"), &poller)
            }
        }
    }

    /// An event with our tag: a connection is made, or refused.
    package mutating func receive(
        _ event: Poller.Event, at now: Instant, in poller: inout Poller
    ) {
        let found = attempts.values.first { $0.registration == event.registration }
        guard let attempt = found, let address = attempt.current else { return }
        if let error = attempt.socket?.error("connect to \(address)") {
            attempt.failure = .unreachable(address, code: error.code)
            tryNext(attempt, at: now, &poller)
        } else if event.isWritable {
            attempt.failure = nil
            finish(attempt, &poller)
        }
    }

    /// The next attempt that has ended.
    package mutating func next() -> Finished? {
        guard !finished.isEmpty else { return nil }
        let attempt = finished.removeFirst()
        let address = attempt.current ?? .any(port: attempt.target.port)
        return Finished(
            ticket: attempt.ticket,
            result: attempt.failure.map { .failure($0) } ?? .success(address),
            socket: attempt.socket.take())
    }

    private mutating func take(
        _ answer: Resolver.Answer, _ attempt: Attempt, at now: Instant, _ poller: inout Poller
    ) {
        let host = attempt.target.host
        switch answer {
        case .failed(let reason): fail(attempt, .name(host, reason: reason), &poller)
        case .addresses(let all):
            let named = all.map { $0.with(port: attempt.target.port) }
            attempt.addresses = named.filter { attempt.rule.allows($0) }[...]
            guard let first = named.first else {
                fail(attempt, .name(host, reason: "it has no address"), &poller)
                return
            }
            attempt.failure = .forbidden(first, first.kind)
            tryNext(attempt, at: now, &poller)
        }
    }

    /// Goes on with the next address; at the end the last failure is the answer.
    private mutating func tryNext(_ attempt: Attempt, at now: Instant, _ poller: inout Poller) {
        Self.close(attempt, &poller)
        while now < attempt.giveUpAt, let address = attempt.addresses.popFirst() {
            attempt.current = address
            if attempt.target.transport == .udp {
                attempt.failure = nil
                break
            }
            do {
                let socket = try TCPSocket(connectingTo: address)
                attempt.registration = try poller.add(socket, .write, tag: tag)
                attempt.socket = consume socket
                attempt.deadline = min(now + Self.connectPatience, attempt.giveUpAt)
                return
            } catch {
                attempt.failure = .unreachable(address, code: error.code)
            }
        }
        finish(attempt, &poller)
    }

    private mutating func fail(_ attempt: Attempt, _ failure: Failure, _ poller: inout Poller) {
        Self.close(attempt, &poller)
        attempt.failure = failure
        finish(attempt, &poller)
    }

    private mutating func finish(_ attempt: Attempt, _ poller: inout Poller) {
        attempts[attempt.ticket] = nil
        if let registration = attempt.registration.take() { poller.remove(registration) }
        finished.append(attempt)
    }

    private static func close(_ attempt: Attempt, _ poller: inout Poller) {
        if let registration = attempt.registration.take() { poller.remove(registration) }
        attempt.socket = nil
    }
}
