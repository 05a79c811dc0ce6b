package import Wire

/// Writes RTCP packets one behind the other into a window: a compound is what lies there at the
/// end. Each function writes one whole packet; sizes are ours, so none of them can fail.
package enum RTCPWriter {
    /// Report blocks, chunks and numbers are counted in five bits.
    package static let countMaximum = 31

    @_lifetime(out: copy out)
    package static func senderReport(
        _ info: RTCPSenderInfo, _ blocks: Span<RTCPReportBlock>, into out: inout ByteWriter
    ) {
        let start = begin(200, UInt8(blocks.count), into: &out)
        out.write(info.ssrc)
        out.write(info.ntp.bits)
        out.write(info.timestamp)
        out.write(info.packets)
        out.write(info.octets)
        for index in blocks.indices { write(blocks[index], into: &out) }
        end(start, into: &out)
    }

    @_lifetime(out: copy out)
    package static func receiverReport(
        from ssrc: UInt32, _ blocks: Span<RTCPReportBlock>, into out: inout ByteWriter
    ) {
        let start = begin(201, UInt8(blocks.count), into: &out)
        out.write(ssrc)
        for index in blocks.indices { write(blocks[index], into: &out) }
        end(start, into: &out)
    }

    /// One chunk with the canonical name: all that anybody needs of SDES.
    @_lifetime(out: copy out)
    package static func sourceDescription(
        ssrc: UInt32, cname: RawSpan, into out: inout ByteWriter
    ) {
        precondition(cname.byteCount <= 255, "a canonical name has at most 255 bytes")
        let start = begin(202, 1, into: &out)
        out.write(ssrc)
        out.write(UInt8(1))
        out.write(UInt8(cname.byteCount))
        out.write(cname)
        // The zero that ends the items, then up to the next word.
        out.write(zeros: 4 - (out.offset - start) & 3)
        end(start, into: &out)
    }

    @_lifetime(out: copy out)
    package static func bye(_ ssrcs: Span<UInt32>, into out: inout ByteWriter) {
        let start = begin(203, UInt8(ssrcs.count), into: &out)
        for index in ssrcs.indices { out.write(ssrcs[index]) }
        end(start, into: &out)
    }

    @_lifetime(out: copy out)
    package static func nack(
        from sender: UInt32, media: UInt32, _ items: Span<RTCPNack>, into out: inout ByteWriter
    ) {
        let start = begin(205, 1, into: &out)
        out.write(sender)
        out.write(media)
        for index in items.indices {
            out.write(items[index].first)
            out.write(items[index].mask)
        }
        end(start, into: &out)
    }

    @_lifetime(out: copy out)
    package static func pictureLoss(
        from sender: UInt32, media: UInt32, into out: inout ByteWriter
    ) {
        let start = begin(206, 1, into: &out)
        out.write(sender)
        out.write(media)
        end(start, into: &out)
    }

    /// RFC 5104 §4.3.1.2: the media SSRC of the header is zero, the real one is in the item.
    @_lifetime(out: copy out)
    package static func fullIntra(
        from sender: UInt32, media: UInt32, sequence: UInt8, into out: inout ByteWriter
    ) {
        let start = begin(206, 4, into: &out)
        out.write(sender)
        out.write(UInt32(0))
        out.write(media)
        out.write(sequence)
        out.write(zeros: 3)
        end(start, into: &out)
    }

    /// - Parameter bitsPerSecond: Rounded down to the 18 bits that the format keeps.
    @_lifetime(out: copy out)
    package static func remb(
        from sender: UInt32, bitsPerSecond: UInt64, _ ssrcs: Span<UInt32>,
        into out: inout ByteWriter
    ) {
        let exponent = max(0, 64 - bitsPerSecond.leadingZeroBitCount - 18)
        let start = begin(206, 15, into: &out)
        out.write(sender)
        out.write(UInt32(0))
        out.write(0x5245_4d42 as UInt32)  // "REMB"
        out.write(UInt8(ssrcs.count))
        out.writeUInt24(
            UInt32(exponent) << 18 | UInt32(truncatingIfNeeded: bitsPerSecond >> UInt64(exponent)))
        for index in ssrcs.indices { out.write(ssrcs[index]) }
        end(start, into: &out)
    }

    /// Our clock, for a receiver that sends no reports of its own but wants the round trip.
    @_lifetime(out: copy out)
    package static func referenceTime(
        from ssrc: UInt32, _ time: NTPTime, into out: inout ByteWriter
    ) {
        let start = begin(207, 0, into: &out)
        out.write(ssrc)
        out.write(0x0400_0002 as UInt32)
        out.write(time.bits)
        end(start, into: &out)
    }

    /// The answer to `referenceTime`.
    @_lifetime(out: copy out)
    package static func receiverDelay(
        from ssrc: UInt32, about receiver: UInt32, lastReport: UInt32, delay: UInt32,
        into out: inout ByteWriter
    ) {
        let start = begin(207, 0, into: &out)
        out.write(ssrc)
        out.write(0x0500_0003 as UInt32)
        out.write(receiver)
        out.write(lastReport)
        out.write(delay)
        end(start, into: &out)
    }

    @_lifetime(out: copy out)
    static func begin(_ type: UInt8, _ count: UInt8, into out: inout ByteWriter) -> Int {
        precondition(count <= countMaximum, "RTCP counts up to 31")
        let start = out.offset
        out.write(0x80 | count)
        out.write(type)
        out.write(UInt16(0))
        return start
    }

    /// The length counts words without the first.
    @_lifetime(out: copy out)
    static func end(_ start: Int, into out: inout ByteWriter) {
        out.patch(UInt16(truncatingIfNeeded: (out.offset - start) / 4 - 1), at: start + 2)
    }

    @_lifetime(out: copy out)
    private static func write(_ block: RTCPReportBlock, into out: inout ByteWriter) {
        out.write(block.ssrc)
        out.write(block.fractionLost)
        let lost = max(-0x80_0000, min(0x7f_ffff, block.cumulativeLost))
        out.writeUInt24(UInt32(bitPattern: lost) & 0xff_ffff)
        out.write(block.highestSequence)
        out.write(block.jitter)
        out.write(block.lastReport)
        out.write(block.delay)
    }
}
