/// Writes AMF0 values at the end of bytes that are lent.
package enum AMF0Writer {
    package static func write(_ value: AMFValue, into out: inout [UInt8]) {
        switch value {
        case .number(let number):
            out.append(0)
            write(number, into: &out)
        case .boolean(let flag): out += [1, flag ? 1 : 0]
        case .string(let text): writeText(text, into: &out)
        case .object(let fields):
            out.append(3)
            write(fields, into: &out)
        case .ecmaArray(let fields):
            out.append(8)
            append(UInt32(truncatingIfNeeded: fields.count), to: &out)
            write(fields, into: &out)
        case .strictArray(let list):
            out.append(10)
            append(UInt32(truncatingIfNeeded: list.count), to: &out)
            for value in list { write(value, into: &out) }
        case .date(let milliseconds):
            out.append(11)
            write(milliseconds, into: &out)
            out += [0, 0]
        case .null: out.append(5)
        case .undefined, .other: out.append(6)
        }
    }

    package static func write(_ values: [AMFValue], into out: inout [UInt8]) {
        for value in values { write(value, into: &out) }
    }

    private static func writeText(_ text: String, into out: inout [UInt8]) {
        let count = text.utf8.count
        if count <= 0xffff {
            out.append(2)
            append(UInt16(count), to: &out)
        } else {
            out.append(12)
            append(UInt32(truncatingIfNeeded: count), to: &out)
        }
        out += text.utf8
    }

    private static func write(_ fields: [AMFValue.Field], into out: inout [UInt8]) {
        for field in fields {
            append(UInt16(clamping: field.name.utf8.count), to: &out)
            out += field.name.utf8.prefix(0xffff)
            write(field.value, into: &out)
        }
        out += [0, 0, 9]
    }

    private static func write(_ number: Double, into out: inout [UInt8]) {
        append(number.bitPattern, to: &out)
    }

    private static func append<T: FixedWidthInteger>(_ value: T, to out: inout [UInt8]) {
        for shift in stride(from: T.bitWidth - 8, through: 0, by: -8) {
            out.append(UInt8(truncatingIfNeeded: value >> T(shift)))
        }
    }
}
