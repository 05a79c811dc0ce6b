package import Wire

/// What is known of one packet or one frame without looking into its bytes: 40 bytes beside them.
///
/// One type for both forms, so that histories, cursors and relays are written once.
///
/// The bytes behind it, in the normal form of the house:
/// - packet: an RTP payload (no RTP header), see `RTP/PacketShaper`;
/// - frame: H.264 and H.265 as NAL units, each behind its length in four big-endian bytes, without
///   parameter sets, access unit delimiters and filler (those live in `Format`); AV1 as a temporal
///   unit of OBUs with sizes, without temporal delimiter; VP8 and VP9 as one frame (VP9: superframe
///   of a picture); AAC as one raw access unit; everything else as its codec's own frame.
@frozen package struct ItemMeta: Equatable, Sendable {
    /// Decoding time in the rendition's clock rate: unwrapped, repaired, exact.
    package var ticks: Int64
    package var arrival: Instant
    package var length: UInt32
    /// Presentation minus decoding time of the frame, in ticks; 0 where it is not known.
    package var compositionOffset: Int32
    package var flags: Flags
    /// Which `Format` of the encoding holds for it.
    package var formatGeneration: UInt16
    package var temporal: UInt8
    package var spatial: UInt8
    /// VP8 packets: where the picture id starts in the payload; 0: there is none to patch.
    package var vp8PictureIDOffset: UInt8
    package var vp8TL0PICIDXOffset: UInt8
    /// Packets: how many bytes of RTP padding follow the payload in the stored bytes.
    package var padding: UInt8

    package struct Flags: OptionSet, Equatable, Sendable {
        package var rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// First and last packet of a frame; a frame item has both.
        package static let frameStart = Flags(rawValue: 1 << 0)
        package static let frameEnd = Flags(rawValue: 1 << 1)
        /// Decoding can begin here: every packet of a key frame has it.
        package static let key = Flags(rawValue: 1 << 2)
        /// No other frame refers to it: dropping it costs this picture only.
        package static let discardable = Flags(rawValue: 1 << 3)
        /// The RTP marker bit as it goes out.
        package static let marker = Flags(rawValue: 1 << 4)
        /// The timeline jumped before this item: outputs with a discontinuity mark set it.
        package static let discontinuity = Flags(rawValue: 1 << 5)
        /// A frame that bidirectional prediction made: WebRTC viewers cannot show it in order.
        package static let bidirectional = Flags(rawValue: 1 << 6)
        /// Frames: something of it was lost; it is here because the policy said to go on.
        package static let damaged = Flags(rawValue: 1 << 7)
    }

    package init(
        ticks: Int64, arrival: Instant, length: Int, flags: Flags, compositionOffset: Int32 = 0,
        formatGeneration: UInt16 = 0
    ) {
        self.ticks = ticks
        self.arrival = arrival
        self.length = UInt32(truncatingIfNeeded: length)
        self.flags = flags
        self.compositionOffset = compositionOffset
        self.formatGeneration = formatGeneration
        temporal = 0
        spatial = 0
        vp8PictureIDOffset = 0
        vp8TL0PICIDXOffset = 0
        padding = 0
    }

    package var isKey: Bool { flags.contains(.key) }
    package var startsFrame: Bool { flags.contains(.frameStart) }
    package var endsFrame: Bool { flags.contains(.frameEnd) }
}
