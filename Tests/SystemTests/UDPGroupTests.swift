import Testing
import Wire

@testable import System

struct UDPGroupTests {
    /// A number out of 239.255.0.0/16, which stays on this machine and its network.
    static func group(_ last: UInt32, port: UInt16) -> Address {
        Address(ipv4: 0xefff_4200 | last, port: port)
    }

    @Test func aMemberOfAGroupHearsItAndOnlyWhileItIsOne() throws {
        let member = try UDPSocket(bind: .any(port: 0))
        let sender = try UDPSocket(bind: .any(port: 0))
        let group = Self.group(1, port: member.localAddress.port)
        try member.join(group)
        try sender.setMulticastHops(0)
        sender.send([1].raw, to: group)
        var slab = ReceiveSlab()
        let heard = try collect(1, from: member, with: &slab)
        let hit = slab.destination
        #expect(heard == [[1]])
        #expect(hit.ip == "239.255.66.1", "the group, not our address")
        try member.leave(group)
        sender.send([2].raw, to: group)
        let after = try collect(1, from: member, with: &slab)
        #expect(after == [])
    }

    @Test func leavingWhatWasNotJoinedIsAnError() throws {
        let socket = try UDPSocket(bind: .any(port: 0))
        let error = #expect(throws: SystemError.self) {
            try socket.leave(Self.group(2, port: 5000))
        }
        #expect(error?.description.contains("leave 239.255.66.2") == true)
    }
}

struct UDPPairTests {
    /// Both sockets of a pair, to be kept open.
    final class Both {
        var first: UDPSocket?
        var second: UDPSocket?
        var ports: [UInt16] = []

        init?(_ range: PortRange, beginningAt start: UInt64) throws {
            guard let pair = try UDPPair.open(in: range, at: loopback, beginningAt: start) else {
                return nil
            }
            pair.take { first, second in
                ports = [first.localAddress.port, second.localAddress.port]
                self.first = consume first
                self.second = consume second
            }
        }
    }

    @Test func aPairIsEvenAndOddAndTakenPairsAreSkipped() throws {
        let range = try #require(PortRange(24_101, 24_107))
        let first = try #require(try Both(range, beginningAt: 1))
        let second = try #require(try Both(range, beginningAt: 1))
        let third = try #require(try Both(range, beginningAt: 1))
        #expect(first.ports == [24_104, 24_105])
        #expect(second.ports == [24_106, 24_107])
        #expect(third.ports == [24_102, 24_103], "round its end")
        let none = try Both(range, beginningAt: 0)
        #expect(none == nil)
        withExtendedLifetime((first, second, third)) {}
    }

    @Test func aPairWhoseSecondPortIsTakenIsSkipped() throws {
        let range = try #require(PortRange(24_110, 24_113))
        let other = try UDPSocket(bind: loopback.with(port: 24_111))
        let pair = try #require(try Both(range, beginningAt: 0))
        #expect(pair.ports == [24_112, 24_113])
        _ = consume other
    }
}
