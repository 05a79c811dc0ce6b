import Containers
import GB28181
import RTP
import Stream
import System
import Wire

/// Where devices are known and cameras are called: the platform, its sockets and its sessions. One
/// worker has it.
final class GBDesk {
    /// A camera that somebody wants to see.
    struct Wish {
        var home: Int
        var schedule = RetrySchedule()
        var at: Instant
    }

    /// Who may send the media of a call: a number alone can be guessed, and two cameras may choose
    /// the same.
    private struct Sender: Hashable {
        let ssrc: UInt32
        let host: Address

        init(_ ssrc: UInt32, _ address: Address) {
            self.ssrc = ssrc
            host = address.with(port: 0)
        }
    }

    /// Names that are wanted at a time: as many as there are streams.
    static let wishesMaximum = 2_000
    /// What a source that was bound may be silent before another one takes its place.
    static let rebindTime = Interval.seconds(2)

    var platform: GBPlatform
    var signalling: LineSet?
    var media: LineSet?
    var sessions: [GBChannelID: GBSession] = [:]
    private var senders: [Sender: GBSession] = [:]
    var wishes: [GBChannelID: Wish] = [:]
    private var pipes: [UInt64: Connection] = [:]
    private var nextPipe: UInt64 = 0
    private(set) var unknownPackets: UInt64 = 0
    private var lostBefore: UInt64 = 0
    private var damagedBefore: UInt64 = 0
    private var warnedAt = Instant.start

    init(_ plan: GBPlan, seed: UInt64, secret: Entropy) {
        platform = GBPlatform(
            plan.settings, DeviceText(decodeGB18030: GB18030.utf8), seed: seed, secret: secret)
    }

    // MARK: - Signalling

    func receive(_ datagram: RawSpan, _ route: GBRoute, at worker: Worker) {
        within(worker) { $0.receive(datagram: datagram, route, at: worker.now, into: &$1) }
    }

    func receive(_ message: SIPMessage, from connection: Connection, at worker: Worker) {
        guard let wire = connection.gb else { return }
        if wire.number == 0 {
            nextPipe += 1
            wire.number = nextPipe
            pipes[nextPipe] = connection
        }
        let route = GBRoute(
            peer: connection.peer, local: connection.local, connection: wire.number)
        within(worker) { $0.receive(message, route, at: worker.now, into: &$1) }
    }

    func isDevice(_ id: String?, on wire: GBWire) -> Bool {
        guard let id, let device = platform.devices[id] else { return false }
        return device.isOnline && device.route.connection == wire.number
    }

    func closed(_ wire: GBWire) { pipes[wire.number] = nil }

    /// Calls the platform and does what it wants.
    func within(_ worker: Worker, _ body: (inout GBPlatform, inout [GBEffect]) -> Void) {
        var effects: [GBEffect] = []
        platform.wall = Interval(
            nanoseconds: worker.wall.model.utc(at: worker.now) &- worker.now.nanoseconds)
        body(&platform, &effects)
        for effect in effects { run(effect, at: worker) }
        setDeadlines(at: worker)
    }

    private func run(_ effect: GBEffect, at worker: Worker) {
        switch effect {
        case .send(let bytes, let route): send(bytes, route, at: worker)
        case .online(let id):
            worker.log.info("gb28181: \(id) is online at \(place(id))")
            for (camera, _) in wishes where camera.device == id { wishes[camera]?.at = worker.now }
        case .offline(let id, let why): worker.log.info("gb28181: \(id) is offline: \(why)")
        case .catalogue(let id, let count, let isWhole):
            let part = isWhole ? "" : ", as far as they came"
            worker.log.info("gb28181: \(id) has \(count) channels\(part)")
        case .alarm(let device, let channel, let text):
            worker.log.warning(
                "gb28181: alarm of \(device) at \(LabelText(channel)): \(LabelText(text))")
        case .answered(let id, let ssrc, let source):
            guard let session = sessions[id] else { return }
            if let source, !session.hosts.contains(source) { session.hosts.append(source) }
            for known in session.ssrcs + [ssrc] { expect(known, of: session) }
        case .ended(let id, let failure): ended(id, failure, at: worker)
        case .duplicate(let text): worker.log.error(code: "gb28181-duplicate", text)
        }
    }

    private func place(_ id: String) -> String {
        platform.devices[id].map { "\($0.route.peer)" } ?? "?"
    }

    private func send(_ bytes: [UInt8], _ route: GBRoute, at worker: Worker) {
        if let number = route.connection {
            guard let pipe = pipes[number] else { return }
            pipe.out.append(bytes.raw)
            return worker.wantFlush(pipe)
        }
        guard let signalling else { return }
        signalling.queue.append(bytes.raw, on: 0, to: route.peer, from: route.local)
        worker.wantFlush(signalling)
    }

    // MARK: - Calls

