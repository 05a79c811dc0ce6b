import Codecs
import Crypto
import Media
import RTP
import Wire

/// What comes: media, repairs, reports.
extension RTCViewer {
    func receiveMedia(
        _ datagram: inout MutableRawSpan, at now: Instant, utc: Int64,
        engine: inout CryptoEngine, into out: inout ClientOutput
    ) {
        guard let keys else { return }
        guard let header = Self.header(protected: datagram.bytes),
            let (track, isRepair) = track(of: header)
        else {
            figures.strays += 1
            return
        }
        figures.bytes += datagram.byteCount
        if figures.firstPacketAt == nil {
            figures.firstPacketAt = now
            release()
        }
        let labels = Self.labels(header, of: datagram.bytes, by: extensions)
        if let number = labels?.transportSequence { noteArrival(number, at: now) }
        var payload = 0..<0
        if opensMedia || isRepair {
            guard let range = open(&datagram, keys.receiving, engine) else { return }
            payload = range
        }
        if isRepair {
            let repair = datagram.bytes.extracting(payload)
            guard let sequence = Self.repaired(repair) else { return }
            _ = tracks[track].receive(
                sequence, header.timestamp, count: datagram.byteCount, isRepair: true, at: now)
            return
        }
        let begins = tracks[track].receive(
            header.sequence, header.timestamp, count: datagram.byteCount, isRepair: false,
            at: now)
        if let due = tracks[track].nack?.deadline { deadline = min(deadline, due) }
        guard tracks[track].kind == .video else { return }
        if begins {
            stampSought = header.timestamp
            noteDelay(labels?.absoluteCaptureTime, track, utc: utc, into: &out)
        }
        // The stamp stands behind parameter sets, if there are any: perhaps in another packet.
        guard !payload.isEmpty, stampSought == header.timestamp,
            let stamp = FrameStamp.find(in: datagram.bytes.extracting(payload))
        else { return }
        stampSought = nil
        out.delays.append(.init(source: .stamp, length: .init(nanoseconds: utc - stamp.time)))
    }

    private func noteDelay(
        _ capture: UInt64?, _ track: Int, utc: Int64, into out: inout ClientOutput
    ) {
        if let capture {
            let time = NTPTime(bits: capture).unixNanoseconds
            out.delays.append(.init(source: .capture, length: .init(nanoseconds: utc - time)))
        } else if let time = tracks[track].captured {
            out.delays.append(.init(source: .report, length: .init(nanoseconds: utc - time)))
        }
    }

    private func noteArrival(_ number: UInt16, at now: Instant) {
        arrivals?.receive(number, at: now)
        if let due = arrivals?.deadline { deadline = min(deadline, due) }
    }

    /// Where the plain payload lies; `nil` if there is none to be had.
    private func open(
        _ datagram: inout MutableRawSpan, _ key: SRTPKey, _ engine: borrowing CryptoEngine
    ) -> Range<Int>? {
        do throws(SRTPRefusal) {
            let opened = try receiver.unprotect(&datagram, key: key, with: engine)
            figures.opened += 1
            return Self.header(plain: datagram.bytes.extracting(0..<opened.count))?.payload
        } catch {
            if error != .replayed { figures.forged += 1 }
            return nil
        }
    }

    /// The track of a packet, by its source or, if that is new, by its format.
    private func track(of header: RTPHeader) -> (index: Int, isRepair: Bool)? {
        for index in tracks.indices {
            if tracks[index].ssrc == header.ssrc { return (index, false) }
            if tracks[index].rtxSSRC == header.ssrc { return (index, true) }
        }
        for index in tracks.indices {
            guard let found = tracks[index].carries(header.payloadType) else { continue }
            if found.isRepair {
                tracks[index].rtxSSRC = header.ssrc
            } else {
                tracks[index].begin(header.ssrc, found.format)
            }
            return (index, found.isRepair)
        }
        return nil
    }

    func receiveControl(
        _ datagram: inout MutableRawSpan, at now: Instant, engine: inout CryptoEngine
    ) {
        guard let keys else { return }
        do throws(SRTPRefusal) {
            let count = try receiver.unprotectRTCP(
                &datagram, key: keys.receiving, with: engine)
            figures.controls += 1
            act(on: datagram.bytes.extracting(0..<count), at: now)
        } catch {
            if error != .replayed { figures.forged += 1 }
        }
    }

    private func act(on compound: RawSpan, at now: Instant) {
        do throws(ParseError) {
            var reader = try RTCPReader(compound)
            while let item = reader.next() {
                guard case .senderInfo(let info) = item,
                    let track = tracks.firstIndex(where: { $0.ssrc == info.ssrc })
                else { continue }
                tracks[track].receive(info, at: now)
            }
        } catch { figures.strays += 1 }
    }

    // `try?` on a typed throw allocates its error; these do not.

    private static func header(protected datagram: RawSpan) -> RTPHeader? {
        do throws(ParseError) { return try RTPHeader(protected: datagram) } catch { return nil }
    }

    private static func header(plain datagram: RawSpan) -> RTPHeader? {
        do throws(ParseError) { return try RTPHeader(datagram) } catch { return nil }
    }

    private static func labels(
        _ header: RTPHeader, of datagram: RawSpan, by map: ExtensionMap
    ) -> RTPExtensions? {
        do throws(ParseError) {
            return try RTPExtensions(header, of: datagram, by: map)
        } catch { return nil }
    }

    private static func repaired(_ payload: RawSpan) -> UInt16? {
        do throws(ParseError) { return try RTX.unwrap(payload).sequence } catch { return nil }
    }
}
