/// Holds a playlist against RFC 8216bis, and against what is known to stop players.
package enum HLSCheck {
    /// - Parameter skips: The update was asked for by `_HLS_skip`.
    package static func read(_ text: String, skips: Bool = false) -> HLSDocument {
        var document = HLSReader.read(text)
        guard !document.findings.contains(where: { $0.rule == .notAPlaylist }) else {
            return document
        }
        if document.isMultivariant {
            checkVariants(&document)
        } else {
            checkSegments(&document)
            checkMaps(&document)
            checkLowLatency(&document)
            if document.skipped > 0, !skips {
                document.find(.badSkip, 0, "#EXT-X-SKIP in a playlist that was asked for whole")
            }
        }
        checkVersion(&document)
        document.findings.sort { $0.line < $1.line }
        return document
    }

    // MARK: Any playlist

    /// §8: what a version must be for what is used.
    private static func checkVersion(_ document: inout HLSDocument) {
        var needed: (Int64, String) = (1, "")
        if document.usesFractions { needed = (3, "durations with fractions") }
        if document.segments.contains(where: \.hasByteRange) { needed = (4, "#EXT-X-BYTERANGE") }
        if document.segments.contains(where: { $0.map != nil }) { needed = (6, "#EXT-X-MAP") }
        if document.skipped > 0 { needed = (9, "#EXT-X-SKIP") }
        guard document.version < needed.0 else { return }
        document.find(
            .versionTooLow, 0, "version \(document.version), but \(needed.1) needs \(needed.0)")
    }

    // MARK: Media playlists

    private static func checkSegments(_ document: inout HLSDocument) {
        guard !document.segments.isEmpty || document.skipped > 0 else {
            // Safari gives up on it.
            return document.find(.noSegments, 0, "nothing to play")
        }
        guard let target = document.targetDuration else {
            return document.find(.noTargetDuration, 0, "no #EXT-X-TARGETDURATION")
        }
        for segment in document.segments {
            guard let duration = segment.duration else { continue }
            if Int64(duration.rounded()) > target {
                document.find(
                    .segmentTooLong, segment.line,
                    "\(duration) s rounds to more than the target duration of \(target) s")
            }
        }
        if document.isEnded, document.segments.last?.uri == nil {
            document.find(.behindTheEnd, 0, "parts without their segment, and #EXT-X-ENDLIST")
        }
        checkDates(&document)
    }

    /// The date of a segment is that of the one before and its duration, but for a discontinuity.
    private static func checkDates(_ document: inout HLSDocument) {
        for (before, next) in zip(document.segments, document.segments.dropFirst()) {
            guard let first = before.date, let second = next.date, let length = before.duration,
                !next.isDiscontinuity
            else { continue }
            let off = second - first - length
            if off.magnitude > 1 {
                document.find(
                    .dateOff, next.line, "its date is \(off) s from where durations put it")
            }
        }
    }

    private static func checkMaps(_ document: inout HLSDocument) {
        guard document.skipped == 0 else { return }
        for segment in document.segments where segment.map == nil {
            let uri = segment.uri ?? segment.parts.first?.uri ?? ""
            let path = uri.prefix { $0 != "?" }
            guard [".m4s", ".mp4", ".m4v", ".cmfv"].contains(where: path.hasSuffix) else {
                continue
            }
            document.find(.noMap, segment.line, "\(uri) without #EXT-X-MAP")
        }
    }

    // MARK: Multivariant playlists

    private static func checkVariants(_ document: inout HLSDocument) {
        if !document.segments.isEmpty || document.targetDuration != nil {
            document.find(.mixedKinds, 0, "segments beside variants")
        }
        let groups = checkRenditions(&document)
        for variant in document.variants {
            let (line, attributes) = (variant.line, variant.attributes)
            let peak = attributes.number("BANDWIDTH")
            if (peak ?? 0) <= 0 { document.find(.noBandwidth, line, "no BANDWIDTH") }
            if let average = attributes.number("AVERAGE-BANDWIDTH"), let peak, average > peak {
                document.find(.averageAbovePeak, line, "\(average) is more than \(peak)")
            }
            if (attributes.text("CODECS") ?? "").isEmpty {
                // Safari and hls.js choose by it.
                document.find(.noCodecs, line, "no CODECS")
            }
            checkPicture(attributes, line, &document)
            for kind in ["AUDIO", "VIDEO", "SUBTITLES"] {
                guard let group = attributes.text(kind), !groups.contains("\(kind)/\(group)") else {
                    continue
                }
                document.find(.unknownGroup, line, "no #EXT-X-MEDIA of \(kind) group \(group)")
            }
        }
    }

    private static func checkPicture(
        _ attributes: HLSAttributes, _ line: Int, _ document: inout HLSDocument
    ) {
        if let size = attributes.word("RESOLUTION") {
            let numbers = size.split(separator: "x", omittingEmptySubsequences: false)
                .compactMap(HLSNumber.whole)
            if numbers.count != 2 || numbers.contains(0) {
                document.find(.badResolution, line, String(size))
            }
        }
        if let rate = attributes.word("FRAME-RATE"), (HLSNumber.seconds(rate) ?? 0) <= 0 {
            document.find(.badFrameRate, line, String(rate))
        }
    }

    /// - Returns: Kind and name of every group there is.
    private static func checkRenditions(_ document: inout HLSDocument) -> Set<String> {
        var groups: Set<String> = []
        var names: Set<String> = []
        var defaults: Set<String> = []
        for rendition in document.renditions {
            let (line, attributes) = (rendition.line, rendition.attributes)
            let kinds = ["AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"]
            guard let kind = attributes.word("TYPE"), kinds.contains(String(kind)),
                let group = attributes.text("GROUP-ID"), let name = attributes.text("NAME")
            else {
                document.find(.badRendition, line, "TYPE, GROUP-ID and NAME are needed")
                continue
            }
            groups.insert("\(kind)/\(group)")
            if !names.insert("\(kind)/\(group)/\(name)").inserted {
                document.find(.badRendition, line, "\(name) twice in group \(group)")
            }
            if attributes.word("DEFAULT") == "YES",
                !defaults.insert("\(kind)/\(group)").inserted
            {
                document.find(.twoDefaults, line, "a second DEFAULT=YES in group \(group)")
            }
        }
        return groups
    }
}
