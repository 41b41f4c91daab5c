/*
 * A real HTTP server on this machine that plays a language model's, with the manners of real ones, the bad ones among
 * them.
 */
#pragma once

#include <glib.h>

/** LlmAct: what the server does with one request. */
typedef enum {
    LLM_GOOD,               /* what was asked for, as JSON */
    LLM_FENCED,             /* the same within a fence of Markdown */
    LLM_PROSE,              /* a numbered list between sentences, whatever form was asked for */
    LLM_THOUGHTS,           /* thinks aloud, then JSON */
    LLM_CUT,                /* the limit of tokens was reached half-way */
    LLM_CUT_AT_ONCE,        /* … before anything was said */
    LLM_FILTERED,           /* a content filter */
    LLM_REFUSING,           /* the model itself refuses */
    LLM_EMPTY,              /* an answer without text */
    LLM_BUSY,               /* 429, Retry-After: 0 */
    LLM_BUSY_FOR_LONG,      /* 429, Retry-After: 3600 */
    LLM_NO_QUOTA,           /* 429, and only paying helps */
    LLM_BROKEN,             /* 500 */
    LLM_TELLTALE,           /* 500, with the whole request's head in the message, the key included */
    LLM_SILENT,             /* never answers */
    LLM_STALLING,           /* begins an answer and stops */
    LLM_DRIPPING,           /* a byte now and then */
    LLM_HANGING_UP,         /* closes in the middle of the answer */
    LLM_DEAF,               /* closes without a word */
    LLM_HTML,               /* a page in place of JSON */
    LLM_NO_CHOICES,         /* JSON, but no answer */
    LLM_ERROR_WITHIN,       /* an error with status 200, as routers send */
    LLM_NO_JSON,            /* says JSON, but is none */
    LLM_HUGE,               /* does not end */
    LLM_HUGE_HEAD,          /* headers do not end */
    LLM_NO_UTF8,            /* bytes that are no UTF-8 */
    LLM_ESCAPED_BYTES,      /* lone surrogates and controls in the text */
    LLM_ELSEWHERE,          /* 307 to the server's neighbour */
    LLM_UNAUTHORISED,       /* 401 */
    LLM_NO_MODEL,           /* 404 */
    LLM_NO_SCHEMA,          /* 400 where a JSON schema is asked for, as good as it gets otherwise */
    LLM_NO_FORMAT,          /* 500 where any form is asked for, in old llama.cpp's words */
    LLM_NEW_MODEL,          /* 400 for max_tokens, temperature and seed */
    LLM_SCHEMA_BREAKS,      /* 500 without a reason where a JSON schema is asked for */
    LLM_FORM_BREAKS,        /* 502 without a reason where any form is asked for */
    LLM_FORM_BREAKS_WITHIN, /* the same as a router says it: an error with status 200 */
    LLM_REASONING_CONTENT,  /* an empty content, JSON after thoughts in reasoning_content */
    LLM_REASONING,          /* no content, JSON alone in reasoning */
    LLM_THOUGHT_PARTS,      /* parts that are all thoughts, JSON in the last one */
    LLM_ONLY_THOUGHTS,      /* no content, and a numbered list in the thoughts */
    LLM_ALL_IN_THOUGHTS,    /* content ends with the tag that ends thoughts */
    LLM_TOOL_CALL,          /* the arguments of a tool */
    LLM_PARTS,              /* a content of parts, thoughts among them */
    LLM_OBJECT,             /* a content that is JSON already */
    LLM_COMPLETION,         /* a text beside no message, as the older interface has it */
} LlmAct;

typedef struct LlmServer LlmServer;

/**
 * LlmWriter: (owned) what the model would say: a JSON text {"prompts": […]}, for the @index-th request with the
 * question @user. Called from the server's threads.
 */
typedef char *(*LlmWriter)(const char *user, guint index, gpointer data);

/** LlmRequest: what came in. @json: the body as sent */
typedef struct {
    char *head;
    char *body;
} LlmRequest;

/**
 * llm_server_new: request i meets acts[i], those beyond @n the last act. @acts: copied; @neighbour: (nullable) where
 * ELSEWHERE leads
 */
LlmServer *llm_server_new(const LlmAct *acts, guint n, const LlmServer *neighbour, LlmWriter writer, gpointer data);
void llm_server_free(LlmServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LlmServer, llm_server_free)

/** llm_server_url: (borrowed) "http://127.0.0.1:PORT/v1". */
const char *llm_server_url(const LlmServer *server);
/**
 * llm_server_count: requests so far; llm_server_request: (borrowed) one of them; llm_server_most: the most at one time.
 */
guint llm_server_count(LlmServer *server);
const LlmRequest *llm_server_request(LlmServer *server, guint index);
guint llm_server_most(LlmServer *server);
