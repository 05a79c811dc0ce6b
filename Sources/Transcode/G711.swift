/// The two laws of telephony (ITU-T G.711), as tables of 256 samples.
enum G711 {
    static let alaw: [Int16] = (0..<256).map { alaw(UInt8($0)) }
    static let ulaw: [Int16] = (0..<256).map { ulaw(UInt8($0)) }

    /// Every second bit is inverted on the line.
    private static func alaw(_ code: UInt8) -> Int16 {
        let bits = code ^ 0x55
        let segment = Int(bits >> 4 & 7)
        let mantissa = Int(bits & 15) << 4 + 8
        let magnitude = segment == 0 ? mantissa : (mantissa + 0x100) << (segment - 1)
        // Set: positive.
        return Int16(bits & 0x80 != 0 ? magnitude : -magnitude)
    }

    /// All bits are inverted on the line.
    private static func ulaw(_ code: UInt8) -> Int16 {
        let bits = ~code
        let magnitude = ((Int(bits & 15) << 3 + 0x84) << Int(bits >> 4 & 7)) - 0x84
        return Int16(bits & 0x80 != 0 ? -magnitude : magnitude)
    }
}
