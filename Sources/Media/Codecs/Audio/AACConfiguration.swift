package import Media
package import Wire

/// AudioSpecificConfig of MPEG-4 audio (ISO/IEC 14496-3 §1.6.2.1): what an AAC stream is.
///
/// HE-AAC has two sample rates: the core's, and the one that comes out of spectral band
/// replication. `sampleRate` is the core's, `outputRate` what a listener hears and our clock
/// counts.
package struct AACConfiguration: Equatable, Sendable {
    /// Of the core: 2 is AAC-LC.
    package var objectType: UInt8
    package var sampleRate: Int
    /// 1 to 7 as written; 0: the layout is in a program config element.
    package var channelConfiguration: UInt8
    package var channels: Int
    /// With spectral band replication (HE-AAC) said explicitly: the rate that comes out.
    package var extensionRate: Int?
    /// HE-AAC version 2: one coded channel becomes two.
    package var hasParametricStereo = false
    /// 1024, or 960 in broadcasting.
    package var coreSamples = 1024

    package init(sampleRate: Int, channels: Int) {
        objectType = 2
        self.sampleRate = sampleRate
        self.channels = channels
        channelConfiguration = Self.layout(of: channels)
    }

    /// The layout that most have with so many channels; of none there is none.
    private static func layout(of channels: Int) -> UInt8 {
        channels >= 7 ? 7 : UInt8(clamping: channels)
    }

    package init(_ bytes: RawSpan) throws(ParseError) {
        var bits = BitReader(bytes)
        try self.init(&bits, mayHaveTail: true)
    }

    /// - Parameter mayHaveTail: The configuration has an end, so that an extension may follow it
    ///   (§1.6.6.1). Inside LATM of version 0 something else follows.
    init(_ bits: inout BitReader, mayHaveTail: Bool) throws(ParseError) {
        objectType = try Self.readObjectType(&bits)
        sampleRate = try Self.readRate(&bits)
        channelConfiguration = UInt8(try bits.read(4))
        channels = try Self.channels(of: channelConfiguration)
        if objectType == 5 || objectType == 29 {
            hasParametricStereo = objectType == 29
            extensionRate = try Self.readRate(&bits)
            objectType = try Self.readObjectType(&bits)
        }
        guard Self.isGeneral(objectType) else { return }
        try readGeneral(&bits)
        if mayHaveTail, extensionRate == nil { try? readTail(&bits) }
        if hasParametricStereo { channels = 2 }
    }

    /// GASpecificConfig (§4.4.1).
    private mutating func readGeneral(_ bits: inout BitReader) throws(ParseError) {
        if try bits.flag() { coreSamples = 960 }
        if try bits.flag() { try bits.skip(14) }  // Delay of a core coder.
        let hasExtension = try bits.flag()
        if channelConfiguration == 0 { channels = try Self.readProgram(&bits) }
        if objectType == 6 || objectType == 20 { try bits.skip(3) }
        if hasExtension, objectType >= 17 {
            // Error resilience flags, and what only the scalable types have before them.
            if objectType == 22 { try bits.skip(16) }
            if objectType != 22 { try bits.skip(3) }
            try bits.skip(1)
        }
    }

    /// Replication said behind the end, so that old decoders do not see it (0x2b7, 0x548).
    private mutating func readTail(_ bits: inout BitReader) throws(ParseError) {
        guard bits.remaining >= 16, try bits.read(11) == 0x2b7 else { return }
        guard try Self.readObjectType(&bits) == 5, try bits.flag() else { return }
        extensionRate = try Self.readRate(&bits)
        guard bits.remaining >= 12, try bits.read(11) == 0x548 else { return }
        hasParametricStereo = try bits.flag()
    }

    private static func readObjectType(_ bits: inout BitReader) throws(ParseError) -> UInt8 {
        let type = try bits.read(5)
        let value = type == 31 ? 32 + (try bits.read(6)) : type
        guard value > 0 else { throw .invalid("AAC object type", value: 0, at: bits.offset / 8) }
        return UInt8(value)
    }

    private static func readRate(_ bits: inout BitReader) throws(ParseError) -> Int {
        let index = try bits.bits(4)
        let rate = index == 15 ? try bits.bits(24) : SampleRates.rate(index: index) ?? 0
        guard SampleRates.range.contains(rate) else {
            throw .invalid("AAC sample rate", value: UInt64(rate), at: bits.offset / 8)
        }
        return rate
    }

    private static func channels(of configuration: UInt8) throws(ParseError) -> Int {
        switch configuration {
        case 0: return 0
        case 1...6: return Int(configuration)
        case 7, 12, 14: return 8
        case 11: return 7
        default:
            throw .invalid("AAC channel configuration", value: UInt64(configuration), at: 1)
        }
    }

    /// Types whose configuration is a GASpecificConfig (§1.6.2.1): main, LC, SSR, LTP, and the
    /// scalable and error-resilient ones. Low delay (39) and USAC (42) have others, which we pass
    /// on.
    private static func isGeneral(_ type: UInt8) -> Bool {
        switch type {
        case 1...4, 6, 7, 17, 19...23: true
        default: false
        }
    }

    /// program_config_element (§4.4.1.1): the count of channels is what we want of it.
    private static func readProgram(_ bits: inout BitReader) throws(ParseError) -> Int {
        try bits.skip(4 + 2 + 4)
        let front = try bits.bits(4)
        let side = try bits.bits(4)
        let back = try bits.bits(4)
        let low = try bits.bits(2)
        let associated = try bits.bits(3)
        let coupling = try bits.bits(4)
        if try bits.flag() { try bits.skip(4) }
        if try bits.flag() { try bits.skip(4) }
        if try bits.flag() { try bits.skip(3) }
        var channels = low
        for _ in 0..<front + side + back {
            channels += try bits.flag() ? 2 : 1
            try bits.skip(4)
        }
        try bits.skip(4 * (low + associated) + 5 * coupling)
        guard (1...16).contains(channels) else {
            throw .invalid("AAC channels", value: UInt64(channels), at: bits.offset / 8)
        }
        return channels
    }

    package var outputRate: Int { extensionRate ?? sampleRate }

    /// Samples of one access unit at `outputRate`.
    package var samples: Int {
        extensionRate.map { coreSamples * $0 / max(1, sampleRate) } ?? coreSamples
    }

    /// As RFC 6381 counts: 2 is AAC-LC, 5 HE-AAC, 29 HE-AAC version 2.
    package var signalledType: UInt8 {
        hasParametricStereo ? 29 : extensionRate != nil ? 5 : objectType
    }

    /// A layout of its own is written as the usual one of so many channels: who has the program
    /// config element keeps the bytes it came in.
    package func write(into out: inout [UInt8]) {
        let layout =
            channelConfiguration > 0 ? channelConfiguration : Self.layout(of: max(1, channels))
        var bits = BitWriter()
        bits.write(extensionRate == nil ? objectType : signalledType, 5)
        bits.write(rate: sampleRate)
        bits.write(layout, 4)
        if let extensionRate {
            bits.write(rate: extensionRate)
            bits.write(objectType, 5)
        }
        bits.write(coreSamples == 960 ? 1 : 0, 1)
        bits.write(0, 2)
        out.append(contentsOf: bits.bytes)
    }
}

extension Format {
    /// - Parameter aac: The AudioSpecificConfig.
    package init(aac bytes: RawSpan) throws(ParseError) {
        let read = try AACConfiguration(bytes)
        self.init(codec: .aac, clockRate: Int32(read.outputRate))
        sampleRate = Int32(read.outputRate)
        channels = Int32(read.channels)
        profile = UInt32(read.signalledType)
        configuration = [UInt8](copying: bytes)
    }

    /// Refuses a layout that is in a program config element: a camera's ADTS header may say so,
    /// and has the element inside a frame, where no player looks.
    package init(_ aac: AACConfiguration) throws(ParseError) {
        guard aac.channelConfiguration > 0 else {
            throw .invalid("AAC channel configuration", value: 0, at: 0)
        }
        self.init(codec: .aac, clockRate: Int32(aac.outputRate))
        sampleRate = Int32(aac.outputRate)
        channels = Int32(aac.channels)
        profile = UInt32(aac.signalledType)
        aac.write(into: &configuration)
    }
}
