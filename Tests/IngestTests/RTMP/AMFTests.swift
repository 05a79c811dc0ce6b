import Containers
import RTMP
import Stream
import Testing
import Wire

/// AMF, brief 2 and its bounds.
struct AMFTests {
    static func read(_ bytes: [UInt8]) throws(ParseError) -> [AMFValue] {
        var reader = AMF0Reader(bytes.raw)
        var values: [AMFValue] = []
        while let value = try reader.next() { values.append(value) }
        return values
    }

    @Test func valuesComeBack() throws {
        let values: [AMFValue] = [
            .string("connect"), .number(1.5), .boolean(true), .null, .undefined,
            .object([.init("app", .string("live")), .init("n", .number(-1))]),
            .ecmaArray([.init("width", .number(1280))]),
            .strictArray([.string("hvc1"), .null]), .date(milliseconds: 12),
            .string(String(repeating: "x", count: 70_000)),
        ]
        var bytes: [UInt8] = []
        AMF0Writer.write(values, into: &bytes)
        #expect(try Self.read(bytes) == values)
    }

    @Test func theCountOfAnECMAArrayMeansNothingAndItsEndMayBeMissing() throws {
        let field: [UInt8] = [0, 1, 0x61, 1, 1]
        let expected = AMFValue.ecmaArray([.init("a", .boolean(true))])
        #expect(try Self.read([8, 0, 0, 0, 0] + field + [0, 0, 9]) == [expected])
        #expect(try Self.read([8, 0xff, 0xff, 0xff, 0xff] + field) == [expected])
        #expect(try Self.read([8, 0, 0, 0, 1] + field + [0, 0]) == [expected])
    }

    @Test func depthIsBounded() {
        let deep = Array(repeating: [3, 0, 1, 0x61] as [UInt8], count: 64).joined()
        #expect(throws: ParseError.tooMuch("AMF depth", limit: 32)) { try Self.read(Array(deep)) }
    }

    @Test func countIsBounded() {
        let many: [UInt8] = [10, 0xff, 0xff, 0xff, 0xff] + [UInt8](repeating: 5, count: 10_000)
        #expect(throws: ParseError.tooMuch("AMF values", limit: 4096)) { try Self.read(many) }
    }

    @Test func aValueMayBeInTheOtherFormat() throws {
        // An object with one dynamic field, whose name is used again for a string by its number.
        let amf3: [UInt8] = [0x0a, 0x0b, 0x01, 0x03, 0x61, 0x06, 0x00, 0x01]
        #expect(try Self.read([17] + amf3 + [5]) == [.object([.init("a", .string("a"))]), .null])
        #expect(try Self.read([17, 4, 0xff, 0xff, 0xff, 0xff]) == [.number(-1)])
        #expect(
            try Self.read([17, 9, 5, 1, 2, 3]) == [.strictArray([.boolean(false), .boolean(true)])])
        #expect(throws: ParseError.self) { try Self.read([17, 6, 0x04]) }
    }

    @Test func commandsOfTheNewerKindBeginWithAByte() throws {
        let plain = RTMPCommand("connect", 1, .object([.init("app", .string("live"))]))
        #expect(try RTMPCommand(plain.bytes.raw, .commandAMF0) == plain)
        #expect(try RTMPCommand(([0] + plain.bytes).raw, .commandAMF3) == plain)
        #expect(throws: ParseError.self) { try RTMPCommand(([5] as [UInt8]).raw, .commandAMF0) }
    }
}

/// Where people write what, brief 3.
struct AddressTests {
    struct Case: Sendable {
        var url = "rtmp://h/live"
        var app = "live"
        var stream: String
        var name = "live/cam1"
        var token = ""
    }

    static let cases = [
        Case(stream: "cam1"),
        Case(stream: "cam1?token=KEY", token: "KEY"),
        Case(app: "live?token=KEY", stream: "cam1", token: "KEY"),
        Case(url: "rtmp://h/live?token=KEY", stream: "cam1", token: "KEY"),
        Case(app: "live/", stream: "cam1/"),
        Case(url: "", app: "", stream: "live/cam1"),
        Case(app: "live/room", stream: "a/b", name: "live/room/a/b"),
        Case(app: "live?vhost=x&token=a%2Fb", stream: "cam1", token: "a/b"),
        Case(stream: "cam1?x?token=KEY", token: "KEY"),
        Case(stream: "", name: "live"),
    ]

    @Test(arguments: cases)
    func areJoined(_ it: Case) {
        let address = RTMPAddress(tcURL: it.url, app: it.app, stream: it.stream)
        #expect(address.name == it.name)
        #expect(address.credential.token == it.token)
    }

    @Test func usersAndHosts() {
        let inQuery = RTMPAddress(
            tcURL: "rtmp://h:1935/live", app: "live", stream: "a?user=u&pass=p")
        #expect(inQuery.credential.user == "u")
        #expect(inQuery.credential.password == "p")
        #expect(inQuery.host == "h:1935")
        let inURL = RTMPAddress(tcURL: "rtmp://u:p%40@h/live?vhost=v", app: "live", stream: "a")
        #expect(inURL.credential.password == "p@")
        #expect(inURL.host == "v")
        #expect(RTMPAddress(tcURL: "", app: "live", stream: "a?codec=legacy").wantsLegacyCodecs)
    }
}
