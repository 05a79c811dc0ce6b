import Testing
import Wire

struct Base64Tests {
    /// RFC 4648 §10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func agreesWithTheRFC(plain: String, text: String) {
        #expect(Base64.encode(Array(plain.utf8).raw) == text)
        #expect(Base64.decode(text) == Array(plain.utf8))
    }

    @Test(arguments: ["Zm9vYg", "Zm9vYg=", "Zm9v Yg==", "Zm9vYg==\r\n", "Zm9vYg===="])
    func takesWhatDevicesWrite(text: String) {
        #expect(Base64.decode(text) == Array("foob".utf8))
    }

    @Test func readsTheURLAlphabet() {
        #expect(Base64.decode("-_8=") == [0xfb, 0xff])
        #expect(Base64.encode([0xfb as UInt8, 0xff].raw) == "+/8=")
    }

    @Test(arguments: ["Z", "Zm9vY", "Zm9v!", "Zm=9v", "ü"])
    func refusesWhatIsNone(text: String) { #expect(Base64.decode(text) == nil) }
}
