package import Wire

/// Takes a byte stream apart: interleaved frames (`$`, channel, length; RFC 2326 §10.12), requests
/// and responses, in any order and cut at any place.
///
/// Cameras lose bytes of their own stream. What is neither is garbage, and skipped until something
/// begins that looks like a frame or a message; a peer that does that again and again is given up.
package struct RTSPReader: Sendable {
    package enum Element: Equatable, Sendable {
        /// What it carries lies in these of the bytes that were shown.
        case frame(channel: UInt8, Range<Int>)
        case message(RTSPMessage)
    }

    /// Session descriptions are 64 KiB at most; two of those.
    static let bodyMaximum = 128 << 10
    /// Losing the thread once an hour is a bad camera; ten times is no RTSP.
    static let lossMaximum = 10
    /// From one frame to the next it may be 64 KiB.
    static let garbageMaximum = 128 << 10
    /// What proves that the thread is found again: the losses before it are forgiven.
    private static let soundFrames = 1000
    private static let headCount = 4
    private static let dollar = UInt8(ascii: "$")
    /// Longer than any method: GET_PARAMETER, SET_PARAMETER.
    private static let wordMaximum = 20

    private var head = TextHead(rules: .rtsp)
    private var isLost = false
    private var losses = 0
    private var sound = 0
    /// Since the thread was lost.
    private var garbage = 0
    /// Bytes skipped in all: for the report.
    package private(set) var skipped = 0

    package init() {}

    /// - Parameter start: Where to go on in `bytes`; moved behind what was read.
    /// - Returns: nil: more bytes are needed, behind those from `start` on.
    package mutating func next(
        _ bytes: RawSpan, from start: inout Int
    ) throws(ParseError) -> Element? {
        while start < bytes.byteCount {
            if isLost {
                guard try find(bytes, &start) else { return nil }
            }
            if head.isUntouched {
                start += TextHead.blankPrefix(of: bytes.extracting(start..<bytes.byteCount))
                guard start < bytes.byteCount else { return nil }
                if bytes.byte(at: start) == Self.dollar { return frame(bytes, &start) }
                guard isWord(bytes, start) else {
                    try lose(&start)
                    continue
                }
            }
            if let message = try message(bytes, &start) { return .message(message) }
            if !isLost { return nil }
        }
        return nil
    }

    private mutating func frame(_ bytes: RawSpan, _ start: inout Int) -> Element? {
        let count = bytes.byteCount - start
        guard count >= Self.headCount else { return nil }
        let length = Int(bytes.byte(at: start + 2)) << 8 | Int(bytes.byte(at: start + 3))
        guard count >= Self.headCount + length else { return nil }
        let channel = bytes.byte(at: start + 1)
        let range = start + Self.headCount..<start + Self.headCount + length
        start = range.upperBound
        sound += 1
        if sound >= Self.soundFrames { losses = 0 }
        return .frame(channel: channel, range)
    }

    private mutating func message(
        _ bytes: RawSpan, _ start: inout Int
    ) throws(ParseError) -> RTSPMessage? {
        let rest = bytes.extracting(start..<bytes.byteCount)
        do throws(ParseError) {
            guard try head.read(rest) else { return nil }
        } catch {
            try lose(&start)
            return nil
        }
        var length = 0
        if case .length(let said) = head.body { length = said }
        guard length <= Self.bodyMaximum else {
            throw .tooMuch("RTSP body", limit: Self.bodyMaximum)
        }
        guard let end = bodyEnd(rest, length) else { return nil }
        defer { head.reset() }
        do throws(ParseError) {
            let message = try RTSPMessage(head, in: rest, body: head.count..<end)
            start += end
            return message
        } catch {
            try lose(&start)
            return nil
        }
    }

    /// Some cameras say a byte or two more than they send. A description that ends with a line end
    /// is whole then: what an honest peer still has to send of it is an empty line.
    private func bodyEnd(_ rest: RawSpan, _ length: Int) -> Int? {
        let end = head.count + length
        if end <= rest.byteCount { return end }
        let present = rest.byteCount - head.count
        guard length - present <= 2, present > 3,
            rest.byte(at: rest.byteCount - 1) == ASCII.lineFeed,
            rest.matches("v=0", head.count..<head.count + 3)
        else { return nil }
        return rest.byteCount
    }

    // MARK: - The thread

    private mutating func lose(_ start: inout Int) throws(ParseError) {
        head.reset()
        (isLost, sound, garbage) = (true, 0, 1)
        losses += 1
        skipped += 1
        start += 1
        guard losses <= Self.lossMaximum else {
            throw .tooMuch("garbage between messages", limit: Self.lossMaximum)
        }
    }

    private enum Look { case yes, no, perhaps }

    /// - Returns: Whether something begins at `start` now.
    private mutating func find(
        _ bytes: RawSpan, _ start: inout Int
    ) throws(ParseError) -> Bool {
        let from = start
        var look = Look.no
        while start < bytes.byteCount {
            look = self.look(bytes, start)
            if look != .no { break }
            start += 1
        }
        garbage += start - from
        skipped += start - from
        guard garbage <= Self.garbageMaximum else {
            throw .tooMuch("garbage between messages", limit: Self.garbageMaximum)
        }
        if look == .yes { isLost = false }
        return look == .yes
    }

    private func look(_ bytes: RawSpan, _ at: Int) -> Look {
        let count = bytes.byteCount - at
        let first = bytes.byte(at: at)
        if first == Self.dollar {
            guard count > Self.headCount else { return .perhaps }
            let length = Int(bytes.byte(at: at + 2)) << 8 | Int(bytes.byte(at: at + 3))
            // RTP and RTCP both begin with version 2; nobody has twenty channels.
            guard bytes.byte(at: at + 1) < 20, length >= 8,
                bytes.byte(at: at + Self.headCount) >> 6 == 2
            else { return .no }
            let next = at + Self.headCount + length
            return next >= bytes.byteCount || isWord(bytes, next) ? .yes : .no
        }
        guard first == UInt8(ascii: "R") else { return .no }
        let version = "RTSP/1."
        guard count >= version.utf8.count else {
            return bytes.matches(String(version.prefix(count)), at..<bytes.byteCount)
                ? .perhaps : .no
        }
        return bytes.matches(version, at..<at + version.utf8.count) ? .yes : .no
    }

    /// Whether a frame or the first word of a message may begin here, as far as can be seen.
    private func isWord(_ bytes: RawSpan, _ at: Int) -> Bool {
        if bytes.byte(at: at) == Self.dollar || bytes.byte(at: at) == ASCII.carriageReturn {
            return true
        }
        for offset in at..<min(bytes.byteCount, at + Self.wordMaximum) {
            switch bytes.byte(at: offset) {
            case ASCII.space: return offset > at
            case 0x41...0x5a, 0x5f, 0x2f, 0x2e, 0x30...0x39: break
            default: return false
            }
        }
        return bytes.byteCount - at < Self.wordMaximum
    }
}
