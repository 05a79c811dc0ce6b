import COpus
import CTranscodeShims
import Codecs
import Media
import Wire

/// Makes samples of the frames of one format. Each frame is looked at before a library sees it:
/// what is too large or of another kind than was announced goes no further.
@safe struct AudioDecoder: ~Copyable {
    @safe private enum Kind {
        case library(OpaquePointer)
        case opus(OpaquePointer)
        case law([Int16])
        /// Big-endian (RFC 3551 §4.5.11).
        case linear
    }

    private let kind: Kind
    private let format: Format
    private let largest: Int
    /// Where the decoders that are ours leave their samples.
    private let scratch: UnsafeMutableRawBufferPointer
    /// Samples in it that have not been asked for.
    private var ready: transcode_sound?

    init(_ format: Format) throws(TranscodeError) {
        self.init(format, try Self.makeKind(format))
    }

    private init(_ format: Format, _ kind: Kind) {
        self.format = format
        self.kind = kind
        largest = Self.largestFrame(format.codec)
        let size =
            switch kind {
            case .library: 0
            case .opus: 2 * Self.opusMaximum * MemoryLayout<Float>.size
            case .law, .linear: largest * MemoryLayout<Int16>.size
            }
        unsafe scratch = .allocate(byteCount: size, alignment: 16)
    }

    deinit {
        switch kind {
        case .library(let decoder): unsafe transcode_decoder_close(decoder)
        case .opus(let decoder): unsafe opus_decoder_destroy(decoder)
        case .law, .linear: break
        }
        unsafe scratch.deallocate()
    }

    /// Takes a frame in; `next` then shows what it has become.
    ///
    /// - Returns: Whether it could be decoded.
    mutating func send(_ frame: RawSpan) -> Bool {
        ready = nil
        guard frame.byteCount > 0, frame.byteCount <= largest, isSound(frame) else { return false }
        switch kind {
        case .library(let decoder):
            return unsafe frame.withUnsafeBytes { bytes in
                unsafe transcode_decoder_send(
                    decoder, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count)
            }
        case .opus(let decoder):
            return unsafe decode(frame, by: decoder, samples: Self.opusMaximum, repairing: false)
        case .law(let table):
            for at in 0..<frame.byteCount { put(table[Int(frame.byte(at: at))], at) }
            return show(samples: frame.byteCount)
        case .linear:
            for at in 0..<frame.byteCount / 2 {
                let high = UInt16(frame.byte(at: 2 * at))
                put(Int16(bitPattern: high << 8 | UInt16(frame.byte(at: 2 * at + 1))), at)
            }
            return show(samples: frame.byteCount / 2)
        }
    }

    /// The next sound of what was sent; it is valid until the decoder is called again.
    mutating func next(_ sound: inout transcode_sound) -> Bool {
        if case .library(let decoder) = kind {
            return unsafe transcode_decoder_receive(decoder, &sound)
        }
        guard let ready else { return false }
        sound = ready
        self.ready = nil
        return true
    }

    /// Opus: what was lost before `next`, up to 100 ms, from what `next` says of it or from what
    /// was heard before; afterwards `next` is sent as usual. Others do not have that.
    mutating func conceal(_ samples: Int, before next: RawSpan) -> Bool {
        ready = nil
        guard case .opus(let decoder) = kind, next.byteCount <= largest, isSound(next) else {
            return false
        }
        return unsafe decode(next, by: decoder, samples: samples, repairing: true)
    }

    /// Nothing of what was before is heard in what comes.
    mutating func flush() {
        ready = nil
        switch kind {
        case .library(let decoder): unsafe transcode_decoder_flush(decoder)
        case .opus(let decoder): unsafe transcode_opus_reset(decoder)
        case .law, .linear: break
        }
    }

    // MARK: Checks

    /// Bytes of the largest frame that makes sense: 6,144 bits for each AAC channel, 120 ms of Opus
    /// at most 1,275 bytes for each of 48 frames (nobody sends more than a few), a second of PCM.
    private static func largestFrame(_ codec: Codec) -> Int {
        switch codec {
        case .aac: 8 * 768 + 64
        case .opus: 16 << 10
        case .mp2, .mp3, .ac3, .eac3: 6 << 10
        case .pcma, .pcmu, .g722, .g726: 16 << 10
        case .l16: 64 << 10
        default: 96 << 10
        }
    }

    /// The frame begins as one of this codec does.
    private func isSound(_ frame: RawSpan) -> Bool {
        switch format.codec {
        case .opus: return (try? OpusPacket(frame)) != nil
        case .mp2, .mp3:
            guard let header = try? MPEGAudioHeader(frame) else { return false }
            return header.frameCount <= frame.byteCount
                && (header.layer == 3) == (format.codec == .mp3)
        case .ac3, .eac3:
            guard let header = try? AC3Header(frame) else { return false }
            return header.frameCount <= frame.byteCount
                && header.isEnhanced == (format.codec == .eac3)
        case .l16:
            let frameSize = 2 * Int(max(1, format.channels))
            return frame.byteCount % frameSize == 0
                && frame.byteCount / frameSize <= Int(TRANSCODE_SAMPLES_MAXIMUM)
        case .pcma, .pcmu: return frame.byteCount % Int(max(1, format.channels)) == 0
        default: return true
        }
    }

