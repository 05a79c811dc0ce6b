import Wire

/// Any bytes as a JSON document. What is accepted must come back the same after we have written it.
func fuzzJSON(_ bytes: RawSpan) {
    guard let value = try? JSONReader.read(bytes, .api) else { return }
    var json = JSONWriter()
    write(value, into: &json)
    let again = try? JSONReader.read(json.bytes.raw, .init(bytes: .max))
    precondition(again == value, "what we write is not what we read")
}

private func write(_ value: JSONValue, into json: inout JSONWriter) {
    switch value {
    case .null: json.null()
    case .bool(let flag): json.value(flag)
    case .integer(let number): json.value(number)
    case .number(let number): json.value(number)
    case .string(let text): json.value(text)
    case .array(let items):
        json.array { json in
            for item in items { write(item, into: &json) }
        }
    case .object(let object):
        json.object { json in
            for member in object.members { write(member, into: &json) }
        }
    }
}

private func write(_ member: JSONObject.Member, into json: inout JSONWriter) {
    switch member.value {
    case .null: json.null(member.key)
    case .bool(let flag): json.field(member.key, flag)
    case .integer(let number): json.field(member.key, number)
    case .number(let number): json.field(member.key, number)
    case .string(let text): json.field(member.key, text)
    case .array(let items):
        json.array(member.key) { json in
            for item in items { write(item, into: &json) }
        }
    case .object(let object):
        json.object(member.key) { json in
            for member in object.members { write(member, into: &json) }
        }
    }
}
