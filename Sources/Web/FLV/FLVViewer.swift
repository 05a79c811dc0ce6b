package import Containers
package import HTTP
import Media
package import Stream
package import Wire

/// One viewer of FLV over HTTP or WebSocket: what it is sent, and when it begins. A piece of the
/// body is one whole tag, for players that read by pieces.
package struct FLVViewer: Sendable {
    private let framing: BodyFraming
    private var outlet: FLVOutlet
    private var start: FLVStart

    package init(
        _ snapshot: StreamSnapshot, _ dialect: FLVDialect, _ framing: BodyFraming,
        at now: Instant
    ) {
        self.framing = framing
        outlet = FLVOutlet(dialect)
        start = FLVStart(snapshot, to: .flv, at: now)
    }

    /// What viewers of this kind read: mpegts.js takes no VP9.
    package static func subscription(patience: Interval) -> Subscription {
        FLVStart.subscription(video: [.h264, .h265, .av1], patience: patience)
    }

    package mutating func update(_ snapshot: StreamSnapshot) { start.update(snapshot) }

    package var deadline: Instant { start.deadline }

    /// The header with the flags of what there really is, metadata, and what decoders must know:
    /// in one piece, as some players want it.
    package mutating func begin(
        _ present: [PresentSlot], at now: Instant, out: inout Outbox
    ) -> Bool {
        guard start.begin(present, at: now) else { return false }
        outlet.note(present)
        let kinds = present.map(\.slot.kind)
        var bytes = FLVTag.fileHeader(
            hasAudio: kinds.contains(.audio), hasVideo: kinds.contains(.video))
        FLVTag.append(
            .script, FLVBody.metadata(present.map(\.format), outlet.dialect), stamp: 0,
            to: &bytes)
        for entry in present {
            guard let body = FLVBody.configuration(entry.format, outlet.dialect) else { continue }
            FLVTag.append(
                entry.slot.kind == .video ? .video : .audio, body, stamp: 0, to: &bytes)
        }
        write(bytes, &out)
        return true
    }

    package mutating func send(_ item: borrowing ReadItem, out: inout Outbox) {
        guard let piece = outlet.next(item) else { return }
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

    private func write(_ bytes: [UInt8], _ out: inout Outbox) {
        framing.open(bytes.count, into: &out)
        out.append(bytes)
        framing.close(into: &out)
    }
}