    // MARK: Kinds

    private static let opusMaximum = 5760

    private static func makeKind(_ format: Format) throws(TranscodeError) -> Kind {
        if let missing = unsafe transcode_load() {
            throw .libraryMissing(unsafe String(cString: missing))
        }
        guard (0...Int32(TRANSCODE_CHANNELS_MAXIMUM)).contains(format.channels) else {
            throw .unsupported(format.codec, reason: "\(format.channels) channels")
        }
        switch format.codec {
        case .pcma: return .law(G711.alaw)
        case .pcmu: return .law(G711.ulaw)
        case .l16: return .linear
        case .opus: return try makeOpus(format)
        default: return try makeLibrary(format)
        }
    }

    /// Always to stereo: a packet may be either (RFC 7587 §4.2), and mono becomes two equal
    /// channels.
    private static func makeOpus(_ format: Format) throws(TranscodeError) -> Kind {
        // Family 0 has no mapping of its own; others need several decoders.
        guard format.channels <= 2, format.configuration.isEmpty,
            let decoder = unsafe opus_decoder_create(48_000, 2, nil)
        else { throw .unsupported(.opus, reason: "more than two channels") }
        return unsafe .opus(decoder)
    }

    private static func makeLibrary(_ format: Format) throws(TranscodeError) -> Kind {
        guard let codec = libraryCodec(format.codec) else {
            throw .unsupported(format.codec, reason: "there is no decoder for it here")
        }
        let configuration = try configuration(of: format)
        let rate = format.sampleRate > 0 ? format.sampleRate : format.clockRate
        guard (4000...192_000).contains(rate) else {
            throw .unsupported(format.codec, reason: "\(rate) samples a second")
        }
        let decoder = unsafe transcode_decoder_open(
            codec, rate, format.channels, Int32(format.profile & 7), configuration,
            configuration.count)
        guard let decoder = unsafe decoder else {
            throw .unsupported(format.codec, reason: "the decoder refuses its configuration")
        }
        return unsafe .library(decoder)
    }

    private static func libraryCodec(_ codec: Codec) -> transcode_codec? {
        switch codec {
        case .aac: TRANSCODE_AAC
        case .mp3: TRANSCODE_MP3
        case .mp2: TRANSCODE_MP2
        case .g722: TRANSCODE_G722
        case .g726: TRANSCODE_G726
        case .ac3: TRANSCODE_AC3
        case .eac3: TRANSCODE_EAC3
        case .flac: TRANSCODE_FLAC
        default: nil
        }
    }

    /// Main, LC, long-term prediction, and LC below spectral band replication.
    private static let aacTypes: Set<UInt8> = [1, 2, 4]

    /// The AudioSpecificConfig, or one made of what else is known.
    private static func configuration(of format: Format) throws(TranscodeError) -> [UInt8] {
        guard format.codec == .aac else {
            return format.codec == .flac ? format.configuration : []
        }
        guard !format.configuration.isEmpty else {
            guard (1...8).contains(format.channels), format.channels != 7,
                SampleRates.range.contains(Int(format.sampleRate))
            else { throw .unsupported(.aac, reason: "it came without its configuration") }
            var bytes: [UInt8] = []
            AACConfiguration(
                sampleRate: Int(format.sampleRate), channels: Int(format.channels)
            ).write(into: &bytes)
            return bytes
        }
        let read = try? AACConfiguration(format.configuration.raw)
        guard let read, aacTypes.contains(read.objectType), format.configuration.count <= 64 else {
            throw .unsupported(.aac, reason: "object type \(read?.objectType ?? 0)")
        }
        return format.configuration
    }

    // MARK: Our own

    private mutating func decode(
        _ packet: RawSpan, by decoder: OpaquePointer, samples: Int, repairing: Bool
    ) -> Bool {
        guard let pcm = unsafe scratch.assumingMemoryBound(to: Float.self).baseAddress else {
            return false
        }
        let count = unsafe packet.withUnsafeBytes { bytes in
            unsafe opus_decode_float(
                decoder, bytes.assumingMemoryBound(to: UInt8.self).baseAddress,
                Int32(bytes.count), pcm, Int32(samples), repairing ? 1 : 0)
        }
        guard count > 0 else { return false }
        show(samples: count, channels: 2, rate: 48_000, transcode_format_float())
        return true
    }

    private func put(_ sample: Int16, _ at: Int) {
        unsafe scratch.storeBytes(of: sample, toByteOffset: 2 * at, as: Int16.self)
    }

    private mutating func show(samples: Int) -> Bool {
        let channels = max(1, format.channels)
        let rate = format.sampleRate > 0 ? format.sampleRate : format.clockRate
        guard samples >= Int(channels), (4000...192_000).contains(rate) else { return false }
        show(
            samples: Int32(samples) / channels, channels: channels, rate: rate,
            transcode_format_int16())
        return true
    }

    private mutating func show(samples: Int32, channels: Int32, rate: Int32, _ format: Int32) {
        var sound = transcode_sound()
        sound.rate = rate
        sound.channels = channels
        sound.samples = samples
        sound.format = format
        unsafe sound.planes.0 = UnsafePointer(
            scratch.assumingMemoryBound(to: UInt8.self).baseAddress)
        ready = sound
    }
}
