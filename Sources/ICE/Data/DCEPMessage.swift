package import Wire

/// The two messages that open a data channel in-band (RFC 8832 §5).
package enum DCEPMessage: Equatable, Sendable {
    case open(DataChannelTerms)
    case acknowledge

    /// Longer names are nobody's; the format allows 64 KiB, which a peer would have us keep.
    package static let nameMaximum = 1024

    package init(_ bytes: RawSpan) throws(ParseError) {
        var reader = ByteReader(bytes)
        let type = try reader.read(UInt8.self)
        switch type {
        case 0x02: self = .acknowledge
        case 0x03: self = .open(try DataChannelTerms(&reader))
        default: throw .invalid("DCEP message type", value: UInt64(type), at: 0)
        }
    }

    package func write(into out: inout [UInt8]) {
        switch self {
        case .acknowledge: out.append(0x02)
        case .open(let terms): terms.write(into: &out)
        }
    }
}

/// What both ends agree on when a channel is opened: its name and how messages are delivered.
package struct DataChannelTerms: Equatable, Sendable {
    package enum Reliability: Equatable, Sendable {
        case reliable
        case retransmits(UInt32)
        case lifetime(milliseconds: UInt32)
    }

    package var label: String
    package var subprotocol: String
    package var ordered: Bool
    package var reliability: Reliability
    package var priority: UInt16

    package init(
        label: String, subprotocol: String = "", ordered: Bool = true,
        reliability: Reliability = .reliable, priority: UInt16 = 256
    ) {
        self.label = label
        self.subprotocol = subprotocol
        self.ordered = ordered
        self.reliability = reliability
        self.priority = priority
    }

    /// Reads what follows the message type.
    fileprivate init(_ reader: inout ByteReader) throws(ParseError) {
        let type = try reader.read(UInt8.self)
        priority = try reader.read(UInt16.self)
        let parameter = try reader.read(UInt32.self)
        ordered = type & 0x80 == 0
        switch type & 0x7f {
        case 0: reliability = .reliable
        case 1: reliability = .retransmits(parameter)
        case 2: reliability = .lifetime(milliseconds: parameter)
        default: throw .invalid("DCEP channel type", value: UInt64(type), at: 1)
        }
        let labelCount = Int(try reader.read(UInt16.self))
        let subprotocolCount = Int(try reader.read(UInt16.self))
        guard max(labelCount, subprotocolCount) <= DCEPMessage.nameMaximum else {
            throw .tooMuch("data channel name", limit: DCEPMessage.nameMaximum)
        }
        // Bytes that are not UTF-8 become replacement characters: a name is for people.
        label = String(
            decoding: [UInt8](copying: try reader.read(count: labelCount)), as: UTF8.self)
        subprotocol = String(
            decoding: [UInt8](copying: try reader.read(count: subprotocolCount)), as: UTF8.self)
    }

    fileprivate func write(into out: inout [UInt8]) {
        let (kind, parameter): (UInt8, UInt32) =
            switch reliability {
            case .reliable: (0, 0)
            case .retransmits(let count): (1, count)
            case .lifetime(let milliseconds): (2, milliseconds)
            }
        out.append(0x03)
        out.append(kind | (ordered ? 0 : 0x80))
        out.append(bigEndian: priority)
        out.append(bigEndian: parameter)
        let label = label.utf8.prefix(DCEPMessage.nameMaximum)
        let subprotocol = subprotocol.utf8.prefix(DCEPMessage.nameMaximum)
        out.append(bigEndian: UInt16(label.count))
        out.append(bigEndian: UInt16(subprotocol.count))
        out.append(contentsOf: label)
        out.append(contentsOf: subprotocol)
    }
}
