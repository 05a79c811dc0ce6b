/// How the tests were compiled. Thresholds on allocations mean something in optimised code only:
/// without the optimiser the literal of each option set is on the heap.
package enum Build {
    #if DEBUG
        package static let isOptimised = false
    #else
        package static let isOptimised = true
    #endif
}
