import Browser
import Crypto
import Media
import RTP
import Simulation
import Stream
import Testing
import Wire

@testable import ICE

/// A fake browser that publishes to a session over a network with weather, through a translator.
final class PublishWorld: World {
    struct Packet {
        var bytes: [UInt8]
        var route: Route  // As the receiver sees it.
    }

    struct Arrival: Hashable {
        var slot: SlotName
        var layer: UInt8
        /// As it stands in the payload.
        var number: Int
        /// As the session counts.
        var sequence: Int64
    }

    static let server = Address(ipv4: 0xc000_0201, port: 8000)
    static let host = Address(ipv4: 0x0a00_0005, port: 40_000)
    static let certificate = try? Certificate.selfSigned(
        commonName: "gateway", from: 0, days: 365_000)
    static let remote = ControllingAgent.Remote(
        address: server, priority: CandidatePriority.udpHost(rank: 0))

    let story: Story
    var now = Instant.start
    let browser: FakeBrowser
    let session: RTCSession
    var engine: CryptoEngine
    var up: Link<Packet>
    var down: Link<Packet>
    var outside: Rebinding
    var out = RTCOutput()
    var effects = Effects()
    private var dice: SplitMix64
    private var hasRestarted = false
    private var hasChangedCodec = false
    private(set) var arrived: [Arrival] = []
    private(set) var announced: [AnnouncedSlot] = []
    private(set) var lost: [ClosedRange<Int64>] = []
    private(set) var roundTrips: [Interval] = []
    private(set) var events: [RTCOutput.Entry] = []
    private(set) var causes: [RTCSession.Cause] = []
    private(set) var questions: [Question] = []
    private(set) var silences: [Bool] = []
    private(set) var largestTurn = 0
    /// Of all that the session has sent.
    private(set) var controlByIndex: [UInt32: [UInt8]] = [:]
    private(set) var repeatedIndexes = 0
    /// Bytes that somebody else puts on the way with each turn of media.
    var forger: SplitMix64?
    /// A publisher need not be answered at once.
    var answersClaims = true

    init(_ story: Story) throws {
        self.story = story
        dice = SplitMix64(seed: story.seed)
        up = Link(seed: story.seed, weather: story.weather)
        down = Link(seed: ~story.seed, weather: story.weather)
        outside = Rebinding(Address(ipv4: 0xcb00_7107, port: 50_000), story.moves)
        let ours = ICEWorld.credentials(&dice)
        let theirs = ICEWorld.credentials(&dice)
        let secret = [UInt8](repeating: UInt8(truncatingIfNeeded: story.seed), count: 32)
        let certificate = try #require(Self.certificate)
        let agent = ControllingAgent(
            local: theirs, remote: ours, remoteIsLite: true, hosts: [Self.host],
            candidates: [Self.remote], secret: secret.raw, seed: story.seed, at: .start)
        browser = try FakeBrowser(
            agent: agent, role: story.browserRole, profiles: story.profiles,
            server: [certificate.fingerprint()], tracks: story.tracks,
            engine: story.browserEngine)
        browser.numbersTransport = story.numbersTransport
        let context = try DTLSContext(certificate: certificate, isSimulated: true)
        engine = try CryptoEngine.make(story.engine)
        let peer = try #require(FakeBrowser.certificate)
        session = RTCSession(
            story.negotiated(ours, theirs, peer.fingerprint()),
            for: .publish(name: "live/x", Credential(), .local), context: context, dice: &dice,
            at: .start)
    }

    private var isStalled: Bool { story.stall?.contains(now) ?? false }

    var nextEvent: Instant? {
        var events = [down.nextArrival, browser.deadline]
        if let stall = story.stall, stall.contains(now) {
            events.append(stall.upperBound)
        } else {
            events += [up.nextArrival, session.deadline]
        }
        if browser.keys != nil, now < story.end {
            events += browser.tracks.map { $0.next(after: now, before: story.end) }
        }
        if let at = story.restartAt, !hasRestarted { events.append(at) }
        return events.compactMap { $0 }.min().map { max($0, now) }
    }

    func step(at now: Instant) {
        self.now = now
        if !isStalled {
            while let packet = up.receive(at: now) { arrive(packet) }
            if session.deadline <= now { expireSession() }
        }
        while let packet = down.receive(at: now) {
            browser.receive(packet.bytes, on: packet.route, at: now)
        }
        if browser.deadline <= now { browser.expire(at: now) }
        takeTurns()
        let before = browser.outgoing.count
        browser.sendMedia(at: now, before: story.end)
        if browser.outgoing.count > before { forge() }
        flushBrowser()
    }

    private func takeTurns() {
        if let at = story.restartAt, !hasRestarted, at <= now {
            hasRestarted = true
            let ours = ICEWorld.credentials(&dice)
            let theirs = ICEWorld.credentials(&dice)
            session.restart(local: ours, remote: theirs)
            browser.agent.restart(
                local: theirs, remote: ours, candidates: [Self.remote], at: now)
        }
        if let at = story.codecChangeAt, !hasChangedCodec, at <= now {
            hasChangedCodec = true
            browser.tracks[0].codec = story.videos[1]
            browser.tracks[0].payloadType += 2
            browser.tracks[0].rtxType += 2
            browser.tracks[0].wantsKey = true
        }
    }

    private func expireSession() {
        session.expire(at: now, engine: &engine, into: &out, effects: &effects)
        runSession()
    }

    func arrive(_ packet: Packet) {
        var bytes = packet.bytes
        var span = bytes.mutableSpan
        var datagram = unsafe span.mutableBytes
        session.receive(
            &datagram, on: packet.route, at: now, engine: &engine, into: &out,
            effects: &effects)
        runSession()
    }

