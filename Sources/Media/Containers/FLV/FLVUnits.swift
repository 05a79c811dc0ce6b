import Media
package import Wire

/// One thing that the body of an audio or video tag holds.
package struct FLVUnit: Equatable, Sendable {
    package enum Role: Equatable, Sendable {
        /// The codec's configuration record.
        case configuration
        case frame
        /// The sequence is over.
        case end
        /// Colour, channel layout, an AV1 descriptor of MPEG-TS: known, and of no use here.
        case other
    }

    /// 0: the only one, or the default.
    package var track: UInt8 = 0
    package var codec: FLVCodec
    package var role: Role
    /// Milliseconds from decoding to presentation.
    package var compositionOffset: Int32 = 0
    /// In nanoseconds, besides.
    package var presentationOffset: UInt32 = 0
    /// Audio of the old kind: how many channels the header claims. AAC's is always 2.
    package var channels: UInt8 = 2
    /// In the body.
    package var payload: Range<Int>
}

/// Walks the units of a tag's body: one in the old format, one or several in Enhanced RTMP
/// (veovera, version 2), where extensions may stand before it and several tracks in it.
package struct FLVUnits: ~Escapable {
    private enum State { case start, tracks, over }

    private var reader: ByteReader
    private let isVideo: Bool
    private var state = State.start
    // What holds for all tracks of the body.
    private var packet: UInt8 = 0
    private var letters: UInt32 = 0
    private var layout = Layout.single
    private var nanoseconds: UInt32 = 0

    private enum Layout: UInt8 { case oneTrack, manyTracks, manyCodecs, single = 255 }

    /// The same numbers for audio and video, but for 3 and 4.
    private enum Packet {
        static let sequenceStart: UInt8 = 0
        static let codedFrames: UInt8 = 1
        static let sequenceEnd: UInt8 = 2
        /// Video: frames without a composition offset.
        static let codedFramesX: UInt8 = 3
        /// Video: metadata; audio: the layout of channels.
        static let metadata: UInt8 = 4
        static let videoMultitrack: UInt8 = 6
        static let audioMultitrack: UInt8 = 5
        static let modEx: UInt8 = 7
    }

    private static let commandFrame: UInt8 = 5

    @_lifetime(copy body)
    package init(video body: RawSpan) {
        reader = ByteReader(body)
        isVideo = true
    }

    @_lifetime(copy body)
    package init(audio body: RawSpan) {
        reader = ByteReader(body)
        isVideo = false
    }

    /// The next unit; nil at the end. A body without bytes says "silence" and holds none.
    @_lifetime(self: copy self)
    package mutating func next() throws(ParseError) -> FLVUnit? {
        switch state {
        case .over: return nil
        case .tracks:
            guard reader.remaining > 0, layout != .single else { return nil }
            return try readTrack()
        case .start:
            guard reader.remaining > 0 else { return nil }
            state = .over
            let head = try reader.read(UInt8.self)
            if isVideo { return try readVideo(head) }
            return head >> 4 == 9 ? try readEnhanced(head) : try readOldAudio(head)
        }
    }

    // MARK: The old format

    @_lifetime(self: copy self)
    private mutating func readVideo(_ head: UInt8) throws(ParseError) -> FLVUnit? {
        if head & 0x80 != 0 { return try readEnhanced(head) }
        // A seek mark of Flash Media Server.
        guard head >> 4 != Self.commandFrame else { return nil }
        let codec = FLVCodec.video(number: head & 15)
        guard codec.codec != nil else {
            return FLVUnit(codec: codec, role: .frame, payload: restRange)
        }
        let packet = try reader.read(UInt8.self)
        let offset = try readOffset()
        let role: FLVUnit.Role =
            switch packet {
            case 0: .configuration
            case 1: .frame
            case 2: .end
            default: .other
            }
        var unit = FLVUnit(codec: codec, role: role, payload: restRange)
        unit.compositionOffset = offset
        return unit
    }

    @_lifetime(self: copy self)
    private mutating func readOldAudio(_ head: UInt8) throws(ParseError) -> FLVUnit? {
        let codec = FLVCodec.audio(number: head >> 4)
        var role = FLVUnit.Role.frame
        if codec == .known(.aac) {
            let packet = try reader.read(UInt8.self)
            role = packet == 0 ? .configuration : packet == 1 ? .frame : .other
        }
        guard reader.remaining > 0 else { return nil }
        var unit = FLVUnit(codec: codec, role: role, payload: restRange)
        unit.channels = 1 + head & 1
        return unit
    }

    // MARK: Enhanced RTMP

    @_lifetime(self: copy self)
    private mutating func readEnhanced(_ head: UInt8) throws(ParseError) -> FLVUnit? {
        packet = head & 15
        while packet == Packet.modEx { try readExtension() }
        let frame = head >> 4 & 7
        if isVideo, frame == Self.commandFrame, packet != Packet.metadata { return nil }
        guard packet == (isVideo ? Packet.videoMultitrack : Packet.audioMultitrack) else {
            letters = try reader.read(UInt32.self)
            return try readUnit(track: 0, count: reader.remaining)
        }
        let kind = try reader.read(UInt8.self)
        guard let layout = Layout(rawValue: kind >> 4), layout != .single else {
            throw .invalid("multitrack type", value: UInt64(kind >> 4), at: reader.offset - 1)
        }
        self.layout = layout
        packet = kind & 15
        if layout != .manyCodecs { letters = try reader.read(UInt32.self) }
        state = .tracks
        return try readTrack()
    }

    @_lifetime(self: copy self)
    private mutating func readExtension() throws(ParseError) {
        var count = Int(try reader.read(UInt8.self)) + 1
        if count == 256 { count = Int(try reader.read(UInt16.self)) + 1 }
        let data = try reader.read(count: count)
        let next = try reader.read(UInt8.self)
        if next >> 4 == 0, count >= 3 {
            var number = ByteReader(data)
            nanoseconds = min(try number.readUInt24(), 999_999)
        }
        packet = next & 15
    }

    @_lifetime(self: copy self)
    private mutating func readTrack() throws(ParseError) -> FLVUnit? {
        if layout == .manyCodecs { letters = try reader.read(UInt32.self) }
        let track = try reader.read(UInt8.self)
        guard layout != .oneTrack else {
            state = .over
            return try readUnit(track: track, count: reader.remaining)
        }
        let count = Int(try reader.readUInt24())
        guard count <= reader.remaining else {
            throw .truncated(at: reader.offset, needed: count)
        }
        return try readUnit(track: track, count: count)
    }

    /// One track's part, of `count` bytes.
    @_lifetime(self: copy self)
    private mutating func readUnit(
        track: UInt8, count: Int
    ) throws(ParseError) -> FLVUnit {
        let end = reader.offset + count
        var unit = FLVUnit(codec: .named(letters), role: role, payload: 0..<0)
        unit.track = track
        unit.presentationOffset = nanoseconds
        if isVideo, packet == Packet.codedFrames, FLVCodec.hasCompositionOffset(letters) {
            guard count >= 3 else { throw .truncated(at: reader.offset, needed: 3) }
            unit.compositionOffset = try readOffset()
        }
        unit.payload = reader.offset..<end
        try reader.skip(end - reader.offset)
        return unit
    }

    private var role: FLVUnit.Role {
        switch packet {
        case Packet.sequenceStart: .configuration
        case Packet.codedFrames: .frame
        case Packet.codedFramesX where isVideo: .frame
        case Packet.sequenceEnd: .end
        default: .other
        }
    }

    private var restRange: Range<Int> { reader.offset..<reader.offset + reader.remaining }

    /// 24 bits with a sign.
    @_lifetime(self: copy self)
    private mutating func readOffset() throws(ParseError) -> Int32 {
        Int32(bitPattern: try reader.readUInt24() << 8) >> 8
    }
}
