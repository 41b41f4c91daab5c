/*
 * Several POST requests at a time to one endpoint, from one thread, each bounded in time and size. Redirects are
 * never followed.
 */
#pragma once

#include "llm/llm_endpoint.h"

/**
 * AimfHttpOptions:
 * @key: (nullable) sent as bearer token
 * @connect_seconds: until there is a connection; @total_seconds: for a whole request
 * @stall_seconds: between two bytes of an answer that has begun. Before, a model may think for as long as
 * @total_seconds allows
 * @limit_bytes: of an answer
 */
typedef struct {
    const AimfEndpoint *endpoint;
    const char *key;
    double connect_seconds;
    double total_seconds;
    double stall_seconds;
    gsize limit_bytes;
} AimfHttpOptions;

typedef enum {
    AIMF_HTTP_ANSWERED, /* whatever the status */
    AIMF_HTTP_FAILED,   /* no connection, a broken one, too slow: another attempt may succeed */
    AIMF_HTTP_REFUSED,  /* a certificate, a huge answer, an unknown host: another attempt would end the same way */
} AimfHttpOutcome;

/**
 * AimfHttpReply: how a request ended. No text in it says the key.
 * @message: what went wrong, NULL when ANSWERED; @body: (@length) with a 0 after it, as far as it came
 * @retry_after_seconds: what the server asks for, 0 for nothing; @redirect: (nullable) where it wanted to send the
 * request
 */
typedef struct {
    gpointer tag;
    AimfHttpOutcome outcome;
    char *message;
    long status;
    char *content_type; /* nullable */
    char *redirect;
    double retry_after_seconds;
    double seconds;
    char *body;
    gsize length;
} AimfHttpReply;

void aimf_http_reply_free(AimfHttpReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfHttpReply, aimf_http_reply_free)

typedef struct AimfHttp AimfHttp;

/**
 * aimf_http_new: (owned); @options and what it points to are copied but for the endpoint. NULL with FAILED, INVALID or
 * NOT_FOUND: no certificates to check an encrypted server by.
 */
AimfHttp *aimf_http_new(const AimfHttpOptions *options, GError **error);
/** aimf_http_free: ends what is still under way and wipes the key. */
void aimf_http_free(AimfHttp *http);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfHttp, aimf_http_free)

/** aimf_http_post: starts a request with the JSON @body, which is copied. Its reply carries @tag. */
gboolean aimf_http_post(AimfHttp *http, const char *body, gpointer tag, GError **error);
/** aimf_http_active: requests whose reply has not been handed out yet. */
guint aimf_http_active(const AimfHttp *http);
/** aimf_http_wait: (owned) the next reply, or NULL once @milliseconds have passed without one. */
AimfHttpReply *aimf_http_wait(AimfHttp *http, guint milliseconds);
