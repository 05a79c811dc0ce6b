import CCryptoShims
import COpenSSL
package import Wire

/// What a call of a `DTLSSession` produced.
package struct DTLSOutput: Equatable, Sendable {
    /// To the peer, on the path that the last datagram came from.
    package var datagrams = DatagramList()
    /// Application data from the peer: SCTP packets.
    package var messages = DatagramList()

    package init() {}
}

/// One DTLS 1.2 session without its socket: the handshake that gives SRTP its keys, and then the
/// tunnel of the data channels.
///
///     handshaking ──▶ open ──▶ closed(closeNotify)
///          └────────────┴────▶ closed(…)
///
/// ICE has proved the peer's address before, so there is no cookie. OpenSSL has no clock here: the
/// session keeps the datagrams of its last flight and repeats them at its own deadlines.
package final class DTLSSession {
    package enum Role: Sendable { case client, server }

    package enum State: Equatable, Sendable {
        case handshaking
        case open
        case closed(End)
    }

    package enum End: Equatable, Sendable {
        case closeNotify
        case timeout
        /// The certificate is not the one of the SDP.
        case fingerprint
        /// No protection profile in common.
        case profile
        case failed(String)
    }

    /// The first repeat, as Chrome does it; each next one waits twice as long, up to a second.
    static let firstRepeat = Interval.milliseconds(50)
    static let longestRepeat = Interval.seconds(1)
    package static let handshakeMaximum = Interval.seconds(10)
    /// A repeat of the peer is answered by one of ours, but a network that doubles everything is
    /// not.
    static let repeatGap = Interval.milliseconds(10)
    /// OpenSSL gives up a flight after 12 repeats of its own; from then on ours are copies.
    static let renewalsMaximum = 10
    /// The datagram less the record's header, nonce and tag.
    package static let messageMaximum = DTLSContext.mtu - 13 - 8 - 16

    private let context: DTLSContext
    private let role: Role
    private let expected: ExpectedPeer
    private var connection: SSLConnection?
    private var place: HandshakePlace?
    /// Once the state of OpenSSL was given back.
    private var farewell: DTLSFarewell?
    private var sieve = DTLSGuard()

    private var flight = DatagramList()
    private var repeatAt: Instant?
    private var repeatAfter = firstRepeat
    private var repeatedAt: Instant?
    private var renewals = 0
    private let endAt: Instant

    package private(set) var state = State.handshaking
    private var keys: SRTPKeys?

    /// - Parameter fingerprints: Of the peer's certificate, from its SDP. One must be right.
    package init(
        _ role: Role, context: DTLSContext, peer fingerprints: [Fingerprint], at now: Instant
    ) {
        self.role = role
        self.context = context
        expected = ExpectedPeer(fingerprints)
        endAt = now + Self.handshakeMaximum
    }

    /// When `expire` is to be called.
    package var deadline: Instant? {
        state == .handshaking ? min(repeatAt ?? endAt, endAt) : nil
    }

    /// The keys of the handshake, once: they are not kept where they are not needed.
    package func takeKeys() -> SRTPKeys? {
        defer { keys = nil }
        return keys
    }

    /// A client speaks first.
    package func start(at now: Instant, into output: inout DTLSOutput) {
        precondition(role == .client, "a server waits for the client's hello")
        connect()
        _ = advance(at: now, into: &output)
    }

    /// A datagram came from the peer.
    ///
    /// - Returns: Whether keys were made or signatures checked: about half a millisecond. The
    ///   worker counts these and lets others wait for the next turn.
    package func receive(
        _ datagram: RawSpan, at now: Instant, into output: inout DTLSOutput
    ) -> Bool {
        guard !isClosed else { return false }
        guard farewell == nil else {
            if farewell?.isSaid(by: datagram) == true { close(into: &output) }
            return false
        }
        var records: [UInt8] = []
        let isRepeat = sieve.filter(datagram, isOpen: state == .open, into: &records)
        // Whoever has not sent part of a hello costs nothing: OpenSSL's state is 50 KiB.
        if connection == nil, role == .server, !records.isEmpty { connect() }
        guard let connection else { return false }
        var worked = false
        let before = output.datagrams.count
        if !records.isEmpty {
            worked = connection.withInput(records.raw) {
                let worked = state == .handshaking && advance(at: now, into: &output)
                if state == .open { read(into: &output) }
                return worked
            }
        }
        // OpenSSL itself answers a Finished that comes again; once is enough.
        if isRepeat && output.datagrams.count == before { answerRepeat(at: now, into: &output) }
        return worked
    }

    /// The deadline has passed.
    package func expire(at now: Instant, into output: inout DTLSOutput) {
        guard state == .handshaking else { return }
        guard now < endAt else {
            close(.timeout)
            return
        }
        guard let due = repeatAt, due <= now else { return }
        repeatAfter = min(repeatAfter * 2, Self.longestRepeat)
        repeatAt = now + repeatAfter
        repeatFlight(at: now, into: &output)
    }

    /// Sends application data. `false`: not open, or larger than a datagram can carry.
    package func send(_ message: RawSpan, into output: inout DTLSOutput) -> Bool {
        guard state == .open, let connection, message.byteCount <= Self.messageMaximum else {
            return false
        }
        let outcome = connection.withBuffers { connection.write(message) }
        context.memory.drain(into: &output.datagrams)
        return outcome == .done
    }

    /// Tells the peer that the session ends: browsers notice at once.
    package func close(into output: inout DTLSOutput) {
        if state == .open, let connection {
            connection.withBuffers { connection.shutdown() }
            context.memory.drain(into: &output.datagrams)
        }
        farewell?.write(into: &output.datagrams)
        close(.closeNotify)
    }

    /// Gives back what OpenSSL keeps for a session, but for what a close_notify needs.
    ///
    /// For sessions without data channels, when the peer's first SRTP packet has shown that it has
    /// the keys.
    package func release() {
        precondition(state != .handshaking, "the handshake needs its memory")
        if let connection { farewell = DTLSFarewell(connection, isServer: role == .server) }
        forget()
    }

    package var isReleased: Bool { state == .open && connection == nil }

    private func forget() {
        connection = nil
        place = nil
        flight = DatagramList()
    }
}

