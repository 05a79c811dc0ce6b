// The bare numbers of descriptors, for libraries that wait for themselves (libsrt). Whoever has
// such a number watches it no longer than the descriptor lives.

extension TCPSocket {
    package var number: CInt { descriptor.number }
}

extension Bell {
    package var number: CInt { descriptor.number }
}

extension Descriptor {
    /// Gives the descriptor to a library that will close it.
    package consuming func release() -> CInt {
        let number = number
        discard self
        return number
    }
}

extension TCPSocket.Pair {
    /// Both ends, each for an owner of its own.
    package consuming func take(
        _ body: (consuming TCPSocket, consuming TCPSocket) -> Void
    ) { body(first, second) }
}
