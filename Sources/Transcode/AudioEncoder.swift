import COpus
import CTranscodeShims
import Media
import Wire

/// Samples of one rate to frames of Opus or AAC-LC, with the time stamps of what comes out.
@safe struct AudioEncoder: ~Copyable {
    @safe private enum Kind { case opus(OpaquePointer), aac(OpaquePointer) }

    private let kind: Kind
    /// Samples of each channel that a frame takes.
    let frameSamples: Int
    /// By how much what is decoded lies behind what went in.
    private let delay: Int64
    private let leavesOutPauses: Bool
    /// AAC: where the frames began that the encoder still holds.
    private var held: (older: Int64?, newer: Int64?)
    private var packet: [UInt8]

    /// 20 ms at 48 kHz: what browsers send each other.
    private static let opusSamples = 960
    private static let aacSamples = 1024
    /// RFC 6716 §3.4: the largest frame.
    private static let opusMaximum = 1275
    /// 6,144 bits for each channel, and room.
    private static let aacMaximum = 4096

    init(_ format: Format, _ options: AudioBridge.Options) throws(TranscodeError) {
        let stereo = format.channels == 2
        let kind: Kind
        if format.codec == .opus {
            kind = unsafe .opus(try Self.openOpus(format.channels, options))
        } else {
            let encoder = unsafe transcode_aac_open(
                format.sampleRate, format.channels, stereo ? 128_000 : 64_000)
            guard let encoder = unsafe encoder else {
                throw .unsupported(.aac, reason: "no encoder at \(format.sampleRate) Hz")
            }
            kind = unsafe .aac(encoder)
        }
        self.init(kind, options)
    }

    private init(_ kind: Kind, _ options: AudioBridge.Options) {
        self.kind = kind
        leavesOutPauses = options.dtx
        switch kind {
        case .opus(let encoder):
            frameSamples = Self.opusSamples
            delay = unsafe Int64(transcode_opus_delay(encoder))
            packet = [UInt8](repeating: 0, count: Self.opusMaximum)
        case .aac(let encoder):
            frameSamples = Self.aacSamples
            delay = unsafe Int64(transcode_aac_delay(encoder))
            packet = [UInt8](repeating: 0, count: Self.aacMaximum)
        }
    }

    deinit {
        switch kind {
        case .opus(let encoder): unsafe opus_encoder_destroy(encoder)
        case .aac(let encoder): unsafe transcode_aac_close(encoder)
        }
    }

    private static func openOpus(
        _ channels: Int32, _ options: AudioBridge.Options
    ) throws(TranscodeError) -> OpaquePointer {
        guard
            let encoder = unsafe opus_encoder_create(
                48_000, channels, OPUS_APPLICATION_AUDIO, nil)
        else { throw .unsupported(.opus, reason: "\(channels) channels") }
        let isStereo = channels == 2
        // Copies of what was before help voice at low rates; music is coded without them anyway.
        let isSet = unsafe transcode_opus_set(
            encoder, Int32(isStereo ? options.stereoBitrate : options.monoBitrate),
            Int32(options.complexity), isStereo ? 0 : 10, options.dtx)
        precondition(isSet, "libopus takes these settings")
        return unsafe encoder
    }

    /// Encodes the oldest frame of the queue.
    ///
    /// - Parameter start: The media time of its first sample.
    /// - Returns: The time stamp of what was written; `nil`: nothing was.
    mutating func encode(
        _ queue: inout SampleQueue, from start: Int64, into out: inout ItemBatch, _ meta: ItemMeta
    ) -> Bool {
        var count = 0
        unsafe queue.take(frameSamples) { samples in
            switch kind {
            case .opus(let encoder):
                count = unsafe Int(
                    opus_encode_float(
                        encoder, samples, Int32(frameSamples), &packet, Int32(packet.count)))
            case .aac(let encoder):
                count = unsafe Int(
                    transcode_aac_encode(encoder, samples, &packet, Int32(packet.count)))
            }
        }
        let ticks = stamp(start)
        // libopus: two bytes or less need not be sent (RFC 7587 §3.1.3).
        guard count > (leavesOutPauses ? 2 : 0) else { return false }
        var meta = meta
        meta.ticks = ticks
        out.append(packet.raw.extracting(0..<count), meta)
        return true
    }

    /// The media time of the first sample that is heard when this frame is decoded.
    private mutating func stamp(_ start: Int64) -> Int64 {
        guard case .aac = kind else { return start - delay }
        // A frame comes out when the next has gone in, and sounds a frame later.
        defer { held = (held.newer, start) }
        return held.older ?? (held.newer ?? start) - delay
    }
}
