/// The sample rates of MPEG-4 audio by index (ISO/IEC 14496-3 table 1.18).
package enum SampleRates {
    package static let range = 7_350...192_000

    /// `nil`: reserved, or 15, which says that the rate follows in full.
    package static func rate(index: Int) -> Int? {
        switch index {
        case 0: 96_000
        case 1: 88_200
        case 2: 64_000
        case 3: 48_000
        case 4: 44_100
        case 5: 32_000
        case 6: 24_000
        case 7: 22_050
        case 8: 16_000
        case 9: 12_000
        case 10: 11_025
        case 11: 8_000
        case 12: 7_350
        default: nil
        }
    }

    package static func index(of rate: Int) -> UInt8? {
        (0...12).first { Self.rate(index: $0) == rate }.map { UInt8($0) }
    }
}
