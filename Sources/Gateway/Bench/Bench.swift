import Wire

/// `gateway bench`: load for any server, and what it does with it.
enum Bench {
    /// - Returns: The exit code: 0 if everybody who asked got what was asked for.
    static func run(_ options: BenchOptions) throws(StartError) -> CInt {
        switch options.kind {
        case .whep: try report(WHEPBench.open(options))
        case .flv: try report(FLVBench.open(options))
        case .rtmp: try publish(options)
        }
    }

    private static func publish(_ options: BenchOptions) throws(StartError) -> CInt {
        var bench = try RTMPBench.open(options)
        let tally = try bench.run()
        let seconds = tally.length.seconds
        let megabits = Double(tally.bytes) * 8 / 1e6 / max(seconds, 1e-3)
        Console.write(
            "published      \(tally.frames) frames in \(seconds.text(1)) s, "
                + "\(megabits.text(2)) Mbit/s, \(tally.late) late\n")
        return Program.ExitCode.stopped.rawValue
    }

    private static func report<Crew: BenchCrew & ~Copyable>(
        _ crew: consuming Crew
    ) throws(StartError) -> CInt {
        let options = crew.options
        let tally = try crew.run()
        let report = BenchReport(options: options, tally: tally)
        Console.write(
            options.printsJSON ? String(decoding: report.json, as: UTF8.self) : report.table)
        let isWhole = tally.failed == 0 && tally.joins == tally.asked && tally.joins > 0
        return (isWhole ? Program.ExitCode.stopped : .failed).rawValue
    }
}
