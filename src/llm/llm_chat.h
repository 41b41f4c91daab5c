/* The OpenAI chat form, as four servers understand it: requests, and what an answer means. */
#pragma once

#include "llm/llm_http.h"

#include <json-glib/json-glib.h>

/** How the form of the answer is asked for, the strictest first. A server that refuses one is asked in the next. */
typedef enum { AIMF_ANSWER_SCHEMA, AIMF_ANSWER_OBJECT, AIMF_ANSWER_TEXT } AimfAnswerForm;

/**
 * AimfDialect: what one server and model accept; begins as zeros and is learned from refusals.
 * @completion_tokens: it wants "max_completion_tokens" in place of "max_tokens"; @no_temperature, @no_seed: it takes
 *   none
 */
typedef struct {
    AimfAnswerForm form;
    gboolean completion_tokens;
    gboolean no_temperature;
    gboolean no_seed;
} AimfDialect;

/**
 * AimfChatQuestion: @schema: (nullable, borrowed) JSON schema of the answer, strict in OpenAI's sense: every property
 * required, no others allowed, no bounds on lengths.
 */
typedef struct {
    const char *model;
    const char *system;
    const char *user;
    JsonNode *schema;
    double temperature;
    guint64 seed; /* its lower 31 bits are sent: some servers take no more */
    guint max_tokens;
} AimfChatQuestion;

/** aimf_chat_request: (owned) the body of a request. */
char *aimf_chat_request(const AimfChatQuestion *question, const AimfDialect *dialect);

typedef enum {
    AIMF_CHAT_ANSWER,    /* with text */
    AIMF_CHAT_CUT,       /* with the text up to the limit of tokens */
    AIMF_CHAT_FILTERED,  /* a content filter or a refusal of the model in place of an answer */
    AIMF_CHAT_AGAIN,     /* the same request may succeed later */
    AIMF_CHAT_OTHERWISE, /* the dialect has been changed: ask again, without delay */
    AIMF_CHAT_NEVER,     /* the request, the key or the address is wrong */
} AimfChatOutcome;

/** AimfUsage: tokens of one answer. @estimated: the server did not say, so four bytes were taken for a token. */
typedef struct {
    guint64 prompt_tokens;
    guint64 completion_tokens;
    gboolean estimated;
} AimfUsage;

/**
 * AimfChatAnswer: @text: (nullable) valid UTF-8 without what a reasoning model thought aloud before it
 * @message: (nullable) what went wrong, for people, or of an ANSWER that it stood in an odd place; @code: of the
 * error that NEVER ends in
 * @broken: with AGAIN: the server itself failed (5xx), which the form that was asked for may have brought about
 */
typedef struct {
    AimfChatOutcome outcome;
    char *text;
    char *message;
    AimfErrorCode code;
    gboolean broken;
    AimfUsage usage;
} AimfChatAnswer;

void aimf_chat_answer_clear(AimfChatAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfChatAnswer, aimf_chat_answer_clear)

/**
 * aimf_chat_read:
 * @sent: the dialect that the request was written in; @dialect: changed when the server's refusal says what it does
 *   not take. A request sent before another one's refusal was learned from is only to be asked again
 * @key: (nullable) is taken out of what the server says
 */
void aimf_chat_read(const AimfHttpReply *reply, const AimfDialect *sent, gsize request_bytes, const char *key,
                    AimfDialect *dialect, AimfChatAnswer *answer);
