package import Wire

// Devices come, stay and go.
extension GBPlatform {
    static let expiresRange = 60...604_800

    mutating func register(
        _ message: SIPMessage, _ route: GBRoute, at now: Instant,
        _ effects: inout [GBEffect]
    ) {
        guard let from = message.from, let to = message.to, from.uri.user == to.uri.user else {
            return answer(400, message, route, at: now, &effects)
        }
        let id = from.uri.user
        guard GBChannelID.isNumber(id), id != settings.id,
            devices[id] != nil || devices.count < Self.devicesMaximum,
            !registrar.isLocked(route.peer, at: now)
        else {
            figures.refused &+= 1
            return answer(403, message, route, at: now, &effects)
        }
        let verdict = registrar.judge(
            message, of: id, settings, lastNonce: devices[id]?.lastNonce ?? 0,
            from: route.peer, at: now)
        switch verdict {
        case .challenge(let isStale):
            let challenge = registrar.challenge(
                id, realm: settings.domain, isStale: isStale, for: route.peer, at: now)
            answer(
                401, message, route, at: now, &effects, [("WWW-Authenticate", challenge)])
        case .forbidden:
            figures.refused &+= 1
            answer(403, message, route, at: now, &effects)
        case .accepted(let nonceTime):
            bind(id, message, route, nonceTime, at: now, &effects)
        }
    }

    private mutating func bind(
        _ id: String, _ message: SIPMessage, _ route: GBRoute, _ nonceTime: UInt64,
        at now: Instant, _ effects: inout [GBEffect]
    ) {
        let header = message["Expires"].flatMap { Int(SIPText.trimmed($0)) }
        let asked = message.contact?.expires ?? header ?? 3600
        let range = Self.expiresRange
        let expires = asked == 0 ? 0 : min(max(asked, range.lowerBound), range.upperBound)
        figures.registrations &+= 1
        var device = devices[id] ?? GBDevice(id: id, route: route, at: now)
        device.lastNonce = nonceTime
        noteRoute(route, of: &device, at: now, &effects)
        device.userAgent = String((message["User-Agent"] ?? "").prefix(100))
        if let version = message["X-GB-Ver"] {
            device.version = String(SIPText.trimmed(version).prefix(8))
        }
        device.lastSign = now
        device.expiresAt = now + .seconds(Int64(expires))
        let isNew = !device.isOnline
        if isNew { device.registeredAt = now }
        if expires > 0, isNew {
            device.isOnline = true
            nextAsk = max(now, nextAsk) + Self.askingPace
            device.asksAt = nextAsk
            effects.append(.online(id))
        }
        devices[id] = device
        var more = [("Expires", String(expires))]
        if let contact = message["Contact"] {
            more.append(("Contact", "\(SIPParty.address(in: contact));expires=\(expires)"))
        }
        more.append(("Date", date(at: now)))
        answer(200, message, route, at: now, &effects, more)
        if expires == 0 { goOffline(id, "it said goodbye", at: now, &effects) }
    }

    /// In the time of Beijing and without a zone: this is how cameras set their clocks.
    private func date(at now: Instant) -> String {
        let local = now.nanoseconds &+ wall.nanoseconds &+ 8 * 3_600_000_000_000
        return String("\(CivilTime(nanoseconds: local))".dropLast())
    }

    /// The newest registration says where a device is. Two with one number fight for it.
    private mutating func noteRoute(
        _ route: GBRoute, of device: inout GBDevice, at now: Instant,
        _ effects: inout [GBEffect]
    ) {
        let isOther = device.route.peer.with(port: 0) != route.peer.with(port: 0)
        device.route = route
        guard isOther else { return }
        device.routeChanges.append(now)
        device.routeChanges.removeAll { now - $0 > .seconds(60) }
        guard device.routeChanges.count > 3 else { return }
        device.routeChanges = []
        effects.append(
            .duplicate(
                "\(device.id) registers from different addresses again and again, last from "
                    + "\(route.peer): two devices have one number"))
    }

    /// The heart has missed its beats, and one more.
    func offlineAt(_ device: GBDevice) -> Instant {
        let silence = settings.keepAlive * (settings.keepAliveCount + 1)
        return min(device.expiresAt, device.lastSign + silence)
    }

    mutating func goOffline(
        _ id: String, _ why: String, at now: Instant, _ effects: inout [GBEffect]
    ) {
        guard devices[id]?.isOnline == true else { return }
        devices[id]?.isOnline = false
        devices[id]?.collector = nil
        devices[id]?.asksAt = nil
        effects.append(.offline(id, why: why))
        // Nobody is there to be told.
        for call in Array(calls.values) where call.id.device == id {
            release(
                call.id, GBFailure(.offline, "the device went offline: \(why)"), at: now,
                &effects)
        }
    }

    // MARK: - What devices say

