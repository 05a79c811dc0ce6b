/// Makes decoding times of presentation times: RTP has only the latter, and with B-frames they go
/// back and forth.
///
/// Frames come in decoding order. If at most `depth` of them are shown later than one that comes
/// after them, the smallest time still waiting is the decoding time: never late, never going back.
struct DecodeClock: Sendable {
    /// Encoders of live streams reorder by one or two frames, with pyramids by up to four.
    private static let depthMaximum = 4
    /// A jump wider than this is a new timeline. 10 s at 90 kHz.
    private static let jump: Int64 = 900_000
    /// The distance of the first frames, before it can be known: 30 a second.
    private static let usualDuration: Int64 = 3000

    private var depth: Int
    /// Times that have not been a decoding time, ascending.
    private var waiting: [Int64] = []
    private var last: Int64?

    init(mayReorder: Bool) { depth = mayReorder ? 2 : 0 }

    mutating func reset() {
        waiting.removeAll(keepingCapacity: true)
        last = nil
    }

    /// - Returns: At most `presentation`, unless reordering shows for the first time.
    mutating func decode(_ presentation: Int64) -> Int64 {
        if let last, (presentation &- last).magnitude > UInt64(Self.jump) { reset() }
        // It was thought that times only grow: from now on, look further.
        if let last, presentation <= last, depth < Self.depthMaximum { depth += 1 }
        let position = waiting.firstIndex { $0 > presentation } ?? waiting.endIndex
        waiting.insert(presentation, at: position)
        var time: Int64
        if waiting.count > depth {
            time = waiting.removeFirst()
        } else {
            time = waiting[0] - Int64(depth + 1 - waiting.count) * Self.usualDuration
        }
        if let last, time <= last { time = last + 1 }
        last = time
        return time
    }
}
