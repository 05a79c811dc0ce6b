#include "load.h"
#include "CTranscodeShims.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

struct transcode_library transcode_av;

static char problem[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
// Of the version whose declarations we were built with: another one has other structures.
#define NAME(library, major) "lib" library ".so." TEXT(major)

static void *open_library(const char *name) {
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library && !problem[0]) snprintf(problem, sizeof problem, "%s", dlerror());
    return library;
}

#define TAKE(name)                                                                           \
    *(void **)&transcode_av.name = dlsym(library, #name);                                    \
    if (!transcode_av.name && !problem[0])                                                   \
        snprintf(problem, sizeof problem, "%s is not in %s", #name, where);

static void load(void) {
    const char *where = NAME("avutil", LIBAVUTIL_VERSION_MAJOR);
    void *library = open_library(where);
    if (!library) return;
    AVUTIL_CALLS(TAKE)
    where = NAME("swresample", LIBSWRESAMPLE_VERSION_MAJOR);
    library = open_library(where);
    if (!library) return;
    SWRESAMPLE_CALLS(TAKE)
    where = NAME("avcodec", LIBAVCODEC_VERSION_MAJOR);
    library = open_library(where);
    if (!library) return;
    AVCODEC_CALLS(TAKE)
    // Damaged frames are counted by us; the library would write a line to the terminal for each.
    if (!problem[0]) transcode_av.av_log_set_level(AV_LOG_QUIET);
}

const char *transcode_load(void) {
    pthread_once(&once, load);
    return problem[0] ? problem : NULL;
}

int32_t transcode_format_float(void) { return AV_SAMPLE_FMT_FLT; }
int32_t transcode_format_int16(void) { return AV_SAMPLE_FMT_S16; }
