/// A way to watch a stream, as players ask for it; `{name}` stands for the stream's name.
struct WatchPath {
    let kind: String
    let path: String

    /// What every stream is given out by, the fastest first. RTMP has a port of its own.
    static let all = [
        WatchPath(kind: "whep", path: "/whep/{name}"),
        WatchPath(kind: "flv", path: "/{name}.flv"),
        WatchPath(kind: "fmp4", path: "/{name}.mp4"),
        WatchPath(kind: "ts", path: "/{name}.ts"),
        WatchPath(kind: "hls", path: "/{name}/index.m3u8"),
    ]
}
