import Wire

/// The texts of RFC 8216bis, written from a shelf.
package enum HLSPlaylist {
    /// - Parameters:
    ///   - skips: The client has an older text and takes what is new only (`_HLS_skip=YES`).
    ///   - query: For every URI: what lets the client in.
    package static func media(_ shelf: HLSShelf, skips: Bool = false, query: String = "") -> String
    {
        var text = head(shelf)
        let listed = shelf.listed
        let skipped = skips ? skippable(shelf) : 0
        if skipped > 0 { text += "#EXT-X-SKIP:SKIPPED-SEGMENTS=\(skipped)\n" }
        var header = skipped > 0 ? listed.dropFirst(skipped - 1).first?.header : nil
        // Parts of what is three target durations old help nobody (§4.4.4.9).
        var rest = listed.dropFirst(skipped)
        var ahead = rest.reduce(Interval.zero) { $0 + $1.length }
        let recent = Interval.seconds(Int64(shelf.targetDuration) * 3)
        while let segment = rest.popFirst() {
            ahead = ahead - segment.length
            write(segment, shelf, &header, listsParts: ahead < recent, query, &text)
        }
        if shelf.isEnded {
            text += "#EXT-X-ENDLIST\n"
        } else if shelf.partTarget != nil, let last = listed.last {
            let hint: HLSFile =
                last.whole == nil
                ? .part(last.number, last.parts.count, shelf.rules.container)
                : .part(last.number + 1, 0, shelf.rules.container)
            text += "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"\(hint.name)\(query)\"\n"
        }
        return text
    }

    package static func multivariant(
        _ shelf: HLSShelf, folder: String = "\(HLSFile.folder)/", query: String = ""
    ) -> String {
        let variant = shelf.variant
        var line = "#EXT-X-STREAM-INF:BANDWIDTH=\(max(1, variant.peak))"
        line += ",AVERAGE-BANDWIDTH=\(max(1, variant.average))"
        if !variant.codecs.isEmpty { line += ",CODECS=\"\(variant.codecs)\"" }
        if variant.width > 0 { line += ",RESOLUTION=\(variant.width)x\(variant.height)" }
        if variant.frameRate > 0 {
            line += ",FRAME-RATE=\(decimal(variant.frameRate))"
        }
        let playlist = HLSFile.playlist(shelf.rules.container).name
        var text = "#EXTM3U\n#EXT-X-VERSION:\(version(shelf))\n"
        if shelf.isIndependent { text += "#EXT-X-INDEPENDENT-SEGMENTS\n" }
        return text + "\(line)\n\(folder)\(playlist)\(query)\n"
    }

    // MARK: The parts of it

    /// 3: fractions; 6: EXT-X-MAP without I-frames only; 9: skipping (§8).
    private static func version(_ shelf: HLSShelf) -> Int {
        if shelf.partTarget != nil { return 9 }
        return shelf.rules.container == .fmp4 ? 7 : 3
    }

    private static func head(_ shelf: HLSShelf) -> String {
        var text = "#EXTM3U\n#EXT-X-VERSION:\(version(shelf))\n"
        text += "#EXT-X-TARGETDURATION:\(shelf.targetDuration)\n"
        if let part = shelf.partTarget {
            let target = Int64(shelf.targetDuration) * 1000
            text += "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES"
            text += ",PART-HOLD-BACK=\(seconds(part * 3 + .milliseconds(1)))"
            text += ",CAN-SKIP-UNTIL=\(decimal(Int(target * 6)))"
            text += ",HOLD-BACK=\(decimal(Int(target * 3)))\n"
            text += "#EXT-X-PART-INF:PART-TARGET=\(seconds(part))\n"
        }
        text += "#EXT-X-MEDIA-SEQUENCE:\(shelf.listed.first?.number ?? 0)\n"
        if shelf.discontinuities > 0 {
            text += "#EXT-X-DISCONTINUITY-SEQUENCE:\(shelf.discontinuities)\n"
        }
        if shelf.isIndependent { text += "#EXT-X-INDEPENDENT-SEGMENTS\n" }
        return text
    }

    private static func write(
        _ segment: HLSSegment, _ shelf: HLSShelf, _ header: inout Int?, listsParts: Bool,
        _ query: String, _ text: inout String
    ) {
        let container = shelf.rules.container
        // A segment of which nothing is there yet has no line.
        guard segment.whole != nil || !segment.parts.isEmpty && shelf.partTarget != nil else {
            return
        }
        if segment.isDiscontinuity { text += "#EXT-X-DISCONTINUITY\n" }
        if let needed = segment.header, needed != header || segment.isDiscontinuity {
            text += "#EXT-X-MAP:URI=\"\(HLSFile.header(needed).name)\(query)\"\n"
            header = needed
        }
        text += "#EXT-X-PROGRAM-DATE-TIME:\(CivilTime(nanoseconds: segment.start))\n"
        if shelf.partTarget != nil, listsParts, !segment.hidesParts {
            for (number, part) in segment.parts.enumerated() {
                let file = HLSFile.part(segment.number, number, container)
                text += "#EXT-X-PART:DURATION=\(seconds(part.duration))"
                text += ",URI=\"\(file.name)\(query)\""
                text += part.isIndependent ? ",INDEPENDENT=YES\n" : "\n"
            }
        }
        guard segment.whole != nil else { return }
        text += "#EXTINF:\(seconds(segment.duration)),\n"
        text += "\(HLSFile.segment(segment.number, container).name)\(query)\n"
    }

    /// How many segments an update may leave out: those before the skip boundary (§4.4.5.2).
    private static func skippable(_ shelf: HLSShelf) -> Int {
        guard shelf.partTarget != nil else { return 0 }
        let boundary = Interval.seconds(Int64(shelf.targetDuration) * 6)
        var behind = Interval.zero
        var count = shelf.listed.count
        for segment in shelf.listed.reversed() {
            behind = behind + segment.duration
            guard behind <= boundary else { break }
            count -= 1
        }
        return count
    }

    /// To the millisecond and never more than it is announced as: rounded to the nearest.
    private static func seconds(_ interval: Interval) -> String {
        decimal(Int((interval.nanoseconds + 500_000) / 1_000_000))
    }

    private static func decimal(_ thousandths: Int) -> String {
        let (whole, rest) = thousandths.quotientAndRemainder(dividingBy: 1000)
        let digits = String(rest)
        return "\(whole)." + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }
}
