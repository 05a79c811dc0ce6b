/// Content types: what a file's name says, and what a header means.
package enum MediaType {
    /// Without parameters, in lower case: clients add `; charset=utf-8` where nobody asked for it.
    package static func essence(of value: some StringProtocol) -> String {
        value.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
    }

    /// By the name's extension; what we do not know is never guessed from the content.
    package static func ofFile(_ name: some StringProtocol) -> String {
        guard let dot = name.lastIndex(of: ".") else { return "application/octet-stream" }
        return switch name[name.index(after: dot)...].lowercased() {
        case "html": "text/html; charset=utf-8"
        case "js", "mjs": "text/javascript; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "json", "map": "application/json"
        case "txt", "md": "text/plain; charset=utf-8"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "jpg", "jpeg": "image/jpeg"
        case "ico": "image/x-icon"
        case "woff2": "font/woff2"
        case "wasm": "application/wasm"
        case "m3u8": "application/vnd.apple.mpegurl"
        case "ts": "video/mp2t"
        case "mp4", "m4s": "video/mp4"
        case "m4a": "audio/mp4"
        case "flv": "video/x-flv"
        default: "application/octet-stream"
        }
    }
}
