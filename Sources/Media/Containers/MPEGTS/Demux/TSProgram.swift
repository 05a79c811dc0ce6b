package import Media
import Wire

/// One elementary stream, as the map of its program names it.
package struct TSElement: Equatable, Sendable {
    package var pid: UInt16
    package var streamType: UInt8
    /// nil: nothing that anybody here can be given.
    package var codec: Codec?
    /// AAC in LATM instead of ADTS.
    package var isLATM = false
    /// Opus, from its descriptor.
    package var channels: Int32 = 2
    /// For people: of what is not carried as well.
    package var name: String
}

/// The two tables that lead to the elementary streams (ISO/IEC 13818-1 §2.4.4.3 and §2.4.4.8).
enum TSProgram {
    /// More streams than a stream of ours has slots are not looked at.
    static let elementsMaximum = 32

    /// - Parameter wanted: The program's number; nil: the first one.
    /// - Returns: The PID of its map.
    static func mapPID(
        association section: [UInt8], wanted: UInt16?
    ) -> (program: UInt16, pid: UInt16)? {
        var reader = ByteReader(section.raw)
        do throws(ParseError) {
            guard try reader.read(UInt8.self) == 0x00 else { return nil }
            try reader.skip(7)
            while reader.remaining >= 4 {
                let number = try reader.read(UInt16.self)
                let pid = try reader.read(UInt16.self) & 0x1fff
                // Number 0 is the network's own table.
                if number != 0, wanted == nil || number == wanted { return (number, pid) }
            }
        } catch {}
        return nil
    }

    /// - Returns: nil for a section that is not the map of that program.
    static func elements(map section: [UInt8], program: UInt16) -> [TSElement]? {
        var reader = ByteReader(section.raw)
        var elements: [TSElement] = []
        do throws(ParseError) {
            guard try reader.read(UInt8.self) == 0x02 else { return nil }
            try reader.skip(2)
            guard try reader.read(UInt16.self) == program else { return nil }
            try reader.skip(5)
            try reader.skip(Int(try reader.read(UInt16.self) & 0x0fff))
            while reader.remaining >= 5, elements.count < elementsMaximum {
                let type = try reader.read(UInt8.self)
                let pid = try reader.read(UInt16.self) & 0x1fff
                let count = Int(try reader.read(UInt16.self) & 0x0fff)
                let descriptors = TSDescriptors(try reader.read(count: count))
                elements.append(element(pid, type, descriptors))
            }
        } catch {}
        return elements
    }

    private static func element(
        _ pid: UInt16, _ type: UInt8, _ descriptors: TSDescriptors
    ) -> TSElement {
        var element = TSElement(pid: pid, streamType: type, codec: nil, name: "")
        switch type {
        case 0x1b: element.codec = .h264
        case 0x24: element.codec = .h265
        // The header of each frame says which layer it is.
        case 0x03, 0x04: element.codec = .mp3
        case 0x0f: element.codec = .aac
        case 0x11: (element.codec, element.isLATM) = (.aac, true)
        case 0x81: element.codec = .ac3
        case 0x87: element.codec = .eac3
        // Cameras of a maker who numbers G.711 so.
        case 0x90: element.codec = .pcma
        case 0x91: element.codec = .pcmu
        case 0x06: element.codec = descriptors.codec
        default: break
        }
        if element.codec == .opus, let channels = descriptors.opusChannels {
            element.channels = channels
        }
        element.name = element.codec?.name ?? name(of: type, descriptors)
        return element
    }

    private static func name(of type: UInt8, _ descriptors: TSDescriptors) -> String {
        switch (type, descriptors.registration) {
        case (0x01, _), (0x02, _): "MPEG-2 video"
        case (0x10, _): "MPEG-4 Visual"
        case (0x33, _): "H.266"
        case (0x86, _), (_, "CUEI"): "SCTE-35"
        case (0x15, "KLVA"), (0x06, "KLVA"): "KLV"
        case (0x15, _): "metadata"
        case (_, "AV01"): "AV1"
        case (_, "BSSD"): "SMPTE 302M"
        default: descriptors.name ?? "stream type \(type)"
        }
    }
}

/// What the descriptors of an elementary stream say of private data (§2.6; ETSI EN 300 468).
struct TSDescriptors: Sendable {
    /// Four letters; empty: there is none.
    var registration = ""
    var codec: Codec?
    var opusChannels: Int32?
    var name: String?

    init(_ bytes: RawSpan) {
        var reader = ByteReader(bytes)
        do throws(ParseError) {
            while reader.remaining >= 2 {
                let tag = try reader.read(UInt8.self)
                let body = try reader.read(count: Int(try reader.read(UInt8.self)))
                note(tag, body)
            }
        } catch {}
    }

    private mutating func note(_ tag: UInt8, _ body: RawSpan) {
        switch tag {
        case 0x05 where body.byteCount >= 4:
            registration = body.string(0..<4)
            if let known = Self.codec(registration) { codec = known }
        case 0x6a: codec = .ac3
        case 0x7a: codec = .eac3
        case 0x56: name = "teletext"
        case 0x59: name = "subtitles"
        // The extension of Opus: its configuration of channels; 0 is two of one.
        case 0x7f where body.byteCount >= 2 && body.byte(at: 0) == 0x80:
            let code = body.byte(at: 1)
            opusChannels = (1...8).contains(code) ? Int32(code) : 2
        default: break
        }
    }

    private static func codec(_ registration: String) -> Codec? {
        switch registration {
        case "Opus": .opus
        case "HEVC": .h265
        case "AC-3": .ac3
        case "EAC3": .eac3
        default: nil
        }
    }
}
