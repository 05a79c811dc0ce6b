import Foundation
import Gateway
import Settings
import Testing
import Wire

struct StateTests {
    static func mode(_ path: String) throws -> Int? {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return attributes[.posixPermissions] as? Int
    }

    @Test func keysAreMadeOnceAndForThisUserOnly() throws {
        try Folder.with { folder in
            var config = Config()
            config.state.directory = folder.path + "/a/state"
            let state = try StateDirectory.open(config, environment: [:])
            var dice = SplitMix64(seed: 1)
            let first = try AccessKeys(config, in: state, dice: &dice)
            #expect(first.fresh.map(\.setting) == ["auth.publish-key", "admin.token"])
            #expect(first.publish.disclosed.count == 32 && first.read == nil)
            #expect(first.publish != first.admin)
            #expect(try Self.mode(state.path) == 0o700)
            #expect(try Self.mode(state.path + "/publish-key") == 0o600)
            let second = try AccessKeys(config, in: state, dice: &dice)
            #expect(second == first && second.fresh.isEmpty)
            config.auth.read = .key
            config.auth.publishKey = .chosen(Secret("correct-horse"))
            let third = try AccessKeys(config, in: state, dice: &dice)
            #expect(third.publish == Secret("correct-horse"))
            #expect(third.read != nil && third.fresh.map(\.setting) == ["auth.read-key"])
        }
    }

    @Test func aDirectoryThatIsTooOpenIsClosed() throws {
        try Folder.with { folder in
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: folder.path)
            _ = try StateDirectory.open(Config(), environment: ["STATE_DIRECTORY": folder.path])
            #expect(try Self.mode(folder.path) == 0o700)
        }
    }

    @Test func aDirectoryThatCannotBeSaysWhatToDo() throws {
        var config = Config()
        config.state.directory = "/proc/nothing/state"
        let error = #expect(throws: StartError.self) {
            try StateDirectory.open(config, environment: [:])
        }
        #expect(
            error?.lines.hasPrefix("state.dir: make the directory /proc/nothing/state: ") == true)
        #expect(
            error?.lines.hasSuffix("state.dir to one it may write) code=state-not-writable") == true
        )
        #expect(error?.exitCode == .failed)
    }

    @Test func aCertificateThatCannotBeIsFoundBeforeTheStart() throws {
        try Folder.with { folder in
            var config = Config()
            config.http.tls.certificate = .files([folder.path + "/none.pem"])
            config.http.tls.keys = [folder.path + "/key.pem"]
            let missing = #expect(throws: StartError.self) { try Preparation.check(config) }
            #expect(
                missing?.lines.hasSuffix("none.pem: No such file or directory code=cannot-read")
                    == true)
            for name in ["none.pem", "key.pem"] {
                try "not PEM".write(
                    to: folder.appending(path: name), atomically: true, encoding: .utf8)
            }
            let bad = #expect(throws: StartError.self) { try Preparation.check(config) }
            #expect(bad?.lines.contains("no certificate in PEM form found") == true)
            #expect(bad?.lines.hasSuffix(" code=bad-certificate") == true)
        }
    }
}

/// A folder that is gone after the test.
enum Folder {
    static func with(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }
}
