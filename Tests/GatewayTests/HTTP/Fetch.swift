import Foundation

/// One request on a connection of its own, and the whole answer.
struct Fetched {
    var status = 0
    var headers: [(name: String, value: String)] = []
    var body = ""

    subscript(name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    func values(_ name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// A field of a JSON body, by its path.
    func json(_ path: String...) -> Any? {
        var value = try? JSONSerialization.jsonObject(with: Data(body.utf8))
        for key in path {
            if let index = Int(key) {
                let items = value as? [Any] ?? []
                value = index < items.count ? items[index] : nil
            } else {
                value = (value as? [String: Any])?[key]
            }
        }
        return value
    }

    var code: String? { json("code") as? String }
}

extension Crew {
    /// - Parameter headers: `Host: localhost` unless given.
    func fetch(
        _ method: String, _ target: String, _ headers: [String: String] = [:],
        _ body: String? = nil, worker: Int = 0
    ) throws -> Fetched {
        try Fetched(method, target, headers, body, on: try connect(to: worker))
    }
}

extension Fetched {
    init(
        _ method: String, _ target: String, _ headers: [String: String] = [:],
        _ body: String? = nil, on line: Line
    ) throws {
        var lines = ["\(method) \(target) HTTP/1.1", "Connection: close"]
        var headers = headers
        headers["Host"] = headers["Host"] ?? "localhost"
        if let body { headers["Content-Length"] = "\(body.utf8.count)" }
        lines += headers.map { "\($0.key): \($0.value)" }
        line.send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")).utf8))
        var bytes: [UInt8] = []
        while let piece = line.receive() { bytes += piece }
        self.init(bytes)
    }

    private init(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let parts = text.components(separatedBy: "\r\n\r\n")
        let lines = parts[0].components(separatedBy: "\r\n")
        status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        headers = lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            return (String(line[..<colon]), value)
        }
        body = parts.dropFirst().joined(separator: "\r\n\r\n")
    }
}
