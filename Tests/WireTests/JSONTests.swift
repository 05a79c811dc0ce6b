import FuzzTargets
import Simulation
import Testing
import Wire

struct JSONTests {
    static func read(_ text: String) throws(ParseError) -> JSONValue {
        try JSONReader.read(Array(text.utf8).raw, .api)
    }

    static func refuses(_ bytes: [UInt8]) -> Bool {
        (try? JSONReader.read(bytes.raw, .api)) == nil
    }

    static let document = #"""
        { "name": "live/cam1", "port": 8554, "rate": -1.5e2, "on": true, "off": false,
          "none": null, "tracks": ["video0", {"é\n\u0041\ud83d\ude00": []}] }
        """#

    @Test func readsADocument() throws {
        let value = try Self.read(Self.document)
        #expect(value["name"]?.string == "live/cam1")
        #expect(value["port"]?.integer == 8554)
        #expect(value["port"]?.double == 8554)
        #expect(value["rate"]?.double == -150)
        #expect(value["on"]?.bool == true)
        #expect(value["none"] == .null)
        #expect(value["missing"] == nil)
        let tracks = try #require(value["tracks"]?.array)
        #expect(tracks[1].object?.members.first?.key == "é\nA😀")
    }

    @Test func refusesEveryTruncation() {
        for cut in Damage.truncations(Array(Self.document.utf8)) {
            #expect(Self.refuses(cut), "cut to \(cut.count) bytes")
        }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func survivesDamage(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<1000 {
            let damaged = Damage.damaged(Array(Self.document.utf8), using: &random)
            FuzzTarget.json.run(damaged.raw)
        }
    }

    @Test(arguments: [
        #"{"x":1e999}"#, #"{"port":9223372036854775808}"#, #"{"a":1,"a":2}"#, #"{"a":"\ud800"}"#,
        #"{"a":"\ude00"}"#, #"{"a":"\ud800\u0041"}"#, #"{"a":"\u0000"}"#, "{\"a\":\"\0\"}",
        "{\"a\":\"\n\"}", #"{"a":"\x"}"#, #"{"a":}"#, #"{"a"}"#, "{a:1}", "{'a':1}", "[1,]", "[,1]",
        #"{"a":1,}"#, "01", "-", "+1", ".5", "1.", "1e", "0x1", "NaN", "Infinity", "tru", "nulll",
        "1 2", "[1] x", "", " ", "//x\n1", "\u{feff}1", "\"", #""\"#,
    ])
    func refuses(text: String) {
        #expect(Self.refuses(Array(text.utf8)), "\(text)")
    }

    @Test func refusesWhatIsNotUTF8() {
        #expect(Self.refuses(Array("{\"a\":\"".utf8) + [0xff, 0xfe] + Array("\"}".utf8)))
        #expect(Self.refuses(Array("\"".utf8) + [0xc0, 0xae] + Array("\"".utf8)))
    }

    @Test func boundsDepth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try Self.read(nested(17)) }
        #expect(throws: ParseError.tooMuch("JSON depth", limit: 16)) { try Self.read(nested(18)) }
        #expect(throws: ParseError.self) { try Self.read(String(repeating: "[", count: 200_000)) }
        #expect(throws: ParseError.self) {
            try Self.read(String(repeating: #"{"a":"#, count: 50_000))
        }
    }

    @Test func boundsSizeAndNumberOfValues() {
        let zeros = "[" + String(repeating: "0,", count: 100_000) + "0]"
        #expect(throws: ParseError.tooMuch("JSON values", limit: 16384)) { try Self.read(zeros) }
        let long = "\"" + String(repeating: "A", count: 300_000) + "\""
        #expect(throws: ParseError.tooMuch("JSON", limit: 262144)) { try Self.read(long) }
        let digits = String(repeating: "9", count: 1000)
        #expect(throws: ParseError.tooMuch("JSON number", limit: 40)) { try Self.read(digits) }
    }

    @Test(arguments: [
        ("0", Int64(0)), ("-0", 0), ("-1", -1), ("9223372036854775807", .max),
        ("-9223372036854775808", .min),
    ])
    func keepsIntegersExact(text: String, value: Int64) throws {
        #expect(try Self.read(text) == .integer(value))
    }

    @Test func writesCommasAndEscapes() {
        var json = JSONWriter()
        json.object { json in
            json.field("a\"b", "x\u{1}\n\u{202e}é")
            json.array("list") { json in
                json.value(1)
                json.object { _ in }
                json.array { json in json.null() }
                json.value(true)
                json.value(Double.nan)
                json.value(0.5)
            }
            json.null("none")
            json.object("inner") { json in json.field("n", -3) }
        }
        let expected =
            #"{"a\"b":"x\u0001\n\u202eé","list":[1,{},[null],true,null,0.5],"#
            + #""none":null,"inner":{"n":-3}}"#
        #expect(String(decoding: json.bytes, as: UTF8.self) == expected)
    }
}
