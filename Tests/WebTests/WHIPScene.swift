import HTTP
import WHIP
import Wire

/// A request as the server's machine would hand it on, and what WHIP makes of it.
struct WHIPScene {
    var links = WHIPLinks()

    static func request(
        _ method: HTTPMethod, _ target: String, _ headers: [(String, String)] = [],
        _ body: String = ""
    ) throws -> HTTPRequest {
        var all = HTTPHeaders()
        for (name, value) in headers { all.add(name, value) }
        if !headers.contains(where: { $0.0 == "Content-Length" }), !body.isEmpty {
            all.add("Content-Length", body.utf8.count)
        }
        var request = HTTPRequest(
            id: .init(number: 0), method: method, target: try HTTPTarget(target), headers: all)
        request.body = Array(body.utf8)
        return request
    }

    /// One line: what is to be done, or the status of the answer.
    func step(
        _ method: HTTPMethod, _ target: String, _ headers: [(String, String)] = [],
        _ body: String = "", waiting: Bool = false
    ) throws -> String {
        let request = try Self.request(method, target, headers, body)
        do throws(Problem) {
            guard let route = try WHIPRoute(request.target) else { return "not WHIP" }
            return Self.text(route.step(request, bodyIsWaiting: waiting, links))
        } catch {
            return "\(error.code.status) \(error.code.rawValue)"
        }
    }

    func answer(
        _ method: HTTPMethod, _ target: String, _ headers: [(String, String)] = [],
        _ body: String = ""
    ) throws -> HTTPResponse? {
        let request = try Self.request(method, target, headers, body)
        guard let route = try WHIPRoute(request.target),
            case .answer(let response) = route.step(request, bodyIsWaiting: false, links)
        else { return nil }
        return response
    }

    static func text(_ step: WHIPStep) -> String {
        switch step {
        case .takeBody(let limit): "body up to \(limit)"
        case .run(let verb): text(verb)
        case .answer(let response): "\(response.status)"
        }
    }

    private static func text(_ verb: WHIPVerb) -> String {
        switch verb {
        case .open(let offer):
            "\(offer.role) \(offer.name) \(offer.dialect) "
                + String(decoding: offer.sdp, as: UTF8.self)
        case .patch(let session, let ifMatch, let fragment):
            "patch \(session) \(ifMatch ?? "-") \(String(decoding: fragment, as: UTF8.self))"
        case .close(let session): "close \(session)"
        case .change(let session, let name): "change \(session) \(name)"
        case .select(let session, let layer): "select \(session) \(layer)"
        case .listen(let session, let events):
            "listen \(session) \(events.map(\.rawValue).sorted().joined(separator: " "))"
        }
    }

    static func body(_ response: HTTPResponse) -> String {
        if case .bytes(let bytes) = response.body {
            String(decoding: bytes, as: UTF8.self)
        } else {
            ""
        }
    }
}
