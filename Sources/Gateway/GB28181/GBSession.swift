import Containers
import GB28181
import Media
import RTP
import Stream
import Wire

/// A camera that was called, as a publisher: its media, wherever it comes from.
final class GBSession: Participant {
    static let channel: ChannelID = 0

    let id: GBChannelID
    let home: Int
    let startedAt: Instant
    var receiver: GBReceiver?
    /// What its camera was asked to send, and what it has said instead.
    var ssrcs: [UInt32]
    /// Where its media may come from: the device, and what its answer has named.
    var hosts: [Address]
    /// Where its packets come from; nil: none has come.
    var source: Address?
    weak var pipe: Connection?
    private enum State { case silent, asking, published }
    private var state = State.silent
    /// What comes while the stream's home is asked: half a second of a good camera.
    private static let heldMaximum = 1 << 20
    private var held: [[UInt8]] = []
    private var heldBytes = 0
    private var question: QuestionID = 0

    init(_ id: GBChannelID, ssrc: UInt32, home: Int, peer: Address, at now: Instant) {
        self.id = id
        self.home = home
        ssrcs = [ssrc]
        hosts = [peer]
        startedAt = now
        super.init(service: "gb28181", peer: peer)
    }

    /// Somebody opened the stream who was let in; the camera is what the configuration wants.
    override var isOurs: Bool { true }

    override func isHere(at worker: Worker) -> Bool { worker.gb?.sessions[id] === self }

    func receive(_ packet: RawSpan, isOrdered: Bool, at worker: Worker) {
        if receiver == nil {
            guard !RTPHeader.isRTCP(packet) else { return }
            receiver = GBReceiver(channel: Self.channel, isOrdered: isOrdered, at: worker.now)
        }
        guard state == .published else { return hold(packet, at: worker) }
        take(packet, at: worker)
        if !worker.effects.isEmpty { worker.runEffects(of: self) }
    }

    private func take(_ packet: RawSpan, at worker: Worker) {
        // Not the session's while it is at work.
        guard var receiver else { return }
        self.receiver = nil
        receiver.receive(packet, at: worker.now, into: &worker.effects)
        self.receiver = receiver
    }

    /// The first packet makes it a publisher; until that is agreed to, packets wait.
    private func hold(_ packet: RawSpan, at worker: Worker) {
        if heldBytes + packet.byteCount <= Self.heldMaximum {
            held.append([UInt8](copying: packet))
            heldBytes += packet.byteCount
        }
        guard state == .silent else { return }
        state = .asking
        question &+= 1
        let publication = Publication(
            principal: .configured, protocolName: service, slots: [])
        worker.publish(publication, as: id.stream, Self.channel, question, self)
        worker.runEffects(of: self)
    }

    /// What is due by time.
    func expire(at worker: Worker) {
        guard var receiver, receiver.deadline <= worker.now else { return }
        self.receiver = nil
        receiver.expire(at: worker.now, into: &worker.effects)
        self.receiver = receiver
        if !worker.effects.isEmpty { worker.runEffects(of: self) }
    }

    /// When it counts as silent. Before its first packet the call's own patience holds.
    var isSilent: Instant {
        guard let last = receiver?.lastPacket else { return .distantFuture }
        return last + GBReceiver.silence
    }

    override func take(_ answer: Answer, to id: QuestionID, at worker: Worker) {
        guard id == question, state == .asking else { return }
        switch answer {
        case .published:
            state = .published
            for packet in held { take(packet.raw, at: worker) }
            (held, heldBytes) = ([], 0)
        case .refused(let refusal):
            worker.gb?.giveUp(self.id, GBFailure(.ended, "\(refusal)"), at: worker)
        default: break
        }
    }

    override func take(_ notice: Notice, at worker: Worker) {
        switch notice {
        case .keyWanted: receiver?.wantKey()
        case .ended(_, let reason):
            worker.gb?.giveUp(
                id, GBFailure(.ended, "ended here: \(reason.rawValue)"), at: worker)
        case .changed, .demand: break
        }
    }

    override func end(at worker: Worker) {
        worker.gb?.giveUp(id, GBFailure(.ended, "ended here"), at: worker)
    }

    override func reports(at worker: Worker) -> [SessionReport] {
        guard state == .published else { return [] }
        return [
            SessionReport(
                id: "\(service)-\(id.device)-\(id.channel)", worker: worker.plan.index,
                role: .publish, protocolName: service, stream: id.stream,
                peer: source ?? peer, uptime: worker.now - startedAt)
        ]
    }

    var report: GBReport.Session {
        let media = receiver?.media
        let codecs = [media?.video?.name, media?.audio?.name].compactMap { $0 }
        return GBReport.Session(
            id: id, ssrc: receiver?.ssrc ?? ssrcs.first ?? 0,
            transport: pipe == nil ? "udp" : "tcp", peer: source,
            figures: receiver?.figures ?? GBReceiver.Figures(),
            media: codecs.joined(separator: ", "), frames: media?.frames ?? 0,
            damaged: media?.damaged ?? 0, dropped: media?.dropped ?? 0,
            resyncs: (media?.resyncs ?? 0) + (pipe?.gb?.resyncs ?? 0),
            leftOut: receiver?.leftOut ?? [], uptime: .zero)
    }
}
