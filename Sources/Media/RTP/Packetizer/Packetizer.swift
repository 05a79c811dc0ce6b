import Codecs
package import Media
import Wire

/// Makes RTP payloads of frames: the packet normal form of the house.
///
/// One frame in, one or more packets out, at once; all fragments of one piece have the same size
/// but the last, so that the kernel can send them as one message. What it makes has no RTP header:
/// numbers, time and SSRC differ for each reader.
package struct Packetizer: Sendable {
    /// Room for an RTP header with extensions, a retransmission's number and the SRTP tag within
    /// 1,200 bytes: what every path carries.
    package static let payloadMaximum = 1140

    private enum Kind { case nal(NALCodec), vp8, vp9, av1, aac, samples(bytesPerTick: Int), whole }

    private let kind: Kind
    private let isVideo: Bool
    private let maximum: Int
    private let bFrames: BFramePolicy
    private var pictures = PictureCounter()

    /// `nil` for a codec that no RTP reader of ours takes.
    package init?(
        format: Format, maximumPayload: Int = Packetizer.payloadMaximum,
        bFrames: BFramePolicy = .keep
    ) {
        switch format.codec {
        case .h264: kind = .nal(.h264)
        case .h265: kind = .nal(.h265)
        case .vp8: kind = .vp8
        case .vp9: kind = .vp9
        case .av1: kind = .av1
        case .aac: kind = .aac
        case .opus: kind = .whole
        // One byte is one tick: G.722 has two samples in it, but a clock of 8,000.
        case .pcma, .pcmu, .g722: kind = .samples(bytesPerTick: max(1, Int(format.channels)))
        case .mjpeg, .mpeg4Visual, .g726, .mp2, .mp3, .ac3, .eac3, .flac, .l16, .speex, .data:
            return nil
        }
        isVideo = format.codec.kind == .video
        maximum = maximumPayload
        self.bFrames = bFrames
    }

    /// - Parameter frame: In the frame normal form (see `ItemMeta`).
    /// - Parameter format: Gives the parameter sets that go before each key frame.
    package mutating func packetize(
        _ frame: RawSpan, _ meta: ItemMeta, format: Format, into out: inout ItemBatch
    ) {
        if bFrames != .keep, meta.flags.isSuperset(of: .unwantedB) { return }
        let first = out.count
        var packet = meta
        packet.flags.subtract(.frameMarks)
        if !isVideo { packet.flags.insert(.key) }  // Audio can begin anywhere.
        switch kind {
        case .nal(let nal):
            let sets = meta.isKey ? format.parameterSets : []
            NALPayload.packetize(frame, sets: sets, nal, packet, maximum, into: &out)
        case .vp8: VP8Payload.packetize(frame, packet, pictures, maximum, into: &out)
        case .vp9: VP9Payload.packetize(frame, packet, pictures, format, maximum, into: &out)
        case .av1: AV1Payload.packetize(frame, packet, maximum, into: &out)
        case .aac: AACPayload.packetize(frame, packet, maximum, into: &out)
        case .samples(let bytes):
            Samples.packetize(frame, packet, bytesPerTick: bytes, maximum, into: &out)
        case .whole: out.append(frame, packet)
        }
        pictures.advance(temporal: meta.temporal)
        mark(first, in: &out)
    }

    /// Audio has no marker, but for AAC, where it says that an access unit ends (RFC 3640 §3.1).
    private func mark(_ first: Int, in out: inout ItemBatch) {
        guard out.count > first else { return }
        switch kind {
        case .nal, .vp8, .vp9, .av1, .aac:
            out.update(first) { $0.flags.insert(.frameStart) }
            out.update(out.count - 1) { $0.flags.formUnion(.closing) }
            for index in first + 1..<max(first + 1, out.count) {
                out.update(index) { $0.flags.remove(.discontinuity) }
            }
        case .samples, .whole:
            for index in first..<out.count {
                out.update(index) { $0.flags.formUnion(.wholeFrame) }
            }
        }
    }

    /// The size of equal parts that `count` bytes are cut into; the last one may be smaller.
    static func partSize(_ count: Int, maximum: Int) -> Int {
        let parts = max(1, (count + maximum - 1) / maximum)
        return max(1, (count + parts - 1) / parts)
    }
}

/// What happens to frames that bidirectional prediction made: browsers show pictures in the order
/// in which they come, and such a stream stutters.
package enum BFramePolicy: Sendable {
    case keep
    /// Those that no other frame refers to are left out: the rest decodes without them.
    case drop
    /// As `drop`, and the stream is reported as one that this reader cannot show.
    case refuse
}

/// The numbers that VP8 and VP9 pictures carry.
struct PictureCounter: Sendable {
    /// 15 bits.
    private(set) var picture: UInt16 = 0
    private(set) var base: UInt8 = 0

    mutating func advance(temporal: UInt8) {
        picture = (picture + 1) & 0x7fff
        if temporal == 0 { base &+= 1 }
    }
}
