#include "CTranscodeShims.h"
#include "load.h"
#include <stdlib.h>
#include <string.h>

struct transcode_aac {
    AVCodecContext *context;
    AVFrame *frame;
    AVPacket *packet;
};

enum { frame_samples = 1024 };

transcode_aac *transcode_aac_open(int32_t rate, int32_t channels, int32_t bitrate) {
    if (transcode_load()) return NULL;
    const AVCodec *codec = transcode_av.avcodec_find_encoder_by_name("aac");
    transcode_aac *encoder = codec ? calloc(1, sizeof *encoder) : NULL;
    if (!encoder) return NULL;
    AVCodecContext *context = encoder->context = transcode_av.avcodec_alloc_context3(codec);
    AVFrame *frame = encoder->frame = transcode_av.av_frame_alloc();
    encoder->packet = transcode_av.av_packet_alloc();
    if (!context || !frame || !encoder->packet) goto failed;
    context->sample_rate = rate;
    context->sample_fmt = AV_SAMPLE_FMT_FLTP;
    context->bit_rate = bitrate;
    context->thread_count = 1;
    context->time_base = (AVRational){1, rate};
    transcode_av.av_channel_layout_default(&context->ch_layout, channels);
    // The default search costs three times as much, for what nobody hears at these rates.
    transcode_av.av_opt_set(context->priv_data, "aac_coder", "fast", 0);
    if (transcode_av.avcodec_open2(context, codec, NULL) < 0) goto failed;
    if (context->frame_size != frame_samples) goto failed;
    frame->nb_samples = frame_samples;
    frame->format = AV_SAMPLE_FMT_FLTP;
    frame->sample_rate = rate;
    transcode_av.av_channel_layout_default(&frame->ch_layout, channels);
    if (transcode_av.av_frame_get_buffer(frame, 0) < 0) goto failed;
    frame->pts = 0;
    return encoder;
failed:
    transcode_aac_close(encoder);
    return NULL;
}

void transcode_aac_close(transcode_aac *encoder) {
    if (!encoder) return;
    transcode_av.avcodec_free_context(&encoder->context);
    transcode_av.av_frame_free(&encoder->frame);
    transcode_av.av_packet_free(&encoder->packet);
    free(encoder);
}

int32_t transcode_aac_delay(const transcode_aac *encoder) {
    return encoder->context->initial_padding;
}

int32_t transcode_aac_encode(
    transcode_aac *encoder, const float *samples, uint8_t *out, int32_t capacity) {
    AVFrame *frame = encoder->frame;
    if (transcode_av.av_frame_make_writable(frame) < 0) return -1;
    int channels = encoder->context->ch_layout.nb_channels;
    for (int channel = 0; channel < channels; channel++) {
        float *plane = (float *)frame->extended_data[channel];
        for (int at = 0; at < frame_samples; at++) plane[at] = samples[at * channels + channel];
    }
    if (transcode_av.avcodec_send_frame(encoder->context, frame) < 0) return -1;
    frame->pts += frame_samples;
    AVPacket *packet = encoder->packet;
    int result = transcode_av.avcodec_receive_packet(encoder->context, packet);
    if (result == AVERROR(EAGAIN)) return 0;
    if (result < 0) return -1;
    int32_t count = packet->size <= capacity ? packet->size : -1;
    if (count > 0) memcpy(out, packet->data, (size_t)count);
    transcode_av.av_packet_unref(packet);
    return count;
}

bool transcode_opus_set(
    OpusEncoder *encoder, int32_t bitrate, int32_t complexity, int32_t loss_percent, bool dtx) {
    return opus_encoder_ctl(encoder, OPUS_SET_BITRATE(bitrate)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_VBR(1)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(complexity)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(loss_percent > 0)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(loss_percent)) == OPUS_OK
        && opus_encoder_ctl(encoder, OPUS_SET_DTX(dtx)) == OPUS_OK;
}

int32_t transcode_opus_delay(OpusEncoder *encoder) {
    opus_int32 samples = 0;
    return opus_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(&samples)) == OPUS_OK ? samples : 312;
}

void transcode_opus_reset(OpusDecoder *decoder) { opus_decoder_ctl(decoder, OPUS_RESET_STATE); }
