/// Reads a playlist line by line.
struct HLSReader {
    private(set) var document = HLSDocument()
    private var line = 0
    private var seen: Set<Substring> = []
    private var open = HLSDocument.Segment()
    private var openVariant: HLSDocument.Variant?
    private var map: Substring?
    private var hasSegmentTag = false

    static func read(_ text: String) -> HLSDocument {
        var reader = HLSReader()
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        guard lines.first == "#EXTM3U" else {
            reader.document.find(.notAPlaylist, 1, "the first line is not #EXTM3U")
            return reader.document
        }
        for line in lines {
            reader.line += 1
            reader.read(line)
        }
        reader.finish()
        return reader.document
    }

    private mutating func find(_ rule: HLSRule, _ detail: String) {
        document.find(rule, line, detail)
    }

    private mutating func read(_ text: Substring) {
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) else {
            return find(.controlCharacter, "a control character")
        }
        guard !text.isEmpty else { return }
        guard text.hasPrefix("#EXT") else {
            if !text.hasPrefix("#") { readURI(text) }
            return
        }
        let colon = text.firstIndex(of: ":") ?? text.endIndex
        readTag(text[..<colon], text[colon...].dropFirst())
    }

    private mutating func readURI(_ uri: Substring) {
        if openVariant != nil {
            openVariant?.uri = uri
            if let made = openVariant.take() { document.variants.append(made) }
            return
        }
        guard open.duration != nil else {
            return find(.uriWithoutTag, "no #EXTINF before \(uri)")
        }
        open.uri = uri
        closeSegment()
    }

    private mutating func closeSegment() {
        if open.line == 0 { open.line = line }
        open.map = map
        document.segments.append(open)
        open = HLSDocument.Segment()
        hasSegmentTag = false
    }

    private mutating func finish() {
        if let variant = openVariant {
            document.find(.tagWithoutURI, variant.line, "no URI after #EXT-X-STREAM-INF")
        }
        if open.duration != nil {
            document.find(.tagWithoutURI, open.line, "no URI after #EXTINF")
        } else if !open.parts.isEmpty {
            closeSegment()
        }
        var number = document.firstNumber + document.skipped
        for index in document.segments.indices {
            document.segments[index].number = number
            number += 1
        }
    }

    private mutating func readTag(_ name: Substring, _ value: Substring) {
        let once: Set<Substring> = [
            "#EXTM3U", "#EXT-X-VERSION", "#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE",
            "#EXT-X-DISCONTINUITY-SEQUENCE", "#EXT-X-ENDLIST", "#EXT-X-PLAYLIST-TYPE",
            "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-PART-INF", "#EXT-X-SERVER-CONTROL",
            "#EXT-X-SKIP",
        ]
        if once.contains(name), !seen.insert(name).inserted {
            return find(.duplicateTag, "\(name) twice")
        }
        switch name {
        case "#EXT-X-VERSION": readNumber(name, value) { $0.version = $1 }
        case "#EXT-X-TARGETDURATION": readNumber(name, value) { $0.targetDuration = $1 }
        case "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-DISCONTINUITY-SEQUENCE":
            if !document.segments.isEmpty || hasSegmentTag {
                find(.headAfterSegment, "\(name) after the first segment")
            }
            let isNumber = name == "#EXT-X-MEDIA-SEQUENCE"
            readNumber(name, value) { document, number in
                if isNumber {
                    document.firstNumber = number
                } else {
                    document.discontinuities = number
                }
            }
        case "#EXT-X-INDEPENDENT-SEGMENTS": document.isIndependent = true
        case "#EXT-X-ENDLIST": document.isEnded = true
        case "#EXT-X-PLAYLIST-TYPE":
            if value != "EVENT" && value != "VOD" { find(.badPlaylistType, String(value)) }
        default: readMore(name, value)
        }
    }

    private mutating func readMore(_ name: Substring, _ value: Substring) {
        switch name {
        case "#EXTINF": readDuration(value)
        case "#EXT-X-DISCONTINUITY":
            open.isDiscontinuity = true
            noteSegmentTag()
        case "#EXT-X-PROGRAM-DATE-TIME":
            noteSegmentTag()
            open.date = HLSDate.seconds(value)
            if open.date == nil { find(.badDate, String(value)) }
        case "#EXT-X-BYTERANGE":
            noteSegmentTag()
            open.hasByteRange = true
            let numbers = value.split(separator: "@", omittingEmptySubsequences: false)
            if numbers.count > 2 || !numbers.allSatisfy({ HLSNumber.whole($0) != nil }) {
                find(.badByteRange, String(value))
            }
        case "#EXT-X-MAP", "#EXT-X-PART", "#EXT-X-PRELOAD-HINT", "#EXT-X-SKIP",
            "#EXT-X-PART-INF", "#EXT-X-SERVER-CONTROL", "#EXT-X-STREAM-INF", "#EXT-X-MEDIA",
            "#EXT-X-RENDITION-REPORT":
            guard let attributes = HLSAttributes(value) else {
                return find(.malformedAttributes, "\(name):\(value)")
            }
            readAttributes(name, attributes)
        default: break
        }
    }

    private mutating func readAttributes(_ name: Substring, _ attributes: HLSAttributes) {
        let tag = HLSDocument.Tag(line: line, attributes: attributes)
        switch name {
        case "#EXT-X-MAP":
            noteSegmentTag()
            map = require(attributes.text("URI"), "URI", name)
        case "#EXT-X-PART": readPart(attributes)
        case "#EXT-X-PRELOAD-HINT": document.hints.append(tag)
        case "#EXT-X-SKIP":
            let count = attributes.number("SKIPPED-SEGMENTS")
            document.skipped = require(count, "SKIPPED-SEGMENTS", name) ?? 0
            if !document.segments.isEmpty { find(.badSkip, "#EXT-X-SKIP after a segment") }
        case "#EXT-X-PART-INF":
            document.partTarget = require(attributes.seconds("PART-TARGET"), "PART-TARGET", name)
        case "#EXT-X-SERVER-CONTROL": document.serverControl = tag
        case "#EXT-X-STREAM-INF":
            if let variant = openVariant {
                document.find(.tagWithoutURI, variant.line, "no URI after #EXT-X-STREAM-INF")
            }
            openVariant = HLSDocument.Variant(line: line, attributes: attributes)
        case "#EXT-X-RENDITION-REPORT": _ = require(attributes.text("URI"), "URI", name)
        default: document.renditions.append(tag)
        }
    }

    private mutating func readPart(_ attributes: HLSAttributes) {
        noteSegmentTag()
        guard let uri = require(attributes.text("URI"), "URI", "#EXT-X-PART"),
            let duration = require(attributes.seconds("DURATION"), "DURATION", "#EXT-X-PART")
        else { return }
        open.parts.append(
            HLSDocument.Part(
                line: line, uri: uri, duration: duration,
                isIndependent: attributes.word("INDEPENDENT") == "YES"))
    }

    private mutating func readDuration(_ value: Substring) {
        noteSegmentTag()
        if open.duration != nil { find(.tagWithoutURI, "no URI after #EXTINF") }
        let comma = value.firstIndex(of: ",") ?? value.endIndex
        guard comma < value.endIndex, let seconds = HLSNumber.seconds(value[..<comma]) else {
            open.duration = 0
            return find(.malformedTag, "#EXTINF:\(value)")
        }
        if value[..<comma].contains(".") { document.usesFractions = true }
        open.duration = seconds
    }

    private mutating func noteSegmentTag() {
        hasSegmentTag = true
        if open.line == 0 { open.line = line }
    }

    private mutating func readNumber(
        _ name: Substring, _ value: Substring, _ set: (inout HLSDocument, Int64) -> Void
    ) {
        guard let number = HLSNumber.whole(value) else {
            return find(.malformedTag, "\(name):\(value)")
        }
        set(&document, number)
    }

    private mutating func require<T>(_ value: T?, _ name: String, _ tag: Substring) -> T? {
        if value == nil { find(.missingAttribute, "\(tag) needs \(name)") }
        return value
    }
}
