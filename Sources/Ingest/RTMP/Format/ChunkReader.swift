package import Wire

/// Puts messages together from chunks (RTMP 1.0 §5.3), as the peers that exist write them.
///
///     var start = 0
///     while let header = try reader.next(bytes, from: &start) { use(header, reader.body) }
///
/// What is left of `bytes` behind `start` is half a header, and is to be shown again with more.
package struct ChunkReader: Sendable {
    /// More than any peer interleaves; each costs memory.
    static let streamsMaximum = 64
    /// A message (numbers.md): an 8K key frame.
    package static let messageMaximum = 8 << 20
    /// Of all messages that are not complete: two large ones at a time.
    static let heldMaximum = 16 << 20
    /// What a peer says above it is taken for it (the field has 31 bits, the message length 24).
    static let chunkMaximum = 0xff_ffff
    /// The size before anybody says another (§5.4.1).
    package static let chunkAtFirst = 128

    /// What one chunk stream remembers.
    struct ChunkStream: Sendable {
        var id: UInt32
        var header = RTMPMessageHeader(kind: nil, stream: 0, stamp: 0, count: 0)
        var kind: UInt8 = 0
        /// The field of the last header that had one: absolute after format 0, else a difference.
        var field: UInt32 = 0
        var isExtended = false
        /// The message so far.
        var body: [UInt8] = []
        var isOpen = false
    }

    private var streams: [ChunkStream] = []
    private var chunkSize = Self.chunkAtFirst
    /// The chunk that is being read: whose it is, and what is missing of it.
    private var current: (index: Int, left: Int)?
    /// Whose message was returned last, and its bytes, which are lent from here.
    private var shown: Int?
    private var whole: [UInt8] = []
    private var held = 0
    /// Received so far, for acknowledgements.
    package private(set) var received: UInt64 = 0

    package init() {}

    /// Of the message that was returned last.
    package var body: RawSpan {
        @_lifetime(borrow self)
        borrowing get { whole.raw }
    }

    /// The peer says how large its chunks are from the next on, even inside a message.
    package mutating func setChunkSize(_ said: UInt32) throws(ParseError) {
        guard said > 0, said < 1 << 31 else {
            throw .invalid("RTMP chunk size", value: UInt64(said), at: 0)
        }
        // Never less than it said, or we would look for headers inside of its chunks. A message
        // has 24 bits of length, so more than that is the same.
        chunkSize = min(Int(said), Self.chunkMaximum)
    }

    /// The peer gives up the message that it has begun on a chunk stream.
    package mutating func abort(_ id: UInt32) {
        guard let index = streams.firstIndex(where: { $0.id == id }) else { return }
        forget(index)
    }

    package mutating func next(
        _ bytes: RawSpan, from start: inout Int
    ) throws(ParseError) -> RTMPMessageHeader? {
        if let shown {
            self.shown = nil
            swap(&whole, &streams[shown].body)
            forget(shown)
        }
        while true {
            if let (index, left) = current {
                let taken = min(left, bytes.byteCount - start)
                streams[index].body.append(copying: bytes.extracting(start..<start + taken))
                start += taken
                received += UInt64(taken)
                held += taken
                guard held <= Self.heldMaximum else {
                    throw .tooMuch("RTMP messages", limit: Self.heldMaximum)
                }
                current = taken == left ? nil : (index, left - taken)
                guard taken == left else { return nil }
                if streams[index].body.count == streams[index].header.count {
                    shown = index
                    swap(&whole, &streams[index].body)
                    return streams[index].header
                }
            }
            guard try readHeader(bytes, &start) else { return nil }
        }
    }

    private mutating func forget(_ index: Int) {
        held -= streams[index].body.count
        // A key frame's memory is not kept for small messages.
        let isLarge = streams[index].body.capacity > 256 * 1024
        streams[index].body.removeAll(keepingCapacity: !isLarge)
        streams[index].isOpen = false
    }

    // MARK: Headers

    /// - Returns: False when it is not all here; then nothing has been taken.
    private mutating func readHeader(
        _ bytes: RawSpan, _ start: inout Int
    ) throws(ParseError) -> Bool {
        var reader = ByteReader(bytes.extracting(start..<bytes.byteCount))
        guard let first = try? reader.read(UInt8.self),
            let id = Self.readID(first & 63, &reader)
        else { return false }
        let format = first >> 6
        guard reader.remaining >= Self.headerCounts[Int(format)] else { return false }
        let index = try place(of: id)
        guard let read = try Self.read(format, &reader, streams[index]) else { return false }
        streams[index] = read
        start += reader.offset
        received += UInt64(reader.offset)
        current = (index, min(chunkSize, read.header.count - read.body.count))
        return true
    }

    private static let headerCounts = [11, 7, 3, 0]

    /// Six bits, or 0 and a byte, or 1 and two bytes, the lower first (§5.3.1.1).
    @_lifetime(reader: copy reader)
    private static func readID(_ low: UInt8, _ reader: inout ByteReader) -> UInt32? {
        switch low {
        case 0:
            guard let byte = try? reader.read(UInt8.self) else { return nil }
            return 64 + UInt32(byte)
        case 1:
            guard let bytes = try? reader.read(UInt16.self) else { return nil }
            return 64 + UInt32(bytes.byteSwapped)
        default: return UInt32(low)
        }
    }

    private mutating func place(of id: UInt32) throws(ParseError) -> Int {
        if let index = streams.firstIndex(where: { $0.id == id }) { return index }
        guard streams.count < Self.streamsMaximum else {
            throw .tooMuch("RTMP chunk streams", limit: Self.streamsMaximum)
        }
        streams.append(ChunkStream(id: id))
        return streams.count - 1
    }

    /// A stream's state after this header; nil: half of it is missing.
    @_lifetime(reader: copy reader)
    private static func read(
        _ format: UInt8, _ reader: inout ByteReader, _ before: ChunkStream
    ) throws(ParseError) -> ChunkStream? {
        var stream = before
        if format < 3 {
            stream.field = try reader.readUInt24()
            stream.isExtended = stream.field == 0xff_ffff
        }
        if format < 2 {
            stream.header.count = Int(try reader.readUInt24())
            stream.kind = try reader.read(UInt8.self)
            guard stream.header.count <= messageMaximum else {
                throw .tooMuch("RTMP message", limit: messageMaximum)
            }
            // A full header in the middle of a message may only say the same again.
            guard !stream.isOpen || stream.header.count == before.header.count else {
                throw .invalid("RTMP chunk inside of a message", value: UInt64(format), at: 0)
            }
        }
        // The one number with its lowest byte first.
        if format == 0 { stream.header.stream = try reader.read(UInt32.self).byteSwapped }
        if stream.isExtended {
            guard try readExtended(format, &reader, &stream) else { return nil }
        }
        if !stream.isOpen {
            ChunkClock.advance(&stream, format)
            stream.header.kind = RTMPKind(rawValue: stream.kind)
            stream.isOpen = true
        }
        return stream
    }

    /// Four more bytes when the field is full (§5.3.1.3): behind the header of every chunk, says
    /// everybody who counts; a few peers leave them out of the later chunks of a message.
    @_lifetime(reader: copy reader)
    private static func readExtended(
        _ format: UInt8, _ reader: inout ByteReader, _ stream: inout ChunkStream
    ) throws(ParseError) -> Bool {
        guard reader.remaining >= 4 else { return false }
        guard format == 3, stream.isOpen else {
            stream.field = try reader.read(UInt32.self)
            return true
        }
        // The same again (as it was, or as the time that came of it), or payload: what does not
        // repeat belongs to the message. The highest bit is left out by some.
        var ahead = ByteReader(reader.rest)
        let mask: UInt32 = 0x7fff_ffff
        let again = try ahead.read(UInt32.self) & mask
        if again == stream.field & mask || again == stream.header.stamp & mask {
            try reader.skip(4)
        }
        return true
    }
}
