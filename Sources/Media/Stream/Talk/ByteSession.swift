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

    /// Asked before the first item until it says yes: whether it can begin with these slots, in
    /// which there is something to be read. Who has to say at the start what will come waits for
    /// the slots that are due, and gives them up at its deadline.
    func begin(
        _ present: [PresentSlot], channel: ChannelID, at now: Instant, out: inout Outbox
    ) -> Bool

    /// One item of what it has subscribed to. Called while `out` has room.
    func send(_ item: borrowing ReadItem, out: inout Outbox)

    /// So many bytes of what it wrote have left.
    func wrote(_ count: Int, at now: Instant, out: inout Outbox)

    /// The gateway stops: finish what is going on, begin nothing new.
    func drain(at now: Instant, into effects: inout Effects, out: inout Outbox)

    /// The deadline has passed.
    func expire(at now: Instant, into effects: inout Effects, out: inout Outbox)

    /// Its peer has finished a first request: before that it may be anybody, and is not waited for.
    var isEstablished: Bool { get }

    /// Whether its items are to come as shared chunks, to be queued without a copy.
    var sharesItems: Bool { get }

    /// Whether more bytes are of use now. While not, they stay in the socket.
    var wantsBytes: Bool { get }

    /// When `expire` is due; `.distantFuture`: never.
    var deadline: Instant { get }
}

extension ByteSession {
    package var sharesItems: Bool { false }
    package func begin(
        _ present: [PresentSlot], channel: ChannelID, at now: Instant, out: inout Outbox
    ) -> Bool { true }
    package var wantsBytes: Bool { true }
    package func wrote(_ count: Int, at now: Instant, out: inout Outbox) {}

    package func drain(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        effects.append(.close(.shuttingDown))
    }
}