    func notice(_ notice: Notice) {
        session.notice(notice, at: now, engine: &engine, into: &out, effects: &effects)
        runSession()
    }

    func close(_ reason: EndReason) {
        session.close(reason, at: now, engine: &engine, into: &out, effects: &effects)
        runSession()
    }

    /// Does what the session wants, answers included, until it wants nothing more.
    func runSession() {
        largestTurn = max(largestTurn, out.bytes.count)
        while !out.entries.isEmpty || !effects.isEmpty {
            let (entries, bytes, list) = (out.entries, out.bytes, effects.list)
            for case .media(_, let slot, let layer, let items) in list {
                for index in items { note(index, slot, layer) }
            }
            out.clear()
            effects.clear()
            for entry in entries { run(entry, bytes) }
            for effect in list { run(effect) }
        }
    }

    private func note(_ index: Int, _ slot: SlotName, _ layer: UInt8) {
        let payload = Array(copying: effects.media.bytes(of: index))[2..<6]
        arrived.append(
            Arrival(
                slot: slot, layer: layer, number: payload.reduce(0) { $0 << 8 | Int($1) },
                sequence: effects.sequences[index]))
    }

    private func run(_ entry: RTCOutput.Entry, _ bytes: [UInt8]) {
        switch entry {
        case .send(let route, let range):
            noteControl(Array(bytes[range]))
            sendDown(Array(bytes[range]), route)
        case .closed(let cause):
            causes.append(cause)
            events.append(entry)
        default: events.append(entry)
        }
    }

    private func run(_ effect: Effects.Effect) {
        switch effect {
        case .ask(let question, let id):
            questions.append(question)
            guard answersClaims else { return }
            session.answer(
                .published(1), to: id, at: now, engine: &engine, into: &out, effects: &effects)
        case .announce(_, let slot): announced.append(slot)
        case .silence(_, let isSilent): silences.append(isSilent)
        case .lost(_, _, _, let numbers): lost.append(numbers)
        case .roundTrip(_, let measured): roundTrips.append(measured)
        default: break
        }
    }

    /// No index of SRTCP may ever protect two different byte strings.
    private func noteControl(_ bytes: [UInt8]) {
        guard Demux(bytes.raw) == .rtcp else { return }
        let at = story.profiles[0] == .aes128SHA1 ? bytes.count - 14 : bytes.count - 4
        let index = bytes[at..<at + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        if let before = controlByIndex[index], before != bytes { repeatedIndexes += 1 }
        controlByIndex[index] = bytes
    }

    func flushBrowser() {
        for (bytes, route) in browser.outgoing {
            let seen = Route(remote: outside.address(at: now), local: route.remote)
            up.send(Packet(bytes: bytes, route: seen), size: bytes.count, at: now)
        }
        browser.outgoing.removeAll()
    }

    /// The translator knows its newest address only.
    private func sendDown(_ bytes: [UInt8], _ route: Route) {
        guard route.remote == outside.address(at: now) else { return }
        let seen = Route(remote: route.local, local: Self.host)
        down.send(Packet(bytes: bytes, route: seen), size: bytes.count, at: now)
    }

    /// Garbage of every kind, from the browser's own address.
    private func forge() {
        guard var dice = forger else { return }
        let firsts: [UInt8] = [0, 1, 20, 22, 23, 128, 129, 144, 191, 255]
        for first in firsts {
            var bytes = (0..<Int(dice.next() % 200)).map { _ in
                UInt8(truncatingIfNeeded: dice.next())
            }
            if !bytes.isEmpty { bytes[0] = first }
            let seen = Route(remote: outside.address(at: now), local: Self.server)
            up.send(Packet(bytes: bytes, route: seen), size: bytes.count, at: now)
        }
        forger = dice
    }
}

/// What came of it.
extension PublishWorld {
    func arrivals(of track: FakeTrack) -> [Arrival] {
        let slot: SlotName = track.slot == .video ? .video : .audio
        let numbers = track.firstNumber..<track.firstNumber + track.count
        return arrived.filter {
            $0.slot == slot && $0.layer == track.layer && numbers.contains($0.number)
        }
    }

    /// Of the track's packets, from the first that arrived until a while before it stopped: what
    /// nothing follows, nobody knows to be missing.
    func missing(of track: FakeTrack) -> Int {
        let seen = Set(arrivals(of: track).map(\.number))
        let end = min(track.until, story.end) - .milliseconds(1500)
        guard let first = seen.min() else { return .max }
        guard let last = track.sentAt.lastIndex(where: { $0 < end }),
            first <= last + track.firstNumber
        else {
            // It ended soon after the handshake, which had taken long: nothing can be judged.
            return track.until < story.end ? 0 : .max
        }
        return (first...last + track.firstNumber).filter { !seen.contains($0) }.count
    }

    /// Every packet once, all of a source by one and the same distance from its own numbers, and
    /// each source behind the one before.
    var isConsistent: Bool {
        guard
            Set(arrived.map { [$0.layer, $0.slot == .video ? 1 : 0].description + "\($0.number)" })
                .count == arrived.count
        else { return false }
        var last: [String: Int64] = [:]
        for track in browser.tracks {
            let all = arrivals(of: track)
            guard Set(all.map { $0.sequence - Int64($0.number) }).count <= 1 else { return false }
            let name = "\(track.slot)\(track.layer)"
            if let before = last[name], let first = all.map(\.sequence).min(), first <= before {
                return false
            }
            last[name] = all.map(\.sequence).max() ?? last[name]
        }
        return true
    }

    var missing: Int { browser.tracks.map { missing(of: $0) }.max() ?? 0 }
}
