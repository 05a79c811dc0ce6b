// The part of libavcodec, libswresample and libopus that converting sound needs, behind flat calls:
// memory in, memory out. Everything belongs to the thread that made it.
//
// libavcodec brings about a hundred libraries into the process: 15 MiB and 20 ms. It is therefore
// loaded when the first sound is to be converted, and a machine without it loses that and nothing
// else.
#pragma once
#include <opus/opus.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Loads the libraries, once for the process. NULL, or what is missing, in words of the loader.
const char *transcode_load(void);

// MARK: Sound

enum { TRANSCODE_CHANNELS_MAXIMUM = 8, TRANSCODE_SAMPLES_MAXIMUM = 16384 };

/// Samples of one frame as a decoder left them, valid until its next call.
typedef struct {
    int32_t rate;
    int32_t channels;
    int32_t samples;
    /// As AVSampleFormat counts.
    int32_t format;
    /// A mask as libavutil has it; 0: the usual one for this number of channels.
    uint64_t layout;
    /// One pointer a channel, or a single one if the format is interleaved.
    const uint8_t *planes[TRANSCODE_CHANNELS_MAXIMUM];
} transcode_sound;

/// AVSampleFormat of interleaved floats and 16-bit samples.
int32_t transcode_format_float(void);
int32_t transcode_format_int16(void);

// MARK: Decoders

/// The ones that bytes of strangers may reach. All are libavcodec's own, none an outside library.
typedef enum {
    TRANSCODE_AAC,
    TRANSCODE_MP3,
    TRANSCODE_MP2,
    TRANSCODE_G722,
    TRANSCODE_G726,
    TRANSCODE_AC3,
    TRANSCODE_EAC3,
    TRANSCODE_FLAC,
} transcode_codec;

typedef struct transcode_decoder transcode_decoder;

/// NULL: no such decoder, or it refuses the configuration. `bits`: of one coded sample, for G.726.
transcode_decoder *transcode_decoder_open(
    transcode_codec codec, int32_t rate, int32_t channels, int32_t bits, const uint8_t *config,
    size_t config_count);
void transcode_decoder_close(transcode_decoder *decoder);
/// Forgets what came before: after a loss or a jump.
void transcode_decoder_flush(transcode_decoder *decoder);
/// One frame, copied. False: it could not be decoded.
bool transcode_decoder_send(transcode_decoder *decoder, const uint8_t *bytes, size_t count);
/// What came of it; false: nothing more. A sound beyond the bounds above is dropped.
bool transcode_decoder_receive(transcode_decoder *decoder, transcode_sound *sound);

// MARK: Rate and channels

typedef struct transcode_converter transcode_converter;

/// To interleaved floats of this rate, mono or stereo. NULL: out of memory.
transcode_converter *transcode_converter_open(int32_t rate, int32_t channels);
void transcode_converter_close(transcode_converter *converter);
/// Sets itself up anew when the sound's rate, channels or format are not those of the one before.
/// Returns the samples written (at most `capacity`), or -1.
int32_t transcode_convert(
    transcode_converter *converter, const transcode_sound *sound, float *out, int32_t capacity);
/// Samples, in the rate that comes out, which went in and have not come out.
int32_t transcode_converter_delay(const transcode_converter *converter);
/// Makes `delta` samples more (or less) within the next `distance` that come out. False: not now.
bool transcode_converter_stretch(
    transcode_converter *converter, int32_t delta, int32_t distance);
/// Forgets what is on its way.
void transcode_converter_flush(transcode_converter *converter);

// MARK: Encoders

typedef struct transcode_aac transcode_aac;

/// AAC-LC, mono or stereo. NULL: the rate is none of AAC's.
transcode_aac *transcode_aac_open(int32_t rate, int32_t channels, int32_t bitrate);
void transcode_aac_close(transcode_aac *encoder);
/// Samples by which what comes out lies behind what goes in.
int32_t transcode_aac_delay(const transcode_aac *encoder);
/// 1,024 samples of each channel, interleaved. Returns the bytes written, 0 if there are none yet,
/// or -1.
int32_t transcode_aac_encode(
    transcode_aac *encoder, const float *samples, uint8_t *out, int32_t capacity);

/// What opus_encoder_ctl, a variadic function, is needed for.
bool transcode_opus_set(
    OpusEncoder *encoder, int32_t bitrate, int32_t complexity, int32_t loss_percent, bool dtx);
int32_t transcode_opus_delay(OpusEncoder *encoder);
void transcode_opus_reset(OpusDecoder *decoder);
