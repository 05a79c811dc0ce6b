package import Containers
package import HTTP
package import Wire

/// A URL of HTTP-FLV: `/live/cam1.flv`, and `/live/cam1.live.flv` as ZLMediaKit has it. The same
/// over WebSocket.
///
/// `?codec=legacy` asks for H.265 in the old way, `?nochunk=1` for a body without chunks: some
/// players in devices do not understand them.
package struct FLVRoute: Equatable, Sendable {
    package var name: StreamName
    package var dialect: FLVDialect
    package var mayBeChunked: Bool

    /// - Returns: Nil when the URL is none of ours.
    package init?(_ target: HTTPTarget) throws(Problem) {
        var path = target.segments
        guard let last = path.last, last.hasSuffix(".flv"), last.utf8.count > 4 else { return nil }
        let stem = last.dropLast(4)
        path[path.count - 1] = String(stem.hasSuffix(".live") ? stem.dropLast(5) : stem)
        do throws(ParseError) { name = try StreamName(path.joined(separator: "/")) } catch {
            throw Problem(.badName, error.description)
        }
        dialect = target.query("codec") == "legacy" ? .legacy : .enhanced
        mayBeChunked = target.query("nochunk") == nil
    }

    /// The answer that the stream follows.
    package func response(_ request: HTTPRequest) throws(Problem) -> HTTPResponse {
        if WebSocket.isWanted(by: request) { return try WebSocket.upgrade(request) }
        return HTTPResponse(status: 200, body: mayBeChunked ? .stream : .streamUntilClose)
            .adding("Content-Type", "video/x-flv").adding("Cache-Control", "no-cache")
            .allowingAnyOrigin()
    }

    package func framing(_ request: HTTPRequest) -> BodyFraming {
        if WebSocket.isWanted(by: request) { return .webSocket }
        return mayBeChunked && !request.isHTTP10 ? .chunked : .plain
    }
}
