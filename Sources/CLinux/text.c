#include "CLinux.h"
#include <errno.h>
#include <iconv.h>

size_t linux_from_gb18030(const uint8_t *bytes, size_t count, uint8_t *out, size_t room) {
    iconv_t table = iconv_open("UTF-8", "GB18030");
    if (table == (iconv_t)-1) return 0;
    char *from = (char *)bytes, *to = (char *)out;
    size_t left = count, free = room;
    while (left && iconv(table, &from, &left, &to, &free) == (size_t)-1) {
        // What means nothing becomes one U+FFFD; room is asked for three bytes a byte.
        if (errno == E2BIG || free < 3) break;
        from++;
        left--;
        *to++ = (char)0xef;
        *to++ = (char)0xbf;
        *to++ = (char)0xbd;
        free -= 3;
    }
    iconv_close(table);
    return room - free;
}
