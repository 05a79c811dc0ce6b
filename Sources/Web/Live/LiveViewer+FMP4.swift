import Containers
import HTTP
import Media
import Stream
import Wire

extension LiveViewer {
    /// - Returns: False while the configuration of a track is not known.
    mutating func beginFMP4(_ present: [PresentSlot], _ out: inout Outbox) -> Bool {
        guard let start = try? fmp4?.begin(present) else { return false }
        announce(start, &out)
        return true
    }

    mutating func sendFMP4(_ item: borrowing ReadItem, _ out: inout Outbox) {
        // A page opens another buffer when it is told of another track; a player of a file that
        // goes on without end cannot.
        let mayAdd = framing == .webSocket
        do throws(FMP4Error) {
            if let start = try fmp4?.prepare(item, mayAdd: mayAdd) { announce(start, &out) }
        } catch {
            // What nobody could decode without its configuration.
            return
        }
        guard let sample = fmp4?.next(item) else { return }
        let count = item.bytes.byteCount
        framing.open(FMP4Sample.headCount + count, into: &out)
        out.append(maximum: FMP4Sample.headCount) { window in
            sample.writeHead(count: count, into: &window)
            return FMP4Sample.headCount
        }
        if let chunk = item.chunk { out.append(chunk) } else { out.append(item.bytes) }
        framing.close(into: &out)
    }

    /// Over WebSocket the type comes first, as a message of text (as go2rtc has it): a page opens
    /// its buffer with that.
    private func announce(_ start: FMP4Outlet.Start, _ out: inout Outbox) {
        var json = JSONWriter()
        json.object { json in
            json.field("type", "mse")
            json.field("value", start.type)
        }
        framing.say(json.bytes, into: &out)
        write(start.segment, &out)
    }
}
