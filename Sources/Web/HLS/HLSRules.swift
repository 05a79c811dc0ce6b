package import Wire

/// How a stream is cut for HLS.
package struct HLSRules: Equatable, Sendable {
    package enum Container: String, Sendable {
        /// Plays everywhere since 2016, and carries every codec of ours.
        case fmp4
        /// For players in devices; H.264, H.265, AAC and MP3 only.
        case mpegTS
    }

    package var container: Container
    /// A segment ends with the first key frame after so long.
    package var segment: Interval
    /// Parts for low latency (RFC 8216bis §4.4.4.9); nil: none.
    package var part: Interval?
    /// Whole segments in the playlist. Six target durations must stay when a playlist skips the
    /// older ones (§4.4.3.8).
    package var listed: Int
    /// Segments that have left the playlist may still be asked for: as many again would be one
    /// playlist's length, and nobody is so late (§6.2.2 asks for it).
    package var keptAfter: Int

    package init(
        _ container: Container = .fmp4, segment: Interval = .seconds(2),
        part: Interval? = .milliseconds(200), listed: Int = 8, keptAfter: Int = 4
    ) {
        self.container = container
        self.segment = segment
        self.part = part
        self.listed = listed
        self.keptAfter = keptAfter
    }

    /// No part is announced longer than this.
    static let partMaximum = Interval.seconds(1)
    /// Segments before the first answer: players begin three before the end.
    static let readyAfter = 3
}
