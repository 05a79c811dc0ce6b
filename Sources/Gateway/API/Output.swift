/// A way to watch a stream, as players ask for it; `{name}` stands for the stream's name.
struct Output {
    let kind: String
    let path: String

    /// What every stream is given out by, the fastest first. RTMP has a port of its own.
    static let all = [
        Output(kind: "whep", path: "/whep/{name}"),
        Output(kind: "flv", path: "/{name}.flv"),
        Output(kind: "fmp4", path: "/{name}.mp4"),
        Output(kind: "ts", path: "/{name}.ts"),
    ]
}
