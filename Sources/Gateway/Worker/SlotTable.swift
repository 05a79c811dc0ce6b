/// Objects of one worker found by a small index, so other tables can be plain arrays beside it.
///
/// An index is reused after its object is gone; an `Identity` is not: it carries a generation, so a
/// letter or timer that names an object which has ended finds nothing instead of a stranger.
package struct SlotTable<Element: AnyObject> {
    package struct Identity: Hashable, Sendable {
        package var index: Int
        package var generation: UInt32
    }

    private var elements: [Element?] = []
    private var generations: [UInt32] = []
    private var free: [Int] = []

    package private(set) var count = 0

    package init() {}

    package mutating func insert(_ element: Element) -> Identity {
        count += 1
        if let index = free.popLast() {
            elements[index] = element
            return Identity(index: index, generation: generations[index])
        }
        elements.append(element)
        generations.append(0)
        return Identity(index: elements.count - 1, generation: 0)
    }

    package subscript(index: Int) -> Element? {
        elements.indices.contains(index) ? elements[index] : nil
    }

    package subscript(identity: Identity) -> Element? {
        guard elements.indices.contains(identity.index),
            generations[identity.index] == identity.generation
        else { return nil }
        return elements[identity.index]
    }

    @discardableResult
    package mutating func remove(_ index: Int) -> Element? {
        guard let element = self[index] else { return nil }
        elements[index] = nil
        generations[index] &+= 1
        free.append(index)
        count -= 1
        return element
    }

    /// Visits what is in the table at the time of the call; the body may remove and insert.
    package func forEach(_ body: (Element) -> Void) {
        for element in elements { element.map(body) }
    }
}
