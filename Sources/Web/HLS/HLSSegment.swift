package import Wire

/// A piece of a segment, published as soon as it is there.
package struct HLSPart: Sendable {
    package var duration: Interval
    /// Decoding can begin with it.
    package var isIndependent: Bool
    package var bytes: Chunk

    package init(duration: Interval, isIndependent: Bool, bytes: Chunk) {
        self.duration = duration
        self.isIndependent = isIndependent
        self.bytes = bytes
    }
}

package struct HLSSegment: Sendable {
    package var number: Int64
    /// Those before the first listed one and those of old segments are gone.
    package var parts: [HLSPart] = []
    package var duration = Interval.zero
    /// When its first picture was taken: nanoseconds since 1970.
    package var start: Int64
    /// What comes does not follow what was: another publisher, format or clock.
    package var isDiscontinuity: Bool
    /// Which init segment it needs; nil: a container without.
    package var header: Int?
    /// All of it; nil: it is still growing.
    package var whole: Chunk?
    /// Not to be listed part by part: how long parts will be was not known yet.
    package var hidesParts: Bool

    package init(
        number: Int64, start: Int64, isDiscontinuity: Bool, header: Int?, hidesParts: Bool
    ) {
        self.number = number
        self.start = start
        self.isDiscontinuity = isDiscontinuity
        self.header = header
        self.hidesParts = hidesParts
    }

    /// As long as it is by now.
    var length: Interval {
        whole == nil ? parts.reduce(.zero) { $0 + $1.duration } : duration
    }
}
