/// A value of the Action Message Format, in the form common to AMF0 and AMF3: what commands and
/// metadata of RTMP and FLV are made of.
package indirect enum AMFValue: Equatable, Sendable {
    case number(Double)
    case boolean(Bool)
    case string(String)
    /// Fields in the order they came; a name may come twice, the first one counts.
    case object([Field])
    /// The same with another marker: Flash's name for a dictionary. `onMetaData` is one.
    case ecmaArray([Field])
    case strictArray([AMFValue])
    case date(milliseconds: Double)
    case null
    case undefined
    /// Well formed, and nothing that anybody here needs: XML, byte arrays, vectors.
    case other

    package struct Field: Equatable, Sendable {
        package var name: String
        package var value: AMFValue

        package init(_ name: String, _ value: AMFValue) {
            self.name = name
            self.value = value
        }
    }

    package subscript(name: String) -> AMFValue? {
        switch self {
        case .object(let fields), .ecmaArray(let fields):
            fields.first { $0.name == name }?.value
        default: nil
        }
    }

    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var number: Double? {
        switch self {
        case .number(let value): value
        // Some encoders send their numbers as text.
        case .string(let text): Double(text)
        default: nil
        }
    }

    package var boolean: Bool? {
        switch self {
        case .boolean(let value): value
        case .number(let value): value != 0
        default: nil
        }
    }
}

/// Bounds on what a peer may make us build: deep nesting costs stack, many values cost memory.
enum AMFLimits {
    /// numbers.md; honest peers nest three deep.
    static let depth = 32
    /// Of one message. OBS's metadata has 25.
    static let values = 4096
}
