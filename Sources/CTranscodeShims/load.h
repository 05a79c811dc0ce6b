// libavcodec and its relatives by name: what this module may call of them, and nothing else.
#pragma once
#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>

#define AVCODEC_CALLS(X)                                                                     \
    X(avcodec_find_decoder_by_name)                                                          \
    X(avcodec_find_encoder_by_name)                                                          \
    X(avcodec_alloc_context3)                                                                \
    X(avcodec_free_context)                                                                  \
    X(avcodec_open2)                                                                         \
    X(avcodec_send_packet)                                                                   \
    X(avcodec_receive_frame)                                                                 \
    X(avcodec_send_frame)                                                                    \
    X(avcodec_receive_packet)                                                                \
    X(avcodec_flush_buffers)                                                                 \
    X(av_packet_alloc)                                                                       \
    X(av_packet_free)                                                                        \
    X(av_packet_unref)

#define AVUTIL_CALLS(X)                                                                      \
    X(av_frame_alloc)                                                                        \
    X(av_frame_free)                                                                         \
    X(av_frame_get_buffer)                                                                   \
    X(av_frame_make_writable)                                                                \
    X(av_mallocz)                                                                            \
    X(av_log_set_level)                                                                      \
    X(av_opt_set)                                                                            \
    X(av_opt_set_double)                                                                     \
    X(av_channel_layout_default)                                                             \
    X(av_channel_layout_from_mask)                                                           \
    X(av_channel_layout_uninit)                                                              \
    X(av_sample_fmt_is_planar)

#define SWRESAMPLE_CALLS(X)                                                                  \
    X(swr_alloc_set_opts2)                                                                   \
    X(swr_init)                                                                              \
    X(swr_free)                                                                              \
    X(swr_set_matrix)                                                                        \
    X(swr_convert)                                                                           \
    X(swr_get_delay)                                                                         \
    X(swr_set_compensation)

#define FIELD(name) __typeof__(&name) name;
struct transcode_library {
    AVCODEC_CALLS(FIELD)
    AVUTIL_CALLS(FIELD)
    SWRESAMPLE_CALLS(FIELD)
};
#undef FIELD

/// Filled by `transcode_load`.
extern struct transcode_library transcode_av;
