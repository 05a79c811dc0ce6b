import Wire

/// Which path media takes, and when it moves.
extension LiteAgent {
    /// The selected path is given up for another nominated one after this silence on it. Chrome
    /// checks a stable pair every 2.5 s.
    static let nominationMoveAfter = Interval.milliseconds(2500)
    /// The same for a path that comes from where our candidate was already reached, with the same
    /// priority: a NAT has given the peer another port.
    static let rebindingMoveAfter = Interval.milliseconds(100)
    /// The same for a path on which newer media has arrived: feedback comes every 50 to 100 ms,
    /// and two paths may overlap while the peer moves.
    static let mediaMoveAfter = Interval.milliseconds(250)

    func index(of route: Route) -> Int? {
        // Nearly every packet comes on the selected path.
        if let selectedIndex, paths[selectedIndex].route == route { return selectedIndex }
        return paths.firstIndex { $0.route == route }
    }

    /// The path of the route, made if need be; the least useful one gives way in a full table.
    mutating func learn(_ route: Route, at now: Instant) -> Int {
        if let index = index(of: route) { return index }
        if paths.count == Self.pathLimit {
            let worst = paths.indices.filter { $0 != selectedIndex }.min {
                (paths[$0].isNominated ? 1 : 0, paths[$0].lastHeard)
                    < (paths[$1].isNominated ? 1 : 0, paths[$1].lastHeard)
            }
            if let worst { remove(worst) }
        }
        paths.append(Path(route: route, generation: generation.number, at: now))
        return paths.count - 1
    }

    mutating func remove(_ index: Int) {
        if validation?.route == paths[index].route { validation = nil }
        paths.remove(at: index)
        guard let selected = selectedIndex else { return }
        if selected == index {
            selectedIndex = nil
        } else if selected > index {
            selectedIndex = selected - 1
        }
    }

    /// A request with USE-CANDIDATE, not seen before, has come on this path.
    ///
    /// Chrome and Safari nominate one pair and repeat it; Firefox nominates each pair that works,
    /// even towards a lite agent, so a nomination alone is no reason to leave a path that works.
    ///
    /// - Parameter silence: How long nothing had come on the selected path.
    mutating func nominated(
        _ index: Int, silence: Interval, at now: Instant, into out: inout ICEOutput
    ) {
        guard index != selectedIndex else { return }
        guard let selectedIndex else {
            select(index, at: now, into: &out)
            return
        }
        let old = paths[selectedIndex]
        let new = paths[index]
        let isRebound =
            new.priority == old.priority && new.route.local == old.route.local
            && !new.route.isTCP && !old.route.isTCP
        let moves =
            new.generation != old.generation || !old.isNominated
            || (new.priority ?? 0) > (old.priority ?? 0)
            || silence >= (isRebound ? Self.rebindingMoveAfter : Self.nominationMoveAfter)
        if moves { select(index, at: now, into: &out) }
    }

    /// Whether what comes on an unknown route may be the peer's: a NAT has given it another port,
    /// which the peer does not know before its next check (Chrome: after up to 2.5 s).
    func mayHaveStrayed(to route: Route, at now: Instant) -> Bool {
        guard isConnected, !hasEnded, !route.isTCP, let selected, !selected.route.isTCP else {
            return false
        }
        return now - selected.lastHeard >= Self.mediaMoveAfter
    }

    /// Something authentic, and ahead of all before it, came on an unknown route while the selected
    /// one is silent: media follows, three times what came, until the new one is proved.
    mutating func strayed(
        _ count: Int, to route: Route, at now: Instant, into out: inout ICEOutput
    ) {
        guard mayHaveStrayed(to: route, at: now) else { return }
        let index = learn(route, at: now)
        paths[index].bytesIn += count
        alive(at: now, into: &out)
        select(index, at: now, into: &out)
    }

    mutating func select(_ index: Int, at now: Instant, into out: inout ICEOutput) {
        let old = selected
        selectedIndex = index
        out.append(.selected(paths[index].route))
        guard !paths[index].isValidated else {
            validation = nil
            return
        }
        // The first path is validated by the handshake, which has not begun.
        guard old != nil || isConnected else { return }
        validation = Validation(
            route: paths[index].route, fallback: old?.isValidated == true ? old?.route : nil,
            at: now)
        continueValidation(at: now, into: &out)
    }
}
