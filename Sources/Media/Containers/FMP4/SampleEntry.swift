import Codecs
import Media
import Wire

/// How one codec introduces itself in an init segment: its sample entry with the box of its
/// configuration.
enum SampleEntry {
    static func bytes(of format: Format) throws(FMP4Error) -> [UInt8] {
        switch format.codec {
        case .h264:
            guard let record = format.avcConfiguration else { throw .incomplete(.h264) }
            // avc1: parameter sets are here and nowhere else.
            return video("avc1", "avcC", format) { record.write(into: &$0) }
        case .h265:
            guard let record = format.hevcConfiguration else { throw .incomplete(.h265) }
            // Safari plays hvc1 and not hev1.
            return video("hvc1", "hvcC", format) { record.write(into: &$0) }
        case .av1:
            guard let header = format.parameterSets.first else { throw .incomplete(.av1) }
            let record = AV1Configuration(sequenceHeader: header)
            return video("av01", "av1C", format) { record.write(into: &$0) }
        case .vp9:
            guard !format.configuration.isEmpty else { throw .incomplete(.vp9) }
            return video("vp09", "vpcC", format) { $0.append(contentsOf: format.configuration) }
        case .aac:
            guard !format.configuration.isEmpty else { throw .incomplete(.aac) }
            return mpegAudio(format, object: 0x40)
        case .mp3: return mpegAudio(format, object: 0x6b)
        case .opus: return opus(format)
        case .flac:
            guard !format.configuration.isEmpty else { throw .incomplete(.flac) }
            return audio("fLaC", format) { box in
                box.box("dfLa", version: 0, flags: 0) { box in
                    // The last metadata block, STREAMINFO (FLAC in ISO-BMFF §3.3.2).
                    let count = UInt32(truncatingIfNeeded: format.configuration.count)
                    box.write(UInt32(0x8000_0000) | count)
                    box.write(format.configuration)
                }
            }
        default: throw .unsupported(format.codec)
        }
    }

    /// §12.1.3: a picture of the format's size at 72 dots an inch, 24 bits deep.
    private static func video(
        _ name: StaticString, _ configuration: StaticString, _ format: Format,
        _ body: (inout [UInt8]) -> Void
    ) -> [UInt8] {
        var writer = BoxWriter()
        writer.box(name) { box in
            box.write(zeros: 6)
            box.write(UInt16(1))  // Data reference.
            box.write(zeros: 16)
            box.write(UInt16(clamping: format.width))
            box.write(UInt16(clamping: format.height))
            box.write(UInt32(0x48_0000))
            box.write(UInt32(0x48_0000))
            box.write(UInt32(0))
            box.write(UInt16(1))  // Frames per sample.
            box.write(zeros: 32)  // No compressor name.
            box.write(UInt16(0x18))
            box.write(UInt16.max)
            box.box(configuration) { body(&$0.bytes) }
        }
        return writer.bytes
    }

    /// §12.2.3.
    private static func audio(
        _ name: StaticString, _ format: Format, _ body: (inout BoxWriter) -> Void
    ) -> [UInt8] {
        var writer = BoxWriter()
        writer.box(name) { box in
            box.write(zeros: 6)
            box.write(UInt16(1))
            box.write(zeros: 8)
            box.write(UInt16(clamping: max(1, format.channels)))
            box.write(UInt16(16))
            box.write(UInt32(0))
            // 16.16: what does not fit is said by the configuration only.
            let rate = UInt32(clamping: format.sampleRate)
            box.write(rate <= 0xffff ? rate << 16 : 0)
            body(&box)
        }
        return writer.bytes
    }

    /// ISO/IEC 14496-14 §6.7.2, with the descriptors of ISO/IEC 14496-1 §7.2.6.
    private static func mpegAudio(_ format: Format, object: UInt8) -> [UInt8] {
        audio("mp4a", format) { box in
            box.box("esds", version: 0, flags: 0) { box in
                box.descriptor(3) { box in
                    box.write(UInt16(0))
                    box.write(UInt8(0))
                    box.descriptor(4) { box in
                        box.write(object)
                        box.write(UInt8(0x15))  // An audio stream.
                        box.write(zeros: 11)  // Buffer and bit rates: not known.
                        guard !format.configuration.isEmpty, object == 0x40 else { return }
                        box.descriptor(5) { $0.write(format.configuration) }
                    }
                    box.descriptor(6) { $0.write(UInt8(2)) }
                }
            }
        }
    }

    /// Opus in ISO-BMFF §4.3.2: the fields of the Ogg header, in network order.
    private static func opus(_ format: Format) -> [UInt8] {
        audio("Opus", format) { box in
            box.box("dOps") { box in
                box.write(UInt8(0))
                box.write(UInt8(clamping: max(1, format.channels)))
                box.write(UInt16(0))  // A live stream is entered anywhere: nothing to skip.
                box.write(UInt32(48_000))
                box.write(UInt16(0))
                box.write(format.configuration.isEmpty ? [0] : format.configuration)
            }
        }
    }
}
