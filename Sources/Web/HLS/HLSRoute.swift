package import HTTP
import Media
import Stream
package import Wire

/// A URL of HLS: `/live/cam1/index.m3u8`, what it leads to in `/live/cam1/hls/`, and the URLs under
/// which SRS and ZLMediaKit have it.
package struct HLSRoute: Equatable, Sendable {
    package var name: StreamName
    package var file: HLSFile
    package var container: HLSRules.Container
    /// The newest thing the client wants to see (RFC 8216bis §6.2.5.2).
    package var position: HLSPosition?
    package var skips: Bool
    /// What lets the client in, to be repeated in every URI: players do not.
    package var access: String
    /// From this URL to the folder of what the playlist lists.
    package var folder = "\(HLSFile.folder)/"

    /// - Returns: Nil when the URL is none of ours.
    package init?(_ target: HTTPTarget) throws(Problem) {
        guard let (path, file, container) = Self.match(target.segments) else { return nil }
        do throws(ParseError) { name = try StreamName(path.joined(separator: "/")) } catch {
            throw Problem(.badName, error.description)
        }
        self.file = file
        // `/live/cam1.m3u8` lies beside the folder of its stream, not in it.
        if path.count == target.segments.count, let last = path.last {
            folder = "\(last)/\(folder)"
        }
        self.container = container
        skips = ["YES", "v2"].contains(target.query("_HLS_skip") ?? "")
        position = try Self.position(target)
        access = Self.access(target)
    }

    private static func match(
        _ segments: [String]
    ) -> (path: ArraySlice<String>, HLSFile, HLSRules.Container)? {
        guard let last = segments.last, let dot = last.lastIndex(of: ".") else { return nil }
        let folder = segments.dropLast()
        if folder.last == HLSFile.folder, let file = HLSFile(Substring(last)) {
            return (folder.dropLast(), file, file.container)
        }
        switch last {
        case "index.m3u8", "hls.fmp4.m3u8": return (folder, .multivariant, .fmp4)
        // ZLMediaKit's own and SRS's are of MPEG-TS.
        case "hls.m3u8": return (folder, .multivariant, .mpegTS)
        default: break
        }
        guard last[dot...] == ".m3u8" else { return nil }
        return (folder + [String(last[..<dot])], .multivariant, .mpegTS)
    }

    private static func position(_ target: HTTPTarget) throws(Problem) -> HLSPosition? {
        let (number, part) = (target.query("_HLS_msn"), target.query("_HLS_part"))
        guard let number else {
            guard part == nil else { throw Problem(.badRequest, "_HLS_part without _HLS_msn") }
            return nil
        }
        guard let number = Int64(number), number >= 0 else {
            throw Problem(.badRequest, "_HLS_msn is not a number")
        }
        guard let part else { return HLSPosition(number: number) }
        guard let part = Int(part), part >= 0 else {
            throw Problem(.badRequest, "_HLS_part is not a number")
        }
        return HLSPosition(number: number, part: part)
    }

    /// `?token=…` and what else a client is known by.
    private static func access(_ target: HTTPTarget) -> String {
        let kept = target.query.filter { ["token", "user", "pass", "key"].contains($0.name) }
        guard !kept.isEmpty else { return "" }
        let items = kept.map { "\($0.name)=\(PercentCoding.encode($0.value))" }
        return "?" + items.joined(separator: "&")
    }
}

extension HLSFile {
    /// In which container it is.
    fileprivate var container: HLSRules.Container {
        switch self {
        case .multivariant, .header: .fmp4
        case .playlist(let container), .segment(_, let container), .part(_, _, let container):
            container
        }
    }
}
