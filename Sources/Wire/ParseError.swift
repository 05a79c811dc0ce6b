/// Why bytes from the network were refused. One type for every parser: errors pass through layers
/// unchanged, stay typed, and cost no allocation when someone floods us with garbage.
@frozen public enum ParseError: Error, Equatable, Sendable {
    case truncated(at: Int, needed: Int)
    case invalid(_ field: StaticName, value: UInt64, at: Int)
    /// Well formed, but more than we accept: a bound from the table of limits.
    case tooMuch(_ what: StaticName, limit: Int)
}

/// The name of a field, known at compile time: no allocation, no reference count.
@frozen
public struct StaticName: ExpressibleByStringLiteral, Equatable, Sendable,
    CustomStringConvertible
{
    @usableFromInline let text: StaticString

    @inlinable public init(stringLiteral value: StaticString) { text = value }

    public var description: String { text.description }

    public static func == (a: StaticName, b: StaticName) -> Bool { a.description == b.description }
}

extension ParseError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated(let at, let needed): "cut off at byte \(at), \(needed) more needed"
        case .invalid(let field, let value, let at): "\(field) is \(value) at byte \(at)"
        case .tooMuch(let what, let limit): "\(what) above the limit of \(limit)"
        }
    }
}
