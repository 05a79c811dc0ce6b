// Declarations only: the libraries are loaded when the first sound is to be converted (see
// CTranscodeShims).
#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
