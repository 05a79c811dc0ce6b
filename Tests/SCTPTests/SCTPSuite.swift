import Browser
import Glibc
import Testing

/// All tests that touch the library, one after the other: its state belongs to the process.
@Suite(.serialized, HasEngine()) struct SCTPSuite {}

/// Nobody else uses the library while the suite runs.
struct HasEngine: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws { try await OneEngine.shared.alone(function) }
}

/// How many seeds a run tries: 20, or what the environment asks for.
enum Seeds {
    static var count: UInt64 {
        guard let text = unsafe getenv("SCTP_SEEDS") else { return 20 }
        return UInt64(unsafe String(cString: text)) ?? 20
    }
}
