import Media
import RTP
import Wire

/// What stands in front of an encoding of given packets: the shaper that brings them into the
/// normal form, and the numbers under which they are kept.
final class Intake {
    let encoding: Encoding
    private var shaper: PacketShaper
    private var shaped = ShapedPackets()
    private var generation: UInt16

    init(_ encoding: Encoding, answersNACK: Bool, _ rules: StreamRules) {
        self.encoding = encoding
        // Numbers of a publisher that repairs are kept, and its packets passed on as they are:
        // what is missing comes later, and B-frames do not come from browsers.
        shaper = PacketShaper(
            format: encoding.format, numbering: answersNACK ? .publisher : .own,
            bFrames: rules.bFrames, onLoss: rules.onLoss)
        generation = shaper.format.generation
    }

    struct Outcome {
        var formatChanged = false
        var wantsKey = false
        var refusesBFrames = false
    }

    func store(
        _ media: borrowing ItemBatch, _ items: Range<Int>, _ sequences: borrowing [Int64]
    ) -> Outcome {
        var outcome = Outcome()
        for item in items {
            shaper.shape(
                media.bytes(of: item), sequences[item], media.items[item].meta, into: &shaped)
        }
        for place in 0..<shaped.batch.count {
            let meta = shaped.batch.items[place].meta
            if meta.formatGeneration != generation {
                generation = meta.formatGeneration
                if let format = shaped.formats.first(where: { $0.generation == generation }) {
                    outcome.formatChanged = encoding.change(format) || outcome.formatChanged
                }
            }
            encoding.store(shaped.batch.bytes(of: place), meta, at: shaped.indices[place])
        }
        outcome.wantsKey = shaped.wantsKeyframe
        outcome.refusesBFrames = shaped.refusesBFrames
        shaped.clear()
        return outcome
    }
}
