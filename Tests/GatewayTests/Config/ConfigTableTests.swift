import Foundation
import Settings
import Testing

/// What is written from the table of settings is what is committed.
///
/// `GATEWAY_WRITE_DOCS=1 swift test --filter ConfigTableTests` writes both files anew.
struct ConfigTableTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let writes = ProcessInfo.processInfo.environment["GATEWAY_WRITE_DOCS"] != nil

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    static func write(_ text: String, to path: String) throws {
        try text.write(to: root.appending(path: path), atomically: true, encoding: .utf8)
    }

    @Test func namesAreUniqueInEveryForm() {
        let names = Config.settings.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(Set(Config.settings.map(\.variable)).count == names.count)
        #expect(!names.contains { $0.hasSuffix("-file") }, "_FILE says where a secret is")
        #expect(Set(PathConfig.settings.map(\.name)).count == PathConfig.settings.count)
        for setting in Config.settings where setting.name == "http.tls.listen" {
            #expect(setting.variable == "GATEWAY_HTTP_TLS_LISTEN")
        }
    }

    @Test func everyDefaultIsAcceptedInEveryForm() throws {
        for setting in Config.settings {
            let text = setting.write(Config())
            let plain = text.hasPrefix("\"") ? String(text.dropFirst().dropLast()) : text
            let list = plain.hasPrefix("[") ? String(plain.dropFirst().dropLast()) : plain
            #expect(ConfigTexts.mistakes(environment: [setting.variable: list]) == "")
            #expect(ConfigTexts.mistakes(options: ["\(setting.name)=\(list)"]) == "")
        }
    }

    @Test func theSampleHoldsEverySettingAndItsDefault() throws {
        if Self.writes { try Self.write(ConfigSample.file, to: "gateway.yml") }
        let text = try Self.text("gateway.yml")
        #expect(text == ConfigSample.file)
        var config = try ConfigTexts.load(text).config
        #expect(config.paths.map(\.settings) == [PathConfig()])
        config.paths = []
        #expect(config == Config())
        let keys = text.split(separator: "\n").filter { !$0.contains("#") && $0.contains(": ") }
        #expect(keys.count == Config.settings.count + PathConfig.settings.count)
    }

    @Test func theDocumentationHoldsTheTable() throws {
        let marks = ["<!-- settings -->\n", "<!-- end of settings -->\n"]
        let text = try Self.text("docs/config.md")
        let head = try #require(text.components(separatedBy: marks[0]).first)
        let tail = try #require(text.components(separatedBy: marks[1]).last)
        let wanted = head + marks[0] + ConfigSample.table + marks[1] + tail
        if Self.writes { try Self.write(wanted, to: "docs/config.md") }
        #expect(try Self.text("docs/config.md") == wanted)
    }
}
