import FuzzTargets
import Glibc

/// What libFuzzer calls. The parser is chosen by the environment, so that one program serves all.
private let target: FuzzTarget? = {
    guard let name = unsafe getenv("GATEWAY_FUZZ_TARGET") else { return nil }
    return unsafe FuzzTarget(rawValue: String(cString: name))
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let target else {
        unsafe fputs("GATEWAY_FUZZ_TARGET names no fuzz target\n", stderr)
        exit(2)
    }
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
    unsafe target.run(bytes.bytes)
    return 0
}
