/// What RFC 8216bis asks of playlists, and what breaks real players: each with a name that does not
/// change, for people and for scripts.
package enum HLSRule: String, CaseIterable, Sendable {
    // Any playlist.
    case notAPlaylist = "not-a-playlist"
    case controlCharacter = "control-character"
    case duplicateTag = "duplicate-tag"
    case malformedTag = "malformed-tag"
    case malformedAttributes = "malformed-attributes"
    case missingAttribute = "missing-attribute"
    case mixedKinds = "mixed-kinds"
    case versionTooLow = "version-too-low"
    case uriWithoutTag = "uri-without-tag"
    case tagWithoutURI = "tag-without-uri"

    // Media playlists.
    case noTargetDuration = "no-target-duration"
    case segmentTooLong = "segment-too-long"
    case headAfterSegment = "head-after-segment"
    case noSegments = "no-segments"
    case noMap = "no-map"
    case badDate = "bad-date"
    case dateOff = "date-off"
    case badPlaylistType = "bad-playlist-type"
    case badByteRange = "bad-byte-range"
    case behindTheEnd = "behind-the-end"

    // Low latency.
    case noPartInformation = "no-part-information"
    case noServerControl = "no-server-control"
    case partTooLong = "part-too-long"
    case partTooShort = "part-too-short"
    case partsDoNotAddUp = "parts-do-not-add-up"
    case partTooOld = "part-too-old"
    case partNotIndependent = "part-not-independent"
    case partHoldBackTooSmall = "part-hold-back-too-small"
    case holdBackTooSmall = "hold-back-too-small"
    case skipTooSmall = "skip-too-small"
    case badHint = "bad-hint"
    case badSkip = "bad-skip"

    // Multivariant playlists.
    case noBandwidth = "no-bandwidth"
    case noCodecs = "no-codecs"
    case badResolution = "bad-resolution"
    case badFrameRate = "bad-frame-rate"
    case averageAbovePeak = "average-above-peak"
    case unknownGroup = "unknown-group"
    case badRendition = "bad-rendition"
    case twoDefaults = "two-defaults"

    // From one reload to the next.
    case wentBack = "went-back"
    case segmentChanged = "segment-changed"
    case segmentVanished = "segment-vanished"
    case partChanged = "part-changed"
    case targetChanged = "target-changed"
    case discontinuityLost = "discontinuity-lost"
    case endVanished = "end-vanished"
    case changedAfterEnd = "changed-after-end"
    case stale = "stale"
}

/// One thing that is wrong, and where.
package struct HLSFinding: Equatable, Sendable, CustomStringConvertible {
    package var rule: HLSRule
    /// From 1 on; 0: the playlist as a whole.
    package var line: Int
    package var detail: String

    package init(_ rule: HLSRule, _ line: Int, _ detail: String) {
        self.rule = rule
        self.line = line
        self.detail = detail
    }

    package var description: String { "\(rule.rawValue): line \(line): \(detail)" }
}
