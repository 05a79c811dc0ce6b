package import Wire

/// What time does to a stream.
extension Stream {
    /// When `expire` is due next. Computed anew: asked once per turn, never per packet.
    package var deadline: Instant {
        var soonest = Instant.distantFuture
        func consider(_ instant: Instant?) {
            if let instant, instant < soonest { soonest = instant }
        }
        if isDeriving { return .start }
        consider(graceUntil)
        consider(stopSourceAt)
        consider(waiters.hasReleased ? .start : waiters.deadline)
        consider(demandDeadline)
        if !wasReady { consider(source?.firstMedia.map { $0 + rules.readyAfter }) }
        for derivation in derivations { consider(derivation.deadline) }
        for slot in slots {
            for rendition in slot.renditions {
                if !rendition.isGiven { consider(rendition.dropAt) }
                for encoding in rendition.encodings { consider(encoding.keyDeadline) }
            }
        }
        return soonest
    }

    package func expire(at now: Instant, into orders: inout Orders) {
        if isDeriving || derivations.contains(where: { $0.deadline <= now }) {
            derive(at: now, into: &orders)
            dirty = true
        }
        noteReadiness(at: now, into: &orders)
        tellWaiters(at: now, into: &orders)
        expireKeys(at: now, into: &orders)
        dropUnread(at: now, into: &orders)
        tellDemand(at: now, into: &orders)
        if let at = stopSourceAt, at <= now {
            stopSourceAt = nil
            orders.append(.stopSource)
        }
        if let until = graceUntil, until <= now { endGrace(into: &orders) }
    }

    /// Nothing holds it: no publisher, place, reader or waiter.
    package var isFree: Bool {
        source == nil && graceUntil == nil && waiters.isEmpty && readerCount == 0
            && !sourceIsWanted
    }

    private func noteReadiness(at now: Instant, into orders: inout Orders) {
        guard source?.firstMedia != nil else { return }
        noteMedia(at: now, into: &orders)
    }

    private func tellWaiters(at now: Instant, into orders: inout Orders) {
        waiters.takeReleased { id, result in orders.append(.tell(id, result)) }
        while let id = waiters.expire(at: now) {
            let refusal = Refusal(.timeout, "nobody published \(name) in time")
            orders.append(.tell(id, .failed(refusal)))
        }
        if isFree { orders.append(.free) }
    }

    private func expireKeys(at now: Instant, into orders: inout Orders) {
        guard source != nil else { return }
        for slot in slots {
            guard let given = slot.given else { continue }
            for encoding in given.encodings where encoding.expireKey(at: now) {
                orderKey(slot.name, encoding, into: &orders)
            }
        }
    }

    private func dropUnread(at now: Instant, into orders: inout Orders) {
        for index in slots.indices {
            let unread = slots[index].renditions.filter { rendition in
                guard !rendition.isGiven, let at = rendition.dropAt else { return false }
                return at <= now
            }
            guard !unread.isEmpty else { continue }
            removeDerivations(at: now, into: &orders) { derivation in
                unread.contains { $0 === derivation.child }
            }
            for rendition in unread { rendition.giveUp() }
            slots[index].renditions.removeAll { rendition in
                unread.contains { $0 === rendition }
            }
        }
    }

    private func endGrace(into orders: inout Orders) {
        graceUntil = nil
        sourceIsWanted = false
        removeDerivations(at: .start, into: &orders) { _ in true }
        for slot in slots { for rendition in slot.renditions { rendition.giveUp() } }
        slots.removeAll()
        orders.append(.endReaders(.publisherGone))
        orders.append(.changed)
        if isFree { orders.append(.free) }
    }
}
