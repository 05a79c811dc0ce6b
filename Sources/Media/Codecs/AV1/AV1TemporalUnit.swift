package import Media
package import Wire

/// What was found in one temporal unit.
package struct AV1Facts: Equatable, Sendable {
    package var isKey = false
    package var hasFrame = false
    package var temporal: UInt8 = 0
    package var spatial: UInt8 = 0
}

/// Temporal units of AV1: their normal form, what they are, and where they begin in a stream.
package enum AV1TemporalUnit {
    /// The normal form: every unit with its size, no delimiters, tile lists or padding. What was
    /// whole before a broken unit has been written when this throws; the caller's item is open.
    package static func write(
        _ bytes: RawSpan, into out: inout ItemBatch
    ) throws(ParseError) -> AV1Facts {
        var facts = AV1Facts()
        var units = AV1Units(bytes)
        var hasSequence = false
        while let unit = try units.next() {
            guard !unit.isDropped else { continue }
            let payload = bytes.extracting(unit.payload)
            if unit.role == .sequenceHeader { hasSequence = true }
            note(unit, payload, &facts)
            out.write(unit.type << 3 | (unit.layers == nil ? 2 : 6))
            if let layers = unit.layers { out.write(layers) }
            for index in 0..<LEB128.count(of: payload.byteCount) {
                out.write(LEB128.byte(index, of: payload.byteCount))
            }
            out.write(payload)
        }
        // Without its sequence header a key frame is no place to begin.
        facts.isKey = facts.isKey && hasSequence
        return facts
    }

    private static func note(_ unit: AV1Unit, _ payload: RawSpan, _ facts: inout AV1Facts) {
        guard unit.role == .frame || unit.role == .frameHeader, payload.byteCount > 0 else {
            return
        }
        let first = payload.byte(at: 0)
        // show_existing_frame 0, frame_type KEY_FRAME, show_frame 1 (§5.9.2). A reduced header has
        // none of these fields, but belongs to still pictures, which nobody streams.
        if first & 0xf0 == 0x10 { facts.isKey = true }
        facts.hasFrame = true
        facts.temporal = max(facts.temporal, unit.temporal)
        facts.spatial = max(facts.spatial, unit.spatial)
    }

    /// A unit of its own with its size, as records and `Format` keep it.
    package static func whole(_ unit: AV1Unit, of bytes: RawSpan) -> [UInt8] {
        let payload = bytes.extracting(unit.payload)
        var out: [UInt8] = [unit.type << 3 | 2]
        for index in 0..<LEB128.count(of: payload.byteCount) {
            out.append(LEB128.byte(index, of: payload.byteCount))
        }
        out.append(copying: payload)
        return out
    }

    /// The first sequence header among the units; `nil` if there is none that can be read.
    package static func sequenceHeader(in bytes: RawSpan) -> AV1SequenceHeader? {
        guard let unit = sequenceUnit(in: bytes) else { return nil }
        return try? AV1SequenceHeader(bytes.extracting(unit.payload))
    }

    package static func sequenceUnit(in bytes: RawSpan) -> AV1Unit? {
        var units = AV1Units(bytes)
        while let unit = try? units.next() {
            if unit.role == .sequenceHeader { return unit }
        }
        return nil
    }

    /// The end of the temporal unit that begins at `start`: where the next delimiter stands. For
    /// carriers that hold a stream of units, as AV1 in MPEG-TS does.
    package static func end(in bytes: RawSpan, from start: Int) throws(ParseError) -> Int {
        let rest = bytes.extracting(start..<bytes.byteCount)
        var units = AV1Units(rest)
        var end = 0
        while let unit = try units.next() {
            if unit.role == .temporalDelimiter, end > 0 { return start + end }
            end = unit.payload.upperBound
        }
        return start + end
    }
}

extension Format {
    /// - Parameter av1: The sequence header unit, with header and size.
    package init(av1 unit: [UInt8]) throws(ParseError) {
        guard let header = AV1TemporalUnit.sequenceHeader(in: unit.raw) else {
            throw .invalid("AV1 sequence header", value: 0, at: 0)
        }
        self.init(codec: .av1, clockRate: Self.videoClockRate)
        width = Int32(header.width)
        height = Int32(header.height)
        parameterSets = [unit]
        profile = UInt32(header.profile) << 16 | UInt32(header.level) << 8
        profile |= header.isHighTier ? 1 : 0
    }

    package init(_ configuration: AV1Configuration) throws(ParseError) {
        try self.init(av1: configuration.sequenceHeader)
    }

    /// The configuration record of this format, for MP4 and Enhanced RTMP.
    package var av1Configuration: AV1Configuration? {
        guard codec == .av1, let unit = parameterSets.first,
            AV1TemporalUnit.sequenceHeader(in: unit.raw) != nil
        else { return nil }
        return AV1Configuration(sequenceHeader: unit)
    }
}
