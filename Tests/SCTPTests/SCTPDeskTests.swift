import Browser
import CHeldClock
import SCTP
import Testing
import Wire

extension SCTPSuite {
    /// The work of the thread of all associations: two sessions of different workers, and letters.
    @Suite struct SCTPDeskTests {
        private let left = SCTPOwner(worker: 0, session: 7)
        private let right = SCTPOwner(worker: 1, session: 7)

        private final class Office {
            let desk = SCTPDesk(OneEngine.shared.engine)
            var reports: [(SCTPOwner, SCTPReport)] = []
            var told: [SCTPOwner: [SCTPReport]] = [:]

            func handle(_ request: SCTPRequest) {
                held_clock_set(OneEngine.shared.now)
                defer { held_clock_set(-1) }
                desk.handle(request, into: &reports)
            }

            /// Lets so much time pass; packets of one are letters to the other.
            func run(_ a: SCTPOwner, _ b: SCTPOwner, milliseconds: Int) {
                for _ in stride(from: 0, to: milliseconds, by: 10) {
                    OneEngine.shared.now += 10_000
                    held_clock_set(OneEngine.shared.now)
                    let now = Instant(nanoseconds: OneEngine.shared.now * 1000)
                    desk.tick(at: now, into: &reports)
                    held_clock_set(-1)
                    while !reports.isEmpty {
                        let letters = reports
                        reports.removeAll()
                        for (owner, report) in letters {
                            if case .packet(let bytes) = report {
                                handle(.packet(owner == a ? b : a, bytes))
                            } else {
                                told[owner, default: []].append(report)
                            }
                        }
                    }
                }
            }
        }

        @Test func lettersBecomeMessagesAndBack() {
            let office = Office()
            #expect(office.desk.pause == nil, "without associations the thread sleeps")
            office.handle(.open(left, port: 5000))
            office.handle(.open(left, port: 5000))
            office.handle(.open(right, port: 5000))
            #expect(office.desk.count == 2 && office.desk.pause == SCTPDesk.tickInterval)
            let text = Array("hello".utf8)
            let reliable = SCTPDelivery(ordered: true, reliability: .reliable)
            office.handle(.send(left, stream: 2, payload: 51, reliable, text))
            office.run(left, right, milliseconds: 500)
            #expect(office.told[left]?.contains(.connected) == true)
            #expect(office.told[left]?.contains(.sent(stream: 2, bytes: 5)) == true)
            #expect(
                office.told[right]?.contains(.message(stream: 2, payload: 51, text)) == true)
            office.handle(.reset(left, stream: 2))
            office.run(left, right, milliseconds: 1000)
            #expect(office.told[right]?.contains(.streamReset(2)) == true)
            // What is too large is not waited for for ever.
            let large = [UInt8](repeating: 1, count: SCTPEngine.messageMaximum + 1)
            office.handle(.send(left, stream: 4, payload: 53, reliable, large))
            office.run(left, right, milliseconds: 10)
            #expect(office.told[left]?.last == .sent(stream: 4, bytes: large.count))
            // One leaves, and the other hears of it.
            office.handle(.close(left))
            office.run(left, right, milliseconds: 200)
            #expect(office.told[right]?.last == .ended)
            #expect(office.desk.count == 0 && office.desk.pause == nil)
            office.handle(.packet(left, [1, 2, 3]))
            #expect(office.reports.isEmpty)
        }
    }
}
