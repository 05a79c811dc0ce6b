import Foundation
import Testing

/// The built program with its demo: live pictures without a camera.
@Suite(.serialized) struct DemoStreamsTests {
    @Test func twoStreamsAreLiveSoonAfterTheStart() throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "gateway-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let gateway = try RunningGateway.serving(folder, ["--no-supervise", "--demo"])
        let port = try gateway.port("http")
        var names: [String] = []
        let isLive = RunningGateway.until {
            guard let line = try? Line(port: port),
                let list = try? Fetched("GET", "/api/v1/streams", on: line)
            else { return false }
            let items = list.json("items") as? [[String: Any]] ?? []
            names = items.filter { $0["ready"] as? Bool == true }
                .compactMap { $0["name"] as? String }
            return names.count == 2
        }
        #expect(isLive)
        #expect(names == ["live/demo", "live/demo-h264"])
        gateway.send(SIGTERM)
        try gateway.endWell()
    }
}
