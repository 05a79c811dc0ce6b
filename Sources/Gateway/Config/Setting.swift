/// One setting: its name, what it may hold, and what it is for.
///
/// The table of settings is the only list there is: the decoder, the names of environment
/// variables, the sample file, the documentation and the suggestions for misspelt names all come
/// from it. Defaults are the initial values of `Config`.
package struct Setting<Root: Sendable>: Sendable {
    package enum Change: Sendable {
        /// Taken over by SIGHUP, without disturbing anybody.
        case reload
        case restart
    }

    /// As in the file, with dots: `http.tls.listen`.
    package let name: String
    /// What it may hold, for the documentation.
    package let kind: String
    package let summary: String
    package let change: Change
    /// Its value is never shown, and may come from a file (`…_FILE` in the environment).
    package let isSecret: Bool
    /// The part of the program that is still missing; only the default is accepted until then.
    package let awaits: String?

    let read: @Sendable (ConfigNode, inout Root) throws(Refusal) -> Void
    package let write: @Sendable (Root) -> String
    let isSame: @Sendable (Root, Root) -> Bool
    let copy: @Sendable (Root, inout Root) -> Void

    init<Value>(
        _ name: String, _ field: any WritableKeyPath<Root, Value> & Sendable, _ kind: Kind<Value>,
        _ change: Change, _ summary: String
    ) {
        self.name = name
        self.kind = kind.what
        self.summary = summary
        self.change = change
        self.isSecret = Value.self == Key.self || Value.self == Secret.self
        self.awaits = nil
        self.read = { (node, root) throws(Refusal) in
            root[keyPath: field] = try kind.read(node)
        }
        self.write = { kind.write($0[keyPath: field]) }
        self.isSame = { $0[keyPath: field] == $1[keyPath: field] }
        self.copy = { $1[keyPath: field] = $0[keyPath: field] }
    }

    /// A name that is taken, for a part of the program that is not built yet. Whoever sets it is
    /// told, instead of waiting for a port that nobody listens on.
    static func later(
        _ name: String, default text: String, awaits: String, _ summary: String
    ) -> Setting {
        Setting(awaiting: awaits, name, default: text, summary)
    }

    private init(
        awaiting part: String, _ name: String, default text: String, _ summary: String
    ) {
        self.name = name
        self.kind = "not built into this version yet"
        self.summary = summary
        self.change = .restart
        self.isSecret = false
        self.awaits = part
        self.read = { (node, _) throws(Refusal) in
            if case .list(let items) = node.value, items.isEmpty { return }
            if let given = node.text, ["", "off", "false", text].contains(given) { return }
            throw Refusal("\(part) is not built into this version yet: remove this setting")
        }
        self.write = { _ in text.isEmpty ? yaml("") : text }
        self.isSame = { _, _ in true }
        self.copy = { _, _ in }
    }

    /// `GATEWAY_HTTP_TLS_LISTEN`.
    package var variable: String {
        "GATEWAY_"
            + String(name.map { $0 == "." || $0 == "-" ? "_" : Character($0.uppercased()) })
    }
}
