package import Media

/// A place in a stream: video0, audio0, audio1 …, data0. Viewers subscribe to slots, never to the
/// tracks of a publisher, so that a slot may be empty, filled late, and filled again.
package struct SlotName: Hashable, Sendable, CustomStringConvertible {
    package var kind: Codec.Kind
    package var number: UInt8

    package init(_ kind: Codec.Kind, _ number: UInt8 = 0) {
        self.kind = kind
        self.number = number
    }

    package static let video = SlotName(.video)
    package static let audio = SlotName(.audio)
    package static let data = SlotName(.data)

    package var description: String {
        switch kind {
        case .video: "video\(number)"
        case .audio: "audio\(number)"
        case .data: "data\(number)"
        }
    }
}

/// What a rendition consists of: whole frames, or RTP payloads in the normal form of the house.
package enum Form: UInt8, Hashable, Sendable { case frames, packets }

/// Which rendition: the name under which viewers find it, whoever publishes.
package struct RenditionKey: Hashable, Sendable, CustomStringConvertible {
    package var slot: SlotName
    package var codec: Codec
    package var form: Form

    package init(slot: SlotName, codec: Codec, form: Form) {
        self.slot = slot
        self.codec = codec
        self.form = form
    }

    package var description: String { "\(slot) \(codec.name) \(form)" }
}

/// One incarnation of a publisher: 1, 2, 3 … Everything that travels names it, and what names an
/// older one is dropped on arrival.
package typealias Epoch = UInt32

/// Which sequence of a rendition: the epoch, and the layer's place in the publisher's announcement
/// (0 for the only one). Unique in a rendition for the life of the stream.
package struct EncodingID: Hashable, Sendable {
    package var epoch: Epoch
    package var layer: UInt8

    package init(epoch: Epoch, layer: UInt8) {
        self.epoch = epoch
        self.layer = layer
    }
}
