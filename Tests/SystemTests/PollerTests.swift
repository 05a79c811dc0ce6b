import Glibc
import Testing
import Wire

@testable import System

struct PollerTests {
    @Test func tellsWhoIsReadable() throws {
        var poller = try Poller()
        let socket = try UDPSocket(bind: loopback)
        let other = try UDPSocket(bind: loopback)
        _ = try poller.add(socket, tag: 7)
        _ = try poller.add(other, tag: 8)
        try poller.wait(.zero)
        let nothing = poller.next()?.tag
        #expect(nothing == nil)
        other.send([1].raw, to: socket.localAddress)
        try poller.wait(.seconds(1))
        let event = poller.next()
        let second = poller.next()?.tag
        #expect(event?.tag == 7)
        #expect(event?.isReadable == true)
        #expect(event?.isWritable == false)
        #expect(second == nil)
    }

    /// A second descriptor of the socket with a number of our choice: tests run side by side, and
    /// the lowest free number is anybody's.
    private func descriptor(_ number: CInt, of socket: borrowing UDPSocket) -> Descriptor {
        Descriptor(owning: dup2(socket.descriptor.number, number))
    }

    /// An event is in hand when its descriptor is closed and a new one gets the number. The old
    /// event must not reach the new owner.
    @Test func anEventOfAClosedDescriptorIsSkipped() throws {
        var poller = try Poller()
        let sender = try UDPSocket(bind: loopback)
        let first = try UDPSocket(bind: loopback)
        let second = try UDPSocket(bind: loopback)
        let closed = descriptor(900, of: first)
        let registration = try poller.add(closed, .read, tag: 1)
        sender.send([1].raw, to: first.localAddress)
        try poller.wait(.seconds(1))
        poller.remove(registration)
        _ = consume closed
        let reused = descriptor(900, of: second)
        _ = try poller.add(reused, .read, tag: 2)
        let stale = poller.next()?.tag
        #expect(stale == nil)
        sender.send([1].raw, to: second.localAddress)
        try poller.wait(.seconds(1))
        let fresh = poller.next()?.tag
        #expect(fresh == 2)
        poller.remove(registration)
        let registered = poller.registered
        #expect(registered == 1, "an old registration removes nothing of its successor")
    }

    @Test func writableIsToldOnlyWhenAskedFor() throws {
        var poller = try Poller()
        let pair = try TCPSocket.pair()
        let registration = try poller.add(pair.first, tag: 1)
        try poller.wait(.zero)
        let before = poller.next()?.isWritable
        try poller.modify(registration, [.read, .write])
        try poller.wait(.zero)
        let after = poller.next()?.isWritable
        try poller.modify(registration, .read)
        try poller.wait(.zero)
        let again = poller.next()?.isWritable
        #expect(before == nil)
        #expect(after == true)
        #expect(again == nil)
    }

    @Test func waitsNoLongerThanAsked() throws {
        var poller = try Poller()
        let start = Clock.now
        try poller.wait(.milliseconds(3))
        let waited = Clock.now - start
        #expect(waited >= .milliseconds(3))
    }
}
