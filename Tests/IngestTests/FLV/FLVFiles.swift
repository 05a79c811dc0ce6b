import Containers
import Foundation
import Wire

/// The captures of `Tests/Vectors/flv`.
enum FLVFiles {
    struct Tag: Equatable {
        var kind: FLVTag.Kind
        var stamp: UInt32
        var body: [UInt8]
    }

    static func bytes(_ name: String) -> [UInt8] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let data = try? Data(contentsOf: folder.appending(path: "Vectors/flv/\(name).flv"))
        return data.map { [UInt8]($0) } ?? []
    }

    static func tags(_ bytes: [UInt8], piece: Int = .max) throws -> [Tag] {
        var reader = FLVReader()
        var tags: [Tag] = []
        var start = 0
        while start < bytes.count {
            let end = piece < bytes.count - start ? start + piece : bytes.count
            let read = Array(bytes[start..<end])
            var at = 0
            while let header = try reader.next(read.raw, from: &at) {
                guard let kind = header.kind else { continue }
                tags.append(
                    Tag(kind: kind, stamp: header.stamp, body: [UInt8](copying: reader.body)))
            }
            start = end
        }
        return tags
    }
}
