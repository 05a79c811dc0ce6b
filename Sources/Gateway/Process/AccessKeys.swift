package import Settings
import Wire

/// The keys that hold: those of the configuration, or those we made at first start.
package struct AccessKeys: Equatable, Sendable {
    package let publish: Secret
    /// `nil` unless `auth.read` asks for one.
    package let read: Secret?
    package let admin: Secret
    /// Of cameras; `nil` unless `gb28181.enabled`.
    package let devices: Secret?

    /// Settings whose keys were made just now: the user has not seen them yet.
    package let fresh: [(setting: String, key: Secret, file: String)]

    package static func == (a: AccessKeys, b: AccessKeys) -> Bool {
        a.publish == b.publish && a.read == b.read && a.admin == b.admin
            && a.devices == b.devices
    }

    /// - Parameter dice: Makes the keys that are missing.
    package init(
        _ config: Config, in state: StateDirectory, dice: inout some RandomNumberGenerator
    ) throws(StartError) {
        var fresh: [(setting: String, key: Secret, file: String)] = []
        publish = try Self.key(
            "auth.publish-key", config.auth.publishKey, "publish-key", state, &dice, &fresh)
        admin = try Self.key(
            "admin.token", config.admin.token, "admin-token", state, &dice, &fresh)
        read =
            config.auth.read == .key
            ? try Self.key("auth.read-key", config.auth.readKey, "read-key", state, &dice, &fresh)
            : nil
        devices =
            config.gb28181.enabled
            ? try Self.key(
                "gb28181.password", config.gb28181.password, "gb28181-password", state, &dice,
                &fresh)
            : nil
        self.fresh = fresh
    }

    private static func key(
        _ setting: String, _ wanted: Key, _ file: String, _ state: StateDirectory,
        _ dice: inout some RandomNumberGenerator,
        _ fresh: inout [(setting: String, key: Secret, file: String)]
    ) throws(StartError) -> Secret {
        if case .chosen(let secret) = wanted { return secret }
        if let bytes = try state.read(file) {
            let text = bytes.filter { (0x21...0x7e).contains($0) }
            if text.count >= 8 { return Secret(String(decoding: text, as: UTF8.self)) }
        }
        // 128 bits in hexadecimal: it fits every field of every encoder's dialog.
        var bytes: [UInt8] = []
        for _ in 0..<16 { bytes.append(UInt8.random(in: 0...255, using: &dice)) }
        let text = Hex.encode(bytes.raw)
        try state.write(file, Array(text.utf8) + [0x0a])
        fresh.append((setting, Secret(text), "\(state.path)/\(file)"))
        return Secret(text)
    }
}
