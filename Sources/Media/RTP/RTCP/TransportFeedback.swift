package import Wire

/// Transport-wide congestion feedback, as the sender of the packets reads it
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
package struct TransportFeedback: Sendable {
    /// Of one packet that the feedback speaks of.
    package struct Arrival: Equatable, Sendable {
        package var sequence: UInt16
        package var received: Bool
        /// By the receiver's clock, in units of 250 µs; meaningless if it was not received.
        package var time: Int64
    }

    /// No sent ring has more packets: a report about more names packets nobody remembers.
    package static let arrivalsMaximum = 2048

    /// Of the last feedback read. The memory is kept: reading allocates nothing.
    package private(set) var arrivals: [Arrival] = []
    /// Counts feedback packets: a gap means that one was lost.
    package private(set) var number: UInt8 = 0

    package init() { arrivals.reserveCapacity(Self.arrivalsMaximum) }

    /// - Parameter body: What `RTCPItem.transportFeedback` points at.
    package mutating func read(_ body: RawSpan) throws(ParseError) {
        arrivals.removeAll(keepingCapacity: true)
        var reader = ByteReader(body)
        let base = try reader.read(UInt16.self)
        let count = Int(try reader.read(UInt16.self))
        guard count <= Self.arrivalsMaximum else {
            throw .tooMuch("packets in a transport feedback", limit: Self.arrivalsMaximum)
        }
        let reference = Int64(Int32(bitPattern: try reader.readUInt24() << 8) >> 8)
        number = try reader.read(UInt8.self)
        // The symbols first: until the deltas are read, `time` holds their size in bytes.
        while arrivals.count < count {
            try readChunk(try reader.read(UInt16.self), base: base, count: count)
        }
        readDeltas(&reader, from: reference * 256)
    }

    private mutating func readChunk(
        _ chunk: UInt16, base: UInt16, count: Int
    ) throws(ParseError) {
        if chunk & 0x8000 == 0 {  // A run of one symbol.
            let run = min(Int(chunk & 0x1fff), count - arrivals.count)
            // A run of nothing would let a few bytes keep us busy without end.
            guard run > 0 else { throw .invalid("run length", value: 0, at: 0) }
            for _ in 0..<run { try add(UInt8(chunk >> 13 & 3), base: base) }
            return
        }
        let twoBit = chunk & 0x4000 != 0
        var bit = twoBit ? 12 : 13
        while bit >= 0 && arrivals.count < count {
            try add(UInt8(chunk >> UInt16(bit) & (twoBit ? 3 : 1)), base: base)
            bit -= twoBit ? 2 : 1
        }
    }

    private mutating func add(_ symbol: UInt8, base: UInt16) throws(ParseError) {
        guard symbol < 3 else { throw .invalid("packet status", value: 3, at: 0) }
        let sequence = base &+ UInt16(truncatingIfNeeded: arrivals.count)
        arrivals.append(
            Arrival(sequence: sequence, received: symbol != 0, time: Int64(symbol)))
    }

    /// If the deltas end early, what has none was not heard of: it leaves the list.
    private mutating func readDeltas(_ reader: inout ByteReader, from reference: Int64) {
        var time = reference
        for index in arrivals.indices where arrivals[index].received {
            do throws(ParseError) {
                if arrivals[index].time == 1 {
                    time += Int64(try reader.read(UInt8.self))
                } else {
                    time += Int64(try reader.read(Int16.self))
                }
            } catch {
                arrivals.removeSubrange(index...)
                return
            }
            arrivals[index].time = time
        }
    }
}
