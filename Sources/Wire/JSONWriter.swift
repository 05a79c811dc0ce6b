/// Writes JSON (RFC 8259) by appending to bytes. It keeps the commas right and escapes every text;
/// it builds no tree and cannot take anything back.
///
/// ```
/// var json = JSONWriter()
/// json.object { json in
///     json.field("name", "live/cam1")
///     json.array("tracks") { json in json.value("video0") }
/// }
/// ```
public struct JSONWriter: Sendable {
    public private(set) var bytes: [UInt8]
    private var needsComma = false

    /// - Parameter bytes: What stands in front; handed over with its capacity, so that one buffer
    ///   can serve many answers.
    public init(appendingTo bytes: consuming [UInt8] = []) { self.bytes = bytes }

    public mutating func object(_ fill: (inout JSONWriter) -> Void) { nest(0x7b, 0x7d, fill) }
    public mutating func array(_ fill: (inout JSONWriter) -> Void) { nest(0x5b, 0x5d, fill) }

    public mutating func object(_ key: String, _ fill: (inout JSONWriter) -> Void) {
        self.key(key)
        object(fill)
    }

    public mutating func array(_ key: String, _ fill: (inout JSONWriter) -> Void) {
        self.key(key)
        array(fill)
    }

    public mutating func field(_ key: String, _ value: String) {
        self.key(key)
        self.value(value)
    }

    /// Text from a peer: cut to its bound, and escaped as all text is.
    public mutating func field(_ key: String, _ text: LabelText) {
        self.key(key)
        value(text)
    }

    public mutating func field(_ key: String, _ value: some FixedWidthInteger) {
        self.key(key)
        self.value(value)
    }

    public mutating func field(_ key: String, _ value: Double) {
        self.key(key)
        self.value(value)
    }

    public mutating func field(_ key: String, _ value: Bool) {
        self.key(key)
        self.value(value)
    }

    public mutating func null(_ key: String) {
        self.key(key)
        null()
    }

    public mutating func value(_ text: String) { value(LabelText(text, limit: .max)) }

    public mutating func value(_ text: LabelText) {
        separate()
        write(text)
        needsComma = true
    }

    public mutating func value(_ number: some FixedWidthInteger) { plain("\(number)") }

    /// JSON has no word for what is not a number: `null` stands there then.
    public mutating func value(_ number: Double) { plain(number.isFinite ? "\(number)" : "null") }

    public mutating func value(_ flag: Bool) { plain(flag ? "true" : "false") }
    public mutating func null() { plain("null") }

    private mutating func key(_ key: String) {
        separate()
        write(LabelText(key, limit: .max))
        bytes.append(0x3a)
        needsComma = false
    }

    private mutating func nest(
        _ opening: UInt8, _ closing: UInt8, _ fill: (inout JSONWriter) -> Void
    ) {
        separate()
        bytes.append(opening)
        needsComma = false
        fill(&self)
        bytes.append(closing)
        needsComma = true
    }

    private mutating func plain(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(0x2c) }
    }

    private mutating func write(_ text: LabelText) {
        bytes.append(0x22)
        text.write(for: .json, into: &bytes)
        bytes.append(0x22)
    }
}
