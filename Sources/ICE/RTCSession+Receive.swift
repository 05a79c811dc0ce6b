package import Crypto
import RTP
package import Stream
package import Wire

/// The straight line from a datagram to what it means.
extension RTCSession {
    /// - Parameter datagram: Is opened in place; what is left of a forged one is nothing.
    package func receive(
        _ datagram: inout MutableRawSpan, on route: Route, at now: Instant,
        engine: inout CryptoEngine, into out: inout RTCOutput, effects: inout Effects
    ) {
        guard !isClosed else { return }
        switch Demux(datagram.bytes) {
        case .stun:
            agent.receive(datagram.bytes, on: route, at: now, into: &out.ice)
            takeICE(at: now, engine: &engine, into: &out, effects: &effects)
        case .dtls:
            receiveDTLS(
                datagram.bytes, route, at: now, engine: &engine, into: &out, effects: &effects)
        case .rtp:
            receiveRTP(&datagram, route, at: now, engine: &engine, into: &out, effects: &effects)
        case .rtcp:
            receiveRTCP(&datagram, route, at: now, engine: &engine, into: &out, effects: &effects)
        case .unknown: figures.unknown += 1
        }
    }

    private func receiveRTP(
        _ datagram: inout MutableRawSpan, _ route: Route, at now: Instant,
        engine: inout CryptoEngine, into out: inout RTCOutput, effects: inout Effects
    ) {
        // Before the name is ours nothing is opened: what is not opened can be asked for again.
        guard let keys, hasName, let path = path(of: route, at: now) else { return }
        let size = datagram.byteCount
        let opened: SRTPPacket
        do throws(SRTPRefusal) {
            opened = try receiver.unprotect(&datagram, key: keys.receiving, with: engine)
        } catch { return note(error) }
        figures.packets += 1
        let isNewest = incoming.receive(datagram.bytes, opened, at: now, into: &effects)
        heard(
            size, path, route, isNewest: isNewest, at: now, engine: &engine, into: &out,
            effects: &effects)
        sendReports(at: now, engine: &engine, into: &out, effects: &effects)
    }

    private func receiveRTCP(
        _ datagram: inout MutableRawSpan, _ route: Route, at now: Instant,
        engine: inout CryptoEngine, into out: inout RTCOutput, effects: inout Effects
    ) {
        guard let keys, let path = path(of: route, at: now) else { return }
        let size = datagram.byteCount
        let count: Int
        do throws(SRTPRefusal) {
            count = try receiver.unprotectRTCP(&datagram, key: keys.receiving, with: engine)
        } catch { return note(error) }
        figures.controls += 1
        heard(
            size, path, route, isNewest: path == .stray && receiver.isNewestControl, at: now,
            engine: &engine, into: &out, effects: &effects)
        let compound = datagram.bytes.extracting(0..<count)
        guard var reader = try? RTCPReader(compound) else { return }
        while let item = reader.next() {
            if negotiated.role == .publish {
                guard hasName else { continue }
                // Before the report, whose age it says.
                if case .senderInfo = item, let roundTrip {
                    effects.append(.roundTrip(IncomingMedia.channel, roundTrip))
                }
                incoming.receive(item, at: now, into: &effects)
            } else {
                receiveFeedback(item, compound, route, at: now, into: &out)
            }
        }
        answerClock(at: now, engine: &engine, into: &out)
    }

    private func receiveFeedback(
        _ item: RTCPItem, _ compound: RawSpan, _ route: Route, at now: Instant,
        into out: inout RTCOutput
    ) {
        let feedback: ViewerFeedback
        switch item {
        case .report(_, let block): feedback = .report(block)
        case .nack(let media, let nack): feedback = .nack(media: media, nack)
        case .pictureLoss(let media): feedback = .keyframe(media: media)
        case .fullIntra(let media, let sequence):
            let isRepeat = lastFullIntra.map { $0 == (media, sequence) } ?? false
            lastFullIntra = (media, sequence)
            guard !isRepeat else { return }
            feedback = .keyframe(media: media)
        case .remb(let bits): feedback = .estimate(bitsPerSecond: bits)
        case .transportFeedback(let range):
            feedback = .transport(out.store(compound.extracting(range)))
        case .referenceTime(let ssrc, let time):
            peerClock = (ssrc, time.middle, now)
            return
        // BYE of a receiver says nothing that its DTLS does not say better.
        case .senderInfo, .cname, .bye, .receiverDelay: return
        }
        out.append(.feedback(feedback, route))
    }

    /// Authentic packets keep the session alive: FFmpeg sends no check once it is connected.
    private func heard(
        _ count: Int, _ path: KnownPath, _ route: Route, isNewest: Bool, at now: Instant,
        engine: inout CryptoEngine, into out: inout RTCOutput, effects: inout Effects
    ) {
        switch path {
        case .index(let index):
            agent.heard(count, at: index, isNewest: isNewest, at: now, into: &out.ice)
        case .stray:
            // One that the network delayed says where the peer was, not where it is.
            guard isNewest else { return }
            agent.strayed(count, to: route, at: now, into: &out.ice)
        }
        // The peer has the keys: nothing of the handshake will be asked for again.
        if releaseAt != nil { release() }
        if !out.ice.entries.isEmpty {
            takeICE(at: now, engine: &engine, into: &out, effects: &effects)
        }
    }

    /// Gives back what the handshake took, unless the tunnel is in use: by the first packet under
    /// the keys, and from a peer that sends none when it must have given up its own handshake.
    func release() {
        releaseAt = nil
        if channels == nil { dtls.release() }
    }

    private enum KnownPath: Equatable { case index(Int), stray }

    /// Where the peer has proved itself, or may be now; what comes from elsewhere is counted, and
    /// not looked at.
    private func path(of route: Route, at now: Instant) -> KnownPath? {
        if let index = agent.index(of: route) { return .index(index) }
        if agent.mayHaveStrayed(to: route, at: now) { return .stray }
        figures.offPath += 1
        return nil
    }

    /// Where the peer has proved itself, for what proves nothing by itself.
    func path(of route: Route) -> Int? {
        let index = agent.index(of: route)
        if index == nil { figures.offPath += 1 }
        return index
    }

    /// Whether it is worth trying if something from there opens under the keys of this session: its
    /// peer has fallen silent, and was at this address.
    package func mayHaveStrayed(to route: Route, isMedia: Bool, at now: Instant) -> Bool {
        guard let known = agent.selectedRoute, !isMedia || negotiated.role == .publish else {
            return false
        }
        return known.remote.with(port: 0) == route.remote.with(port: 0)
            && agent.mayHaveStrayed(to: route, at: now)
    }

    private func note(_ refusal: SRTPRefusal) {
        switch refusal {
        case .replayed: figures.replayed += 1
        case .malformed, .forged, .tooManySources: figures.forged += 1
        }
    }
}
