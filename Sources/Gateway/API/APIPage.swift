import HTTP
import Wire

/// Which part of a list is asked for: `?page=2&itemsPerPage=50`, counted from 1.
struct APIPage {
    private static let itemsMaximum = 1000
    private let number: Int
    private let size: Int

    init(_ target: HTTPTarget) throws(Problem) {
        number = try Self.read(target, "page", 1, 1...1_000_000)
        size = try Self.read(target, "itemsPerPage", 100, 1...Self.itemsMaximum)
    }

    private static func read(
        _ target: HTTPTarget, _ name: String, _ usual: Int, _ range: ClosedRange<Int>
    ) throws(Problem) -> Int {
        guard let text = target.query(name) else { return usual }
        guard let value = Int(text), range.contains(value) else {
            throw Problem(
                .badRequest, "\(name): a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func write<Item>(
        _ items: [Item], into json: inout JSONWriter, _ body: (Item, inout JSONWriter) -> Void
    ) {
        let start = min((number - 1) * size, items.count)
        json.object { json in
            json.field("page", number)
            json.field("itemsPerPage", size)
            json.field("itemCount", items.count)
            json.field("pageCount", (items.count + size - 1) / size)
            json.array("items") { json in
                for item in items[start..<min(start + size, items.count)] { body(item, &json) }
            }
        }
    }
}
