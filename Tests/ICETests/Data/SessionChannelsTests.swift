import Browser
import Crypto
import Media
import Simulation
import Stream
import Testing
import Wire

@testable import ICE

/// The data channels of a session, with the association played by hand.
struct SessionChannelsTests {
    private func opened(_ label: String, on stream: UInt16) -> [UInt8] {
        var bytes: [UInt8] = []
        DCEPMessage.open(DataChannelTerms(label: label)).write(into: &bytes)
        return bytes
    }

    private func running() throws -> PublishWorld {
        var story = Story(seed: 8)
        story.hasChannel = true
        var world = try PublishWorld(story)
        world.run(until: .start + .seconds(2))
        return world
    }

    private func receive(
        _ world: PublishWorld, _ bytes: [UInt8], _ payload: DataPayload, on stream: UInt16
    ) -> (sent: [[UInt8]], frames: [[UInt8]]) {
        world.session.received(
            message: bytes.raw, payload: payload.rawValue, on: stream, at: world.now,
            into: &world.out, effects: &world.effects)
        defer {
            world.out.clear()
            world.effects.clear()
        }
        var sent: [[UInt8]] = []
        for case .channelSend(stream, _, _, let range) in world.out.entries {
            sent.append(Array(world.out.bytes[range]))
        }
        let effects = world.effects
        var frames: [[UInt8]] = []
        for index in 0..<effects.media.count {
            frames.append([UInt8](copying: effects.media.bytes(of: index)))
        }
        return (sent, frames)
    }

    @Test func anAssociationIsAskedForWhenTheTunnelOpens() throws {
        let world = try running()
        #expect(world.events.contains(.associate(port: 5000)))
    }

    @Test func echoSendsBack() throws {
        let world = try running()
        #expect(receive(world, opened("echo", on: 0), .control, on: 0).sent == [[2]])
        let answer = receive(world, [1, 2, 3], .binary, on: 0)
        #expect(answer.sent == [[1, 2, 3]])
        #expect(answer.frames.isEmpty)
    }

    /// Commands come out of the session as they are; binary and endless ones are dropped.
    @Test func controlIsForTheGatewayAlone() throws {
        let world = try running()
        _ = receive(world, opened("control", on: 0), .control, on: 0)
        world.session.received(
            message: Array("{}".utf8).raw, payload: DataPayload.text.rawValue, on: 0,
            at: world.now, into: &world.out, effects: &world.effects)
        #expect(world.out.entries == [.command(0..<2)])
        world.out.clear()
        #expect(receive(world, [1], .binary, on: 0).frames.isEmpty)
        let long = [UInt8](repeating: 65, count: 5000)
        #expect(receive(world, long, .text, on: 0).frames.isEmpty)
        #expect(world.session.droppedMessages == 2)
        world.session.deliver(data: [1, 65].raw, into: &world.out)
        #expect(world.out.entries.isEmpty, "a publisher's words do not go there")
        world.session.tell(control: [66].raw, into: &world.out)
        #expect(world.out.entries.count == 1)
    }

    @Test func whatAPublisherSaysGoesToItsStream() throws {
        let world = try running()
        _ = receive(world, opened("chat", on: 2), .control, on: 2)
        #expect(receive(world, [104, 105], .text, on: 2).frames == [[1, 104, 105]])
        #expect(receive(world, [9], .binary, on: 2).frames == [[0, 9]])
        #expect(receive(world, [0], .emptyText, on: 2).frames == [[1]])
    }

    /// 50 messages a second, and then no more until the second is over.
    @Test func aPublisherIsHeldToItsAllowance() throws {
        let world = try running()
        _ = receive(world, opened("chat", on: 2), .control, on: 2)
        var taken = 0
        for _ in 0..<200 { taken += receive(world, [1], .binary, on: 2).frames.count }
        #expect(taken == 50)
        #expect(world.session.droppedMessages == 150)
        world.now = world.now + .seconds(1)
        #expect(receive(world, [1], .binary, on: 2).frames.count == 1)
    }

    /// The largest message goes, and is paid for by four seconds of silence.
    @Test func aLargeMessageIsPaidFor() throws {
        let world = try running()
        _ = receive(world, opened("chat", on: 2), .control, on: 2)
        let large = [UInt8](repeating: 7, count: DataChannels.messageMaximum)
        #expect(receive(world, large, .binary, on: 2).frames.count == 1)
        world.now = world.now + .seconds(2)
        #expect(receive(world, [1], .binary, on: 2).frames.isEmpty)
        world.now = world.now + .seconds(2)
        #expect(receive(world, [1], .binary, on: 2).frames.count == 1)
    }

    /// A viewer's channel takes what it has room for; the rest is dropped and counted.
    @Test func deliversToOpenChannelsWithinBounds() throws {
        let world = try running()
        _ = receive(world, opened("chat", on: 2), .control, on: 2)
        _ = receive(world, opened("echo", on: 4), .control, on: 4)
        let frame: [UInt8] = [1] + [UInt8](repeating: 65, count: 256 * 1024)
        for _ in 0..<8 { world.session.deliver(data: frame.raw, into: &world.out) }
        let streams = world.out.entries.compactMap { entry -> UInt16? in
            if case .channelSend(let stream, .text, _, _) = entry { stream } else { nil }
        }
        #expect(streams == [2, 2, 2, 2], "a megabyte waits at most, and none for the echo")
        #expect(world.session.droppedMessages == 4)
        world.out.clear()
        world.session.sent(1 << 20, on: 2, into: &world.out)
        world.session.deliver(data: [0, 5].raw, into: &world.out)
        #expect(world.out.entries.count == 1)
        world.out.clear()
        // The peer closes the channel: nothing more goes there.
        world.session.receivedReset(
            of: 2, at: world.now, into: &world.out, effects: &world.effects)
        #expect(world.out.entries == [.channelReset(stream: 2)])
        world.out.clear()
        world.session.deliver(data: [0, 5].raw, into: &world.out)
        #expect(world.out.entries.isEmpty)
    }
}
