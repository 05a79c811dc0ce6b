import Crypto
import Wire

/// The credentials of both sides between two ICE restarts, in the forms that packets need.
struct ICEGeneration: Sendable {
    let number: UInt32
    /// USERNAME of a request to us: ours, a colon, theirs (RFC 8445 §7.2.2).
    let incomingName: [UInt8]
    let outgoingName: [UInt8]
    let localKey: HMACSHA1
    let remoteKey: HMACSHA1

    init(_ number: UInt32, local: ICECredentials, remote: ICECredentials) {
        self.number = number
        incomingName = Array("\(local.ufrag):\(remote.ufrag)".utf8)
        outgoingName = Array("\(remote.ufrag):\(local.ufrag)".utf8)
        let localPassword = Array(local.password.utf8)
        let remotePassword = Array(remote.password.utf8)
        localKey = HMACSHA1(key: localPassword.raw)
        remoteKey = HMACSHA1(key: remotePassword.raw)
    }

    /// A request that names us both and is signed with our password.
    func accepts(_ message: STUNMessage, _ datagram: RawSpan) -> Bool {
        guard let name = message.username, name.count == incomingName.count else { return false }
        for index in 0..<name.count
        where datagram.byte(at: name.lowerBound + index) != incomingName[index] {
            return false
        }
        return message.isAuthentic(datagram, key: localKey)
    }
}

/// Transaction ids that nobody can guess, not even who has seen all the others.
///
/// A client that knows our password may send requests from a forged address; only an id that was
/// sent to that address alone tells an honest answer from a forged one.
struct TransactionSource: Sendable {
    private let key: HMACSHA1
    private var counter: UInt64 = 0

    /// - Parameter secret: Random bytes of this session.
    init(secret: RawSpan) { key = HMACSHA1(key: secret) }

    mutating func next() -> TransactionID {
        counter += 1
        let number = counter
        let tag = unsafe withUnsafeBytes(of: number) { unsafe key.tag(RawSpan(_unsafeBytes: $0)) }
        let high = (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(tag[$1]) }
        let low = (4..<12).reduce(UInt64(0)) { $0 << 8 | UInt64(tag[$1]) }
        return TransactionID(high: high, low: low)
    }
}

/// Which requests have been seen: a captured one that is sent again must not move the media.
///
/// 256 short hashes hold ten minutes of a browser's checks. What is older and comes again is still
/// held to three times its size, and goes back when the path stays unvalidated.
struct ReplayMemory: Sendable {
    private var seen: [UInt32] = []
    private var next = 0
    private static let capacity = 256

    /// True the first time.
    mutating func isFresh(_ id: TransactionID) -> Bool {
        let short = id.high ^ UInt32(truncatingIfNeeded: id.low ^ id.low >> 32)
        if seen.contains(short) { return false }
        if seen.count < Self.capacity {
            seen.append(short)
        } else {
            seen[next] = short
            next = (next + 1) % Self.capacity
        }
        return true
    }
}
