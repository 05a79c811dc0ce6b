import Codecs
import Wire

/// Puts the PES packets of one elementary stream together.
///
/// The end of a packet without a length is the beginning of the next one: a picture would always be
/// late by one. But writers fill up the last transport packet of each, and nearly all of them only
/// that one: once this has been right often enough, it counts as the end.
struct PESAssembler: Sendable {
    /// As many ends in a row that were marked so, and never a wrong one since.
    private static let provenEnds = 8

    private let countMaximum: Int
    private(set) var bytes: [UInt8] = []
    private(set) var isOpen = false
    /// Where something is missing; nil: nothing is.
    private(set) var gap: Int?
    /// Announced; nil: until the next one begins.
    private var count: Int?
    private var ends = 0
    private var lastWasFilled = false
    /// It was closed by a sign, and the next one has not begun.
    private var wasClosedEarly = false
    /// What looks like an end is none with this writer.
    private(set) var isMisled = false
    private(set) var tooLarge: UInt64 = 0

    init(countMaximum: Int) { self.countMaximum = countMaximum }

    /// A PES packet begins. What was open must have been taken.
    mutating func begin() {
        if lastWasFilled, !isMisled { ends = min(ends + 1, Self.provenEnds) }
        lastWasFilled = false
        wasClosedEarly = false
        isOpen = true
        count = nil
        gap = nil
        bytes.removeAll(keepingCapacity: true)
    }

    /// Packets are missing here.
    mutating func noteGap() {
        lastWasFilled = false
        wasClosedEarly = false
        if isOpen, gap == nil { gap = bytes.count }
    }

    /// - Returns: Whether the packet is complete with it.
    mutating func append(_ payload: RawSpan, isFilledUp: Bool) -> Bool {
        guard isOpen else {
            // More of what was over.
            if wasClosedEarly { isMisled = true }
            return false
        }
        if lastWasFilled { isMisled = true }
        lastWasFilled = isFilledUp
        guard bytes.count + payload.byteCount <= countMaximum else {
            tooLarge &+= 1
            isOpen = false
            return false
        }
        bytes.append(copying: payload)
        if count == nil, bytes.count >= 6 {
            let announced = Int(bytes[4]) << 8 | Int(bytes[5])
            count = announced > 0 ? announced + 6 : .max
        }
        guard !isMisled, let count else { return false }
        if count != .max { return bytes.count >= count }
        return isFilledUp && ends >= Self.provenEnds
    }

    /// Closes it: what it holds is read now, and `begin` forgets it.
    ///
    /// - Parameter isEarly: Nothing has begun behind it.
    mutating func close(isEarly: Bool) -> [UInt8] {
        isOpen = false
        wasClosedEarly = isEarly
        var taken: [UInt8] = []
        swap(&taken, &bytes)
        return taken
    }

    /// The memory of `close`.
    mutating func giveBack(_ taken: consuming [UInt8]) { bytes = taken }
}
