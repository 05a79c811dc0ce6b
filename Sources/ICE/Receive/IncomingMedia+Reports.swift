import RTP
import Stream
import Wire

/// What we say to a publisher.
extension IncomingMedia {
    /// Browsers take the round trip from these, and we the other way; each costs a datagram.
    static let reportInterval = Interval.seconds(1)
    /// A full feedback on arrivals with its prefix; every path that carries media carries it.
    static let compoundMaximum = 1300
    /// Of one compound; 64 items name up to 1,088 packets.
    private static let nacksMaximum = 64

    /// Writes one compound of what is due. - Returns: Whether there is anything to send.
    @_lifetime(out: copy out)
    mutating func write(into out: inout ByteWriter, at now: Instant) -> Bool {
        guard now >= deadline else { return false }
        defer { findDeadline() }
        let isReport = now >= lastReport + Self.reportInterval
        if isReport || !isReducedSize { writeReport(isReport, into: &out, at: now) }
        let start = out.offset
        for index in encodings.indices {
            guard encodings[index].isHeard, let ssrc = encodings[index].ssrc else { continue }
            ask(index, ssrc, into: &out, at: now)
        }
        if arrivals != nil { writeArrivals(into: &out, at: now) }
        return isReport || out.offset > start
    }

    @_lifetime(out: copy out)
    private mutating func writeReport(
        _ isReport: Bool, into out: inout ByteWriter, at now: Instant
    ) {
        blocks.removeAll(keepingCapacity: true)
        if isReport {
            lastReport = now
            for index in encodings.indices.prefix(RTCPWriter.countMaximum)
            where encodings[index].isHeard {
                if let block = encodings[index].report(at: now) { blocks.append(block) }
            }
        }
        writePrefix(blocks.span, into: &out)
        // No wall clock is needed: only the peer's echo of it is read, by us.
        guard isReport else { return }
        let time = NTPTime(unixNanoseconds: now.nanoseconds)
        RTCPWriter.referenceTime(from: ownSSRC, time, into: &out)
    }

    /// What every full compound begins with (RFC 3550 §6.1).
    @_lifetime(out: copy out)
    func writePrefix(_ blocks: Span<RTCPReportBlock>, into out: inout ByteWriter) {
        RTCPWriter.receiverReport(from: ownSSRC, blocks, into: &out)
        RTCPWriter.sourceDescription(ssrc: ownSSRC, cname: cname.raw, into: &out)
    }

    @_lifetime(out: copy out)
    private mutating func ask(
        _ index: Int, _ ssrc: UInt32, into out: inout ByteWriter, at now: Instant
    ) {
        if (encodings[index].nack?.deadline ?? .distantFuture) <= now {
            items.removeAll(keepingCapacity: true)
            while items.count < Self.nacksMaximum, out.remaining > 12 + 4 * items.count + 64,
                let due = encodings[index].nack?.poll(at: now)
            {
                switch due {
                case .nack(let item): items.append(encodings[index].sequence(item))
                case .keyframe: encodings[index].keyframes?.want()
                case .gaveUp(let numbers): givenUp.append((index, numbers))
                }
            }
            if !items.isEmpty {
                RTCPWriter.nack(from: ownSSRC, media: ssrc, items.span, into: &out)
            }
        }
        guard out.remaining > 64 else { return }
        switch encodings[index].keyframes?.poll(at: now) {
        case .pictureLoss: RTCPWriter.pictureLoss(from: ownSSRC, media: ssrc, into: &out)
        case .fullIntra(let number):
            RTCPWriter.fullIntra(from: ownSSRC, media: ssrc, sequence: number, into: &out)
        case nil: break
        }
    }

    @_lifetime(out: copy out)
    private mutating func writeArrivals(into out: inout ByteWriter, at now: Instant) {
        guard var recorder = arrivals.take() else { return }
        // A full one fills a datagram: it waits for a compound with room.
        if recorder.deadline <= now, out.remaining >= TWCCRecorder.countMaximum + 32 {
            let media = encodings.first { $0.isHeard }?.ssrc ?? 0
            _ = recorder.write(from: ownSSRC, media: media, at: now, into: &out)
        }
        arrivals = recorder
    }

    /// A sender report or an answer to our clock, from the publisher.
    mutating func receive(_ item: RTCPItem, at now: Instant, into effects: inout Effects) {
        switch item {
        case .senderInfo(let info):
            // NTP 0 is "no clock" (RFC 3550 §6.4.1).
            guard let index = encoding(of: info.ssrc), info.ntp.bits != 0 else { return }
            encodings[index].receive(info, at: now)
            effects.append(
                .clock(
                    Self.channel, encodings[index].slot, layer: encodings[index].layer,
                    ntpNanoseconds: info.ntp.unixNanoseconds,
                    ticks: encodings[index].near(info.timestamp)))
        case .receiverDelay(let ssrc, let lastReport, let delay) where ssrc == ownSSRC:
            let clock = NTPTime(unixNanoseconds: now.nanoseconds)
            guard
                let measured = NTPTime.roundTrip(
                    now: clock, lastReport: lastReport, delay: delay)
            else { return }
            note(roundTrip: measured)
        case .bye(let ssrc): leave(ssrc, at: now)
        default: break
        }
    }

    /// What will not come: readers need not wait for it.
    mutating func reportLosses(into effects: inout Effects) {
        guard !givenUp.isEmpty else { return }
        for (index, numbers) in givenUp {
            effects.append(
                .lost(
                    Self.channel, encodings[index].slot, layer: encodings[index].layer, numbers))
        }
        givenUp.removeAll(keepingCapacity: true)
    }

    mutating func note(roundTrip measured: Interval) {
        let smooth = roundTrip.map { ($0 * 7 + measured) / 8 } ?? measured
        roundTrip = smooth
        for index in encodings.indices { encodings[index].nack?.roundTrip = smooth }
    }
}
