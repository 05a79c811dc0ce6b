package import Media

/// Why sound is not converted, and what would help.
package enum TranscodeError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The libraries could not be loaded; in words of the loader.
    case libraryMissing(String)
    /// No decoder or encoder of ours takes it.
    case unsupported(Codec, reason: String)

    /// Stable: the same in the log, the metric and the API.
    package var code: StaticString {
        switch self {
        case .libraryMissing: "transcode-library-missing"
        case .unsupported: "transcode-unsupported"
        }
    }

    package var description: String {
        switch self {
        case .libraryMissing(let what):
            "sound cannot be converted: \(what); install the Debian packages libavcodec59 and "
                + "libswresample4"
        case .unsupported(let codec, let reason):
            "\(codec.name) cannot be converted: \(reason); publish AAC, Opus or G.711"
        }
    }
}
