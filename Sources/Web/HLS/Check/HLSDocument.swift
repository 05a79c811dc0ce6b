/// A playlist as a client reads it: what it lists, and every line that is wrong by itself.
package struct HLSDocument: Sendable {
    struct Part: Equatable, Sendable {
        var line: Int
        var uri: Substring
        var duration: Double
        var isIndependent: Bool
    }

    struct Segment: Sendable {
        var number: Int64 = 0
        var line = 0
        /// Nil: it is still growing, and has parts only.
        var uri: Substring?
        var duration: Double?
        var isDiscontinuity = false
        var hasByteRange = false
        /// Seconds since 1970.
        var date: Double?
        var map: Substring?
        var parts: [Part] = []
    }

    struct Variant: Sendable {
        var line: Int
        var attributes: HLSAttributes
        var uri: Substring?
    }

    struct Tag: Sendable {
        var line: Int
        var attributes: HLSAttributes
    }

    package internal(set) var findings: [HLSFinding] = []
    var version: Int64 = 1
    var targetDuration: Int64?
    var partTarget: Double?
    var firstNumber: Int64 = 0
    var discontinuities: Int64 = 0
    var isIndependent = false
    package internal(set) var isEnded = false
    var serverControl: Tag?
    var skipped: Int64 = 0
    var segments: [Segment] = []
    var hints: [Tag] = []
    var variants: [Variant] = []
    var renditions: [Tag] = []
    var usesFractions = false

    /// One with variants in it, not with segments.
    package var isMultivariant: Bool { !variants.isEmpty || !renditions.isEmpty }
    /// Where its variants lie.
    package var uris: [String] { variants.compactMap { $0.uri.map(String.init) } }

    mutating func find(_ rule: HLSRule, _ line: Int, _ detail: String) {
        findings.append(HLSFinding(rule, line, detail))
    }
}
