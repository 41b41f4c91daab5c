#include "llm/llm_http.h"

#include "base/format.h"
#include "llm/llm_certificates.h"
#include "llm/llm_secret.h"

#include <curl/curl.h>
#include <string.h>

enum { HEADER_LIMIT_BYTES = 1 << 16 };

struct AimfHttp {
    CURLM *multi;
    struct curl_slist *headers; /* the key is in one of them */
    char *key;
    char *certificates; /* the file of those to trust; NULL where nothing is encrypted */
    AimfHttpOptions options;
    GHashTable *transfers; /* of Transfer, as set */
};

/* One request under way. What broke it, when it was not curl that noticed, is in @refused. */
typedef struct {
    CURL *easy;
    gpointer tag;
    gsize limit_bytes;
    gint64 stall_us;
    GString *body;
    gsize header_bytes;
    gint64 last_byte_us; /* 0 until the answer begins */
    const char *refused;
    gboolean stalled;
    char reason[CURL_ERROR_SIZE];
} Transfer;

static void transfer_free(gpointer data)
{
    Transfer *transfer = data;
    curl_easy_cleanup(transfer->easy);
    if (transfer->body)
        g_string_free(transfer->body, TRUE);
    g_free(transfer);
}

void aimf_http_reply_free(AimfHttpReply *reply)
{
    if (!reply)
        return;
    g_free(reply->message);
    g_free(reply->content_type);
    g_free(reply->redirect);
    g_free(reply->body);
    g_free(reply);
}

static size_t on_header(char *text, size_t size, size_t n, void *data)
{
    (void)text;
    Transfer *transfer = data;
    transfer->last_byte_us = g_get_monotonic_time();
    transfer->header_bytes += size * n;
    if (transfer->header_bytes <= HEADER_LIMIT_BYTES)
        return size * n;
    transfer->refused = "the answer's headers do not end";
    return 0;
}

static size_t on_body(char *text, size_t size, size_t n, void *data)
{
    Transfer *transfer = data;
    transfer->last_byte_us = g_get_monotonic_time();
    if (size * n <= transfer->limit_bytes - transfer->body->len) {
        g_string_append_len(transfer->body, text, (gssize)(size * n));
        return size * n;
    }
    transfer->refused = "the answer is larger than any list of prompts";
    return 0;
}

static int on_progress(void *data, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    (void)down_total, (void)down, (void)up_total, (void)up;
    Transfer *transfer = data;
    gint64 silent_us = transfer->last_byte_us ? g_get_monotonic_time() - transfer->last_byte_us : 0;
    transfer->stalled = silent_us > transfer->stall_us;
    return transfer->stalled;
}

/* The headers of every request. Expect is emptied, or a server that knows no 100-continue costs a second each time. */
static struct curl_slist *make_headers(const char *key)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Accept: application/json");
    headers = curl_slist_append(headers, "Expect:");
    if (!key)
        return headers;
    char *line = g_strconcat("Authorization: Bearer ", key, NULL);
    headers = curl_slist_append(headers, line); /* copies */
    aimf_secret_wipe(line);
    return headers;
}

static void wipe_headers(struct curl_slist *headers)
{
    for (struct curl_slist *header = headers; header; header = header->next)
        explicit_bzero(header->data, strlen(header->data));
    curl_slist_free_all(headers);
}

AimfHttp *aimf_http_new(const AimfHttpOptions *options, GError **error)
{
    static gsize started;
    if (g_once_init_enter(&started))
        g_once_init_leave(&started, curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 1 : 2);
    if (!aimf_endpoint_check_key(options->endpoint, options->key, error))
        return NULL;
    g_autofree char *certificates = NULL;
    if (options->endpoint->encrypted &&
        !(certificates = aimf_certificates_find(g_getenv("SSL_CERT_FILE"), NULL, error)))
        return NULL;
    CURLM *multi = started == 1 ? curl_multi_init() : NULL;
    if (!multi) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED, "libcurl could not be started");
        return NULL;
    }
    AimfHttp *http = g_new0(AimfHttp, 1);
    http->multi = multi;
    http->options = *options;
    http->key = g_strdup(options->key);
    http->certificates = g_steal_pointer(&certificates);
    http->options.key = http->key;
    http->headers = make_headers(options->key);
    http->transfers = g_hash_table_new_full(NULL, NULL, transfer_free, NULL);
    return http;
}

void aimf_http_free(AimfHttp *http)
{
    if (!http)
        return;
    GHashTableIter iter;
    gpointer transfer;
    g_hash_table_iter_init(&iter, http->transfers);
    while (g_hash_table_iter_next(&iter, &transfer, NULL))
        curl_multi_remove_handle(http->multi, ((Transfer *)transfer)->easy);
    g_hash_table_unref(http->transfers);
    curl_multi_cleanup(http->multi);
    wipe_headers(http->headers);
    aimf_secret_wipe(http->key);
    g_free(http->certificates);
    g_free(http);
}

/*
 * Only the endpoint itself ever sees the request: no redirects, no proxy for this machine, no other protocols, no
 * .netrc. That a server's certificate is checked is libcurl's default, and stays.
 */
