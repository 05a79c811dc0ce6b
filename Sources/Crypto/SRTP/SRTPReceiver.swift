import Wire

/// Why a packet of the peer was not opened. Counted by the session; never an end of it.
package enum SRTPRefusal: Error, Equatable, Sendable, CaseIterable {
    /// Not RTP or RTCP, or too short to be protected.
    case malformed
    /// Came before, or is older than the window: duplicates are normal.
    case replayed
    /// The tag is wrong.
    case forged
    /// More sources than a session may have.
    case tooManySources
}

/// An opened RTP packet: where its parts lie, and its number.
package struct SRTPPacket: Equatable, Sendable {
    package var ssrc: UInt32
    /// The sequence number with the roll-over counter above it.
    package var index: UInt64
    package var headerCount: Int
    /// Of header and payload, padding included.
    package var count: Int
}

/// What one peer has sent so far: for each of its sources the highest index and which packets came.
///
/// Nothing is changed by a packet before its tag has proved right; a new source is one only then.
package struct SRTPReceiver: Sendable {
    /// Three simulcast layers and their repairs are 6; a session that restarts its encoders a few
    /// times has 20.
    package static let sourcesMaximum = 64

    /// Repairs without RTX come late: a second of video at 1,000 packets a second.
    private typealias RTPWindow = ReplayWindow<16>
    private typealias RTCPWindow = ReplayWindow<2>

    private var ssrcs: [UInt32] = []
    private var windows: [RTPWindow] = []
    private var rtcpSSRCs: [UInt32] = []
    private var rtcpWindows: [RTCPWindow] = []

    /// The compound packet that was opened last is ahead of all others of its source.
    package private(set) var isNewestControl = false

    package init() {}

    /// Opens a packet in place.
    package mutating func unprotect(
        _ packet: inout MutableRawSpan, key: SRTPKey, with engine: borrowing CryptoEngine
    ) throws(SRTPRefusal) -> SRTPPacket {
        let headerCount = try Self.headerCount(packet.bytes)
        let tagCount = engine.profile(of: key).tagCount
        guard packet.byteCount >= headerCount + tagCount else { throw .malformed }
        let ssrc = packet.bytes.number(at: 8)
        let sequence = UInt16(truncatingIfNeeded: packet.bytes.number(at: 0))
        let source = ssrcs.firstIndex(of: ssrc)
        let index: UInt64
        if let source {
            // RFC 3711 §3.3.1: the index nearest to the highest that was genuine.
            let nearest = Serial.extend(sequence, near: Int64(windows[source].highest))
            guard nearest >= 0 else { throw .replayed }
            index = UInt64(nearest)
            guard windows[source].check(index) == .new else { throw .replayed }
        } else {
            guard ssrcs.count < Self.sourcesMaximum else { throw .tooManySources }
            index = UInt64(sequence)
        }
        let opened = engine.unprotect(
            &packet, headerCount: headerCount, ssrc: ssrc, index: index, key: key)
        guard let count = opened else { throw .forged }
        if let source {
            windows[source].accept(index)
        } else {
            ssrcs.append(ssrc)
            windows.append(RTPWindow(first: index))
        }
        return SRTPPacket(ssrc: ssrc, index: index, headerCount: headerCount, count: count)
    }

    /// Opens a compound RTCP packet in place.
    ///
    /// - Returns: Its length without what protected it.
    package mutating func unprotectRTCP(
        _ packet: inout MutableRawSpan, key: SRTPKey, with engine: borrowing CryptoEngine
    ) throws(SRTPRefusal) -> Int {
        let profile = engine.profile(of: key)
        let count = packet.byteCount
        guard count >= 8 + profile.rtcpGrowth, packet.bytes.byte(at: 0) >> 6 == 2 else {
            throw .malformed
        }
        // The index is last with GCM, and in front of the tag otherwise.
        let word = packet.bytes.number(at: profile.isGCM ? count - 4 : count - 14)
        // Nobody sends RTCP in the clear here; to believe it would be to believe a bit of theirs.
        guard word >> 31 == 1 else { throw .malformed }
        let index = word & CryptoEngine.rtcpIndexMaximum
        let ssrc = packet.bytes.number(at: 4)
        let source = rtcpSSRCs.firstIndex(of: ssrc)
        if let source {
            guard rtcpWindows[source].check(UInt64(index)) == .new else { throw .replayed }
        } else {
            guard rtcpSSRCs.count < Self.sourcesMaximum else { throw .tooManySources }
        }
        let opened = engine.unprotectRTCP(&packet, ssrc: ssrc, index: index, key: key)
        guard let plain = opened else { throw .forged }
        isNewestControl = source.map { UInt64(index) > rtcpWindows[$0].highest } ?? false
        if let source {
            rtcpWindows[source].accept(UInt64(index))
        } else {
            rtcpSSRCs.append(ssrc)
            rtcpWindows.append(RTCPWindow(first: UInt64(index)))
        }
        return plain
    }

    /// Fixed part, contributing sources and extension: what is authenticated and not encrypted.
    private static func headerCount(_ packet: RawSpan) throws(SRTPRefusal) -> Int {
        guard packet.byteCount >= 12, packet.byte(at: 0) >> 6 == 2 else { throw .malformed }
        let first = packet.byte(at: 0)
        var count = 12 + 4 * Int(first & 15)
        guard first & 0x10 != 0 else { return count }
        guard packet.byteCount >= count + 4 else { throw .malformed }
        count += 4 + 4 * (Int(packet.byte(at: count + 2)) << 8 | Int(packet.byte(at: count + 3)))
        return count
    }
}
