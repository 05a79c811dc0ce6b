#include "CTranscodeShims.h"
#include "load.h"
#include <stdlib.h>

struct transcode_converter {
    struct SwrContext *context;
    int32_t rate, channels;
    // What comes in at present.
    int32_t in_rate, in_channels, in_format;
    uint64_t in_layout;
};

transcode_converter *transcode_converter_open(int32_t rate, int32_t channels) {
    if (transcode_load()) return NULL;
    transcode_converter *converter = calloc(1, sizeof *converter);
    if (!converter) return NULL;
    converter->rate = rate;
    converter->channels = channels;
    return converter;
}

void transcode_converter_close(transcode_converter *converter) {
    if (!converter) return;
    if (converter->context) transcode_av.swr_free(&converter->context);
    free(converter);
}

static bool set_up(transcode_converter *converter, const transcode_sound *sound) {
    AVChannelLayout in = {0}, out = {0};
    if (!sound->layout || transcode_av.av_channel_layout_from_mask(&in, sound->layout) < 0)
        transcode_av.av_channel_layout_default(&in, sound->channels);
    transcode_av.av_channel_layout_default(&out, converter->channels);
    if (converter->context) transcode_av.swr_free(&converter->context);
    int result = transcode_av.swr_alloc_set_opts2(
        &converter->context, &out, AV_SAMPLE_FMT_FLT, converter->rate, &in, sound->format,
        sound->rate, 0, NULL);
    transcode_av.av_channel_layout_uninit(&in);
    transcode_av.av_channel_layout_uninit(&out);
    if (result < 0) return false;
    // Six channels added up must not be louder than full scale: floats would pass that on, and the
    // encoder would cut it off.
    transcode_av.av_opt_set_double(converter->context, "rematrix_maxval", 1.0, 0);
    // One channel on two speakers is as loud as it was; the library would take 3 dB away.
    static const double both[2] = {1, 1};
    if (sound->channels == 1 && converter->channels == 2)
        transcode_av.swr_set_matrix(converter->context, both, 1);
    if (transcode_av.swr_init(converter->context) < 0) {
        transcode_av.swr_free(&converter->context);
        return false;
    }
    converter->in_rate = sound->rate;
    converter->in_channels = sound->channels;
    converter->in_format = sound->format;
    converter->in_layout = sound->layout;
    return true;
}

int32_t transcode_convert(
    transcode_converter *converter, const transcode_sound *sound, float *out, int32_t capacity) {
    bool is_same = converter->context && converter->in_rate == sound->rate
        && converter->in_channels == sound->channels && converter->in_format == sound->format
        && converter->in_layout == sound->layout;
    if (!is_same && !set_up(converter, sound)) return -1;
    uint8_t *planes[1] = {(uint8_t *)out};
    return transcode_av.swr_convert(
        converter->context, planes, capacity, (const uint8_t **)sound->planes, sound->samples);
}

int32_t transcode_converter_delay(const transcode_converter *converter) {
    if (!converter->context) return 0;
    return (int32_t)transcode_av.swr_get_delay(converter->context, converter->rate);
}

bool transcode_converter_stretch(
    transcode_converter *converter, int32_t delta, int32_t distance) {
    if (!converter->context) return false;
    return transcode_av.swr_set_compensation(converter->context, delta, distance) >= 0;
}

void transcode_converter_flush(transcode_converter *converter) {
    // Set up anew by the next sound.
    if (converter->context) transcode_av.swr_free(&converter->context);
}
