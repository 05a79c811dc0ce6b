package import Wire

/// What a page says on the data channel `control`: the same as by `POST` to the session's `layer`
/// and `source`, without a connection of its own.
///
/// `{"id": 7, "layer": {"rid": "h"}}` or `{"id": 8, "source": {"name": "live/b", "token": "…"}}`.
/// The answer names the `id`: `{"event": "done", "data": {"id": 7}}`, or the event is `problem` and
/// has the whole of the problem besides.
package struct WHIPCommand: Equatable, Sendable {
    package enum Wish: Equatable, Sendable {
        case layer(WHIPLayer)
        case source(StreamName, token: String)
    }

    /// 0: the page gave none.
    package var id: Int64
    package var wish: Wish

    package init(id: Int64, wish: Wish) {
        self.id = id
        self.wish = wish
    }

    /// - Throws: With the `id` of the command, as far as it could be read.
    package static func read(_ text: [UInt8]) -> Result<WHIPCommand, Mistake> {
        var id: Int64 = 0
        do throws(Problem) {
            let json = try WHIPRoute.json(text)
            id = json["id"]?.integer ?? 0
            return .success(WHIPCommand(id: id, wish: try wish(json)))
        } catch {
            return .failure(Mistake(id: id, problem: error))
        }
    }

    package struct Mistake: Error, Equatable, Sendable {
        package var id: Int64
        package var problem: Problem

        package init(id: Int64, problem: Problem) {
            self.id = id
            self.problem = problem
        }
    }

    private static func wish(_ json: JSONValue) throws(Problem) -> Wish {
        if let layer = json["layer"] { return .layer(try WHIPRoute.layer(layer)) }
        if let source = json["source"] {
            return .source(
                try WHIPRoute.source(source), token: source["token"]?.string ?? "")
        }
        throw Problem(.badJSON, "layer or source is expected")
    }

    package static func answer(to id: Int64, _ problem: Problem?) -> [UInt8] {
        message(problem == nil ? "done" : "problem") { json in
            json.field("id", id)
            problem?.writeFields(into: &json)
        }
    }

    static func message(_ event: String, _ data: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("event", event)
            json.object("data") { data(&$0) }
        }
        return json.bytes
    }
}
