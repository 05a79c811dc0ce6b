import Containers
import HTTP
import Media
import Stream
import Wire

extension LiveViewer {
    /// The header with the flags of what there really is, metadata, and what decoders must know:
    /// in one piece, as some players want it.
    mutating func beginFLV(_ present: [PresentSlot], _ out: inout Outbox) {
        guard let dialect = flv?.dialect else { return }
        flv?.note(present)
        let kinds = present.map(\.slot.kind)
        var bytes = FLVTag.fileHeader(
            hasAudio: kinds.contains(.audio), hasVideo: kinds.contains(.video))
        FLVTag.append(
            .script, FLVBody.metadata(present.map(\.format), dialect), stamp: 0, to: &bytes)
        for entry in present {
            guard let body = FLVBody.configuration(entry.format, dialect) else { continue }
            FLVTag.append(
                entry.slot.kind == .video ? .video : .audio, body, stamp: 0, to: &bytes)
        }
        write(bytes, &out)
    }

    mutating func sendFLV(_ item: borrowing ReadItem, _ out: inout Outbox) {
        guard let piece = flv?.next(item) else { return }
        if let configuration = piece.configuration {
            var bytes: [UInt8] = []
            FLVTag.append(piece.kind, configuration, stamp: piece.stamp, to: &bytes)
            write(bytes, &out)
        }
        let count = piece.prefix.count + item.bytes.byteCount
        framing.open(FLVTag.headerCount + count + FLVTag.trailerCount, into: &out)
        Self.writeHead(piece, count: count, &out)
        if let chunk = item.chunk { out.append(chunk) } else { out.append(item.bytes) }
        out.append(maximum: FLVTag.trailerCount) { window in
            var writer = ByteWriter(window._mutatingExtracting(first: FLVTag.trailerCount))
            writer.write(UInt32(truncatingIfNeeded: FLVTag.headerCount + count))
            return writer.offset
        }
        framing.close(into: &out)
    }

    /// The tag's header, and what stands before the frame.
    private static func writeHead(
        _ piece: borrowing FLVOutlet.Piece, count: Int, _ out: inout Outbox
    ) {
        let (kind, stamp, prefix) = (piece.kind, piece.stamp, piece.prefix)
        let maximum = FLVTag.headerCount + prefix.count
        out.append(maximum: maximum) { window in
            FLVTag.writeHeader(kind, count: count, stamp: stamp, into: &window)
            for index in 0..<prefix.count {
                window.storeBytes(
                    of: prefix.bytes[index], toByteOffset: FLVTag.headerCount + index,
                    as: UInt8.self)
            }
            return maximum
        }
    }
}
