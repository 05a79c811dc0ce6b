package import Containers
import Media
package import Stream
package import Wire

/// Writes messages in chunks (RTMP 1.0 §5.3).
///
/// Every message begins with a full header: a few bytes more, and nothing for a reader to get
/// wrong. The four bytes of an extended time are repeated in every chunk, as all readers that count
/// want it: FFmpeg loses its place without them, after 4 h 39 min.
package struct ChunkWriter: Sendable {
    /// Most frames fit into one; readers allocate as much, so it is not larger.
    package static let chunkSize = 60_000
    private static let headerMaximum = 16

    private enum ChunkStream {
        static let control: UInt8 = 2
        static let command: UInt8 = 3
        static let audio: UInt8 = 4
        static let data: UInt8 = 5
        static let video: UInt8 = 6
    }

    private var size = ChunkReader.chunkAtFirst

    package init() {}

    /// Tells the peer that our chunks are large from now on.
    package mutating func announceChunkSize(into out: inout Outbox) {
        control(.setChunkSize, UInt32(Self.chunkSize), into: &out)
        size = Self.chunkSize
    }

    /// A message of protocol control: one number.
    package func control(_ kind: RTMPKind, _ value: UInt32, into out: inout Outbox) {
        write(kind, RTMPNumber.bytes(value), stream: 0, stamp: 0, into: &out)
    }

    package func userControl(_ event: RTMPUserControl, into out: inout Outbox) {
        write(.userControl, event.bytes, stream: 0, stamp: 0, into: &out)
    }

    package func peerBandwidth(_ window: UInt32, into out: inout Outbox) {
        // 2: dynamic.
        write(.peerBandwidth, RTMPNumber.bytes(window) + [2], stream: 0, stamp: 0, into: &out)
    }

    /// A whole message whose bytes are at hand.
    package func write(
        _ kind: RTMPKind, _ body: [UInt8], stream: UInt32, stamp: UInt32, into out: inout Outbox
    ) {
        let id = Self.chunkStream(kind)
        begin(kind, id, count: body.count, stream: stream, stamp: stamp, into: &out)
        var start = 0
        while start < body.count || start == 0 {
            let end = min(start + size, body.count)
            out.append(body.raw.extracting(start..<end))
            if end == body.count { return }
            start = end
            goOn(id, stamp: stamp, into: &out)
        }
    }

    /// What decoders must know of these slots, before the first frame.
    package func write(
        configurationsOf present: [PresentSlot], _ dialect: FLVDialect, stream: UInt32,
        into out: inout Outbox
    ) {
        for entry in present {
            guard let body = FLVBody.configuration(entry.format, dialect) else { continue }
            let kind: RTMPKind = entry.slot.kind == .video ? .video : .audio
            write(kind, body, stream: stream, stamp: 0, into: &out)
        }
    }

    /// A message of media: what stands before the item, and the item, of which nothing is copied
    /// where it comes as a chunk. What the decoder must know goes first.
    package func write(
        _ piece: borrowing FLVOutlet.Piece, _ item: RawSpan, _ chunk: Chunk?, stream: UInt32,
        into out: inout Outbox
    ) {
        let kind: RTMPKind = piece.kind == .video ? .video : .audio
        if let configuration = piece.configuration {
            write(kind, configuration, stream: stream, stamp: piece.stamp, into: &out)
        }
        let id = Self.chunkStream(kind)
        let prefix = piece.prefix
        begin(
            kind, id, count: prefix.count + item.byteCount, stream: stream, stamp: piece.stamp,
            prefix: prefix, into: &out)
        var start = 0
        var room = size - prefix.count
        while true {
            let end = min(start + room, item.byteCount)
            if let chunk {
                out.append(chunk, start..<end)
            } else {
                out.append(item.extracting(start..<end))
            }
            if end == item.byteCount { return }
            start = end
            room = size
            goOn(id, stamp: piece.stamp, into: &out)
        }
    }

    private static func chunkStream(_ kind: RTMPKind) -> UInt8 {
        switch kind {
        case .audio: ChunkStream.audio
        case .video: ChunkStream.video
        case .dataAMF0, .dataAMF3: ChunkStream.data
        case .commandAMF0, .commandAMF3: ChunkStream.command
        default: ChunkStream.control
        }
    }

    private func begin(
        _ kind: RTMPKind, _ id: UInt8, count: Int, stream: UInt32, stamp: UInt32,
        prefix: FLVBody.Prefix? = nil, into out: inout Outbox
    ) {
        let maximum = Self.headerMaximum + (prefix?.count ?? 0)
        out.append(maximum: maximum) { window in
            var writer = ByteWriter(window._mutatingExtracting(first: maximum))
            writer.write(id)
            writer.writeUInt24(min(stamp, 0xff_ffff))
            writer.writeUInt24(UInt32(truncatingIfNeeded: count))
            writer.write(kind.rawValue)
            writer.write(stream.byteSwapped)
            if stamp >= 0xff_ffff { writer.write(stamp) }
            if let prefix { for index in 0..<prefix.count { writer.write(prefix.bytes[index]) } }
            return writer.offset
        }
    }

    private func goOn(_ id: UInt8, stamp: UInt32, into out: inout Outbox) {
        out.append(maximum: 5) { window in
            var writer = ByteWriter(window._mutatingExtracting(first: 5))
            writer.write(0xc0 | id)
            if stamp >= 0xff_ffff { writer.write(stamp) }
            return writer.offset
        }
    }
}
