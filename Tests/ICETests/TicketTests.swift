import Crypto
import ICE
import Testing
import Wire

struct TicketTests {
    static func secret(_ byte: UInt8) -> [UInt8] { .init(repeating: byte, count: 32) }
    static let ticket = Ticket(slot: 0xabcdef, worker: 77, expires: 12_345_678)

    static func keys() -> TicketKeys {
        let secret = secret(1)
        return TicketKeys(secret: secret.raw)
    }

    static func open(_ keys: TicketKeys, _ ufrag: String) -> (Ticket, String)? {
        let bytes = Array(ufrag.utf8)
        return keys.open(bytes.raw).map { opened in
            let password = opened.password
            return (opened.ticket, String(decoding: (0..<24).map { password[$0] }, as: UTF8.self))
        }
    }

    @Test func whatIsIssuedIsRecognised() throws {
        let keys = Self.keys()
        let credentials = keys.issue(Self.ticket, random: 0x1234_5678)
        #expect(credentials.ufrag.utf8.count == 24 && credentials.password.utf8.count == 24)
        #expect(
            (credentials.ufrag + credentials.password).utf8.allSatisfy {
                ICEText.value($0) != nil
            })
        let opened = try #require(Self.open(keys, credentials.ufrag))
        #expect(opened.0 == Self.ticket)
        #expect(opened.1 == credentials.password)
    }

    @Test func diceMakeTicketsOfOneSlotDiffer() {
        let keys = Self.keys()
        let a = keys.issue(Self.ticket, random: 1)
        let b = keys.issue(Self.ticket, random: 2)
        #expect(a.ufrag != b.ufrag && a.password != b.password)
    }

    /// S2: what we did not issue costs one HMAC at most and finds nobody.
    @Test func everyAlteredCharacterIsRefused() {
        let keys = Self.keys()
        let ufrag = Array(keys.issue(Self.ticket, random: 5).ufrag.utf8)
        for index in ufrag.indices {
            var altered = ufrag
            altered[index] = altered[index] == 0x41 ? 0x42 : 0x41
            #expect(Self.open(keys, String(decoding: altered, as: UTF8.self)) == nil)
        }
        for text in [
            "", "abcd", String(repeating: "A", count: 24), String(repeating: "!", count: 24),
        ] {
            #expect(Self.open(keys, text) == nil)
        }
    }

    @Test func rotationKeepsSevenOldSecrets() {
        var keys = Self.keys()
        let first = keys.issue(Self.ticket, random: 9)
        for day in 2...8 as ClosedRange<UInt8> {
            let secret = Self.secret(day)
            keys.rotate(secret: secret.raw)
            #expect(Self.open(keys, first.ufrag)?.0 == Self.ticket)
            #expect(Self.open(keys, keys.issue(Self.ticket, random: 9).ufrag) != nil)
        }
        let secret = Self.secret(9)
        keys.rotate(secret: secret.raw)
        #expect(Self.open(keys, first.ufrag) == nil)
    }

    @Test func knowsItsTime() {
        #expect(!Self.ticket.isExpired(at: .start + .seconds(12_345_678)))
        #expect(Self.ticket.isExpired(at: .start + .seconds(12_345_679)))
    }

    /// S1, S2: only an authentic request with our ticket is let in.
    @Test func admitsAuthenticRequestsOnly() throws {
        let keys = Self.keys()
        let own = keys.issue(Self.ticket, random: 5)
        func admitted(
            _ ufrag: String, _ password: String, _ kind: STUNMessage.Class = .request
        ) throws -> Bool {
            let bytes = Self.request("\(ufrag):peer", password: password, kind)
            return keys.admit(try STUNMessage(bytes.raw), bytes.raw) == Self.ticket
        }
        #expect(try admitted(own.ufrag, own.password))
        #expect(try !admitted(own.ufrag, "wrong"))
        #expect(try !admitted(own.ufrag + "x", own.password))
        #expect(try !admitted(String(own.ufrag.dropLast()), own.password))
        #expect(try !admitted(own.ufrag, own.password, .indication))
        let strangers = keys.issue(Self.ticket, random: 6)
        #expect(try !admitted(own.ufrag, strangers.password))
    }

    static func request(
        _ username: String, password: String, _ kind: STUNMessage.Class = .request
    ) -> [UInt8] {
        let password = Array(password.utf8)
        let name = Array(username.utf8)
        var bytes: [UInt8] = []
        let builder = STUNBuilder(kind, TransactionID(high: 1, low: 1), into: &bytes)
        builder.username(name.raw, into: &bytes)
        builder.finish(key: HMACSHA1(key: password.raw), into: &bytes)
        return bytes
    }
}