    func want(_ id: GBChannelID, home: Int, at worker: Worker) {
        if let wish = wishes[id] {
            // It is being tried already, or waits for its next try.
            wishes[id]?.home = home
            return worker.log.debug(
                "gb28181: \(id.stream) is wanted, \(wish.schedule.failures) failures")
        }
        guard wishes.count < Self.wishesMaximum else {
            return tell(id, home, "\(Self.wishesMaximum) cameras are wanted already", at: worker)
        }
        wishes[id] = Wish(home: home, at: worker.now)
        grantWishes(at: worker)
    }

    func unwant(_ id: GBChannelID, at worker: Worker) {
        guard wishes.removeValue(forKey: id) != nil else { return }
        giveUp(id, GBFailure(.ended, "nobody watches it"), at: worker)
    }

    private func grantWishes(at worker: Worker) {
        for (id, wish) in wishes where wish.at <= worker.now && sessions[id] == nil {
            wishes[id]?.at = .distantFuture
            call(id, wish.home, at: worker)
        }
    }

    private func call(_ id: GBChannelID, _ home: Int, at worker: Worker) {
        var failure: GBFailure?
        within(worker) { platform, effects in
            do throws(GBFailure) {
                let ssrc = try platform.play(id, at: worker.now, into: &effects)
                let session = GBSession(
                    id, ssrc: ssrc, home: home,
                    peer: platform.devices[id.device]?.route.peer ?? .any(port: 0),
                    at: worker.now)
                sessions[id] = session
                expect(ssrc, of: session)
            } catch {
                failure = error
            }
        }
        if let failure { retry(id, failure, lasted: .zero, at: worker) }
    }

    /// Ends a call from our side.
    func giveUp(_ id: GBChannelID, _ why: GBFailure, at worker: Worker) {
        within(worker) { $0.stop(id, why, at: worker.now, into: &$1) }
    }

    private func ended(_ id: GBChannelID, _ failure: GBFailure, at worker: Worker) {
        guard let session = sessions.removeValue(forKey: id) else { return }
        for ssrc in session.ssrcs { forget(ssrc, of: session) }
        lostBefore &+= session.receiver?.figures.lost ?? 0
        damagedBefore &+= session.receiver?.media.damaged ?? 0
        let hadMedia = session.receiver?.hasMedia == true
        let lasted = hadMedia ? worker.now - session.startedAt : .zero
        let isWanted = wishes[id] != nil
        worker.leaveStreams(session, because: isWanted ? .publisherGone : .unwatched)
        if let pipe = session.pipe { worker.dismissPipe(pipe) }
        guard isWanted else { return }
        retry(id, failure, lasted: lasted, at: worker)
    }

    private func retry(
        _ id: GBChannelID, _ failure: GBFailure, lasted: Interval, at worker: Worker
    ) {
        guard var wish = wishes[id] else { return }
        let delay = wish.schedule.fail(lasted: lasted, random: &worker.random)
        wish.at = worker.now + delay
        wishes[id] = wish
        worker.log.warning("\(id.stream): \(failure); again in \(delay.milliseconds) ms")
        // Those who wait are told at once; who watched before sees it come back.
        if lasted == .zero { tell(id, wish.home, "\(failure)", at: worker) }
        setDeadlines(at: worker)
    }

    private func tell(_ id: GBChannelID, _ home: Int, _ cause: String, at worker: Worker) {
        worker.neighbours.post(.gb(.failed(id, cause)), to: home)
    }

    // MARK: - Media

    /// A packet by UDP.
    func receive(packet: RawSpan, from source: Address, at worker: Worker) {
        guard let session = session(of: packet, from: source) else {
            return noteUnknown(packet, source, at: worker)
        }
        if let bound = session.source, bound != source {
            let last = session.receiver?.lastPacket ?? .start
            guard worker.now - last >= Self.rebindTime else { return }
        }
        take(packet, for: session, from: source, isOrdered: false, at: worker)
    }

    func receive(packet: RawSpan, from connection: Connection, at worker: Worker) {
        guard let wire = connection.gb else { return }
        if wire.session == nil {
            guard let session = session(of: packet, from: connection.peer) else {
                noteUnknown(packet, connection.peer, at: worker)
                return worker.dismissPipe(connection)
            }
            // The first connection that brings media of a call is the one that counts.
            if let other = session.pipe, other !== connection {
                return worker.dismissPipe(connection)
            }
            wire.session = session
            session.pipe = connection
            wire.isEstablished = true
        }
        guard let session = wire.session, sessions[session.id] === session else {
            return worker.dismissPipe(connection)
        }
        take(packet, for: session, from: connection.peer, isOrdered: true, at: worker)
    }

    private func take(
        _ packet: RawSpan, for session: GBSession, from source: Address, isOrdered: Bool,
        at worker: Worker
    ) {
        if !RTPHeader.isRTCP(packet) { session.source = source }
        let isFirst = session.receiver == nil
        session.receive(packet, isOrdered: isOrdered, at: worker)
        if isFirst, session.receiver != nil { platform.mediaBegan(session.id) }
        askKey(session, at: worker)
    }

    private func askKey(_ session: GBSession, at worker: Worker) {
        guard session.receiver?.takeKeyRequest(at: worker.now) == true else { return }
        within(worker) { $0.requestKey(session.id, at: worker.now, into: &$1) }
    }

