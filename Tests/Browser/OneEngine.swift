package import SCTP
import Synchronization

/// The library is one for the process, and so is the engine of all tests and its clock: whoever
/// uses it has it alone, on one thread at a time.
package final class OneEngine: @unchecked Sendable {
    package static let shared = OneEngine()
    package let engine = SCTPEngine()
    /// The library's wall clock, where a test holds it: a day in 2026. It only goes forward,
    /// through all tests.
    package var now: Int64 = 1_790_000_000_000_000
    private let isTaken = Atomic<Bool>(false)

    /// Waits without holding a thread: tests have two.
    package func alone<Result>(_ body: () async throws -> Result) async throws -> Result {
        while isTaken.exchange(true, ordering: .acquiring) {
            try await Task.sleep(for: .milliseconds(5))
        }
        defer { isTaken.store(false, ordering: .releasing) }
        return try await body()
    }
}

/// SCTP's checksum (RFC 9260 appendix A): bit by bit, for tests only.
package enum CRC32C {
    package static func sealed(_ packet: [UInt8]) -> [UInt8] {
        guard packet.count >= 12 else { return packet }
        var sealed = packet
        sealed.replaceSubrange(8..<12, with: [0, 0, 0, 0])
        var sum: UInt32 = .max
        for byte in sealed {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0x82f6_3b78 : sum >> 1 }
        }
        sum = ~sum
        for index in 0..<4 { sealed[8 + index] = UInt8(truncatingIfNeeded: sum >> (8 * index)) }
        return sealed
    }
}