    mutating func takeMessage(
        _ message: SIPMessage, _ route: GBRoute, at now: Instant,
        _ effects: inout [GBEffect]
    ) {
        guard let id = sender(of: message, route, at: now) else {
            // It registers anew then, instead of waiting for an answer.
            figures.refused &+= 1
            return answer(403, message, route, at: now, &effects)
        }
        guard let said = try? DeviceMessage(message.body, text) else {
            return answer(message.body.isEmpty ? 200 : 400, message, route, at: now, &effects)
        }
        answer(200, message, route, at: now, &effects)
        devices[id]?.ladder.note(
            "\(said.kind.rawValue) \(said.command)", isFromDevice: true, at: now)
        if devices[id]?.isOnline == false {
            devices[id]?.isOnline = true
            devices[id]?.asksAt = now
            effects.append(.online(id))
        }
        switch (said.kind, said.command.lowercased()) {
        case (.notify, "keepalive"):
            figures.keepAlives &+= 1
            devices[id]?.keepAlives &+= 1
        case (.response, "catalog"): takeCatalogue(said, of: id, at: now, &effects)
        case (.response, "deviceinfo"): takeInfo(said, of: id)
        case (.notify, "catalog"): takeChanges(said, of: id)
        case (.notify, "alarm"): takeAlarm(said, of: id, at: now, &effects)
        case (.response, "devicecontrol"), (.response, "devicestatus"),
            (.notify, "mediastatus"), (.notify, "mobileposition"):
            break
        default: figures.unknownCommands &+= 1
        }
    }

    /// Who says it: a device whose registration holds, from the address it registered from. The
    /// port may be another one: NATs of mobile networks change it.
    private mutating func sender(
        of message: SIPMessage, _ route: GBRoute, at now: Instant
    ) -> String? {
        guard let user = message.from?.uri.user else { return nil }
        // Recorders say things of a channel in the name of the channel.
        let id = devices[user] != nil ? user : owner(of: user, route)
        guard let id, let device = devices[id], device.expiresAt > now,
            device.route.peer.with(port: 0) == route.peer.with(port: 0)
        else { return nil }
        devices[id]?.route = route
        devices[id]?.lastSign = now
        return id
    }

    private func owner(of channel: String, _ route: GBRoute) -> String? {
        devices.values.first { $0.route == route && $0.channels[channel] != nil }?.id
    }

    private mutating func takeInfo(_ said: DeviceMessage, of id: String) {
        func text(_ name: String) -> String { String((said.content.value(name) ?? "").prefix(100)) }
        devices[id]?.name = text("DeviceName")
        devices[id]?.manufacturer = text("Manufacturer")
        devices[id]?.model = text("Model")
        devices[id]?.firmware = text("Firmware")
    }

    private mutating func takeAlarm(
        _ said: DeviceMessage, of id: String, at now: Instant, _ effects: inout [GBEffect]
    ) {
        let method = said.content.value("AlarmMethod") ?? "?"
        let kind = said.content["Info"]?.value("AlarmType") ?? "-"
        let words = String((said.content.value("AlarmDescription") ?? "").prefix(200))
        effects.append(
            .alarm(
                device: id, channel: said.deviceID, text: "method \(method) type \(kind) \(words)"))
        guard let number = Int(said.number) else { return }
        say(
            .response, "Alarm", number: number, about: said.deviceID, to: id,
            [("Result", "OK")], at: now, &effects)
    }

    // MARK: - Catalogues

    mutating func askCatalogue(
        _ id: String, at now: Instant, _ effects: inout [GBEffect]
    ) {
        devices[id]?.collector = GBCollector(number: number + 1, at: now)
        ask("Catalog", id, at: now, &effects)
    }

    /// Asks a device anew for its channels.
    ///
    /// - Returns: False: it is not there.
    package mutating func synchronise(
        _ id: String, at now: Instant, into effects: inout [GBEffect]
    ) -> Bool {
        guard devices[id]?.isOnline == true else { return false }
        askCatalogue(id, at: now, &effects)
        return true
    }

    private mutating func takeCatalogue(
        _ said: DeviceMessage, of id: String, at now: Instant, _ effects: inout [GBEffect]
    ) {
        guard let number = devices[id]?.collector?.number, said.number == String(number) else {
            return
        }
        if devices[id]?.collector?.take(said, at: now) == true {
            finishCatalogue(id, isWhole: true, &effects)
        }
    }

    /// Only a whole list says what is gone.
    mutating func finishCatalogue(
        _ id: String, isWhole: Bool, _ effects: inout [GBEffect]
    ) {
        guard let items = devices[id]?.collector?.items else { return }
        devices[id]?.collector = nil
        devices[id]?.catalogueIsWhole = isWhole
        if isWhole {
            devices[id]?.channels = items
        } else {
            devices[id]?.channels.merge(items) { $1 }
        }
        effects.append(
            .catalogue(id, channels: devices[id]?.channels.count ?? 0, isWhole: isWhole))
    }

    private mutating func takeChanges(_ said: DeviceMessage, of id: String) {
        for item in said.content["DeviceList"]?.all("Item") ?? [] {
            guard let channel = GBChannel(item) else { continue }
            switch (item.value("Event") ?? "").uppercased() {
            case "DEL": devices[id]?.channels[channel.id] = nil
            case "ON": devices[id]?.channels[channel.id]?.isOn = true
            case "OFF", "VLOST", "DEFECT": devices[id]?.channels[channel.id]?.isOn = false
            case "ADD", "UPDATE":
                let count = devices[id]?.channels.count ?? 0
                if count < GBCollector.itemsMaximum {
                    devices[id]?.channels[channel.id] = channel
                }
            default: break
            }
        }
    }
}
