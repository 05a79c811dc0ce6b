/// What a peer showed to be let in, in the forms that protocols have. Nobody but the gate looks
/// inside, and it has no description: a log line cannot print it by accident.
package struct Credential: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
    package var user = ""
    package var password = ""
    /// Bearer token, `?token=`, stream key: one word.
    package var token = ""

    package init() {}

    package var isEmpty: Bool { user.isEmpty && password.isEmpty && token.isEmpty }
    package var description: String { isEmpty ? "(none)" : "(credential)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
