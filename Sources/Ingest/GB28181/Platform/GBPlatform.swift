import Crypto
package import Wire

/// The SIP server that cameras register to (GB/T 28181): it knows who is there, asks what they
/// have, and calls those that somebody wants to see. Told the time, the dice and the bytes.
///
///     REGISTER ──▶ 401 ──▶ REGISTER ──▶ 200 ──▶ DeviceInfo, Catalog ──▶ keep-alives …
///     play ──▶ INVITE ──▶ 200 ──▶ ACK ──▶ media ──▶ BYE
///
/// Nothing that a peer says of its own address is believed: answers go to where a message came
/// from.
package struct GBPlatform: Sendable {
    /// Registered once and not forgotten: of the largest installations that one gateway serves.
    package static let devicesMaximum = 20_000
    static let tick = Interval.seconds(1)
    /// After a power cut all come at once; they are asked a hundred a second.
    static let askingPace = Interval.milliseconds(10)
    static let methods = "REGISTER, MESSAGE, ACK, BYE, CANCEL, INFO, NOTIFY, OPTIONS"

    package let settings: GBSettings
    let text: DeviceText
    /// UTC less our clock: cameras set theirs by our answers.
    package var wall = Interval.zero

    package internal(set) var devices: [String: GBDevice] = [:]
    package internal(set) var figures = Figures()
    var registrar: GBRegistrar
    var answered = GBAnswered()
    var pending: [String: GBPending] = [:]
    var calls: [GBChannelID: GBCall] = [:]
    var callIDs: [String: GBChannelID] = [:]
    var serials: GBSerials
    var dice: SplitMix64
    private let secret: Entropy
    var number: Int
    var nextTick = Instant.distantFuture
    var nextAsk = Instant.start

    package struct Figures: Equatable, Sendable {
        package var messages: UInt64 = 0
        /// What was no SIP.
        package var broken: UInt64 = 0
        package var registrations: UInt64 = 0
        package var refused: UInt64 = 0
        package var keepAlives: UInt64 = 0
        package var calls: UInt64 = 0
        package var failedCalls: UInt64 = 0
        package var unknownCommands: UInt64 = 0

        package init() {}
    }

    /// - Parameter secret: Of nonces, tags and names of calls, which strangers must not foretell;
    ///   nil: a simulation, in which they may.
    package init(
        _ settings: GBSettings, _ text: DeviceText = .plain, seed: UInt64, secret: Entropy? = nil
    ) {
        self.settings = settings
        self.text = text
        dice = SplitMix64(seed: seed)
        self.secret = secret ?? Entropy(high: 0, low: seed)
        registrar = GBRegistrar(self.secret)
        serials = GBSerials(random: &dice)
        number = Int(dice.next() % 100_000) + 1
    }

    package var onlineCount: Int { devices.values.count { $0.isOnline } }
    package var callCount: Int { calls.count }
    /// Of streams, in use.
    package var serialCount: Int { serials.usedCount }

    // MARK: - Messages

    package mutating func receive(
        datagram: RawSpan, _ route: GBRoute, at now: Instant, into effects: inout [GBEffect]
    ) {
        // What keeps a NAT open: nothing, line ends, zeros, `jaK`.
        guard datagram.byteCount >= 4,
            TextHead.blankPrefix(of: datagram) < datagram.byteCount, datagram.byte(at: 0) != 0
        else { return }
        do throws(ParseError) {
            receive(try SIPMessage(datagram: datagram), route, at: now, into: &effects)
        } catch {
            figures.broken &+= 1
        }
    }

    package mutating func receive(
        _ message: SIPMessage, _ route: GBRoute, at now: Instant,
        into effects: inout [GBEffect]
    ) {
        figures.messages &+= 1
        if nextTick == .distantFuture { nextTick = now + Self.tick }
        switch message.start {
        case .response(let status, _): take(status, message, route, at: now, &effects)
        case .request(let method, _):
            guard message.cSeq != nil, message.from?.tag != nil, !message.callID.isEmpty,
                message["Via"] != nil
            else {
                figures.broken &+= 1
                return
            }
            noteLadder(message, route, at: now)
            if method == "ACK" { return }
            if let again = answered.answer(GBAnswered.key(message, route.peer)) {
                return effects.append(.send(again, route))
            }
            serve(method, message, route, at: now, &effects)
        }
    }

    private mutating func serve(
        _ method: String, _ message: SIPMessage, _ route: GBRoute, at now: Instant,
        _ effects: inout [GBEffect]
    ) {
        switch method {
        case "REGISTER": register(message, route, at: now, &effects)
        case "MESSAGE", "NOTIFY": takeMessage(message, route, at: now, &effects)
        case "BYE": takeBye(message, route, at: now, &effects)
        case "OPTIONS":
            answer(200, message, route, at: now, &effects, [("Allow", Self.methods)])
        // Voice from us to a camera, and other platforms' calls, are not served.
        case "INVITE": answer(488, message, route, at: now, &effects)
        case "CANCEL", "INFO": answer(481, message, route, at: now, &effects)
        default: answer(405, message, route, at: now, &effects, [("Allow", Self.methods)])
        }
    }

    private mutating func noteLadder(
        _ message: SIPMessage, _ route: GBRoute, at now: Instant
    ) {
        guard let id = message.from?.uri.user, devices[id] != nil else { return }
        devices[id]?.ladder.note(
            "\(message.method) \(message.cSeq?.number ?? 0)", isFromDevice: true, at: now)
    }

    mutating func answer(
        _ status: Int, _ message: SIPMessage, _ route: GBRoute, at now: Instant,
        _ effects: inout [GBEffect], _ more: [(name: String, value: String)] = []
    ) {
        var response = SIPMessage(
            .response(status: status, reason: SIPStatus.reason(status)))
        for (index, via) in message.values("Via").prefix(8).enumerated() {
            response.add("Via", index == 0 ? SIPVia.answered(via, from: route.peer) : via)
        }
        response.add("From", message["From"])
        var to = message["To"] ?? ""
        if message.to?.tag == nil { to += ";tag=\(word())" }
        response.add("To", to)
        response.add("Call-ID", message.callID)
        response.add("CSeq", message["CSeq"])
        for (name, value) in more { response.add(name, value) }
        response.add("User-Agent", settings.agent)
        let bytes = response.bytes
        answered.note(GBAnswered.key(message, route.peer), bytes, at: now)
        if let id = message.from?.uri.user {
            devices[id]?.ladder.note(
                "\(status) to \(message.method)", isFromDevice: false, at: now)
        }
        effects.append(.send(bytes, route))
    }

    /// For tags, branches and names of calls. Everybody gets some: the dice themselves would tell
    /// the next ones with each, and who knows the name of a call could end it.
    mutating func word() -> String {
        let text = "word:\(secret.high):\(secret.low):\(dice.next())"
        return String(Digest.sha256.hex(text).prefix(16))
    }

    // MARK: - Time

    package var deadline: Instant {
        // Repetitions are at least half a second apart: a tenth of that is exact enough.
        pending.isEmpty ? nextTick : min(nextTick, soonest)
    }

    private var soonest: Instant {
        pending.values.lazy.map { min($0.repeatAt, $0.until) }.min() ?? .distantFuture
    }

    package mutating func expire(at now: Instant, into effects: inout [GBEffect]) {
        expirePending(at: now, &effects)
        guard now >= nextTick else { return }
        nextTick = now + Self.tick
        answered.expire(at: now)
        for id in Array(devices.keys) { expire(id, at: now, &effects) }
        for call in Array(calls.values) {
            if case .waiting(let until) = call.state, now >= until {
                let place = "\(mediaHost(call.route)):\(settings.mediaPort)"
                let failure = GBFailure(
                    .noMedia,
                    "nothing came to \(place) in \(GBCall.mediaPatience.milliseconds / 1000) s; "
                        + "check gb28181.media.advertise and the firewall")
                hangUp(call.id, failure, at: now, &effects)
            }
        }
    }

    private mutating func expire(_ id: String, at now: Instant, _ effects: inout [GBEffect]) {
        guard let device = devices[id] else { return }
        if let collector = device.collector, now >= collector.deadline {
            finishCatalogue(id, isWhole: false, &effects)
        }
        if device.isOnline, let asksAt = device.asksAt, now >= asksAt {
            devices[id]?.asksAt = nil
            ask("DeviceInfo", id, at: now, &effects)
            askCatalogue(id, at: now, &effects)
        }
        guard device.isOnline, now >= offlineAt(device) else { return }
        let why = now >= device.expiresAt ? "its registration ran out" : "no sign of life"
        goOffline(id, why, at: now, &effects)
    }
}
