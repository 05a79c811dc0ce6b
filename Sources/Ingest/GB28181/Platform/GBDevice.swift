package import Wire

/// A camera, recorder or lower platform that has registered.
package struct GBDevice: Sendable {
    package let id: String
    package internal(set) var route: GBRoute
    package internal(set) var isOnline = false
    package internal(set) var registeredAt: Instant
    package internal(set) var expiresAt: Instant
    package internal(set) var lastSign: Instant
    package internal(set) var keepAlives: UInt64 = 0
    package internal(set) var userAgent = ""
    package internal(set) var version = "2.0"
    package internal(set) var name = ""
    package internal(set) var manufacturer = ""
    package internal(set) var model = ""
    package internal(set) var firmware = ""
    package internal(set) var channels: [String: GBChannel] = [:]
    package internal(set) var catalogueIsWhole = false
    package internal(set) var ladder = GBLadder()

    /// When the nonce of its last registration was made: no older one counts again.
    var lastNonce: UInt64 = 0
    var collector: GBCollector?
    /// Questions after a registration.
    var asksAt: Instant?
    var routeChanges: [Instant] = []

    init(id: String, route: GBRoute, at now: Instant) {
        self.id = id
        self.route = route
        (registeredAt, expiresAt, lastSign) = (now, now, now)
    }

    package var sortedChannels: [GBChannel] { channels.values.sorted { $0.id < $1.id } }
}

/// A resource of a device, as its catalogue names it.
package struct GBChannel: Equatable, Sendable {
    package enum Kind: String, Sendable {
        case camera, device, directory, other

        /// By the type in the number (annex D).
        init(_ id: String) {
            guard GBChannelID.isNumber(id) else {
                // Two to eight digits: an administrative region.
                self = .directory
                return
            }
            switch Int(id.dropFirst(10).prefix(3)) ?? 0 {
            case 131, 132: self = .camera
            case 111...118: self = .device
            case 200, 215, 216: self = .directory
            default: self = .other
            }
        }
    }

    package var id: String
    package var name: String
    package var manufacturer: String
    package var model: String
    package var parent: String
    package var isOn: Bool
    package var ptzType: Int
    package var longitude: String
    package var latitude: String

    package var kind: Kind { Kind(id) }

    private static let textMaximum = 256

    /// nil: an item without a number.
    init?(_ item: XMLNode) {
        func text(_ name: String) -> String {
            String((item.value(name) ?? "").prefix(Self.textMaximum))
        }
        id = text("DeviceID")
        guard !id.isEmpty, id.utf8.count <= 32 else { return nil }
        name = text("Name")
        manufacturer = text("Manufacturer")
        model = text("Model")
        parent = text("ParentID")
        longitude = text("Longitude")
        latitude = text("Latitude")
        ptzType = item["Info"]?.number("PTZType") ?? item.number("PTZType") ?? 0
        let status = text("Status").uppercased()
        isOn = !["OFF", "OFFLINE", "0", "VLOST", "DEFECT"].contains(status)
    }
}

/// Puts an answer in many parts together: in any order, doubled, with a total that may change.
struct GBCollector: Sendable {
    /// After the last part.
    static let patience = Interval.seconds(10)
    static let itemsMaximum = 100_000

    let number: Int
    var total: Int?
    var items: [String: GBChannel] = [:]
    var lastPart: Instant

    init(number: Int, at now: Instant) {
        self.number = number
        lastPart = now
    }

    /// - Returns: Whether all is there.
    mutating func take(_ message: DeviceMessage, at now: Instant) -> Bool {
        lastPart = now
        total = message.content.number("SumNum") ?? total ?? 0
        for item in message.content["DeviceList"]?.all("Item") ?? [] {
            guard let channel = GBChannel(item), items.count < Self.itemsMaximum else { continue }
            items[channel.id] = channel
        }
        return items.count >= total ?? 0
    }

    var deadline: Instant { lastPart + Self.patience }
}

/// What was said between a device and us, the last of it: for people who look for what is wrong.
package struct GBLadder: Sendable {
    package struct Step: Equatable, Sendable {
        package var at: Instant
        package var isFromDevice: Bool
        package var text: String
    }

    static let stepsMaximum = 64

    package private(set) var steps: [Step] = []

    mutating func note(_ text: String, isFromDevice: Bool, at now: Instant) {
        if steps.count == Self.stepsMaximum { steps.removeFirst() }
        steps.append(
            Step(at: now, isFromDevice: isFromDevice, text: String(text.prefix(120))))
    }
}
