import Containers
package import HTTP
package import Wire

/// A URL of media that is sent as it comes: `/live/cam1.flv`, `.mp4`, `.ts`, and `.live.flv` and so
/// on as ZLMediaKit has it. The same over WebSocket.
///
/// `?codec=legacy` asks FLV for H.265 in the old way, `?audio=opus` fMP4 for Opus as it is,
/// `?nochunk=1` for a body without chunks: some players in devices do not understand them.
package struct LiveRoute: Equatable, Sendable {
    package var name: StreamName
    package var kind: LiveKind
    package var mayBeChunked: Bool

    /// - Returns: Nil when the URL is none of ours.
    package init?(_ target: HTTPTarget) throws(Problem) {
        var path = target.segments
        guard let last = path.last, let dot = last.lastIndex(of: "."), dot > last.startIndex else {
            return nil
        }
        switch last[dot...] {
        case ".flv": kind = .flv(target.query("codec") == "legacy" ? .legacy : .enhanced)
        case ".mp4": kind = .fmp4(takesOpus: target.query("audio") == "opus")
        case ".ts": kind = .transportStream
        default: return nil
        }
        let stem = last[..<dot]
        path[path.count - 1] = String(stem.hasSuffix(".live") ? stem.dropLast(5) : stem)
        do throws(ParseError) { name = try StreamName(path.joined(separator: "/")) } catch {
            throw Problem(.badName, error.description)
        }
        mayBeChunked = target.query("nochunk") == nil
    }

    /// The answer that the stream follows.
    package func response(_ request: HTTPRequest) throws(Problem) -> HTTPResponse {
        if WebSocket.isWanted(by: request) { return try WebSocket.upgrade(request) }
        return HTTPResponse(status: 200, body: mayBeChunked ? .stream : .streamUntilClose)
            .adding("Content-Type", kind.contentType).adding("Cache-Control", "no-cache")
            .allowingAnyOrigin()
    }

    package func framing(_ request: HTTPRequest) -> BodyFraming {
        if WebSocket.isWanted(by: request) { return .webSocket }
        return mayBeChunked && !request.isHTTP10 ? .chunked : .plain
    }
}
