import HTTP
import Testing
import Wire

/// Answers of servers as a client of ours reads them.
struct HTTPAnswerTests {
    static func read(_ text: String, pieces: Int = .max) throws -> [HTTPAnswer] {
        var reader = HTTPAnswerReader()
        var answers: [HTTPAnswer] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieces))
            rest = rest.dropFirst(piece.count)
            if let answer = try reader.receive(piece.raw) { answers.append(answer) }
        }
        if let answer = reader.end() { answers.append(answer) }
        return answers
    }

    static let created = """
        HTTP/1.1 100 Continue\r\n\r\n\
        HTTP/1.1 201 Created\r\nLocation: /s/1\r\nContent-Length: 5\r\n\r\nv=0\r\n
        """
    static let chunked = """
        HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
        3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n
        """

    @Test(arguments: [1, 2, 3, 7, 1000])
    func anAnswerIsTheSameWhereverItIsCut(pieces: Int) throws {
        let answers = try Self.read(Self.created, pieces: pieces)
        #expect(answers.count == 1 && answers[0].status == 201 && answers[0].text == "v=0\r\n")
        #expect(answers[0].headers["location"] == "/s/1" && answers[0].keepsConnection)
        let other = try Self.read(Self.chunked, pieces: pieces)
        #expect(other.count == 1 && other[0].status == 503 && other[0].text == "abcde")
        #expect(!other[0].keepsConnection)
    }

    @Test(arguments: [1, 2, 5, 1000])
    func anEndlessBodyIsTakenOutOfItsChunks(pieces: Int) throws {
        for (text, body) in [
            ("HTTP/1.1 200 OK\r\n\r\nFLVabc", "FLVabc"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nFLV\r\n3\r\nabc\r\n",
                "FLVabc"
            ),
        ] {
            var reader = HTTPStreamReader()
            var heads = 0
            var got: [UInt8] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(pieces))
                rest = rest.dropFirst(piece.count)
                if try reader.receive(piece.raw, into: &got)?.status == 200 { heads += 1 }
            }
            #expect(heads == 1 && String(decoding: got, as: UTF8.self) == body)
        }
    }

    @Test func oneWithoutALengthEndsWithTheConnection() throws {
        let answers = try Self.read("HTTP/1.0 200 OK\r\nServer: x\r\n\r\nhello", pieces: 4)
        #expect(answers.map(\.text) == ["hello"] && !answers[0].keepsConnection)
    }

    @Test func oneThatMayHaveNoBodyHasNone() throws {
        let answers = try Self.read("HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n")
        #expect(answers.map(\.status) == [204] && answers[0].body.isEmpty)
    }

    @Test(
        arguments: [
            "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", "\u{16}\u{3}\u{1}",
        ])
    func whatIsNoAnswerIsRefused(text: String) {
        #expect(throws: ParseError.self) { try Self.read(text) }
    }
}
