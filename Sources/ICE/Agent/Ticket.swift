import Crypto
package import Wire

/// What our side of the user fragment says about itself. A worker that meets an unknown sender
/// learns from it, without lookup or lock, whether we ever issued it and where its session waits.
package struct Ticket: Equatable, Sendable {
    /// Place in the directory of waiting offers and sessions.
    package var slot: UInt32
    /// The worker that wrote the answer: a hint, since sessions live where their packets arrive.
    package var worker: UInt8
    /// Seconds on the monotonic clock. A ticket past its time opens no session, but a running
    /// session is still found by it: a phone may change networks after hours.
    package var expires: UInt32

    package init(slot: UInt32, worker: UInt8, expires: UInt32) {
        self.slot = slot
        self.worker = worker
        self.expires = expires
    }

    package func isExpired(at now: Instant) -> Bool {
        now.nanoseconds / 1_000_000_000 > Int64(expires)
    }
}

/// The credentials of one session as the answer carries them.
package struct ICECredentials: Equatable, Sendable {
    package var ufrag: String
    package var password: String

    package init(ufrag: String, password: String) {
        self.ufrag = ufrag
        self.password = password
    }
}

/// Issues tickets and recognises them. A value: each worker has its copy, no lock is taken.
///
///     ufrag     24 characters of 6 bits:  15 of content (30 bits of dice, expiry, key, slot,
///               worker), 9 of MAC
///     password  24 characters, 144 bits, from the same HMAC: other bits of it than the MAC's
///
/// Without the secret nobody makes a ufrag that costs us more than one HMAC, and who only sees a
/// ufrag learns nothing about its password.
package struct TicketKeys: Sendable {
    package static let secretSize = 32
    package static let ufragSize = 24
    package static let passwordSize = 24
    package static let slotLimit: UInt32 = 1 << 24
    package static let workerLimit: UInt8 = 1 << 7
    private static let contentSize = 15
    private static let macSize = 9
    /// 26 bits of seconds: two years from the start of the machine.
    private static let expiryMask: UInt32 = 0x3ff_ffff
    /// With a new secret a day, a session can change its address for a week.
    private static let generations = 8

    private var keys: [HMACSHA256?] = .init(repeating: nil, count: generations)
    private var current = 0

    /// - Parameter secret: 32 random bytes of this process, never stored.
    package init(secret: RawSpan) {
        precondition(secret.byteCount == Self.secretSize, "a ticket secret has 32 bytes")
        keys[0] = HMACSHA256(key: secret)
    }

    /// From now on a new secret signs; tickets of the seven before are still recognised.
    package mutating func rotate(secret: RawSpan) {
        precondition(secret.byteCount == Self.secretSize, "a ticket secret has 32 bytes")
        current = (current + 1) % Self.generations
        keys[current] = HMACSHA256(key: secret)
    }

    /// - Parameter random: 30 bits of it make the ufrag unguessable before it is seen.
    package func issue(_ ticket: Ticket, random: UInt64) -> ICECredentials {
        precondition(ticket.slot < Self.slotLimit && ticket.worker < Self.workerLimit)
        var bits = UInt128(random & 0x3fff_ffff)
        bits = bits << 26 | UInt128(ticket.expires & Self.expiryMask)
        bits = bits << 3 | UInt128(current)
        bits = bits << 24 | UInt128(ticket.slot)
        bits = bits << 7 | UInt128(ticket.worker)
        var ufrag = (0..<Self.contentSize).map { index in
            ICEText.character(UInt8(truncatingIfNeeded: bits >> (84 - 6 * index)))
        }
        guard let tag = tag(ufrag.raw, generation: current) else {
            preconditionFailure("the current secret is always there")
        }
        for index in 0..<Self.macSize { ufrag.append(Self.macCharacter(tag, index)) }
        let password = Self.password(tag)
        return ICECredentials(
            ufrag: String(decoding: ufrag, as: UTF8.self),
            password: String(decoding: password.indices.map { password[$0] }, as: UTF8.self))
    }

    /// The ticket in one of our user fragments and the password that belongs to it; `nil` when we
    /// did not issue it. Costs one HMAC and no allocation.
    package func open(_ ufrag: RawSpan) -> (ticket: Ticket, password: [24 of UInt8])? {
        guard ufrag.byteCount == Self.ufragSize else { return nil }
        var bits: UInt128 = 0
        for index in 0..<Self.contentSize {
            guard let six = ICEText.value(ufrag.byte(at: index)) else { return nil }
            bits = bits << 6 | UInt128(six)
        }
        let generation = Int(truncatingIfNeeded: bits >> 31 & 7)
        let content = ufrag.extracting(first: Self.contentSize)
        guard let tag = tag(content, generation: generation) else { return nil }
        var difference: UInt8 = 0
        for index in 0..<Self.macSize {
            let said = ufrag.byte(at: Self.contentSize + index)
            difference |= Self.macCharacter(tag, index) ^ said
        }
        guard difference == 0 else { return nil }
        let ticket = Ticket(
            slot: UInt32(truncatingIfNeeded: bits >> 7) & (Self.slotLimit - 1),
            worker: UInt8(truncatingIfNeeded: bits) & (Self.workerLimit - 1),
            expires: UInt32(truncatingIfNeeded: bits >> 34) & Self.expiryMask)
        return (ticket, Self.password(tag))
    }

    /// The gate for senders that nobody knows yet: an authentic binding request for one of our
    /// tickets, or nothing at all. Expiry is the caller's to judge.
    package func admit(_ message: STUNMessage, _ datagram: RawSpan) -> Ticket? {
        guard message.kind == .request, message.method == STUNMessage.binding,
            let username = message.username, username.count > Self.ufragSize,
            datagram.byte(at: username.lowerBound + Self.ufragSize) == UInt8(ascii: ":")
        else { return nil }
        let end = username.lowerBound + Self.ufragSize
        guard let opened = open(datagram.extracting(username.lowerBound..<end)) else { return nil }
        let key = unsafe HMACSHA1(key: opened.password.span.bytes)
        return message.isAuthentic(datagram, key: key) ? opened.ticket : nil
    }

    private func tag(_ content: RawSpan, generation: Int) -> [32 of UInt8]? {
        keys[generation]?.tag(content)
    }

    private static func macCharacter(_ tag: [32 of UInt8], _ index: Int) -> UInt8 {
        ICEText.character(sixBits(of: tag, at: 6 * index))
    }

    /// From byte 7 on: the 54 bits before it are in the ufrag for everybody to read.
    private static func password(_ tag: [32 of UInt8]) -> [24 of UInt8] {
        var password: [24 of UInt8] = .init(repeating: 0)
        for index in password.indices {
            password[index] = ICEText.character(sixBits(of: tag, at: 56 + 6 * index))
        }
        return password
    }

    private static func sixBits(of tag: [32 of UInt8], at bit: Int) -> UInt8 {
        let pair = UInt16(tag[bit / 8]) << 8 | UInt16(bit / 8 < 31 ? tag[bit / 8 + 1] : 0)
        return UInt8(truncatingIfNeeded: pair >> UInt16(10 - bit % 8))
    }
}
