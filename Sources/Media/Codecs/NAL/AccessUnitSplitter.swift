package import Wire

/// Finds where access units begin in a sequence of NAL units, for carriers that do not say it or
/// say it wrongly: program streams, transport streams, cameras without markers.
///
/// Knowing the beginning of the next unit costs a frame interval of waiting. So there are signs of
/// the end too: a marker, once markers have proved right; audio after video; another time stamp;
/// 15 ms of silence. It holds no bytes: told about units, it answers with a cut.
package struct AccessUnitSplitter: Sendable {
    /// Signs that the last unit is complete.
    package enum Sign: Sendable {
        /// The RTP marker: believed only after it has been right long enough.
        case marker
        /// Bytes of another track follow, or the carrier's packet with a new time stamp.
        case otherTrack, newStamp
    }

    /// The last bytes of a picture follow each other within a network's jitter; 15 ms is above that
    /// and well below the 40 ms that waiting for the next picture would cost.
    static let silence = Interval.milliseconds(15)
    /// As many right markers in a row, and never a wrong one since.
    static let markersForTrust = 20

    private let codec: NALCodec
    private var hasPicture = false
    private var lastUnit: Instant?
    private var lastUnitWasMarked = false
    private var rightMarkers = 0

    package init(_ codec: NALCodec) { self.codec = codec }

    /// A whole unit came. `true`: what came before it is an access unit, cut here.
    package mutating func receive(_ unit: RawSpan, at now: Instant) -> Bool {
        guard let header = NALUnit(unit, codec) else { return false }
        let isBeginning = beginsAccessUnit(unit, header)
        if lastUnitWasMarked { judgeMarker(wasRight: isBeginning) }
        let begins = hasPicture && isBeginning
        if begins { hasPicture = false }
        if header.isSlice { hasPicture = true }
        lastUnit = now
        return begins
    }

    /// `true`: cut now, the picture is complete.
    package mutating func receive(_ sign: Sign) -> Bool {
        guard hasPicture else { return false }
        switch sign {
        case .marker:
            lastUnitWasMarked = true
            guard rightMarkers >= Self.markersForTrust else { return false }
        case .otherTrack, .newStamp: break
        }
        hasPicture = false
        return true
    }

    /// When to call `expire` if nothing comes.
    package var deadline: Instant? { hasPicture ? lastUnit.map { $0 + Self.silence } : nil }

    /// `true`: cut now, nothing has followed for long enough.
    package mutating func expire(at now: Instant) -> Bool {
        guard let deadline, deadline <= now else { return false }
        hasPicture = false
        return true
    }

    /// After a loss: what was begun will not be finished.
    package mutating func reset() {
        hasPicture = false
        lastUnitWasMarked = false
    }

    package var trustsMarkers: Bool { rightMarkers >= Self.markersForTrust }

    /// A marker is right if what follows it begins an access unit, wrong if it continues a picture.
    /// Also for carriers of bytes, who see that a marker stood in the middle of a unit.
    package mutating func judgeMarker(wasRight: Bool) {
        lastUnitWasMarked = false
        rightMarkers = wasRight ? min(rightMarkers + 1, Self.markersForTrust) : 0
    }

    /// H.264 §7.4.1.2.3, H.265 §7.4.2.4.4, simplified to what streams without redundant or
    /// arbitrarily ordered slices need.
    private func beginsAccessUnit(_ unit: RawSpan, _ header: NALUnit) -> Bool {
        switch header.role {
        case .slice, .keySlice:
            guard unit.byteCount > codec.headerCount else { return false }
            // first_mb_in_slice 0 is a single one bit, first_slice_segment_in_pic_flag is the bit.
            return unit.byte(at: codec.headerCount) & 0x80 != 0
        case .videoParameterSet, .sequenceParameterSet, .pictureParameterSet, .information,
            .delimiter, .otherPrefix:
            return true
        case .suffixInformation, .filler, .end, .other: return false
        }
    }
}
