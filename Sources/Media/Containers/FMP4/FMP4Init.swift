package import Media
import Wire

/// Why a track cannot be written.
package enum FMP4Error: Error, Equatable, Sendable {
    /// The codec has no name in MP4 that a player knows.
    case unsupported(Codec)
    /// Its parameter sets or configuration are not known yet.
    case incomplete(Codec)
}

/// One track of a fragmented MP4: the clock is its format's.
package struct FMP4Track: Equatable, Sendable {
    /// From 1 on.
    package var id: UInt32
    package var format: Format

    package init(id: UInt32, _ format: Format) {
        self.id = id
        self.format = format
    }
}

/// The init segment: what the tracks are. All media follows in fragments (ISO/IEC 14496-12 §8.8).
package enum FMP4Init {
    package static func write(
        _ tracks: [FMP4Track], into out: inout [UInt8]
    ) throws(FMP4Error) {
        var entries: [[UInt8]] = []
        for track in tracks { entries.append(try SampleEntry.bytes(of: track.format)) }
        var writer = BoxWriter(out)
        writer.box("ftyp") { box in
            box.write("iso5")
            box.write(UInt32(512))
            for brand: StaticString in ["iso5", "iso6", "cmfc", "mp41"] { box.write(brand) }
        }
        writer.box("moov") { box in
            writeMovieHeader(&box, nextTrack: (tracks.map(\.id).max() ?? 0) + 1)
            for (track, entry) in zip(tracks, entries) { write(track, entry, &box) }
            box.box("mvex") { box in
                for track in tracks {
                    box.box("trex", version: 0, flags: 0) { box in
                        for value: UInt32 in [track.id, 1, 0, 0, 0] { box.write(value) }
                    }
                }
            }
        }
        out = writer.bytes
    }

    private static func writeMovieHeader(_ box: inout BoxWriter, nextTrack: UInt32) {
        box.box("mvhd", version: 0, flags: 0) { box in
            // Created, changed: nobody asks. A thousand ticks a second; no duration: it is live.
            for value: UInt32 in [0, 0, 1000, 0] { box.write(value) }
            box.write(UInt32(0x1_0000))  // Rate 1.
            box.write(UInt16(0x100))  // Volume 1.
            box.write(zeros: 10)
            box.writeMatrix()
            box.write(zeros: 24)
            box.write(nextTrack)
        }
    }

    private static func write(_ track: FMP4Track, _ entry: [UInt8], _ box: inout BoxWriter) {
        let isVideo = track.format.codec.kind == .video
        box.box("trak") { box in
            // Enabled, in the movie.
            box.box("tkhd", version: 0, flags: 3) { box in
                for value: UInt32 in [0, 0, track.id, 0, 0] { box.write(value) }
                box.write(zeros: 8)
                box.write(UInt32(0))  // Layer 0, no alternatives.
                box.write(UInt16(isVideo ? 0 : 0x100))
                box.write(UInt16(0))
                box.writeMatrix()
                box.write(UInt32(clamping: track.format.width) << 16)
                box.write(UInt32(clamping: track.format.height) << 16)
            }
            box.box("mdia") { box in
                writeMedia(track, entry, isVideo: isVideo, &box)
            }
        }
    }

    private static func writeMedia(
        _ track: FMP4Track, _ entry: [UInt8], isVideo: Bool, _ box: inout BoxWriter
    ) {
        box.box("mdhd", version: 0, flags: 0) { box in
            for value: UInt32 in [0, 0, UInt32(track.format.clockRate), 0] { box.write(value) }
            box.write(UInt16(0x55c4))  // Language "und".
            box.write(UInt16(0))
        }
        box.box("hdlr", version: 0, flags: 0) { box in
            box.write(UInt32(0))
            box.write(isVideo ? "vide" : "soun")
            box.write(zeros: 12)
            box.write(isVideo ? "video" : "audio")
            box.write(UInt8(0))
        }
        box.box("minf") { box in
            if isVideo {
                box.box("vmhd", version: 0, flags: 1) { $0.write(zeros: 8) }
            } else {
                box.box("smhd", version: 0, flags: 0) { $0.write(zeros: 4) }
            }
            box.box("dinf") { box in
                box.box("dref", version: 0, flags: 0) { box in
                    box.write(UInt32(1))
                    box.box("url ", version: 0, flags: 1) { _ in }  // In this file.
                }
            }
            box.box("stbl") { box in
                box.box("stsd", version: 0, flags: 0) { box in
                    box.write(UInt32(1))
                    box.write(entry)
                }
                // Empty: all samples are in fragments.
                for name: StaticString in ["stts", "stsc", "stco"] {
                    box.box(name, version: 0, flags: 0) { $0.write(UInt32(0)) }
                }
                box.box("stsz", version: 0, flags: 0) { $0.write(zeros: 8) }
            }
        }
    }
}
