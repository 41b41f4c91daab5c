/*
 * Questions to a language model, several at a time. What a question meets on its way – refusals of a form, overload,
 * broken lines – is dealt with here; what comes out is an answer, or an error that ends the work.
 */
#pragma once

#include "llm/llm_chat.h"

#include <aimfair/llm.h>

/**
 * AimfQuestion: one thing to ask; owned by the client once asked, and by the caller once answered.
 * @about: "group '1_0'", for messages; @user: what is asked, but for the form of the answer; @group, @n: the caller's
 *   own
 */
typedef struct {
    char *about;
    char *user;
    guint group;
    guint n;
    /* the client's */
    guint attempt;       /* that failed */
    guint broken;        /* of these, by the server's own fault */
    AimfAnswerForm form; /* the strictest that it is still asked in */
    guint request;
    gint64 ready_us;
    char *body; /* while it is under way */
    AimfDialect sent;
    guint64 reserved_tokens;
} AimfQuestion;

void aimf_question_free(AimfQuestion *question);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfQuestion, aimf_question_free)

typedef struct AimfLlmClient AimfLlmClient;

/**
 * aimf_llm_client_new:
 * @options: borrowed, as is @monitor; @system: borrowed: said before every question
 * @schema: (borrowed) of the answers; @json_form, @text_form: (borrowed) what to say of the form where JSON or lines
 *   are asked for
 * @max_requests: in all
 */
AimfLlmClient *aimf_llm_client_new(const AimfLlmOptions *options, guint max_requests, const char *system,
                                   JsonNode *schema, const char *json_form, const char *text_form,
                                   const AimfMonitor *monitor, GError **error);
void aimf_llm_client_free(AimfLlmClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfLlmClient, aimf_llm_client_free)

/** aimf_llm_client_ask: takes @question; it is sent when its turn comes. */
void aimf_llm_client_ask(AimfLlmClient *client, AimfQuestion *question);
/** aimf_llm_client_open: questions without an answer; aimf_llm_client_flying: those of them that were sent. */
guint aimf_llm_client_open(const AimfLlmClient *client);
guint aimf_llm_client_flying(const AimfLlmClient *client);

/**
 * aimf_llm_client_wait:
 * Works on the questions for a moment. @question: receives (owned) one whose answer is in @answer – ANSWER, CUT or
 * FILTERED – or NULL
 * Returns: FALSE with what ends the work.
 */
gboolean aimf_llm_client_wait(AimfLlmClient *client, AimfQuestion **question, AimfChatAnswer *answer, GError **error);

/**
 * aimf_llm_client_repeat: takes @question, whose answer was of no use, to be asked again later. FALSE with FAILED
 * when that was often enough.
 */
gboolean aimf_llm_client_repeat(AimfLlmClient *client, AimfQuestion *question, const char *why, GError **error);

const AimfLlmUsage *aimf_llm_client_usage(const AimfLlmClient *client);
