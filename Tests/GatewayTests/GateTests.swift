import Gateway
import Settings
import Stream
import Testing
import Wire

struct GateTests {
    static let loopback = Address(ipv4: 0x7f00_0001, port: 1)
    static let neighbour = Address(ipv4: 0xc0a8_0105, port: 1)
    static let stranger = Address(ipv4: 0xcb00_7107, port: 1)

    static func token(_ text: String) -> Credential {
        var credential = Credential()
        credential.token = text
        return credential
    }

    static func may(
        _ gate: Gate, _ action: Action, _ peer: Address, _ credential: Credential = Credential()
    ) -> String {
        switch gate.decide(action, name: "live/a", credential, peer: peer) {
        case .allow: "yes"
        case .deny(let refusal): refusal.code.rawValue
        }
    }

    @Test func publishingNeedsTheKeyExceptOnThisMachine() {
        let gate = Gate(publishKey: Secret("k"))
        #expect(Self.may(gate, .publish, Self.loopback) == "yes")
        #expect(Self.may(gate, .publish, Self.neighbour) == "unauthenticated")
        #expect(Self.may(gate, .publish, Self.neighbour, Self.token("k")) == "yes")
        #expect(Self.may(gate, .publish, Self.neighbour, Self.token("x")) == "unauthenticated")
    }

    @Test func aWrongKeyIsWrongEvenWhereNoneIsNeeded() {
        let gate = Gate(publishKey: Secret("k"))
        #expect(Self.may(gate, .publish, Self.loopback, Self.token("x")) == "unauthenticated")
    }

    @Test func readingIsForTheLocalNetworkByDefault() {
        var gate = Gate(publishKey: Secret("k"), readKey: Secret("r"))
        #expect(Self.may(gate, .read, Self.neighbour) == "yes")
        #expect(Self.may(gate, .read, Self.stranger) == "unauthenticated")
        #expect(Self.may(gate, .read, Self.stranger, Self.token("r")) == "yes")
        #expect(Self.may(gate, .publish, Self.stranger, Self.token("r")) == "forbidden")
        gate.read = .open
        #expect(Self.may(gate, .read, Self.stranger) == "yes")
        gate.read = .key
        #expect(Self.may(gate, .read, Self.neighbour) == "unauthenticated")
    }

    @Test func theAdminTokenOpensEverythingAndNothingElseOpensTheAPI() {
        let gate = Gate(publishKey: Secret("k"), readKey: Secret("r"), adminToken: Secret("a"))
        #expect(Self.may(gate, .api, Self.loopback) == "unauthenticated")
        #expect(Self.may(gate, .api, Self.loopback, Self.token("k")) == "forbidden")
        #expect(Self.may(gate, .api, Self.stranger, Self.token("a")) == "yes")
        #expect(Self.may(gate, .publish, Self.stranger, Self.token("a")) == "yes")
    }

    @Test func anEmptyKeyOpensNothing() {
        let gate = Gate(publishKey: Secret(""), loopback: .key)
        var credential = Credential()
        credential.user = "somebody"
        #expect(Self.may(gate, .publish, Self.loopback, credential) == "unauthenticated")
        #expect(Self.may(gate, .publish, Self.loopback) == "unauthenticated")
    }
}
