import Wire

/// The time of a message from the field in its header: absolute or a difference, and not everybody
/// agrees which.
enum ChunkClock {
    /// A difference beyond it was meant as a time: no message comes an hour after the one before.
    private static let differenceMaximum: UInt32 = 3_600_000

    /// - Parameter format: 0: the field is the time. 1 and 2: the time since the message before. 3:
    ///   the field of the message before, added again, even after a format 0 (as Adobe's text has
    ///   it, and FFmpeg, SRS and ZLMediaKit do).
    static func advance(_ stream: inout ChunkReader.ChunkStream, _ format: UInt8) {
        let field = stream.field
        guard format > 0 else {
            stream.header.stamp = field
            return
        }
        let before = stream.header.stamp
        if stream.isExtended, field > differenceMaximum {
            // Some write the time itself whenever it no longer fits into 24 bits.
            stream.header.stamp = field
        } else {
            stream.header.stamp = before &+ field
        }
    }
}
