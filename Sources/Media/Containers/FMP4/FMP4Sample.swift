import Wire

/// A fragment of one sample, for viewers who are sent every frame as it comes: all that stands
/// before the frame's own bytes, which follow as they are.
///
/// The same boxes as `FMP4Fragment` writes for one sample, at fixed places: nothing is allocated
/// for a frame and a viewer.
package struct FMP4Sample: Equatable, Sendable {
    package static let headCount = 112
    private static let fragmentCount: UInt32 = 104

    package var track: UInt32
    /// One more than in the fragment before (§8.8.5).
    package var sequence: UInt32
    /// Decoding time, and how long it is shown, in the track's clock.
    package var time: Int64
    package var duration: UInt32
    package var compositionOffset: Int32
    package var isSync: Bool

    package init(
        track: UInt32, sequence: UInt32, time: Int64, duration: UInt32, compositionOffset: Int32,
        isSync: Bool
    ) {
        self.track = track
        self.sequence = sequence
        self.time = time
        self.duration = duration
        self.compositionOffset = compositionOffset
        self.isSync = isSync
    }

    package func writeHead(count: Int, into window: inout MutableRawSpan) {
        var writer = ByteWriter(window._mutatingExtracting(first: Self.headCount))
        writer.write(Self.fragmentCount)
        writer.write(UInt32(0x6d6f_6f66))  // moof
        writer.write(UInt32(16))
        writer.write(UInt32(0x6d66_6864))  // mfhd
        writer.write(UInt32(0))
        writer.write(sequence)
        writer.write(UInt32(80))
        writer.write(UInt32(0x7472_6166))  // traf
        writer.write(UInt32(16))
        writer.write(UInt32(0x7466_6864))  // tfhd
        // Offsets count from the beginning of the moof (§8.8.7.1).
        writer.write(UInt32(0x2_0000))
        writer.write(track)
        writer.write(UInt32(20))
        writer.write(UInt32(0x7466_6474))  // tfdt
        writer.write(UInt32(1) << 24)
        writer.write(time)
        writer.write(UInt32(36))
        writer.write(UInt32(0x7472_756e))  // trun
        // Version 1: data offset; per sample: duration, size, flags, composition offset.
        writer.write(UInt32(1) << 24 | 0xf01)
        writer.write(UInt32(1))
        writer.write(UInt32(Self.headCount))
        writer.write(duration)
        writer.write(UInt32(truncatingIfNeeded: count))
        writer.write(isSync ? FMP4Fragment.syncFlags : FMP4Fragment.otherFlags)
        writer.write(compositionOffset)
        writer.write(UInt32(truncatingIfNeeded: count + 8))
        writer.write(UInt32(0x6d64_6174))  // mdat
    }
}
