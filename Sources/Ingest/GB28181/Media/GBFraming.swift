import RTP
package import Wire

/// Finds RTP packets in a connection of a camera, however it frames them: two bytes of length
/// (RFC 4571), `$` with a channel and a length, or the latter behind a preamble of 256 bytes
/// (EHOME).
///
/// Cameras overwrite their own send buffers when the network is slow: then the thread is lost in
/// the middle of a packet. It is found again where the SSRC stands twice at the distance that a
/// length announces.
package struct GBFraming: Sendable {
    enum Form: Equatable, Sendable {
        case length, dollar
        var headCount: Int { self == .length ? 2 : 4 }
    }

    static let preambleCount = 256
    private static let packetMinimum = 12
    /// A stream that never exceeded this does not send ten times as much at once.
    private static let usualMaximum = 2048
    private static let suddenMaximum = 10 * 1024
    /// While searching: one packet of the largest size, and the head of the next one.
    private static let searchWindow = 66 << 10
    /// So that whoever sends garbage byte by byte does not have all of it searched at each.
    private static let searchStep = 512
    static let garbageMaximum = 1 << 20

    private(set) var form: Form?
    private var ssrc: UInt32?
    private var largest = 0
    private var isLost = false
    /// How many bytes have been searched in vain; all are again when some more have come.
    private var searched = 0
    private var garbage = 0
    /// How often the thread was lost.
    package private(set) var resyncs: UInt64 = 0

    package init() {}

    /// - Parameter start: Where to go on in `bytes`; moved behind what was read.
    /// - Returns: nil: more bytes are needed, behind those from `start` on.
    /// - Throws: It is none of the forms, or nothing is found any more.
    package mutating func next(
        _ bytes: RawSpan, from start: inout Int
    ) throws(ParseError) -> Range<Int>? {
        while start < bytes.byteCount {
            guard let form else {
                guard try decide(bytes, &start) else { return nil }
                continue
            }
            if isLost {
                guard try find(bytes, &start, form) else { return nil }
            }
            guard let length = length(bytes, start, form) else { return nil }
            // Nobody knows why, some send them.
            if length == 0 {
                start += form.headCount
                continue
            }
            guard isSound(bytes, start, length, form) else {
                isLost = true
                resyncs &+= 1
                continue
            }
            let first = start + form.headCount
            guard first + length <= bytes.byteCount else { return nil }
            note(bytes.extracting(first..<first + length))
            start = first + length
            return first..<first + length
        }
        return nil
    }

    // MARK: - The form

    /// - Returns: False: more bytes are needed.
    private mutating func decide(_ bytes: RawSpan, _ start: inout Int) throws(ParseError) -> Bool {
        guard bytes.byteCount - start >= 6 else { return false }
        func byte(_ offset: Int) -> UInt8 { bytes.byte(at: start + offset) }
        let length = Int(byte(0)) << 8 | Int(byte(1))
        if byte(2) >> 6 == 2, length >= Self.packetMinimum {
            form = .length
        } else if byte(0) == 0x24, byte(4) >> 6 == 2 {
            form = .dollar
        } else if byte(0) == 1, byte(1) == 0, byte(2) <= 0x0f {
            guard bytes.byteCount - start >= Self.preambleCount else { return false }
            start += Self.preambleCount
        } else {
            throw .invalid(
                byte(0) >> 6 == 2 ? "RTP without a length" : "RTP framing",
                value: UInt64(byte(0)), at: start)
        }
        return true
    }

    private func length(_ bytes: RawSpan, _ at: Int, _ form: Form) -> Int? {
        guard bytes.byteCount - at >= form.headCount else { return nil }
        let last = at + form.headCount
        return Int(bytes.byte(at: last - 2)) << 8 | Int(bytes.byte(at: last - 1))
    }

    /// Whether a packet can begin here, as far as can be seen.
    private func isSound(_ bytes: RawSpan, _ at: Int, _ length: Int, _ form: Form) -> Bool {
        if form == .dollar, bytes.byte(at: at) != 0x24 { return false }
        guard length >= Self.packetMinimum else { return false }
        if largest > 0, largest <= Self.usualMaximum, length > Self.suddenMaximum { return false }
        let first = at + form.headCount
        guard first < bytes.byteCount else { return true }
        guard bytes.byte(at: first) >> 6 == 2 else { return false }
        guard let ssrc, first + 12 <= bytes.byteCount,
            !RTPHeader.isRTCP(bytes.extracting(first..<bytes.byteCount)),
            Self.source(bytes, first) != ssrc
        else { return true }
        // Another SSRC: an encoder that began anew, if what follows is a packet as well.
        let next = first + length
        guard next + form.headCount < bytes.byteCount else { return true }
        return bytes.byte(at: next + form.headCount) >> 6 == 2
    }

    private static func source(_ bytes: RawSpan, _ packet: Int) -> UInt32 {
        var value: UInt32 = 0
        for offset in 8..<12 { value = value << 8 | UInt32(bytes.byte(at: packet + offset)) }
        return value
    }

    private mutating func note(_ packet: RawSpan) {
        largest = max(largest, packet.byteCount)
        garbage = 0
        if !RTPHeader.isRTCP(packet) { ssrc = Self.source(packet, 0) }
    }

    // MARK: - The thread

    /// - Returns: Whether a packet begins at `start` now.
    private mutating func find(
        _ bytes: RawSpan, _ start: inout Int, _ form: Form
    ) throws(ParseError) -> Bool {
        guard bytes.byteCount - start >= searched + Self.searchStep else { return false }
        let from = start
        var at = start + 1
        while at + form.headCount + 12 <= bytes.byteCount {
            if isProven(bytes, at, form) {
                (isLost, searched) = (false, 0)
                start = at
                return true
            }
            at += 1
        }
        // What cannot be the beginning of a packet that is still coming is given up.
        start = max(from, bytes.byteCount - Self.searchWindow)
        garbage += start - from
        searched = bytes.byteCount - start
        guard garbage <= Self.garbageMaximum else {
            throw .tooMuch("bytes between packets", limit: Self.garbageMaximum)
        }
        return false
    }

    /// The SSRC stands here, and again where the length says that the next packet is.
    private func isProven(_ bytes: RawSpan, _ at: Int, _ form: Form) -> Bool {
        guard let length = length(bytes, at, form), length >= Self.packetMinimum else {
            return false
        }
        let first = at + form.headCount
        let next = first + length + form.headCount
        guard bytes.byte(at: first) >> 6 == 2, next + 12 <= bytes.byteCount,
            bytes.byte(at: next) >> 6 == 2
        else { return false }
        let source = Self.source(bytes, first)
        return source == Self.source(bytes, next) && source == ssrc ?? source
    }
}
