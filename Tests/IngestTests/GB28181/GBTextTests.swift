import GB28181
import Testing
import Wire

/// Messages, XML and commands, one by one.
struct GBTextTests {
    @Test func messagesOfManyShapesAreRead() throws {
        let text =
            "INVITE sip:1@2 SIP/2.0\nv: SIP/2.0/UDP a;branch=x\nf: \"a\" <sip:7@h:1>;tag=9\n"
            + "t : sip:8@h\ni: c\nCSeq: 3  INVITE\nSubject: a,\n b\nl: 2\n\nhixx"
        let message = try SIPMessage(datagram: Array(text.utf8).raw)
        #expect(message.method == "INVITE" && message.requestUser == "1")
        #expect(message.from?.uri == SIPURI(user: "7", host: "h", port: 1))
        #expect(message.from?.tag == "9" && message.to?.uri.user == "8")
        #expect(message.callID == "c" && message.cSeq?.number == 3)
        #expect(message["Subject"] == "a, b")
        #expect(message.body == Array("hi".utf8))
        // What it says again is read as the same.
        let again = try SIPMessage(datagram: message.bytes.raw)
        #expect(again.body == message.body && again.callID == "c")
    }

    @Test func aConnectionIsCutAnywhere() throws {
        let one = "MESSAGE sip:1@2 SIP/2.0\r\nCall-ID: a\r\nContent-Length: 3\r\n\r\nabc"
        let bytes = Array(("\r\n\r\n" + one + "\r\n" + one + one).utf8)
        for size in 1...bytes.count {
            var reader = SIPReader()
            var pending: [UInt8] = []
            var count = 0
            for start in stride(from: 0, to: bytes.count, by: size) {
                pending += bytes[start..<min(bytes.count, start + size)]
                var at = 0
                while try reader.next(pending.raw, from: &at, at: .start) != nil { count += 1 }
                pending.removeFirst(at)
            }
            #expect(count == 3, "pieces of \(size)")
        }
    }

    @Test func damagedMessagesAreSurvived() {
        var camera = SimulatedCamera()
        let text = Array(camera.keepAlive().utf8)
        for seed in UInt64(0)..<1000 {
            var dice = SplitMix64(seed: seed)
            var bytes = text
            for _ in 0..<4 {
                bytes[Int(dice.next() % UInt64(bytes.count))] = UInt8(
                    truncatingIfNeeded: dice.next())
            }
            bytes.removeLast(Int(dice.next() % UInt64(bytes.count)))
            var platform = GBPlatform(SimulatedCamera.settings(), seed: seed)
            var effects: [GBEffect] = []
            platform.receive(datagram: bytes.raw, SimulatedCamera.home, at: .start, into: &effects)
        }
    }

    private func xml(_ text: String) throws -> XMLNode { try XMLReader.read(Array(text.utf8)) }

    @Test func xmlIsReadAsDevicesWriteIt() throws {
        let node = try xml(
            "\u{feff}<?xml version=\"1.0\"?><!-- x --><Response><cmdtype> Catalog </cmdtype>"
                + "<SN>0017</SN><DeviceList Num=\" 1 \"><Item><Name>A&B &lt;1&gt; &#20013;</Name>"
                + "<Info><PTZType>1</Item></DeviceList></Response>")
        #expect(node.value("CmdType") == "Catalog")
        let item = node["DeviceList"]?["Item"]
        #expect(item?.value("Name") == "A&B <1> 中")
        #expect(item?["Info"]?.number("PTZType") == 1)
        #expect(node["DeviceList"]?.number("Num") == 1)
        #expect(try xml("<Query CmdType=\"Catalog\" SN='3'/>").value("SN") == "3")
    }

    @Test func nothingExpandsAndNothingIsDeep() {
        #expect(throws: ParseError.self) {
            try xml("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>")
        }
        #expect(throws: ParseError.self) { try xml(String(repeating: "<a>", count: 100)) }
        #expect(throws: ParseError.self) { try xml("no element") }
        let wide = "<r>" + String(repeating: "<a/>", count: 30_000) + "</r>"
        #expect(throws: ParseError.self) { try xml(wide) }
    }

    @Test func charsetsAreGuessedFromTheBytes() {
        let text = DeviceText { $0 == [0xd6, 0xd0] ? Array("中".utf8) : nil }
        #expect(text.utf8([0xd6, 0xd0]) == Array("中".utf8))
        #expect(text.utf8(Array("中文".utf8)) == Array("中文".utf8))
        #expect(text.utf8([0xef, 0xbb, 0xbf, 0x41, 0]) == [0x41])
    }

    @Test(arguments: [
        ("A50F0100000000B5", PTZCommand.stop),
        ("A50F010180000036", .move(pan: 128, tilt: 0, zoom: 0)),
        ("A50F01021F0000D6", .move(pan: -31, tilt: 0, zoom: 0)),
        ("A50F010400800039", .move(pan: 0, tilt: -128, zoom: 0)),
        ("A50F01080080003D", .move(pan: 0, tilt: 128, zoom: 0)),
        ("A50F01054040003A", .move(pan: 64, tilt: -64, zoom: 0)),
        ("A50F010A4040003F", .move(pan: -64, tilt: 64, zoom: 0)),
        ("A50F011000008045", .move(pan: 0, tilt: 0, zoom: 8)),
        ("A50F012000008055", .move(pan: 0, tilt: 0, zoom: -8)),
        ("A50F014140000036", .lens(focus: -64, iris: 0)),
        ("A50F014400400039", .lens(focus: 0, iris: 64)),
        ("A50F01480040003D", .lens(focus: 0, iris: -64)),
        ("A50F0140000000F5", .lens(focus: 0, iris: 0)),
        ("A50F01810005003B", .preset(.set, 5)),
        ("A50F01820005003C", .preset(.call, 5)),
        ("A50F01830005003D", .preset(.delete, 5)),
    ])
    func commandsAreTheBytesOfTheStandard(hex: String, command: PTZCommand) {
        #expect(command.text == hex)
    }

    @Test func namesOfStreamsAreChannels() {
        let id = GBPlatformTests.channel
        #expect(GBChannelID(stream: id.stream) == id)
        #expect(GBChannelID(stream: "rtp/\(id.device)")?.channel == id.device)
        #expect(GBChannelID(stream: "live/\(id.device)_\(id.channel)") == nil)
        #expect(GBChannelID(stream: "rtp/123_456") == nil)
        #expect(GBChannelID(stream: "rtp/\(id.device)_\(id.channel)_1") == nil)
    }
}
