package import Wire

/// A session with datagrams beside its connection: media of RTSP over UDP.
///
/// It asks for ports (`Question.lines`), is told what comes to them, and writes what is to leave
/// by them into its queue.
package protocol DatagramSession: ByteSession {
    var datagrams: DatagramQueue { get }

    /// A datagram came on one of its ports; anybody may have sent it.
    func receive(
        datagram: RawSpan, from source: Address, on line: LineNumber, at now: Instant,
        into effects: inout Effects, out: inout Outbox)
}
