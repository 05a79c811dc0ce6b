/// Follows one media playlist over its reloads: what was published stays as it was.
package struct HLSWatch: Sendable {
    private struct Known: Sendable {
        var uri: Substring?
        var duration: Double?
        var isDiscontinuity: Bool
        var parts: [HLSDocument.Part]
    }

    private var known: [Int64: Known] = [:]
    private var last: HLSDocument?
    /// Seconds, as told.
    private var changedAt = 0.0
    private var lastText = ""

    package init() {}

    /// - Parameter time: When it was read, in seconds on any clock.
    /// - Returns: The playlist, with what it does wrong by itself and after the one before.
    package mutating func read(
        _ text: String, at time: Double, skips: Bool = false
    ) -> HLSDocument {
        var document = HLSCheck.read(text, skips: skips)
        defer {
            if text != lastText { changedAt = time }
            lastText = text
            last = document
            note(document)
        }
        guard let last else { return document }
        compare(document, with: last, at: time, text == lastText, &document.findings)
        return document
    }

    private func compare(
        _ document: HLSDocument, with last: HLSDocument, at time: Double, _ isSame: Bool,
        _ findings: inout [HLSFinding]
    ) {
        func find(_ rule: HLSRule, _ line: Int, _ detail: String) {
            findings.append(HLSFinding(rule, line, detail))
        }
        if document.firstNumber < last.firstNumber {
            find(.wentBack, 0, "media sequence \(document.firstNumber) after \(last.firstNumber)")
        }
        if document.targetDuration != last.targetDuration {
            find(.targetChanged, 0, "the target duration changed")
        }
        if last.isEnded, !isSame {
            find(document.isEnded ? .changedAfterEnd : .endVanished, 0, "it had ended")
        }
        let target = Double(document.targetDuration ?? 0)
        if isSame, !document.isEnded, time - changedAt > 1.5 * target {
            find(.stale, 0, "the same for \(time - changedAt) s")
        }
        let newest = document.firstNumber + document.skipped + Int64(document.segments.count) - 1
        if let before = known.keys.max(), newest < before {
            find(.segmentVanished, 0, "ends with \(newest), after \(before)")
        }
        for segment in document.segments {
            guard let before = known[segment.number] else { continue }
            compare(segment, with: before, find)
        }
        let gone = known.filter { $0.key < document.firstNumber && $0.key >= last.firstNumber }
        let expected = last.discontinuities + Int64(gone.values.count { $0.isDiscontinuity })
        if document.discontinuities != expected {
            find(
                .discontinuityLost, 0,
                "discontinuity sequence \(document.discontinuities), not \(expected)")
        }
    }

    private func compare(
        _ segment: HLSDocument.Segment, with before: Known,
        _ find: (HLSRule, Int, String) -> Void
    ) {
        if let uri = before.uri, uri != segment.uri || before.duration != segment.duration {
            find(.segmentChanged, segment.line, "segment \(segment.number) was \(uri)")
        }
        if before.isDiscontinuity != segment.isDiscontinuity {
            find(.segmentChanged, segment.line, "segment \(segment.number): its discontinuity")
        }
        // Old parts may go, but together and for good.
        guard !segment.parts.isEmpty else { return }
        for (old, new) in zip(before.parts, segment.parts)
        where old.uri != new.uri || old.duration != new.duration {
            find(.partChanged, new.line, "was \(old.uri)")
        }
        if segment.parts.count < before.parts.count {
            find(.partChanged, segment.line, "fewer parts than before")
        }
    }

    private mutating func note(_ document: HLSDocument) {
        for segment in document.segments {
            known[segment.number] = Known(
                uri: segment.uri, duration: segment.duration,
                isDiscontinuity: segment.isDiscontinuity, parts: segment.parts)
        }
        known = known.filter { $0.key >= document.firstNumber }
    }
}
