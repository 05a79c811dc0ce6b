/// Takes the value of one line apart, from left to right. Works on bytes: for a `Character`, CR LF
/// is one and an accent may hide a separator. Never fails: what is not there is `nil` or empty.
struct SDPScanner {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    static let space = UInt8(ascii: " ")
    static let tab = UInt8(ascii: "\t")

    var isAtEnd: Bool { rest.isEmpty }
    var text: String { String(decoding: rest, as: UTF8.self) }

    /// The next word, with the blanks around it gone.
    mutating func word() -> String? {
        skipBlanks()
        let end = rest.firstIndex { $0 == Self.space || $0 == Self.tab } ?? rest.endIndex
        guard end > rest.startIndex else { return nil }
        defer {
            rest = rest[end...]
            skipBlanks()
        }
        return String(decoding: rest[..<end], as: UTF8.self)
    }

    /// What stands before `separator`; the separator is consumed. All of it when there is none.
    mutating func upTo(_ separator: Character) -> ArraySlice<UInt8> {
        guard let byte = separator.asciiValue, let end = rest.firstIndex(of: byte) else {
            defer { rest = rest[rest.endIndex...] }
            return rest
        }
        defer { rest = rest[(end + 1)...] }
        return rest[..<end]
    }

    mutating func number<T: FixedWidthInteger>(_: T.Type) -> T? {
        word().flatMap { T($0) }
    }

    mutating func skipBlanks() {
        rest = rest.drop { $0 == Self.space || $0 == Self.tab }
    }

    /// The words that are left, at most `limit` of them.
    mutating func words(atMost limit: Int) -> [String] {
        var words: [String] = []
        while words.count < limit, let word = word() { words.append(word) }
        return words
    }

    static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes.drop { $0 == space || $0 == tab }
        while let last = bytes.last, last == space || last == tab { bytes = bytes.dropLast() }
        return bytes
    }
}
