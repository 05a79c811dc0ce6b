import Wire

/// The short-term reference picture sets of a sequence parameter set (§7.3.7). They are of no
/// interest here, but the usability part stands behind them, and their length depends on each
/// other.
enum H265ReferencePictureSets {
    static func skip(_ bits: inout BitReader) throws(ParseError) {
        let count = try bits.golomb("num_short_term_ref_pic_sets", atMost: 64)
        var pictures = 0  // NumDeltaPocs of the set before.
        for index in 0..<count {
            let isPredicted = index > 0 ? try bits.flag() : false
            pictures =
                isPredicted ? try skipPredicted(&bits, before: pictures) : try skipListed(&bits)
        }
    }

    /// inter_ref_pic_set_prediction: a flag or two for each picture of the set before, and one
    /// more.
    private static func skipPredicted(
        _ bits: inout BitReader, before: Int
    ) throws(ParseError) -> Int {
        try bits.skip(1)  // delta_rps_sign
        try bits.skipGolomb()  // abs_delta_rps_minus1
        var pictures = 0
        for _ in 0...before {
            let isUsed = try bits.flag()
            let isKept = isUsed ? true : try bits.flag()
            if isKept { pictures += 1 }
        }
        // The decoded picture buffer holds 16: more is no stream (§7.4.8).
        guard pictures <= 16 else {
            throw .tooMuch("pictures in a reference picture set", limit: 16)
        }
        return pictures
    }

    private static func skipListed(_ bits: inout BitReader) throws(ParseError) -> Int {
        let negative = try bits.golomb("num_negative_pics", atMost: 16)
        let positive = try bits.golomb("num_positive_pics", atMost: 16)
        guard negative + positive <= 16 else {
            throw .tooMuch("pictures in a reference picture set", limit: 16)
        }
        for _ in 0..<negative + positive {
            try bits.skipGolomb()
            try bits.skip(1)
        }
        return negative + positive
    }
}
