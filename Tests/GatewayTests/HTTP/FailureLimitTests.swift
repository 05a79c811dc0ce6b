import Gateway
import Testing
import Wire

struct FailureLimitTests {
    static let guesser = Address(ipv4: 0xcb00_7107, port: 1)

    @Test func tenASecondAndThenAgain() {
        var limit = FailureLimit()
        for _ in 0..<FailureLimit.perSecond {
            let isFull = limit.isFull(Self.guesser, at: .start)
            #expect(!isFull)
            limit.note(Self.guesser, at: .start)
        }
        let others = Address(ipv4: 0xcb00_7108, port: 1)
        let full = [
            limit.isFull(Self.guesser.with(port: 9), at: .start),
            limit.isFull(others, at: .start),
            limit.isFull(Self.guesser, at: .start + .seconds(1)),
        ]
        #expect(full == [true, false, false])
    }

    @Test func anIPv6HouseholdIsOne() {
        var limit = FailureLimit()
        for host in 0..<UInt64(FailureLimit.perSecond) {
            limit.note(Address(high: 0x2001_0db8_0000_0001, low: host, port: 1), at: .start)
        }
        let full = [1, 2].map { (network: UInt64) in
            limit.isFull(
                Address(high: 0x2001_0db8_0000_0000 | network, low: 99, port: 1), at: .start)
        }
        #expect(full == [true, false])
    }
}
