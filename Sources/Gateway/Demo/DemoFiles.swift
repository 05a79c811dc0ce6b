import Demo
import System
import Wire

/// The loops that came with the program.
enum DemoFiles {
    /// As `scripts/make-demo` wrote it; an Annex B stream does not say.
    private static let framesPerSecond: Int32 = 25

    /// One stream for every browser: some play VP8 and no H.264, some the other way round.
    static func load() throws(StartError) -> [DemoPlan] {
        guard let folder = BesideProgram.folder("demo", holding: "demo-vp8.ivf") else {
            throw problem("the folder demo was not found beside the program: set demo to false")
        }
        do throws(ParseError) {
            let sound = try DemoTrack(ogg: try read("\(folder)/demo-opus.ogg").raw)
            let vp8 = try DemoTrack(ivf: try read("\(folder)/demo-vp8.ivf").raw)
            let h264 = try DemoTrack(
                h264: try read("\(folder)/demo-h264.h264").raw, framesPerSecond: framesPerSecond)
            return [
                DemoPlan(name: "live/demo", try DemoSource([vp8, sound])),
                DemoPlan(name: "live/demo-h264", try DemoSource([h264, sound])),
            ]
        } catch {
            throw problem("\(folder): \(error)")
        }
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
