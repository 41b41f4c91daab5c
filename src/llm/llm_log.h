/* A record of what was said to and by a language model, one line of JSON per request, for its owner's eyes only. */
#pragma once

#include "llm/llm_chat.h"

typedef struct AimfLlmLog AimfLlmLog;

/**
 * aimf_llm_log_open: (owned) appends to @path, which is made with mode 0600 and given it if it is there. NULL with
 * NOT_FOUND, IO, or INVALID for what is no regular file.
 */
AimfLlmLog *aimf_llm_log_open(const char *path, GError **error);
void aimf_llm_log_free(AimfLlmLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfLlmLog, aimf_llm_log_free)

/** AimfLlmRecord: one request and how it ended. @sent: the body; @reply: its texts are free of the key already */
typedef struct {
    guint request;
    guint attempt;
    const char *about; /* "group '1_0'" */
    const char *sent;
    const AimfHttpReply *reply;
    const AimfChatAnswer *answer;
} AimfLlmRecord;

/** aimf_llm_log_add: writes one whole line, or FALSE with IO. */
gboolean aimf_llm_log_add(AimfLlmLog *log, const AimfLlmRecord *record, GError **error);
