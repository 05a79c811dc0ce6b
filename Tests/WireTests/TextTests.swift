import Testing
import Wire

/// The small text codings: Base64, percent-encoding, names, labels, comparison.
struct TextTests {
    // MARK: Base64 (RFC 4648 §10)

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func codesBase64(text: String, coded: String) {
        let bytes = Array(text.utf8)
        let written = Base64.encode(bytes.raw)
        #expect(written == coded)
        #expect(Base64.decode(coded, strictly: .standard) == bytes)
        let bare = coded.filter { $0 != "=" }
        let token = Base64.encode(bytes.raw, .urlSafe)
        #expect(token == bare)
        #expect(Base64.decode(bare, strictly: .urlSafe) == bytes)
    }

    @Test func codesEveryByteInBothAlphabets() {
        let bytes = (0...255).map { UInt8($0) }
        for alphabet in [Base64.Alphabet.standard, .urlSafe] {
            let text = Base64.encode(bytes.raw, alphabet)
            #expect(Base64.decode(text, strictly: alphabet) == bytes)
        }
        let coded = Base64.encode([0xfb, 0xff].raw, .urlSafe)
        #expect(coded == "-_8")
    }

    @Test(arguments: [
        "Zg", "Zg=", "Zh==", "Z===", "====", "Zm9v\n", "Zm 9v", "Zm9-", "Z", "Zg==Zg==",
    ])
    func refusesLooseBase64(text: String) {
        #expect(Base64.decode(text, strictly: .standard) == nil)
    }

    @Test(arguments: ["Zg==", "Zh", "Zm9v+", "A"])
    func refusesLooseTokens(text: String) {
        #expect(Base64.decode(text, strictly: .urlSafe) == nil)
    }

    // MARK: Percent-encoding

    @Test(arguments: [
        ("a%20b", "a b"), ("%252e", "%2e"), ("%2E%2e", ".."), ("a+b", "a+b"), ("%C3%a9", "é"),
    ])
    func decodesOnce(text: String, decoded: String) throws {
        let bytes = Array(text.utf8)
        let result = try PercentCoding.decode(bytes.raw, 0..<bytes.count)
        #expect(result == Array(decoded.utf8))
    }

    @Test(arguments: ["%", "%2", "%zz", "a%2", "%u002e", "%-1"])
    func refusesHalfAnEscape(text: String) {
        let bytes = Array(text.utf8)
        #expect(throws: ParseError.self) { try PercentCoding.decode(bytes.raw, 0..<bytes.count) }
    }

    @Test func encodesAllButUnreserved() {
        #expect(PercentCoding.encode("a b/é~%") == "a%20b%2F%C3%A9~%25")
        #expect(PercentCoding.encode("live/cam 1", keeping: "/") == "live/cam%201")
    }

    // MARK: Stream names

    @Test(arguments: [
        ("live/cam1", "live", "cam1"), ("cam1", "live", "cam1"), ("a/b/c", "a", "b/c"),
        (
            "rtp/34020000001320000001_34020000001310000001", "rtp",
            "34020000001320000001_34020000001310000001"
        ),
        ("live/cam1~talk", "live", "cam1~talk"), ("A.b/x-y_z", "A.b", "x-y_z"),
        ("live/api", "live", "api"),
    ])
    func namesAStream(text: String, app: String, stream: String) throws {
        let name = try StreamName(text)
        #expect(name.app == app)
        #expect(name.stream == stream)
        #expect(name.description == "\(app)/\(stream)")
    }

    @Test(arguments: [
        "", "/", "live/", "/live", "live//a", "..", "live/..", "live/a..b", "live/.", "../../x",
        "/etc/passwd", "live/a b", "live/a\0", "live/a\r\nb", "live/$(x)", "live/a;b", "live/é",
        "live/\u{202e}a", "live/a?b", "live/a%2e", "live\\a", "api/x", "whip/cam", "session/1",
        "a/b/c/d/e/f/g/h/i",
    ])
    func refusesAName(text: String) {
        #expect(throws: ParseError.self) { try StreamName(text) }
    }

    @Test func boundsASegment() {
        #expect(throws: Never.self) { try StreamName(String(repeating: "a", count: 128)) }
        #expect(throws: ParseError.tooMuch("stream name segment", limit: 128)) {
            try StreamName(String(repeating: "a", count: 129))
        }
    }

    // MARK: Labels

    @Test(arguments: [
        (LabelText.Place.log, "a\"b\\c\n<é>\u{202e}", #""a\"b\\c\n<é>\u202e""#),
        (.log, "cam1", "cam1"), (.log, "", "\"\""), (.log, "a b", "\"a b\""),
        (.log, "a=b", "\"a=b\""),
        (.json, "a\"b\\c\n\u{1}é😀\u{2028}", #"a\"b\\c\n\u0001é😀\u2028"#),
        (.json, "\u{e0001}", #"\udb40\udc01"#),
        (.metric, "a\"b\\c\n\r<é", "a\\\"b\\\\c\\n\u{fffd}<é"),
        (.html, "<a href='x'>&\"\u{0}", "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\u{fffd}"),
        (.header, "a\r\nX: é", "a%0D%0AX: %C3%A9"),
    ])
    func escapesForThePlace(place: LabelText.Place, text: String, escaped: String) {
        #expect(LabelText(text).text(for: place) == escaped)
    }

    @Test func cutsALabelBetweenCharacters() {
        let label = LabelText(String(repeating: "é", count: 200), limit: 9)
        #expect(label.text(for: .json) == "éééé…")
    }

    // MARK: Secrets

    @Test func comparesSecrets() {
        #expect(ConstantTime.equal("key", "key"))
        #expect(!ConstantTime.equal("key", "kez"))
        #expect(!ConstantTime.equal("key", "keys"))
        #expect(ConstantTime.equal("", ""))
    }

    @Test func walksAList() {
        let bytes = Array(" a , ,b,,\tC ".utf8)
        var rest = 0..<bytes.count
        var items: [String] = []
        while let item = bytes.raw.nextListItem(&rest) { items.append(bytes.raw.string(item)) }
        #expect(items == ["a", "b", "C"])
        let (hasC, hasD) = (
            bytes.raw.list(0..<bytes.count, contains: "c"),
            bytes.raw.list(0..<bytes.count, contains: "d")
        )
        #expect(hasC)
        #expect(!hasD)
    }
}
