import Stream
import Testing
import Wire

@testable import Gateway

/// Places of sessions: found by their whole names, bounded in all and per address.
struct RTCDirectoryTests {
    static let source = Address(ipv4: 0xcb00_7107, port: 5)

    static func name(
        _ directory: RTCDirectory, _ source: Address = source
    ) throws(Refusal)
        -> RTCSessionName
    {
        var dice = SystemRandomNumberGenerator()
        return try directory.reserve(for: source, random: (dice.next(), dice.next()))
    }

    @Test func namesAreReadAsTheyArePrinted() throws {
        let name = try Self.name(RTCDirectory())
        #expect(name.description.utf8.count == 24)
        #expect(RTCSessionName(name.description) == name)
        for text in ["", "x", name.description + "A", String(name.description.dropLast()), "äöü"] {
            #expect(RTCSessionName(text) == nil)
        }
    }

    @Test func aForgedNameFindsNothing() throws {
        let directory = RTCDirectory()
        let name = try Self.name(directory)
        let forged = RTCSessionName(slot: name.slot, random: (1, 2))
        #expect(directory.find(name) == .waiting)
        #expect(directory.find(forged) == nil)
        #expect(directory.remove(forged) == nil)
        #expect(directory.find(RTCSessionName(slot: 99, random: (1, 2))) == nil)
    }

    @Test func oneAddressDoesNotTakeThePlacesOfOthers() throws {
        var limits = RTCLimits()
        limits.waiting = 5
        limits.waitingPerSource = 3
        let directory = RTCDirectory(limits)
        for _ in 0..<3 { _ = try Self.name(directory) }
        var sentence = ""
        do { _ = try Self.name(directory) } catch { sentence = error.sentence }
        #expect(sentence.contains("limits.pending-sessions-per-source"))
        let other = Address(ipv4: 0xcb00_7108, port: 5)
        let theirs = try Self.name(directory, other)
        _ = try Self.name(directory, other)
        do { _ = try Self.name(directory, Address(ipv4: 1, port: 1)) } catch {
            sentence = error.sentence
        }
        #expect(sentence.hasSuffix("limits.pending-sessions"))
        directory.remove(theirs)
        _ = try Self.name(directory, other)
        #expect(directory.counts == RTCTable.Counts(sessions: 5, waiting: 5))
    }

    @Test func placesAreUsedAgainButNotAtOnce() throws {
        let directory = RTCDirectory()
        let first = try Self.name(directory)
        let second = try Self.name(directory)
        directory.remove(first)
        directory.remove(second)
        #expect(try Self.name(directory).slot == first.slot)
        #expect(try Self.name(directory).slot == second.slot)
        #expect(directory.find(first) == nil)
    }

    @Test func householdsOfIPv6ShareOnePlace() throws {
        var limits = RTCLimits()
        limits.waitingPerSource = 1
        let directory = RTCDirectory(limits)
        let high: UInt64 = 0x2001_0db8_0000_0001
        _ = try Self.name(directory, Address(high: high, low: 1, port: 1))
        #expect(throws: Refusal.self) {
            _ = try Self.name(directory, Address(high: high, low: 2, port: 1))
        }
    }
}
