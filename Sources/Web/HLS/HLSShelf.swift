package import Wire

/// What there is to be fetched of one stream now: a value that any worker may hold, made anew with
/// every part. All bytes in it are shared.
package struct HLSShelf: Sendable {
    /// The only tracks there are, for the multivariant playlist.
    package struct Variant: Equatable, Sendable {
        package var codecs = ""
        package var width: Int32 = 0
        package var height: Int32 = 0
        /// Pictures in a thousand seconds; 0: sound alone, or not known.
        package var frameRate = 0
        /// Bits per second: of the largest segment, and of all.
        package var peak = 0
        package var average = 0
    }

    package let rules: HLSRules
    /// Whole seconds; says how long a segment can be at most, and never changes (§4.4.3.1).
    package var targetDuration = 0
    package var partTarget: Interval?
    /// Oldest first; only the last one may be growing. The first `hidden` are not listed any more.
    package var segments: [HLSSegment] = []
    package var hidden = 0
    package var headers: [Int: Chunk] = [:]
    /// Of the first listed segment: how many discontinuities came before (§4.4.3.3).
    package var discontinuities = 0
    /// Every segment begins with a key frame.
    package var isIndependent = true
    package var variant = Variant()
    package var isEnded = false

    package init(_ rules: HLSRules) { self.rules = rules }

    package var listed: ArraySlice<HLSSegment> { segments.dropFirst(hidden) }

    /// Whether a player can begin with what there is.
    package var isReady: Bool {
        let whole = listed.count { $0.whole != nil }
        return whole >= HLSRules.readyAfter || whole > 0 && isEnded
    }

    func segment(_ number: Int64) -> HLSSegment? {
        guard let first = segments.first else { return nil }
        let place = number - first.number
        return segments.indices.contains(Int(clamping: place)) ? segments[Int(place)] : nil
    }
}

// MARK: - Waiting for what is to come

/// What to do with a request for something that may not be there yet (§6.2.5.2).
package enum HLSReadiness: Equatable, Sendable {
    case ready
    /// It will come: hold the request.
    case wait
    /// It was or will never be.
    case missing
    /// Asked for too much; the text says what.
    case wrong(String)
}

/// `_HLS_msn` and `_HLS_part`: the playlist is wanted once it has that (§6.2.5.2).
package struct HLSPosition: Equatable, Sendable {
    package var number: Int64
    package var part: Int?

    package init(number: Int64, part: Int? = nil) {
        self.number = number
        self.part = part
    }
}

extension HLSShelf {
    /// A client may ask for the next segment and the one after it: more is a mistake.
    private static let ahead: Int64 = 2

    package func readiness(of position: HLSPosition) -> HLSReadiness {
        guard let last = segments.last else { return .wait }
        if isEnded { return .ready }
        guard position.number <= last.number + Self.ahead else {
            return .wrong(
                "_HLS_msn=\(position.number) is more than two behind the last, \(last.number)")
        }
        guard let segment = segment(position.number) else {
            return position.number < last.number ? .ready : .wait
        }
        if segment.whole != nil {
            // A part behind the last one of a segment is the first one of the next.
            guard let part = position.part, segment.number == last.number,
                part >= segment.parts.count
            else { return .ready }
            return .wait
        }
        guard let part = position.part else { return .wait }
        return part < segment.parts.count ? .ready : .wait
    }

    package func readiness(ofPart part: Int, in number: Int64) -> HLSReadiness {
        guard let last = segments.last else { return .missing }
        if let segment = segment(number) {
            if part < segment.parts.count { return .ready }
            // The one that the playlist promises.
            let isNext = segment.whole == nil && part == segment.parts.count
            return isNext && !isEnded ? .wait : .missing
        }
        let isNext = number == last.number + 1 && part == 0 && last.whole != nil
        return isNext && !isEnded ? .wait : .missing
    }

    package func part(_ part: Int, in number: Int64) -> Chunk? {
        guard let segment = segment(number), segment.parts.indices.contains(part) else {
            return nil
        }
        return segment.parts[part].bytes
    }

    package func whole(_ number: Int64) -> Chunk? { segment(number)?.whole }
    package func header(_ number: Int) -> Chunk? { headers[number] }

    /// Longer than this nobody is made to wait (§6.2.5.2 advises three target durations).
    package var patience: Interval { .seconds(Int64(max(1, targetDuration) * 3)) }
}
