package import Wire

/// Remembers when the packets of a transport arrived and writes feedback about them
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
///
/// A packet counts only after it was authenticated: the caller sees to that.
package struct TWCCRecorder: Sendable {
    /// As many packets as a sent ring has places: about 4 s of a usual stream.
    static let window: Int64 = 2048
    /// One packet of feedback fits into one datagram with everything around it.
    package static let countMaximum = 1100
    /// Feedback may cost a twentieth of what it is about: the fewer packets, the rarer.
    private static let pauses: [(packets: Int, pause: Interval)] = [
        (64, .milliseconds(50)), (8, .milliseconds(100)), (1, .milliseconds(250)),
    ]
    private static let none = Int64.min

    /// When a packet arrived, in units of 250 µs, by its number modulo `window`.
    private var arrivals = [Int64](repeating: Self.none, count: Int(Self.window))
    private var symbols: [UInt8] = []
    /// What has not been reported, and behind what has been heard.
    private var next: Int64 = 0
    private var end: Int64 = 0
    private var unreported = 0
    private var lastSent = Instant.start
    private var unwrapper = SequenceUnwrapper()
    private var number: UInt8 = 0

    package init() { symbols.reserveCapacity(Int(Self.window)) }

    package mutating func receive(_ sequence: UInt16, at now: Instant) {
        let index = unwrapper.unwrap(sequence)
        if end == 0 || index >= end + Self.window {  // The first one, or a jump.
            for slot in arrivals.indices { arrivals[slot] = Self.none }
            (next, end, unreported) = (index, index, 0)
        }
        guard index >= end - Self.window else { return }
        while end <= index {
            arrivals[slot(end)] = Self.none
            end += 1
        }
        guard arrivals[slot(index)] == Self.none else { return }
        arrivals[slot(index)] = now.nanoseconds / 250_000
        if unreported == 0 { lastSent = max(lastSent, now - .milliseconds(250)) }
        unreported += 1
        // It was reported as lost: the next report begins with it again.
        next = max(min(next, index), end - Self.window)
    }

    package var deadline: Instant {
        for (packets, pause) in Self.pauses where unreported >= packets {
            return lastSent + pause
        }
        return .distantFuture
    }

    /// Writes one feedback packet of at most `countMaximum` bytes.
    /// - Returns: Whether there is more to write now.
    @_lifetime(out: copy out)
    package mutating func write(
        from sender: UInt32, media: UInt32, at now: Instant, into out: inout ByteWriter
    ) -> Bool {
        while next < end, arrivals[slot(next)] == Self.none { next += 1 }
        guard next < end else {
            unreported = 0
            return false
        }
        lastSent = now
        // 64 ms are 256 units.
        let reference = Self.floor(arrivals[slot(next)], 256)
        fillSymbols(from: reference * 256)
        let start = RTCPWriter.begin(205, 15, into: &out)
        out.write(sender)
        out.write(media)
        out.write(UInt16(truncatingIfNeeded: next))
        out.write(UInt16(symbols.count))
        out.writeUInt24(UInt32(truncatingIfNeeded: reference) & 0xff_ffff)
        out.write(number)
        number &+= 1
        writeChunks(into: &out)
        writeDeltas(from: reference * 256, into: &out)
        let padding = -(out.offset - start) & 3
        if padding > 0 {
            out.write(zeros: padding - 1)
            out.write(UInt8(padding))
            out.patch(UInt8(0xaf), at: start)  // The padding bit (RFC 3550 §6.4.1).
        }
        RTCPWriter.end(start, into: &out)
        next += Int64(symbols.count)
        if next >= end { unreported = 0 }
        return next < end
    }

    private func slot(_ index: Int64) -> Int { Int(index & (Self.window - 1)) }

    private static func floor(_ value: Int64, _ unit: Int64) -> Int64 {
        value >= 0 ? value / unit : -((unit - 1 - value) / unit)
    }

    /// 0: not received, 1: a delta of one byte, 2: of two. Ends where the packet would be full, or
    /// where a delta needs more than 16 bits.
    private mutating func fillSymbols(from reference: Int64) {
        symbols.removeAll(keepingCapacity: true)
        var time = reference
        var count = 24
        for index in next..<end {
            let arrival = arrivals[slot(index)]
            guard arrival != Self.none else {
                symbols.append(0)
                continue
            }
            let delta = arrival - time
            guard Int64(Int16(truncatingIfNeeded: delta)) == delta else { break }
            let symbol: UInt8 = (0...255).contains(delta) ? 1 : 2
            // A chunk holds seven symbols at least.
            guard count + Int(symbol) + 2 * (symbols.count / 7 + 2) <= Self.countMaximum else {
                break
            }
            count += Int(symbol)
            symbols.append(symbol)
            time = arrival
        }
    }

    /// Runs where they are long; else 14 symbols of one bit, or 7 of two if a delta is large.
    @_lifetime(out: copy out)
    private func writeChunks(into out: inout ByteWriter) {
        var position = 0
        while position < symbols.count {
            let run = runLength(at: position)
            if run >= 14 || run == symbols.count - position {
                out.write(UInt16(symbols[position]) << 13 | UInt16(run))
                position += run
                continue
            }
            let hasLarge = symbols[position..<min(position + 14, symbols.count)].contains(2)
            let width = hasLarge ? 2 : 1
            var chunk: UInt16 = hasLarge ? 0xc000 : 0x8000
            let count = min(14 / width, symbols.count - position)
            for offset in 0..<count {
                chunk |= UInt16(symbols[position + offset]) << UInt16(14 - width * (offset + 1))
            }
            out.write(chunk)
            position += count
        }
    }

    private func runLength(at position: Int) -> Int {
        var end = position + 1
        while end < symbols.count, symbols[end] == symbols[position] { end += 1 }
        return min(end - position, 0x1fff)
    }

    @_lifetime(out: copy out)
    private func writeDeltas(from reference: Int64, into out: inout ByteWriter) {
        var time = reference
        for offset in symbols.indices where symbols[offset] > 0 {
            let arrival = arrivals[slot(next + Int64(offset))]
            if symbols[offset] == 1 {
                out.write(UInt8(truncatingIfNeeded: arrival - time))
            } else {
                out.write(Int16(truncatingIfNeeded: arrival - time))
            }
            time = arrival
        }
    }
}
