package import Wire

/// Asks STUN servers how they see us: for answers that name an address behind a translator.
///
///     asking ── an answer, or seven requests in vain, of every server ──▶ done
///
/// It sends from the media socket, so that the port is the one that peers reach.
package struct AddressDiscovery: Sendable {
    /// RFC 8489 §6.2.1: seven requests, twice as long between each.
    static let tryLimit = 7
    static let firstInterval = Interval.milliseconds(500)
    /// After the last request.
    static let lastInterval = Interval.seconds(8)
    /// More servers than that tell nothing new.
    static let serverLimit = 8

    private struct Query: Sendable {
        let server: Address
        let transaction: TransactionID
        var tries = 0
        var nextAt: Instant
        var answer: Address?
        var isOver = false
    }

    private var queries: [Query]

    /// - Parameter dice: Ids that cannot be guessed: nobody else can answer.
    package init(servers: [Address], dice: inout SplitMix64, at now: Instant) {
        queries = []
        for server in servers.prefix(Self.serverLimit) {
            let id = TransactionID(high: UInt32(truncatingIfNeeded: dice.next()), low: dice.next())
            queries.append(Query(server: server, transaction: id, nextAt: now))
        }
    }

    package var isDone: Bool { queries.allSatisfy(\.isOver) }

    /// What was said so far, each address once, in the order of the servers.
    package var addresses: [Address] {
        var found: [Address] = []
        for query in queries {
            if let answer = query.answer, !found.contains(answer) { found.append(answer) }
        }
        return found
    }

    package var deadline: Instant {
        queries.reduce(.distantFuture) { $1.isOver ? $0 : min($0, $1.nextAt) }
    }

    /// The deadline has passed. - Parameter local: The address of the media socket.
    package mutating func expire(
        from local: Address, at now: Instant, into out: inout ICEOutput
    ) {
        for index in queries.indices where !queries[index].isOver && queries[index].nextAt <= now {
            guard queries[index].tries < Self.tryLimit else {
                queries[index].isOver = true
                continue
            }
            queries[index].tries += 1
            let tries = queries[index].tries
            queries[index].nextAt =
                now
                + (tries == Self.tryLimit
                    ? Self.lastInterval : Self.firstInterval * Int64(1 << (tries - 1)))
            let start = out.bytes.count
            // No user, no integrity: a server for everybody (§2). It ends with its header.
            _ = STUNBuilder(.request, queries[index].transaction, into: &out.bytes)
            out.send(Route(remote: queries[index].server, local: local), from: start)
        }
    }

    /// - Returns: Whether it was an answer to one of the requests; anything else is another's.
    package mutating func receive(_ datagram: RawSpan, from server: Address) -> Bool {
        guard let message = try? STUNMessage(datagram), message.method == STUNMessage.binding,
            message.kind == .success || message.kind == .error,
            let index = queries.firstIndex(where: {
                $0.server == server && $0.transaction == message.transaction
            })
        else { return false }
        // The first answer counts; a copy of it changes nothing.
        if !queries[index].isOver { queries[index].answer = message.mappedAddress }
        queries[index].isOver = true
        return true
    }
}
