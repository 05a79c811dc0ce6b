import Crypto
import RTP
import Wire

/// One outgoing RTCP compound: written, protected and sent from memory that is made once.
struct ControlPacket: Sendable {
    private(set) var bytes = [UInt8](repeating: 0, count: IncomingMedia.compoundMaximum + 32)

    /// - Returns: The length; 0: nothing was due.
    mutating func reports(of incoming: inout IncomingMedia, at now: Instant) -> Int {
        var span = bytes.mutableSpan
        var writer = ByteWriter(unsafe span.mutableBytes)
        return incoming.write(into: &writer, at: now) ? writer.offset : 0
    }

    mutating func delay(
        of incoming: IncomingMedia, about ssrc: UInt32, lastReport: UInt32, delay: UInt32
    ) -> Int {
        var span = bytes.mutableSpan
        var writer = ByteWriter(unsafe span.mutableBytes)
        incoming.writePrefix(Span(), into: &writer)
        RTCPWriter.receiverDelay(
            from: incoming.ownSSRC, about: ssrc, lastReport: lastReport, delay: delay,
            into: &writer)
        return writer.offset
    }

    mutating func bye(of incoming: IncomingMedia) -> Int {
        let own = [incoming.ownSSRC]
        var span = bytes.mutableSpan
        var writer = ByteWriter(unsafe span.mutableBytes)
        incoming.writePrefix(Span(), into: &writer)
        RTCPWriter.bye(own.span, into: &writer)
        return writer.offset
    }

    mutating func protect(
        _ count: Int, index: UInt32, key: SRTPKey, with engine: borrowing CryptoEngine
    ) -> Int {
        var span = bytes.mutableSpan
        var window = unsafe span.mutableBytes
        return engine.protectRTCP(&window, count: count, index: index, key: key)
    }
}
