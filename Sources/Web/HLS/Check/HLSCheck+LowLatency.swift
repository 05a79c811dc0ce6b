extension HLSCheck {
    /// §4.4.3.7, §4.4.3.8, §4.4.4.9, §4.4.5.3.
    static func checkLowLatency(_ document: inout HLSDocument) {
        checkControl(&document)
        checkHints(&document)
        let parts = document.segments.flatMap(\.parts)
        guard !parts.isEmpty else { return }
        guard let target = document.partTarget else {
            return document.find(.noPartInformation, parts[0].line, "parts without #EXT-X-PART-INF")
        }
        for segment in document.segments {
            check(segment, target, &document)
        }
        checkAge(&document)
    }

    private static func check(
        _ segment: HLSDocument.Segment, _ target: Double, _ document: inout HLSDocument
    ) {
        for (place, part) in segment.parts.enumerated() {
            // Both are rounded to the millisecond.
            if part.duration > target + 0.0015 {
                document.find(
                    .partTooLong, part.line, "\(part.duration) s, PART-TARGET is \(target)")
            }
            let isLast = place == segment.parts.count - 1
            if !isLast, part.duration < 0.85 * target - 0.0015 {
                document.find(
                    .partTooShort, part.line,
                    "\(part.duration) s is less than 85 % of PART-TARGET, \(target)")
            }
        }
        if document.isIndependent, let first = segment.parts.first, !first.isIndependent {
            document.find(
                .partNotIndependent, first.line,
                "begins a segment of a playlist with #EXT-X-INDEPENDENT-SEGMENTS")
        }
        guard let duration = segment.duration, !segment.parts.isEmpty else { return }
        let sum = segment.parts.reduce(0) { $0 + $1.duration }
        if (sum - duration).magnitude > 0.05 {
            document.find(
                .partsDoNotAddUp, segment.line, "parts of \(sum) s in a segment of \(duration) s")
        }
    }

    /// Parts further than three target durations from the end are to be gone.
    private static func checkAge(_ document: inout HLSDocument) {
        guard let target = document.targetDuration else { return }
        var behind = 0.0
        for segment in document.segments.reversed() {
            if behind > Double(3 * target), let part = segment.parts.first {
                document.find(.partTooOld, part.line, "\(behind) s from the end")
            }
            behind += segment.duration ?? segment.parts.reduce(0) { $0 + $1.duration }
        }
    }

    private static func checkControl(_ document: inout HLSDocument) {
        let target = Double(document.targetDuration ?? 0)
        guard let control = document.serverControl else {
            if document.partTarget != nil {
                document.find(.noServerControl, 0, "parts without #EXT-X-SERVER-CONTROL")
            }
            return
        }
        let (line, attributes) = (control.line, control.attributes)
        if let back = attributes.seconds("HOLD-BACK"), back < 3 * target {
            document.find(.holdBackTooSmall, line, "HOLD-BACK=\(back) is less than \(3 * target)")
        }
        if let until = attributes.seconds("CAN-SKIP-UNTIL"), until < 6 * target {
            document.find(.skipTooSmall, line, "CAN-SKIP-UNTIL=\(until), not \(6 * target)")
        }
        guard let part = document.partTarget else { return }
        guard let back = attributes.seconds("PART-HOLD-BACK") else {
            return document.find(.missingAttribute, line, "PART-HOLD-BACK is needed with parts")
        }
        if back < 3 * part - 0.0005 {
            // Two is what must be, three what should be: players that get less stall.
            document.find(.partHoldBackTooSmall, line, "PART-HOLD-BACK=\(back), not \(3 * part)")
        }
    }

    private static func checkHints(_ document: inout HLSDocument) {
        let present = Set(document.segments.flatMap { $0.parts.map(\.uri) })
        var kinds: Set<Substring> = []
        for hint in document.hints {
            guard let kind = hint.attributes.word("TYPE"), kind == "PART" || kind == "MAP",
                let uri = hint.attributes.text("URI")
            else {
                document.find(.badHint, hint.line, "TYPE and URI are needed")
                continue
            }
            if !kinds.insert(kind).inserted {
                document.find(.badHint, hint.line, "a second hint of type \(kind)")
            }
            if present.contains(uri), hint.attributes.word("BYTERANGE-START") == nil {
                document.find(.badHint, hint.line, "\(uri) is there already")
            }
            if document.isEnded {
                document.find(.behindTheEnd, hint.line, "a hint, and #EXT-X-ENDLIST")
            }
        }
    }
}
