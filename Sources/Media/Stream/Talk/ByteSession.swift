package import Media
package import Wire

/// One peer on a stream of bytes, as every protocol on TCP has it: the shape a worker runs.
///
/// A session is told everything and owns no socket: what the peer is to receive it writes into
/// `out`, what it wants of the gateway into `effects`. Both are done after the call has returned,
/// so that no session is ever entered twice.
package protocol ByteSession: AnyObject {
    /// Bytes came. All that are not consumed are shown again, with what follows them.
    ///
    /// - Returns: How many were consumed.
    func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) -> Int

    /// The peer has finished sending; it may still listen.
    func receiveEnd(at now: Instant, into effects: inout Effects, out: inout Outbox)

    /// An answer to a question of this session; it may come late, twice, or never.
    func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects,
        out: inout Outbox)

    /// Something that it did not ask for.
    func notice(
        _ notice: Notice, at now: Instant, into effects: inout Effects, out: inout Outbox)

    /// One item of what it has subscribed to. Called while `out` has room.
    ///
    /// - Parameter jump: The item does not follow the one before it.
    func send(
        _ item: RawSpan, _ meta: ItemMeta, _ format: Format, of slot: SlotName,
        channel: ChannelID, jump: Jump?, out: inout Outbox)

    /// The deadline has passed.
    func expire(at now: Instant, into effects: inout Effects, out: inout Outbox)

    /// Its peer has finished a first request: before that it may be anybody, and is not waited for.
    var isEstablished: Bool { get }

    /// When `expire` is due; `.distantFuture`: never.
    var deadline: Instant { get }
}
