#include "prompts/llm_secret.h"

#include <string.h>

enum { SHORTEST_SECRET = 8 };

void aimf_secret_wipe(char *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

/* Bytes of @text that say @secret, 0 if it says something else. JSON may write a slash as \/. */
static gsize said(const char *text, gsize length, const char *secret)
{
    gsize at = 0;
    for (; *secret; secret++, at++) {
        if (*secret == '/' && at + 1 < length && text[at] == '\\')
            at++;
        if (at >= length || text[at] != *secret)
            return 0;
    }
    return at;
}

void aimf_secret_redact(char *text, gsize length, const char *secret)
{
    if (!text || !secret || strlen(secret) < SHORTEST_SECRET)
        return;
    for (gsize i = 0; i < length; i++) {
        gsize n = said(text + i, length - i, secret);
        memset(text + i, '*', n);
        i += n ? n - 1 : 0;
    }
}
