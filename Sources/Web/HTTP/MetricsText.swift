import Wire

/// Writes the Prometheus text format (version 0.0.4) by appending to bytes.
///
/// Names of families and labels are ours and constant; values of labels may come from peers and are
/// escaped and cut.
package struct MetricsText: Sendable {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// A label with the names of streams must not grow a time series for every name that ever was.
    static let samplesMaximum = 10_000

    package private(set) var bytes: [UInt8]
    /// Samples left out because a family had too many: to be shown as a metric of its own.
    package private(set) var droppedCount = 0
    private var family = ""
    private var sampleCount = 0

    package init(appendingTo bytes: consuming [UInt8] = []) { self.bytes = bytes }

    /// Begins a family; its samples follow.
    package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        family = name
        sampleCount = 0
        append("# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n")
    }

    package mutating func sample(
        _ value: some FixedWidthInteger, _ labels: KeyValuePairs<String, String> = [:]
    ) {
        guard admit() else { return }
        begin("", labels)
        append(" \(value)\n")
    }

    package mutating func sample(_ value: Double, _ labels: KeyValuePairs<String, String> = [:]) {
        guard admit() else { return }
        begin("", labels)
        append(" \(Self.text(value))\n")
    }

    /// - Parameters:
    ///   - bounds: The upper bounds of the buckets, ascending, without the infinite one.
    ///   - counts: For each bucket, the infinite one too, what fell into it and not below.
    package mutating func histogram(
        bounds: [Double], counts: [UInt64], sum: Double,
        _ labels: KeyValuePairs<String, String> = [:]
    ) {
        precondition(counts.count == bounds.count + 1, "one count more than bounds")
        guard admit() else { return }
        var total: UInt64 = 0
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < bounds.count ? Self.text(bounds[index]) : "+Inf"
            begin("_bucket", labels, le: bound)
            append(" \(total)\n")
        }
        begin("_sum", labels)
        append(" \(Self.text(sum))\n")
        begin("_count", labels)
        append(" \(total)\n")
    }

    private mutating func admit() -> Bool {
        precondition(!family.isEmpty, "a sample belongs to a family")
        guard sampleCount < Self.samplesMaximum else {
            droppedCount += 1
            return false
        }
        sampleCount += 1
        return true
    }

    private mutating func begin(
        _ suffix: String, _ labels: KeyValuePairs<String, String>, le: String? = nil
    ) {
        append(family)
        append(suffix)
        guard !labels.isEmpty || le != nil else { return }
        append("{")
        var separator = ""
        for (name, value) in labels {
            append("\(separator)\(name)=\"")
            LabelText(value).write(for: .metric, into: &bytes)
            append("\"")
            separator = ","
        }
        if let le { append("\(separator)le=\"\(le)\"") }
        append("}")
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return "\(value)"
    }
}
