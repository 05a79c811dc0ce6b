#include "CTranscodeShims.h"
#include "load.h"
#include <stdlib.h>
#include <string.h>

struct transcode_decoder {
    AVCodecContext *context;
    AVPacket *packet;
    AVFrame *frame;
    // The library reads beyond the end of a frame, up to its padding.
    uint8_t *bytes;
    size_t capacity;
};

static const char *name_of(transcode_codec codec) {
    switch (codec) {
    case TRANSCODE_AAC: return "aac";
    case TRANSCODE_MP3: return "mp3float";
    case TRANSCODE_MP2: return "mp2float";
    case TRANSCODE_G722: return "g722";
    case TRANSCODE_G726: return "g726le";  // As RFC 3551 packs it.
    case TRANSCODE_AC3: return "ac3";
    case TRANSCODE_EAC3: return "eac3";
    case TRANSCODE_FLAC: return "flac";
    }
    return NULL;
}

static bool set_config(AVCodecContext *context, const uint8_t *config, size_t count) {
    if (count == 0) return true;
    context->extradata = transcode_av.av_mallocz(count + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!context->extradata) return false;
    memcpy(context->extradata, config, count);
    context->extradata_size = (int)count;
    return true;
}

transcode_decoder *transcode_decoder_open(
    transcode_codec codec, int32_t rate, int32_t channels, int32_t bits, const uint8_t *config,
    size_t config_count) {
    const char *name = name_of(codec);
    if (transcode_load() || !name || config_count > 4096) return NULL;
    const AVCodec *found = transcode_av.avcodec_find_decoder_by_name(name);
    if (!found) return NULL;
    transcode_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) return NULL;
    decoder->context = transcode_av.avcodec_alloc_context3(found);
    decoder->packet = transcode_av.av_packet_alloc();
    decoder->frame = transcode_av.av_frame_alloc();
    AVCodecContext *context = decoder->context;
    if (!context || !decoder->packet || !decoder->frame
        || !set_config(context, config, config_count)) {
        transcode_decoder_close(decoder);
        return NULL;
    }
    context->thread_count = 1;
    context->flags |= AV_CODEC_FLAG_LOW_DELAY;
    context->max_samples = TRANSCODE_SAMPLES_MAXIMUM;
    context->sample_rate = rate;
    context->pkt_timebase = (AVRational){1, rate};
    context->bits_per_coded_sample = bits;
    if (channels > 0) transcode_av.av_channel_layout_default(&context->ch_layout, channels);
    if (transcode_av.avcodec_open2(context, found, NULL) < 0) {
        transcode_decoder_close(decoder);
        return NULL;
    }
    return decoder;
}

void transcode_decoder_close(transcode_decoder *decoder) {
    if (!decoder) return;
    transcode_av.avcodec_free_context(&decoder->context);
    transcode_av.av_packet_free(&decoder->packet);
    transcode_av.av_frame_free(&decoder->frame);
    free(decoder->bytes);
    free(decoder);
}

void transcode_decoder_flush(transcode_decoder *decoder) {
    transcode_av.avcodec_flush_buffers(decoder->context);
}

bool transcode_decoder_send(transcode_decoder *decoder, const uint8_t *bytes, size_t count) {
    size_t needed = count + AV_INPUT_BUFFER_PADDING_SIZE;
    if (count == 0 || count > 1 << 20) return false;
    if (needed > decoder->capacity) {
        uint8_t *larger = realloc(decoder->bytes, needed);
        if (!larger) return false;
        decoder->bytes = larger;
        decoder->capacity = needed;
    }
    memcpy(decoder->bytes, bytes, count);
    memset(decoder->bytes + count, 0, AV_INPUT_BUFFER_PADDING_SIZE);
    decoder->packet->data = decoder->bytes;
    decoder->packet->size = (int)count;
    return transcode_av.avcodec_send_packet(decoder->context, decoder->packet) >= 0;
}

bool transcode_decoder_receive(transcode_decoder *decoder, transcode_sound *sound) {
    AVFrame *frame = decoder->frame;
    while (transcode_av.avcodec_receive_frame(decoder->context, frame) >= 0) {
        int channels = frame->ch_layout.nb_channels;
        if (channels < 1 || channels > TRANSCODE_CHANNELS_MAXIMUM || frame->nb_samples < 1
            || frame->nb_samples > TRANSCODE_SAMPLES_MAXIMUM || frame->sample_rate < 4000
            || frame->sample_rate > 192000)
            continue;
        *sound = (transcode_sound){
            .rate = frame->sample_rate,
            .channels = channels,
            .samples = frame->nb_samples,
            .format = frame->format,
        };
        if (frame->ch_layout.order == AV_CHANNEL_ORDER_NATIVE)
            sound->layout = frame->ch_layout.u.mask;
        int planes = transcode_av.av_sample_fmt_is_planar(frame->format) ? channels : 1;
        for (int plane = 0; plane < planes; plane++)
            sound->planes[plane] = frame->extended_data[plane];
        return true;
    }
    return false;
}
