import CLinux
import Glibc
import Synchronization
import Testing
import Wire

@testable import System

@Suite(.serialized) struct BatchSenderTests {
    /// Sixteen bytes that say which datagram this is.
    private func datagram(_ number: Int, _ size: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size)
        for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
        return bytes
    }

    @Test func manyPeersAreServedInOneGo() throws {
        let sender = try UDPSocket(bind: loopback)
        var batch = SendBatch()
        let first = try UDPSocket(bind: loopback)
        let second = try UDPSocket(bind: loopback)
        for round in 0..<20 {
            batch.begin(to: first.localAddress, from: .any(port: 0))
            batch.append(datagram(round, 100).raw)
            batch.begin(to: second.localAddress, from: .any(port: 0))
            batch.append(datagram(round, 200).raw)
            batch.append(datagram(round + 100, 200).raw)
        }
        var output = BatchSender()
        let outcome = output.send(batch, through: sender)
        #expect(outcome == .all)
        var slab = ReceiveSlab()
        let ones = try collect(20, from: first, with: &slab)
        let twos = try collect(40, from: second, with: &slab)
        #expect(ones == (0..<20).map { datagram($0, 100) })
        #expect(twos == (0..<20).flatMap { [datagram($0, 200), datagram($0 + 100, 200)] })
    }

    /// One peer that cannot be reached must not hold up those behind it.
    @Test func aRefusedRunIsCountedAndTheRestGoesOn() throws {
        let receiver = try UDPSocket(bind: loopback)
        let sender = try UDPSocket(bind: loopback)
        var batch = SendBatch()
        batch.begin(to: Address(ipv4: 0xffff_ffff, port: 9), from: .any(port: 0))
        batch.append([1].raw)  // Broadcast without permission: EACCES.
        batch.begin(to: receiver.localAddress, from: .any(port: 0))
        batch.append([2].raw)
        var output = BatchSender()
        let outcome = output.send(batch, through: sender)
        let counts = output.counts
        var slab = ReceiveSlab()
        let received = try collect(1, from: receiver, with: &slab)
        #expect(outcome == .all)
        #expect(counts.refused == 1)
        #expect(received == [[2]])
    }

    /// The datagrams that a fake kernel took, and what it answers to the calls to come.
    struct Kernel: Sendable {
        var answers: [CInt] = []
        var taken: [String] = []
        var calls = 0
    }

    static let kernel = Mutex(Kernel())

    /// Three runs: 3 x 100 and 2 x 100 bytes to one peer each, then one datagram to a third.
    private func send(
        _ batch: borrowing SendBatch, from position: BatchSender.Position = .start,
        with output: inout BatchSender, answers: [CInt]
    ) throws -> (outcome: BatchSender.Outcome, taken: [String]) {
        let socket = try UDPSocket(bind: loopback)
        Self.kernel.withLock { $0 = Kernel(answers: answers) }
        let outcome = output.send(batch, from: position, through: socket)
        return (outcome, Self.kernel.withLock { $0.taken })
    }

    private func sender() -> BatchSender {
        unsafe BatchSender { _, _, messages, count in
            BatchSenderTests.kernel.withLock { kernel in
                let answer = kernel.calls < kernel.answers.count ? kernel.answers[kernel.calls] : 99
                kernel.calls += 1
                let taken = min(answer, CInt(count))
                for index in 0..<max(0, Int(taken)) {
                    guard let message = unsafe messages?[index] else { break }
                    let port = unsafe message.to.port
                    let (length, segment) = unsafe (message.length, message.segment)
                    kernel.taken.append("\(port):\(length)/\(segment)")
                }
                return taken
            }
        }
    }

    private func threeRuns() -> SendBatch {
        var batch = SendBatch()
        for (port, count) in [(1, 3), (2, 2), (3, 1)] as [(UInt16, Int)] {
            batch.begin(to: loopback.with(port: port), from: .any(port: 0))
            for number in 0..<count { batch.append(datagram(number, 100).raw) }
        }
        return batch
    }

    @Test func aFullSocketKeepsThePlace() throws {
        let batch = threeRuns()
        var output = sender()
        let first = try send(batch, with: &output, answers: [1, -EAGAIN])
        #expect(first.taken == ["1:300/100"])
        #expect(first.outcome == .blocked(at: .init(run: 1, datagram: 0)))
        let rest = try send(batch, from: .init(run: 1, datagram: 0), with: &output, answers: [])
        #expect(rest.taken == ["2:200/100", "3:100/0"])
        #expect(rest.outcome == .all)
        let counts = output.counts
        #expect(counts == .init(datagrams: 6, messages: 3, refused: 0, split: 0))
    }

    @Test(arguments: [EMSGSIZE, EIO, EINVAL])
    func aPathThatTakesNoRunsGetsDatagramsFromThenOn(error: CInt) throws {
        let batch = threeRuns()
        var output = sender()
        let first = try send(batch, with: &output, answers: [-error])
        #expect(first.taken == ["1:100/0", "1:100/0", "1:100/0", "2:200/100", "3:100/0"])
        let isPlain = (
            output.isPlain(loopback.with(port: 1)), output.isPlain(loopback.with(port: 2))
        )
        #expect(isPlain == (true, false))
        let again = try send(batch, with: &output, answers: [])
        #expect(again.taken == first.taken, "without asking the kernel again")
        let counts = output.counts
        #expect(counts == .init(datagrams: 12, messages: 10, refused: 0, split: 1))
    }

    @Test func aFullSocketKeepsThePlaceWithinARun() throws {
        let batch = threeRuns()
        var output = sender()
        let first = try send(batch, with: &output, answers: [-EIO, 2, -EAGAIN])
        let place = BatchSender.Position(run: 0, datagram: 2)
        #expect(first.outcome == .blocked(at: place))
        let rest = try send(batch, from: place, with: &output, answers: [])
        #expect(first.taken == ["1:100/0", "1:100/0"])
        #expect(rest.taken == ["1:100/0", "2:200/100", "3:100/0"])
    }

    @Test func aDatagramTooBigForItsPathIsGivenUp() throws {
        let batch = threeRuns()
        var output = sender()
        let first = try send(batch, with: &output, answers: [2, -EMSGSIZE])
        let counts = output.counts
        #expect(first.outcome == .all)
        #expect(counts == .init(datagrams: 5, messages: 2, refused: 1, split: 0))
    }
}
