import Wire

/// `gateway bench`: load for any server, and what it does with it.
enum Bench {
    /// - Returns: The exit code: 0 if everybody who asked got what was asked for.
    static func run(_ options: BenchOptions) throws(StartError) -> CInt {
        var bench = try WHEPBench.open(options)
        let tally = try bench.run()
        let report = BenchReport(options: options, tally: tally)
        Console.write(
            options.printsJSON ? String(decoding: report.json, as: UTF8.self) : report.table)
        let isWhole = tally.failed == 0 && tally.joins == tally.asked && tally.joins > 0
        return (isWhole ? Program.ExitCode.stopped : .failed).rawValue
    }
}
