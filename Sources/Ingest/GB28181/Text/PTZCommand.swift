import Wire

/// The eight bytes that move a camera (GB/T 28181 annex A.3), as 16 hexadecimal digits.
package enum PTZCommand: Equatable, Sendable {
    /// Speeds are 0 to 255, of the zoom 0 to 15; a sign says where to.
    case move(pan: Int, tilt: Int, zoom: Int)
    /// Above zero: near, open.
    case lens(focus: Int, iris: Int)
    case preset(PresetAction, UInt8)

    package enum PresetAction: UInt8, Sendable {
        case set = 0x81
        case call = 0x82
        case delete = 0x83
    }

    package static let stop = PTZCommand.move(pan: 0, tilt: 0, zoom: 0)

    package var text: String {
        var bytes: [UInt8] = [0xa5, 0x0f, 0x01] + fields
        bytes.append(bytes.reduce(0) { $0 &+ $1 })
        return Hex.encode(bytes.raw).uppercased()
    }

    /// Command, two data bytes, and the nibble above the address.
    private var fields: [UInt8] {
        switch self {
        case .move(let pan, let tilt, let zoom):
            var code: UInt8 = pan > 0 ? 1 : pan < 0 ? 2 : 0
            code |= tilt < 0 ? 4 : tilt > 0 ? 8 : 0
            code |= zoom > 0 ? 0x10 : zoom < 0 ? 0x20 : 0
            let nibble = UInt8(min(15, zoom.magnitude))
            return [code, Self.byte(pan), Self.byte(tilt), nibble << 4]
        case .lens(let focus, let iris):
            var code: UInt8 = 0x40 | (focus < 0 ? 1 : focus > 0 ? 2 : 0)
            code |= iris > 0 ? 4 : iris < 0 ? 8 : 0
            return [code, Self.byte(focus), Self.byte(iris), 0]
        case .preset(let action, let number): return [action.rawValue, 0, number, 0]
        }
    }

    private static func byte(_ speed: Int) -> UInt8 { UInt8(min(255, speed.magnitude)) }
}
