package import Media
import Wire

/// The parameter sets a stream has shown so far: those a decoder must have before the next key
/// frame.
///
/// Sets are kept by their ids, the newest of each; a repetition changes nothing and costs a
/// comparison. What cannot be parsed is refused and counted, so a set in here can be trusted.
package struct ParameterSets: Equatable, Sendable {
    /// Encoders use one or two. More would be sent again and again before every key frame.
    private static let entriesMaximum = 16

    private struct Entry: Equatable, Sendable {
        var id: Int
        /// The set this one refers to.
        var parent: Int
        var bytes: [UInt8]
    }

    package let codec: NALCodec
    private var video: [Entry] = []
    private var sequences: [Entry] = []
    private var pictures: [Entry] = []
    /// Counts what was new or different: when it moves, a new `Format` generation begins.
    package private(set) var changes: UInt32 = 0
    package private(set) var refused: UInt32 = 0

    package init(_ codec: NALCodec) { self.codec = codec }

    /// - Returns: Whether it was a parameter set that we did not have.
    @discardableResult
    package mutating func note(_ unit: RawSpan) -> Bool {
        guard let header = NALUnit(unit, codec) else { return false }
        let outcome =
            switch header.role {
            case .videoParameterSet: Self.note(unit, header.role, codec, in: &video)
            case .sequenceParameterSet: Self.note(unit, header.role, codec, in: &sequences)
            case .pictureParameterSet: Self.note(unit, header.role, codec, in: &pictures)
            default: Outcome.known
            }
        if outcome == .new { changes &+= 1 }
        if outcome == .refused { refused &+= 1 }
        return outcome == .new
    }

    /// Sets from a description or a configuration record.
    package mutating func note(_ units: [[UInt8]]) {
        for unit in units { note(unit.raw) }
    }

    private enum Outcome { case known, new, refused }

    private static func note(
        _ unit: RawSpan, _ role: NALUnit.Role, _ codec: NALCodec, in entries: inout [Entry]
    ) -> Outcome {
        // The usual case, before each key frame: known to the byte, nothing parsed or allocated.
        for entry in entries where equal(entry.bytes, unit) { return .known }
        guard let entry = try? read(unit, role, codec) else { return .refused }
        if let index = entries.firstIndex(where: { $0.id == entry.id }) {
            entries[index] = entry
        } else {
            if entries.count == entriesMaximum { entries.removeFirst() }
            entries.append(entry)
        }
        return .new
    }

    private static func read(
        _ unit: RawSpan, _ role: NALUnit.Role, _ codec: NALCodec
    ) throws(ParseError) -> Entry {
        guard unit.byteCount <= RawBytePayload.countMaximum else {
            throw .tooMuch("parameter set bytes", limit: RawBytePayload.countMaximum)
        }
        let bytes = [UInt8](copying: unit)
        switch (codec, role) {
        case (.h264, .sequenceParameterSet):
            return Entry(id: try H264SequenceParameterSet(unit).id, parent: 0, bytes: bytes)
        case (.h264, _):
            let set = try H264PictureParameterSet(unit)
            return Entry(id: set.id, parent: set.sequenceID, bytes: bytes)
        case (.h265, .videoParameterSet):
            return Entry(id: try H265VideoParameterSet(unit).id, parent: 0, bytes: bytes)
        case (.h265, .sequenceParameterSet):
            let set = try H265SequenceParameterSet(unit)
            return Entry(id: set.id, parent: set.videoID, bytes: bytes)
        case (.h265, _):
            let set = try H265PictureParameterSet(unit)
            return Entry(id: set.id, parent: set.sequenceID, bytes: bytes)
        }
    }

    private static func equal(_ bytes: [UInt8], _ unit: RawSpan) -> Bool {
        guard bytes.count == unit.byteCount else { return false }
        for index in bytes.indices where bytes[index] != unit.byte(at: index) { return false }
        return true
    }

    /// A decoder could start: one of each kind is here.
    package var isComplete: Bool {
        !sequences.isEmpty && !pictures.isEmpty && (codec == .h264 || !video.isEmpty)
    }

    package var isEmpty: Bool { video.isEmpty && sequences.isEmpty && pictures.isEmpty }

    /// In the order in which they go before a key frame: VPS, SPS, PPS.
    package var units: [[UInt8]] {
        video.map(\.bytes) + sequences.map(\.bytes) + pictures.map(\.bytes)
    }

    package var videoSets: [[UInt8]] { video.map(\.bytes) }
    package var sequenceSets: [[UInt8]] { sequences.map(\.bytes) }
    package var pictureSets: [[UInt8]] { pictures.map(\.bytes) }

    /// The sequence set in use: the one the newest picture set refers to. With several ids in one
    /// stream only the slice could tell better, and then it would be a matter of one picture.
    package var activeSequence: [UInt8]? {
        let wanted = pictures.last?.parent
        return (sequences.first { $0.id == wanted } ?? sequences.first)?.bytes
    }

    /// `nil` until all kinds of sets are here.
    package var format: Format? {
        guard isComplete, let sequence = activeSequence else { return nil }
        return switch codec {
        case .h264: try? Format(h264: sequence, parameterSets: units)
        case .h265: try? Format(h265: sequence, parameterSets: units)
        }
    }
}
