/// A JSON document, read as a whole: the bodies of the control interface and the answers of hooks
/// are small. Numbers are what JSON can carry without loss: a 64-bit integer or a double.
public enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    public var string: String? { if case .string(let text) = self { text } else { nil } }
    public var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    public var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
    public var array: [JSONValue]? { if case .array(let items) = self { items } else { nil } }
    public var object: JSONObject? { if case .object(let object) = self { object } else { nil } }

    /// An integer counts as a number too.
    public var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        case .null, .bool, .string, .array, .object: nil
        }
    }

    public subscript(key: String) -> JSONValue? { object?[key] }
}

/// The members of a JSON object in the order they came. No key comes twice: the reader sees to it.
public struct JSONObject: Equatable, Sendable {
    public struct Member: Equatable, Sendable {
        public var key: String
        public var value: JSONValue
    }

    public internal(set) var members: [Member] = []

    /// A walk along the members: objects of the control interface have a handful.
    public subscript(key: String) -> JSONValue? {
        members.first { $0.key == key }?.value
    }
}
