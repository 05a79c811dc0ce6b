import Demo
import System
import Wire

/// The loops that came with the program.
enum DemoFiles {
    /// As `scripts/make-demo` wrote it; an Annex B stream does not say.
    private static let framesPerSecond: Int32 = 25

    static let names = ["live/demo", "live/demo-h264"]

    /// One stream for every browser: some play VP8 and no H.264, some the other way round.
    static func load() throws(StartError) -> [DemoPlan] {
        guard let folder = BesideProgram.folder("demo", holding: "demo-vp8.ivf") else {
            throw problem("the folder demo was not found beside the program: set demo to false")
        }
        do throws(ParseError) {
            return try plans(folder)
        } catch {
            throw problem("\(folder): \(error)")
        }
    }

    private static func plans(_ folder: String) throws(ParseError) -> [DemoPlan] {
        let soundFile = try read("\(folder)/demo-opus.ogg")
        let sound = try DemoTrack(ogg: soundFile.raw)
        let vp8File = try read("\(folder)/demo-vp8.ivf")
        let vp8 = try DemoTrack(ivf: vp8File.raw)
        let h264File = try read("\(folder)/demo-h264.h264")
        let h264 = try DemoTrack(h264: h264File.raw, framesPerSecond: framesPerSecond)
        let first = try DemoSource([vp8, sound])
        let second = try DemoSource([h264, sound])
        return [DemoPlan(name: names[0], first), DemoPlan(name: names[1], second)]
    }

    private static func read(_ path: String) throws(ParseError) -> [UInt8] {
        guard let bytes = try? Files.read(path, maximum: 16 << 20) else {
            throw .truncated(at: 0, needed: 1)
        }
        return bytes
    }

    private static func problem(_ cause: String) -> StartError {
        .failed(setting: "demo", cause: cause, code: "cannot-read")
    }
}
