import Glibc
import Testing

/// All tests that touch the library, one after the other: its state belongs to the process.
@Suite(.serialized) struct SCTPSuite {}

/// How many seeds a run tries: 20, or what the environment asks for.
enum Seeds {
    static var count: UInt64 {
        guard let text = unsafe getenv("SCTP_SEEDS") else { return 20 }
        return UInt64(unsafe String(cString: text)) ?? 20
    }
}
