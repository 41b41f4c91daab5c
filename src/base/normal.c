#include "base/normal.h"

char *aimf_utf8_normalize(const char *text, gssize length, GNormalizeMode mode)
{
    char *normal = g_utf8_normalize(text, length, mode);
    if (!normal)
        g_error("failed to allocate the normal form of a text");
    return normal;
}
