import Containers
import Media
import Wire

/// Samples into the bytes of parts, in either container. A segment is its parts, one after another.
struct HLSMuxer: Sendable {
    private var fragment: FMP4Fragment?
    private var transport: TSMuxer?
    private var bytes: [UInt8] = []
    /// Goes on over all headers of a stream: players look whether it grows (ISO/IEC 14496-12
    /// §8.8.5).
    private(set) var sequence: UInt32

    /// - Returns: Nil for a codec that this container has no name for.
    init?(_ container: HLSRules.Container, _ formats: [Format], after sequence: UInt32) {
        self.sequence = sequence
        switch container {
        case .fmp4: fragment = FMP4Fragment(Self.tracks(formats))
        case .mpegTS:
            guard var muxer = try? TSMuxer(formats) else { return nil }
            if sequence > 0 { muxer.noteDiscontinuity() }
            transport = muxer
        }
    }

    private static func tracks(_ formats: [Format]) -> [FMP4Track] {
        formats.enumerated().map { FMP4Track(id: UInt32($0.offset + 1), $0.element) }
    }

    /// The init segment; nil: a format that is not complete, or has no name there.
    static func header(_ formats: [Format]) -> [UInt8]? {
        var out: [UInt8] = []
        do throws(FMP4Error) { try FMP4Init.write(tracks(formats), into: &out) } catch {
            return nil
        }
        return out
    }

    mutating func beginSegment() { transport?.beginSegment() }

    mutating func add(_ sample: HLSLane.Pending, duration: Int64, track: Int) {
        fragment?.add(
            sample.bytes.raw, ticks: sample.time, duration: duration, sample.meta, track: track)
        guard transport != nil else { return }
        let decoding = Timebase.convert(sample.time, from: sample.format.clockRate, to: 90_000)
        transport?.write(
            sample.bytes.raw, sample.meta, sample.format, decoding: decoding, track: track,
            into: &bytes)
    }

    /// What was added since the last part.
    mutating func finishPart() -> [UInt8] {
        sequence &+= 1
        fragment?.finish(sequence: sequence, into: &bytes)
        defer { bytes = [] }
        return bytes
    }
}
