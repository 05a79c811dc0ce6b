import CTranscodeShims

/// Any sound to interleaved floats of one rate, mono or stereo. It sets itself up anew when a
/// decoder finds out that its sound is another than was announced (spectral band replication and
/// parametric stereo are often not said).
@safe struct AudioConverter: ~Copyable {
    private let handle: OpaquePointer
    let rate: Int32
    let channels: Int

    init?(rate: Int32, channels: Int) {
        guard let handle = unsafe transcode_converter_open(rate, Int32(channels)) else {
            return nil
        }
        unsafe self.init(handle, rate, channels)
    }

    private init(_ handle: OpaquePointer, _ rate: Int32, _ channels: Int) {
        unsafe self.handle = handle
        self.rate = rate
        self.channels = channels
    }

    deinit { unsafe transcode_converter_close(handle) }

    /// - Returns: The samples of each channel that were made, and those of them that were kept.
    func convert(
        _ sound: inout transcode_sound, into queue: inout SampleQueue
    ) -> (made: Int, kept: Int) {
        // What comes out of this sound at most, what was on its way included.
        let room =
            Int(sound.samples) * Int(rate) / Int(max(1, sound.rate)) + delay + 64
        return unsafe queue.append(atMost: room) { samples in
            let count = unsafe transcode_convert(
                handle, &sound, samples.baseAddress, Int32(room))
            return max(0, Int(count))
        }
    }

    /// Samples that have gone in and not come out, in the rate that comes out.
    var delay: Int { unsafe Int(transcode_converter_delay(handle)) }

    /// Makes so many samples more, or less, of what comes within the next second.
    func stretch(by samples: Int) -> Bool {
        unsafe transcode_converter_stretch(handle, Int32(samples), rate)
    }

    func flush() { unsafe transcode_converter_flush(handle) }
}
