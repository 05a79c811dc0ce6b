package import Containers
package import Wire

/// A command: a name, a number that its answer will carry, an object and what follows (RTMP 1.0
/// §7.2).
package struct RTMPCommand: Equatable, Sendable {
    package var name: String
    package var transaction: Double
    package var object: AMFValue
    package var arguments: [AMFValue]

    package init(
        _ name: String, _ transaction: Double, _ object: AMFValue = .null,
        _ arguments: [AMFValue] = []
    ) {
        self.name = name
        self.transaction = transaction
        self.object = object
        self.arguments = arguments
    }

    package init(_ body: RawSpan, _ kind: RTMPKind) throws(ParseError) {
        // The newer kinds begin with a byte that says AMF0 all the same.
        let skipped = kind == .commandAMF3 && body.byteCount > 0 && body.byte(at: 0) == 0 ? 1 : 0
        var reader = AMF0Reader(body.extracting(skipped..<body.byteCount))
        guard let name = try reader.next()?.string else {
            throw .invalid("RTMP command", value: UInt64(body.byteCount), at: 0)
        }
        self.name = name
        transaction = try reader.next()?.number ?? 0
        var rest = reader.rest()
        object = rest.isEmpty ? .null : rest.removeFirst()
        arguments = rest
    }

    package var bytes: [UInt8] {
        var out: [UInt8] = []
        AMF0Writer.write(
            [.string(name), .number(transaction), object] + arguments, into: &out)
        return out
    }

    package func text(_ index: Int) -> String? {
        arguments.indices.contains(index) ? arguments[index].string : nil
    }
}

/// What `onStatus` and answers say: a code that programs look at and a sentence for people.
package struct RTMPStatus: Equatable, Sendable {
    package var code: String
    package var sentence: String
    package var isError = false

    package init(_ code: String, _ sentence: String, isError: Bool = false) {
        self.code = code
        self.sentence = sentence
        self.isError = isError
    }

    package var value: AMFValue {
        .object([
            .init("level", .string(isError ? "error" : "status")),
            .init("code", .string(code)), .init("description", .string(sentence)),
        ])
    }
}
