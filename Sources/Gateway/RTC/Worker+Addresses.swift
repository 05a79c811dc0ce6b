import ICE
import SDP
import System
import Wire

// The addresses that answers name: one worker finds them out, all of them use them.
extension Worker {
    /// What was found out holds until it is found out anew.
    func take(_ settings: RTCSettings, _ rtc: RTCDesk) {
        let known = rtc.settings
        rtc.settings = settings
        guard let sources = settings.sources else {
            rtc.keeper = nil
            return
        }
        if sources == known.sources { rtc.settings.addresses = known.addresses }
        guard plan.index == 0 else { return }
        if rtc.keeper == nil { rtc.keeper = AddressKeeper(sources, at: now) }
        rtc.keeper?.change(to: sources, at: now)
    }

    func serveAddresses(_ rtc: RTCDesk) {
        guard let due = rtc.keeper?.deadline, due <= now else { return }
        let (neighbours, index) = (neighbours, plan.index)
        for host in rtc.keeper?.takeDueNames(at: now) ?? [] {
            rtc.resolver?.resolve(host) {
                neighbours.post(.rtc(.resolved(host, $0)), to: index)
            }
        }
        askServers(rtc)
        publishAddresses(rtc)
    }

    func resolved(_ host: String, _ answer: Resolver.Answer, _ rtc: RTCDesk) {
        if let reason = rtc.keeper?.resolved(host, answer) {
            log.warning("look up \(host): \(reason)")
        }
        askServers(rtc)
        publishAddresses(rtc)
    }

    private func askServers(_ rtc: RTCDesk) {
        var dice = SplitMix64(seed: rtc.dice.next())
        if let servers = rtc.keeper?.begin(dice: &dice, at: now) {
            neighbours.postToAll(.rtc(.asking(servers)))
        }
        var out = ICEOutput()
        rtc.keeper?.expire(at: now, into: &out)
        let bytes = out.bytes
        for case .send(let route, let range) in out.entries {
            send(bytes.raw.extracting(range), on: route)
        }
    }

    /// - Returns: Whether it was an answer of a STUN server. The kernel gives it to any worker: the
    ///   port is everybody's.
    func receiveServersAnswer(_ datagram: RawSpan, _ route: Route, _ rtc: RTCDesk) -> Bool {
        guard rtc.askedServers.contains(route.remote) else { return false }
        guard rtc.keeper != nil else {
            forward(datagram, route, to: 0, rtc)
            return true
        }
        guard rtc.keeper?.receive(datagram, from: route.remote) == true else { return false }
        publishAddresses(rtc)
        return true
    }

    private func publishAddresses(_ rtc: RTCDesk) {
        guard let found = rtc.keeper?.advertised, found != rtc.settings.addresses else { return }
        found.note(in: log)
        rtc.settings.addresses = found
        neighbours.postToAll(.rtc(.addresses(found)))
    }
}

extension AdvertisedAddresses {
    /// Whoever has no connection finds here where peers were sent to.
    func note(in log: Log) {
        let list = addresses.map(\.description).joined(separator: ", ")
        let ways = candidates.contains { $0.tcpType != nil } ? "UDP, TCP" : "UDP"
        log.info("viewers and publishers are sent to \(list), over \(ways)")
        for warning in warnings { log.warning("\(warning)") }
    }
}
