package import Wire

/// A file as it is sent: its bytes, the same compressed if that is smaller, and what proves that a
/// browser has it already. Read once; every connection sends the same chunk.
package struct StaticFile: Sendable {
    package let type: String
    package let content: Chunk
    package let compressed: Chunk?
    private let tag: EntityTag

    package init(name: String, _ bytes: [UInt8], compressed: [UInt8]? = nil) {
        type = MediaType.ofFile(name)
        content = Chunk(bytes)
        self.compressed = compressed.flatMap { $0.count < bytes.count ? Chunk($0) : nil }
        tag = EntityTag(Hex.encode(SHA1.digest(bytes).raw.extracting(0..<10)))
    }

    /// - Precondition: The method is GET or HEAD.
    package func response(to request: HTTPRequest) -> HTTPResponse {
        let range = ByteRange(request.headers["Range"], length: content.count)
        // A part of compressed bytes would help nobody.
        let isCompressed =
            range == .whole && AcceptEncoding.allowsGzip(request.headers["Accept-Encoding"])
        let chosen = isCompressed ? compressed ?? content : content
        let hasEncoding = chosen !== content
        // Each form of a file has a tag of its own (RFC 9110 §8.8.3.3).
        let tag = hasEncoding ? EntityTag(self.tag.text + "-gz") : self.tag
        var response: HTTPResponse
        if tag.satisfies(ifNoneMatch: request.headers["If-None-Match"]) {
            response = HTTPResponse(status: 304)
        } else {
            response = .ranged(chosen, type: type, range, request, tag: tag)
            if hasEncoding { response.headers.add("Content-Encoding", "gzip") }
        }
        response.headers.add("ETag", tag.description)
        // Asked about each time, answered with 304: an update is seen at once.
        response.headers.add("Cache-Control", "no-cache")
        response.headers.add("Accept-Ranges", "bytes")
        if compressed != nil { response.headers.add("Vary", "Accept-Encoding") }
        return response
    }
}
