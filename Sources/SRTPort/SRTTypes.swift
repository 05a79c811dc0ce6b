package import Wire

/// What a connection is to be like.
package struct SRTOptions: Equatable, Sendable {
    /// How long lost packets may be asked for again: the larger one of both ends holds.
    package var latency = Interval.milliseconds(120)
    /// Empty: not encrypted.
    package var passphrase = ""
    /// Bytes: 16, 24 or 32; nil: as the caller says.
    package var keyLength: Int?
    /// Of a caller.
    package var streamID = ""
    package var patience = Interval.seconds(3)

    package init() {}
}

/// What becomes of a caller.
package enum SRTVerdict: Equatable, Sendable {
    /// Empty: it may not encrypt.
    case accept(passphrase: String)
    case reject(SRTRejection)
}

/// Why a caller is sent away, in numbers that callers show (`access_control.h` of libsrt: those of
/// HTTP, and 1000).
package enum SRTRejection: Int32, Sendable {
    case badRequest = 1400
    case unauthorized = 1401
    case overload = 1402
    case forbidden = 1403
    case notFound = 1404
    case badMode = 1405
    case conflict = 1409
    case unsupportedMedia = 1415
    case shuttingDown = 1503
}

/// Judges callers. It is asked on libsrt's receiving thread, on which everybody's packets wait: it
/// must answer from what it has.
package final class SRTDoor: Sendable {
    package typealias Judge = @Sendable (_ streamID: String, _ peer: Address) -> SRTVerdict

    private let judge: Judge

    package init(_ judge: @escaping Judge) { self.judge = judge }

    func judge(_ streamID: String, _ peer: Address) -> SRTVerdict { judge(streamID, peer) }
}

/// What libsrt counts of one connection.
package struct SRTFigures: Equatable, Sendable {
    package var roundTrip = Interval.zero
    package var latency = Interval.zero
    /// Of media that waits in the library.
    package var buffered = Interval.zero
    package var bitsPerSecond = 0
    package var packets: UInt64 = 0
    package var lost: UInt64 = 0
    /// Too late to be of use.
    package var dropped: UInt64 = 0
    package var repeated: UInt64 = 0
    package var undecrypted: UInt64 = 0

    package init() {}
}

package struct SRTError: Error, Equatable, Sendable, CustomStringConvertible {
    package var description: String
}

/// A number of libsrt: a listener, or one connection.
package struct SRTSocket: Hashable, Sendable {
    let number: Int32
}
