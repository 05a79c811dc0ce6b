import Wire

/// Answers to requests that proved authentic. None is larger than its request: whoever forges a
/// source address must not gain by it.
extension ICEGeneration {
    func answer(
        _ message: STUNMessage, _ size: Int, on route: Route, into out: inout ICEOutput
    ) {
        let start = out.bytes.count
        let builder = STUNBuilder(.success, message.transaction, into: &out.bytes)
        builder.mappedAddress(route.remote, message.transaction, into: &out.bytes)
        finish(builder, from: start, size, on: route, into: &out)
    }

    func refuse(
        _ code: UInt16, _ message: STUNMessage, _ size: Int, on route: Route,
        into out: inout ICEOutput
    ) {
        let start = out.bytes.count
        let builder = STUNBuilder(.error, message.transaction, into: &out.bytes)
        builder.error(code, into: &out.bytes)
        if code == 420 { builder.unknown(message, into: &out.bytes) }
        finish(builder, from: start, size, on: route, into: &out)
    }

    private func finish(
        _ builder: STUNBuilder, from start: Int, _ size: Int, on route: Route,
        into out: inout ICEOutput
    ) {
        let signed = out.bytes.count - start + 24
        // The fingerprint may be left out: on this port the cookie tells STUN from the rest.
        let fingerprint = signed + STUNBuilder.fingerprintSize <= size
        guard signed <= size else {
            out.bytes.removeLast(out.bytes.count - start)
            return
        }
        builder.finish(key: localKey, fingerprint: fingerprint, into: &out.bytes)
        out.send(route, from: start)
    }
}
