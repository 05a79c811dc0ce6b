/// How H.265 is written: the rest has one way only.
package enum FLVDialect: Sendable {
    /// Four letters, as Enhanced RTMP has it: FFmpeg from 6.1, mpegts.js, OBS.
    case enhanced
    /// Number 12, as Chinese players and devices have it.
    case legacy
}
