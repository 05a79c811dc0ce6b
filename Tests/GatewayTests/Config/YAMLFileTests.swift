import Settings
import Simulation
import Testing
import Wire

struct YAMLFileTests {
    static func refusal(_ text: String) -> String? {
        do throws(ConfigError) {
            _ = try YAMLFile.parse(Array(text.utf8), file: "f")
            return nil
        } catch {
            return error.description
        }
    }

    @Test func everyValueKnowsItsPlace() throws {
        let root = try YAMLFile.parse(Array("a:\n  - x\n  - 'y'\n".utf8), file: "f")
        guard case .map(let entries) = root.value, case .list(let items) = entries[0].value.value
        else {
            Issue.record("not a map of a list: \(root)")
            return
        }
        #expect(entries[0].place == Place("f", line: 1, column: 1))
        #expect(items.map(\.place.line) == [2, 3])
        #expect(items[1].value == .text("y", isPlain: false))
    }

    /// What a parser for people meets when people are not kind.
    @Test(arguments: [
        ("a: &x 1\n", "f:1:4: an anchor (&) is not supported: write the value itself"),
        ("a: *x\n", "f:1:4: an alias (*) is not supported: write the value itself"),
        ("a: !!int 1\n", "f:1:4: a tag (!) is not supported: write the value itself"),
        ("a: 1\nb: 2\na: 3\n", "f:3:1: 'a' is already in line 1: keep one"),
        ("? [a]\n: b\n", "f:1:3: a key must be a word"),
        ("a: 1\n---\nb: 1\n", "f:2:1: a second document: keep one, without '---' in between"),
        ("a: [1, 2\n", "f:2:1: not YAML: did not find expected ',' or ']'"),
        ("a:\n\t- 1\n", "f:2:1: not YAML: found character that cannot start any token"),
    ])
    func refuses(text: String, message: String) {
        #expect(Self.refusal(text) == message)
    }

    @Test func boundsAreBounds() {
        let deep = String(repeating: "[", count: 17) + String(repeating: "]", count: 17)
        #expect(Self.refusal(deep) == "f:1:17: nested deeper than 16")
        #expect(Self.refusal(String(deep.dropFirst().dropLast())) == nil)
        let wide = "[" + String(repeating: "1,", count: YAMLFile.mostNodes) + "]"
        #expect(Self.refusal(wide)?.hasSuffix("more than 65536 values") == true)
        let long = String(repeating: "#\n", count: YAMLFile.largestFile / 2) + "#"
        #expect(Self.refusal(long) == "f: larger than 1 MiB")
        #expect(Self.refusal("a: \u{1}")?.contains("control characters are not allowed") == true)
    }

    /// A bomb of aliases grows by the factor nine a line; the first anchor ends it.
    @Test func aBombDoesNotGoOff() {
        let bomb = "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n"
        #expect(Self.refusal(bomb)?.contains("an anchor") == true)
    }

    @Test(arguments: UInt64(0)..<8)
    func survivesDamage(seed: UInt64) {
        let sample = Array(ConfigSample.file.utf8)
        var dice = SplitMix64(seed: seed)
        for _ in 0..<100 {
            var bytes = sample
            for _ in 0...Int.random(in: 0..<4, using: &dice) {
                let index = Int.random(in: 0..<bytes.count, using: &dice)
                bytes[index] = UInt8.random(in: 0...255, using: &dice)
            }
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &dice))
            var sources = ConfigSources()
            sources.file = ("f", bytes)
            if let loaded = try? sources.load() { #expect(loaded.config.workers <= 256) }
        }
    }
}