static void set_route(CURL *easy, const AimfHttp *http)
{
    curl_easy_setopt(easy, CURLOPT_URL, http->options.endpoint->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE); /* a proxy gets none of ours */
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "aimfair/" AIMF_VERSION);
    if (http->options.endpoint->loopback)
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (http->certificates)
        curl_easy_setopt(easy, CURLOPT_CAINFO, http->certificates);
}

static void set_bounds(CURL *easy, const AimfHttp *http, Transfer *transfer)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L); /* a model that thinks for minutes is silent meanwhile */
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(http->options.connect_seconds * 1000));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(http->options.total_seconds * 1000));
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reason);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
}

gboolean aimf_http_post(AimfHttp *http, const char *body, gpointer tag, GError **error)
{
    CURL *easy = curl_easy_init();
    if (!easy) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED, "libcurl could not begin a request");
        return FALSE;
    }
    Transfer *transfer = g_new0(Transfer, 1);
    *transfer = (Transfer){
        .easy = easy,
        .tag = tag,
        .limit_bytes = http->options.limit_bytes,
        .stall_us = (gint64)(http->options.stall_seconds * G_USEC_PER_SEC),
        .body = g_string_new(NULL),
    };
    set_route(easy, http);
    set_bounds(easy, http, transfer);
    if (curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body) == CURLE_OK &&
        curl_multi_add_handle(http->multi, easy) == CURLM_OK) {
        g_hash_table_add(http->transfers, transfer);
        return TRUE;
    }
    transfer_free(transfer);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED, "libcurl could not begin a request");
    return FALSE;
}

guint aimf_http_active(const AimfHttp *http)
{
    return g_hash_table_size(http->transfers);
}

/* Whether a repetition can help. Not with what a configuration or a certificate decides. */
static gboolean is_lasting(CURLcode code)
{
    switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_OUT_OF_MEMORY:
        return TRUE;
    default:
        return FALSE;
    }
}

static char *failure_text(const Transfer *transfer, CURLcode code, const AimfHttp *http)
{
    const char *host = http->options.endpoint->host;
    const char *reason = *transfer->reason ? transfer->reason : curl_easy_strerror(code);
    if (transfer->refused)
        return g_strdup_printf("%s (more than %" G_GSIZE_FORMAT " bytes)", transfer->refused,
                               transfer->header_bytes > HEADER_LIMIT_BYTES ? (gsize)HEADER_LIMIT_BYTES
                                                                           : transfer->limit_bytes);
    if (transfer->stalled)
        return aimf_format("the answer of '%s' stalled for %g s", host, http->options.stall_seconds);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return g_strdup_printf("'%s' took too long: %s", host, reason);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return g_strdup_printf("the certificate of '%s' is not to be trusted: %s", host, reason);
    if (code == CURLE_COULDNT_CONNECT)
        return g_strdup_printf("no connection to '%s'; is the server running there? (%s)", host, reason);
    return g_strdup_printf("no whole answer from '%s': %s", host, reason);
}

static void describe(AimfHttpReply *reply, CURL *easy, const char *key)
{
    const char *content_type = NULL, *redirect = NULL;
    curl_off_t retry_after = 0, total_us = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &content_type);
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &redirect);
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
    curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &total_us);
    reply->content_type = content_type ? aimf_secret_line(content_type, -1, key) : NULL;
    reply->redirect = redirect ? aimf_secret_line(redirect, -1, key) : NULL;
    reply->retry_after_seconds = (double)MAX(retry_after, 0);
    reply->seconds = (double)total_us / G_USEC_PER_SEC;
    if (reply->message)
        aimf_secret_redact(reply->message, strlen(reply->message), key);
    aimf_secret_redact(reply->body, reply->length, key);
}

static AimfHttpReply *finish(AimfHttp *http, CURL *easy, CURLcode code)
{
    char *private_data = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private_data);
    Transfer *transfer = (Transfer *)(void *)private_data;
    AimfHttpReply *reply = g_new0(AimfHttpReply, 1);
    reply->tag = transfer->tag;
    if (code != CURLE_OK) {
        reply->outcome = transfer->refused || is_lasting(code) ? AIMF_HTTP_REFUSED : AIMF_HTTP_FAILED;
        reply->message = failure_text(transfer, code, http);
    }
    reply->length = transfer->body->len;
    reply->body = g_string_free(g_steal_pointer(&transfer->body), FALSE);
    describe(reply, easy, http->key);
    curl_multi_remove_handle(http->multi, easy);
    g_hash_table_remove(http->transfers, transfer);
    return reply;
}

static AimfHttpReply *take_finished(AimfHttp *http)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left));)
        if (message->msg == CURLMSG_DONE)
            return finish(http, message->easy_handle, message->data.result);
    return NULL;
}

AimfHttpReply *aimf_http_wait(AimfHttp *http, guint milliseconds)
{
    gint64 end_us = g_get_monotonic_time() + (gint64)milliseconds * 1000;
    for (;;) {
        int running;
        curl_multi_perform(http->multi, &running);
        AimfHttpReply *reply = take_finished(http);
        gint64 left_us = end_us - g_get_monotonic_time();
        if (reply || left_us <= 0)
            return reply;
        curl_multi_poll(http->multi, NULL, 0, (int)(left_us / 1000) + 1, NULL);
    }
}
