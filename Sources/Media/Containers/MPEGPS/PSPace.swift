/// How far the pictures of a camera are apart: to tell whether one of them is missing.
struct PSPace: Sendable {
    /// So many equal steps in a row are a pace.
    private static let proof = 8

    private var last: UInt64?
    private var step: UInt64 = 0
    private var count = 0

    /// - Parameter stamp: Of the next picture; nil: it has none of its own.
    mutating func note(_ stamp: PSStamp?) {
        guard let stamp else {
            (last, count) = (nil, 0)
            return
        }
        if let last {
            let next = Self.distance(last, stamp)
            count = isStep(next) ? min(count + 1, Self.proof) : 0
            step = next
        }
        last = stamp.decoding
    }

    /// Whether nothing can have been between the last picture and this one.
    func isNext(_ stamp: PSStamp?) -> Bool {
        guard let stamp, let last, count >= Self.proof else { return false }
        return isStep(Self.distance(last, stamp))
    }

    private static func distance(_ last: UInt64, _ stamp: PSStamp) -> UInt64 {
        (stamp.decoding &- last) & 0x1_ffff_ffff
    }

    /// Rounded to milliseconds, steps of 30 pictures a second are 33 and 34.
    private func isStep(_ other: UInt64) -> Bool {
        step > 0 && other + step / 8 >= step && other <= step + step / 8
    }
}
