import Foundation
import Testing

/// What no file of the project may contain, whatever its language.
struct SecretsTests {
    static let tracked: [String] = {
        let git = Process()
        git.executableURL = URL(filePath: "/usr/bin/env")
        git.arguments = ["git", "-C", TidyTests.root.path, "ls-files"]
        let pipe = Pipe()
        git.standardOutput = pipe
        guard (try? git.run()) != nil else { return [] }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        git.waitUntilExit()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }()

    @Test func thereIsSomethingToCheck() { #expect(Self.tracked.count > 20) }

    @Test func noPrivateKeysAndNoPathsOfAMachine() {
        // Built from halves, so that this file does not find itself.
        let forbidden = [
            "-----BEGIN " + "PRIVATE KEY", "-----BEGIN RSA " + "PRIVATE KEY",
            "-----BEGIN EC " + "PRIVATE KEY", "AKIA" + "IOSFODNN", "/home" + "/", "/root" + "/",
        ]
        for path in Self.tracked {
            let url = TidyTests.root.appending(path: path)
            guard let text = try? String(contentsOf: url, encoding: .utf8) else { continue }
            for word in forbidden where text.contains(word) {
                Issue.record("\(path) contains \(word)")
            }
        }
    }
}
