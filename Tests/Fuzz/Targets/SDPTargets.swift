import ICE
import SDP
import Wire

/// A session description of anybody: what is read can be written, and reads again. As an offer it
/// is answered or refused with a status.
func fuzzSDP(_ bytes: RawSpan) {
    guard let description = try? SDPDescription(bytes) else { return }
    let written = SDPWriter.write(description)
    precondition(written.starts(with: Array("v=0\r\n".utf8)))
    for role in [Offer.Role.publish, .play] {
        do {
            _ = try OfferReader.read(bytes, role: role)
        } catch {
            precondition((400..<500).contains(error.status))
        }
    }
    _ = try? TrickleFragment(bytes)
}