/// The handshake.
extension DTLSSession {
    private var isClosed: Bool { if case .closed = state { true } else { false } }

    private func connect() {
        if role == .server {
            guard let place = HandshakePlace(context) else { return }
            self.place = place
        }
        guard let connection = SSLConnection(context.memory, isServer: role == .server) else {
            state = .closed(.failed(OpenSSLError.last))
            return
        }
        unsafe crypto_set_mtu(connection.ssl, DTLSContext.mtu)
        unsafe crypto_stop_timer(connection.ssl, context.isSimulated)
        unsafe SSL_set_ex_data(connection.ssl, 0, Unmanaged.passUnretained(expected).toOpaque())
        self.connection = connection
    }

    private func advance(at now: Instant, into output: inout DTLSOutput) -> Bool {
        guard let connection else { return false }
        let before = connection.handshakeState
        let outcome = connection.withBuffers { connection.handshake() }
        let moved = connection.handshakeState != before
        if case .failed(let reason) = outcome {
            fail(reason, into: &output)
            return moved
        }
        let first = output.datagrams.count
        context.memory.drain(into: &output.datagrams)
        if output.datagrams.count > first {
            // After a HelloVerifyRequest the state is the same again: only the peer's message says
            // that this is another flight.
            if moved || sieve.awaitsAnswer {
                keepFlight(output.datagrams, from: first, at: now)
            } else {
                renewals += 1
            }
        }
        if outcome == .done { finish() }
        return moved
    }

    /// Nothing is known of who sent a bad first hello, so it did not happen: no alert, and the
    /// right one may follow. Later the peer has answered us, and its fault is final.
    private func fail(_ reason: String, into output: inout DTLSOutput) {
        guard role == .client || !flight.isEmpty else {
            context.memory.discardOutput()
            connection = nil
            place = nil
            sieve = DTLSGuard()
            return
        }
        context.memory.drain(into: &output.datagrams)
        close(expected.wasRefused ? .fingerprint : .failed(reason))
    }

    private func finish() {
        guard let connection else { return }
        guard let keys = connection.exportKeys(isServer: role == .server) else {
            close(.profile)
            return
        }
        self.keys = keys
        repeatAt = nil
        place = nil
        state = .open
    }

    private func close(_ end: End) {
        guard !isClosed else { return }
        state = .closed(end)
        keys = nil
        repeatAt = nil
        farewell = nil
        forget()
    }

    private func read(into output: inout DTLSOutput) {
        guard let connection else { return }
        while true {
            var message: [UInt8] = []
            switch connection.withBuffers({ connection.read(into: &message) }) {
            case .done: output.messages.append(message.raw)
            case .wantsInput:
                context.memory.drain(into: &output.datagrams)
                return
            case .closed:
                close(into: &output)  // RFC 5246 §7.2.1: answered by our own.
                return
            case .failed(let reason):
                context.memory.drain(into: &output.datagrams)
                close(.failed(reason))
                return
            }
        }
    }
}

/// Repeating our last flight.
extension DTLSSession {
    private func keepFlight(_ datagrams: DatagramList, from first: Int, at now: Instant) {
        flight.removeAll()
        for index in first..<datagrams.count { flight.append(datagrams[index]) }
        sieve.flightWasSent()
        repeatAfter = Self.firstRepeat
        repeatAt = now + repeatAfter
        repeatedAt = now
    }

    /// Sends the last flight again, because it may go now.
    package func repeatNow(at now: Instant, into output: inout DTLSOutput) {
        guard state == .handshaking, !flight.isEmpty else { return }
        repeatFlight(at: now, into: &output)
    }

    private func answerRepeat(at now: Instant, into output: inout DTLSOutput) {
        guard !isClosed, let last = repeatedAt, now - last >= Self.repeatGap else { return }
        repeatFlight(at: now, into: &output)
    }

    private func repeatFlight(at now: Instant, into output: inout DTLSOutput) {
        repeatedAt = now
        let before = output.datagrams.count
        if state == .handshaking, role == .client, renewals < Self.renewalsMaximum {
            // OpenSSL does it, if this is the flight with our Finished and it is let: a server that
            // has answered it would take a copy of ours for a replay.
            _ = advance(at: now, into: &output)
        }
        if output.datagrams.count == before { output.datagrams.append(flight) }
    }
}
