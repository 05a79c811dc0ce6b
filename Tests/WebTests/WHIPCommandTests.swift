import Testing
import WHIP
import Wire

struct WHIPCommandTests {
    private func command(_ text: String) throws -> WHIPCommand {
        try WHIPCommand.read(Array(text.utf8)).get()
    }

    @Test func wishesAreThoseOfHTTP() throws {
        let layer = try command(#"{"id": 7, "layer": {"rid": "h"}}"#)
        #expect(layer == WHIPCommand(id: 7, wish: .layer(.encoding("h"))))
        #expect(try command(#"{"layer": {}}"#).wish == .layer(.automatic))
        let source = try command(#"{"id": 8, "source": {"name": "live/b", "token": "t"}}"#)
        let name = try StreamName("live/b")
        #expect(source.wish == .source(name, token: "t"))
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"id": 1}"#, #"{"layer": 5}"#, #"{"layer": {"rid": "../x"}}"#,
        #"{"source": {}}"#, #"{"source": {"name": "../b"}}"#,
    ])
    func whatIsWrongIsAnsweredByAProblem(text: String) {
        guard case .failure(let mistake) = WHIPCommand.read(Array(text.utf8)) else {
            Issue.record("taken: \(text)")
            return
        }
        let answer = String(
            decoding: WHIPCommand.answer(to: mistake.id, mistake.problem), as: UTF8.self)
        #expect(answer.hasPrefix(#"{"event":"problem","data":{"id":"#))
        #expect(answer.contains(#""code":""#))
    }

    @Test func aMistakeKeepsItsNumber() {
        let answer = String(decoding: WHIPCommand.answer(to: 5, nil), as: UTF8.self)
        #expect(answer == #"{"event":"done","data":{"id":5}}"#)
        #expect(
            WHIPCommand.read(Array(#"{"id": 5}"#.utf8))
                == .failure(.init(id: 5, problem: Problem(.badJSON, "layer or source is expected")))
        )
    }
}
