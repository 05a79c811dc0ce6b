package import Wire

/// What all readers of a slot use together, and when its publisher hears of it.
extension Stream {
    /// What one reader can use: a relay, or a viewer whose path is narrow.
    ///
    /// - Parameter reader: Its number among the readers of the rendition; nil takes it back, which
    ///   goes before `close`.
    package func setDemand(
        _ demand: Demand?, of rendition: Rendition, by reader: UInt64, at now: Instant,
        into orders: inout Orders
    ) {
        rendition.setDemand(demand, by: reader)
        // Taken back: until the `close` that follows it would count as one without a limit.
        if demand != nil { tellDemand(at: now, into: &orders) }
    }

    func tellDemand(at now: Instant, into orders: inout Orders) {
        guard let source else { return }
        for index in slots.indices {
            guard let given = slots[index].given, !given.encodings.isEmpty,
                let change = slots[index].demand?.change(to: demand(of: given), at: now)
            else { continue }
            orders.append(.demand(source.epoch, slots[index].name, change))
        }
    }

    var demandDeadline: Instant {
        guard source != nil else { return .distantFuture }
        return slots.reduce(Instant.distantFuture) { soonest, slot in
            guard let given = slot.given, let told = slot.demand, !given.encodings.isEmpty else {
                return soonest
            }
            return min(soonest, told.deadline(for: demand(of: given)))
        }
    }

    /// What is made of a rendition needs of it what its own readers need.
    private func demand(of rendition: Rendition) -> Demand {
        var made = 0
        var most = Demand.nothing
        for derivation in derivations where derivation.parent === rendition {
            made += 1
            let child = demand(of: derivation.child)
            // Bits of another form or codec say nothing about the parent's.
            if child != .nothing {
                most = most.union(Demand(bits: .max, highestLayer: child.highestLayer))
            }
        }
        return most.union(rendition.demand(without: made))
    }
}
