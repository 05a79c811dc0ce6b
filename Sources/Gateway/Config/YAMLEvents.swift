internal import CYAML

/// libyaml's events as Swift values: the only file that speaks to the library.
///
/// It owns a copy of the text, because the library keeps a pointer into it.
@safe struct YAMLEvents: ~Copyable {
    enum Event: Equatable {
        case beginsMap, endsMap, beginsList, endsList
        case text(String, isPlain: Bool)
        case beginsDocument, endsDocument, endsFile
        /// Anchors, aliases and tags: we refuse them, so nobody needs their names.
        case unwelcome(String)
    }

    private let file: String
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>

    init(_ bytes: [UInt8], file: String) {
        self.file = file
        unsafe text = .allocate(capacity: max(bytes.count, 1))
        _ = unsafe text.initialize(from: bytes)
        unsafe parser = .allocate(capacity: 1)
        // It fails only when its first allocations do.
        precondition(unsafe yaml_parser_initialize(parser) == 1, "no memory for a parser")
        unsafe yaml_parser_set_input_string(parser, text.baseAddress, bytes.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe text.deallocate()
    }

    mutating func next() throws(ConfigError) -> (event: Event, place: Place) {
        while true {
            var raw = unsafe yaml_event_t()
            guard unsafe yaml_parser_parse(parser, &raw) == 1 else { throw problem }
            defer { unsafe yaml_event_delete(&raw) }
            let place = unsafe place(raw.start_mark)
            if let event = unsafe Self.event(raw) { return (event, place) }
        }
    }

    private static func event(_ raw: yaml_event_t) -> Event? {
        let data = unsafe raw.data
        switch unsafe raw.type {
        case YAML_MAPPING_START_EVENT:
            return unsafe unwelcome(data.mapping_start.anchor, data.mapping_start.tag) ?? .beginsMap
        case YAML_SEQUENCE_START_EVENT:
            return unsafe unwelcome(data.sequence_start.anchor, data.sequence_start.tag)
                ?? .beginsList
        case YAML_SCALAR_EVENT:
            if let refused = unsafe unwelcome(data.scalar.anchor, data.scalar.tag) {
                return refused
            }
            let bytes = unsafe UnsafeBufferPointer(
                start: data.scalar.value, count: data.scalar.length)
            let isPlain = unsafe data.scalar.style == YAML_PLAIN_SCALAR_STYLE
            return unsafe .text(String(decoding: bytes, as: UTF8.self), isPlain: isPlain)
        case YAML_ALIAS_EVENT: return .unwelcome("an alias (*)")
        case YAML_MAPPING_END_EVENT: return .endsMap
        case YAML_SEQUENCE_END_EVENT: return .endsList
        case YAML_DOCUMENT_START_EVENT: return .beginsDocument
        case YAML_DOCUMENT_END_EVENT: return .endsDocument
        case YAML_STREAM_END_EVENT: return .endsFile
        default: return nil
        }
    }

    private static func unwelcome(
        _ anchor: UnsafeMutablePointer<yaml_char_t>?, _ tag: UnsafeMutablePointer<yaml_char_t>?
    ) -> Event? {
        if unsafe anchor != nil { return .unwelcome("an anchor (&)") }
        if unsafe tag != nil { return .unwelcome("a tag (!)") }
        return nil
    }

    private func place(_ mark: yaml_mark_t) -> Place {
        Place(file, line: mark.line + 1, column: mark.column + 1)
    }

    private var problem: ConfigError {
        let cause = unsafe parser.pointee.problem
        let text = unsafe cause.map { unsafe String(cString: $0) } ?? "cannot be read"
        // The reader, which decodes UTF-8, knows a byte and no line.
        if unsafe parser.pointee.error == YAML_READER_ERROR {
            let offset = unsafe parser.pointee.problem_offset
            return ConfigError(Place(file), "not YAML: \(text) at byte \(offset)")
        }
        return unsafe ConfigError(place(parser.pointee.problem_mark), "not YAML: \(text)")
    }
}