    private func session(of packet: RawSpan, from source: Address) -> GBSession? {
        let isReport = RTPHeader.isRTCP(packet)
        guard packet.byteCount >= (isReport ? 8 : 12), packet.byte(at: 0) >> 6 == 2 else {
            return nil
        }
        let place = isReport ? 4 : 8
        var ssrc: UInt32 = 0
        for offset in place..<place + 4 { ssrc = ssrc << 8 | UInt32(packet.byte(at: offset)) }
        if let session = senders[Sender(ssrc, source)] { return session }
        guard !isReport else { return nil }
        return adopt(ssrc, from: source)
    }

    /// An SSRC that nobody announced: of the call that has this source, or of the only one that
    /// waits for a device at this address.
    private func adopt(_ ssrc: UInt32, from source: Address) -> GBSession? {
        let bound = sessions.values.first { $0.source == source && $0.pipe == nil }
        let waiting = sessions.values.filter {
            $0.receiver == nil && $0.peer.with(port: 0) == source.with(port: 0)
        }
        guard let session = bound ?? (waiting.count == 1 ? waiting.first : nil) else {
            return nil
        }
        // Of those that change all the time the oldest are forgotten.
        if session.ssrcs.count >= 8 { forget(session.ssrcs.removeFirst(), of: session) }
        expect(ssrc, of: session)
        return session
    }

    /// Its media may come with this number. One that another call of that host has stays with it.
    private func expect(_ ssrc: UInt32, of session: GBSession) {
        if !session.ssrcs.contains(ssrc) { session.ssrcs.append(ssrc) }
        for host in session.hosts where senders[Sender(ssrc, host)] == nil {
            senders[Sender(ssrc, host)] = session
        }
    }

    private func forget(_ ssrc: UInt32, of session: GBSession) {
        for host in session.hosts where senders[Sender(ssrc, host)] === session {
            senders[Sender(ssrc, host)] = nil
        }
    }

    /// Cameras that did not hear the end of a call go on sending.
    private func noteUnknown(_ packet: RawSpan, _ source: Address, at worker: Worker) {
        unknownPackets &+= 1
        guard worker.now >= warnedAt else { return }
        warnedAt = worker.now + .seconds(10)
        worker.log.warning(
            "gb28181: media from \(source) that belongs to no call of a device there "
                + "(\(packet.byteCount) bytes)")
    }

    // MARK: - Time

    private func setDeadlines(at worker: Worker) {
        if let signalling {
            let next = wishes.values.lazy.map(\.at).min() ?? .distantFuture
            worker.setDeadline(of: signalling, min(platform.deadline, next))
        }
        if let media, !sessions.isEmpty { worker.setDeadline(of: media, mediaDeadline) }
    }

    func expireSignalling(at worker: Worker) {
        within(worker) { $0.expire(at: worker.now, into: &$1) }
        grantWishes(at: worker)
        setDeadlines(at: worker)
    }

    private var mediaDeadline: Instant {
        sessions.values.lazy.map { min($0.receiver?.deadline ?? .distantFuture, $0.isSilent) }
            .min() ?? .distantFuture
    }

    func expireMedia(at worker: Worker) {
        for session in Array(sessions.values) {
            session.expire(at: worker)
            report(to: session, at: worker)
            askKey(session, at: worker)
            guard worker.now >= session.isSilent else { continue }
            let seconds = GBReceiver.silence.milliseconds / 1000
            giveUp(session.id, GBFailure(.silent, "no media for \(seconds) s"), at: worker)
        }
        setDeadlines(at: worker)
    }

    func mediaWasRead(at worker: Worker) {
        if let media, !sessions.isEmpty { worker.setDeadline(of: media, mediaDeadline) }
    }

    /// Over UDP only: on a connection nobody expects anything.
    private func report(to session: GBSession, at worker: Worker) {
        guard let bytes = session.receiver?.takeReceiverReport(at: worker.now), let media,
            session.pipe == nil, let source = session.source
        else { return }
        media.queue.append(bytes.raw, on: 0, to: source.with(port: source.port &+ 1))
        worker.wantFlush(media)
    }

    // MARK: - For reports

    func report(_ isWhole: Bool, at now: Instant) -> GBReport {
        var report = GBReport()
        report.now = now
        report.figures = platform.figures
        report.known = platform.devices.count
        report.online = platform.onlineCount
        report.calls = platform.callCount
        report.unknownPackets = unknownPackets
        report.lostPackets = lostBefore
        report.damagedFrames = damagedBefore
        for session in sessions.values {
            report.lostPackets &+= session.receiver?.figures.lost ?? 0
            report.damagedFrames &+= session.receiver?.media.damaged ?? 0
        }
        guard isWhole else { return report }
        report.devices = platform.devices.values.sorted { $0.id < $1.id }
        report.sessions = sessions.values.map {
            var session = $0.report
            session.uptime = now - $0.startedAt
            return session
        }
        return report
    }
}
