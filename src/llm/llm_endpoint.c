#include "llm/llm_endpoint.h"

#include <gio/gio.h>
#include <string.h>

#define CHAT_PATH "/chat/completions"

void aimf_endpoint_clear(AimfEndpoint *endpoint)
{
    g_free(endpoint->url);
    g_free(endpoint->host);
    *endpoint = (AimfEndpoint){ 0 };
}

static gboolean is_loopback(const char *host)
{
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);
    if (address)
        return g_inet_address_get_is_loopback(address);
    return g_ascii_strcasecmp(host, "localhost") == 0; /* which curl never asks a name server for, since 7.78 */
}

static gboolean refuse(const char *text, const char *what, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "the language model's address '%s' %s; expected http(s)://HOST[:PORT]/v1 or the full …/v1" CHAT_PATH,
                text, what);
    return FALSE;
}

/* What people paste from other documentation, and would get an obscure answer for. */
static const char *wrong_path(const char *path)
{
    static const char *const others[] = { "/completions", "/responses", "/models",   "/embeddings",
                                          "/api/chat",    "/api",       "/generate", "/completion" };
    if (!*path)
        return "has no path, where the version usually stands";
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        if (g_str_has_suffix(path, others[i]))
            return "is of another interface";
    return NULL;
}

static gboolean take_path(const char *text, GUri *uri, AimfEndpoint *endpoint, GError **error)
{
    g_autofree char *path = g_strdup(g_uri_get_path(uri));
    for (gsize n = strlen(path); n && path[n - 1] == '/'; n--)
        path[n - 1] = 0;
    gboolean full = g_str_has_suffix(path, CHAT_PATH);
    const char *wrong = full ? NULL : wrong_path(path);
    if (wrong)
        return refuse(text, wrong, error);
    g_autofree char *whole = g_strconcat(path, full ? "" : CHAT_PATH, NULL);
    endpoint->url = g_uri_join(G_URI_FLAGS_ENCODED, g_uri_get_scheme(uri), NULL, g_uri_get_host(uri),
                               g_uri_get_port(uri), whole, NULL, NULL);
    return TRUE;
}

gboolean aimf_endpoint_parse(const char *text, AimfEndpoint *endpoint, GError **error)
{
    *endpoint = (AimfEndpoint){ 0 };
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_ENCODED, NULL);
    const char *host = uri ? g_uri_get_host(uri) : NULL;
    if (!uri)
        return refuse(text, "is no URL", error);
    if (g_uri_get_userinfo(uri) || g_uri_get_query(uri) || g_uri_get_fragment(uri)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "the language model's address may have no user name, query or fragment; a key comes from the "
                    "environment alone");
        return FALSE;
    }
    endpoint->encrypted = strcmp(g_uri_get_scheme(uri), "https") == 0;
    if (!endpoint->encrypted && strcmp(g_uri_get_scheme(uri), "http") != 0)
        return refuse(text, "is neither http nor https", error);
    if (!host || !*host)
        return refuse(text, "names no host", error);
    endpoint->loopback = is_loopback(host);
    g_autofree char *address = strchr(host, ':') ? g_strdup_printf("[%s]", host) : g_strdup(host);
    int port = g_uri_get_port(uri);
    endpoint->host = port > 0 ? g_strdup_printf("%s:%d", address, port) : g_steal_pointer(&address);
    if (take_path(text, uri, endpoint, error))
        return TRUE;
    aimf_endpoint_clear(endpoint);
    return FALSE;
}

gboolean aimf_endpoint_check_key(const AimfEndpoint *endpoint, const char *key, GError **error)
{
    if (!key)
        return TRUE;
    gboolean printable = *key != 0;
    for (const char *c = key; *c; c++)
        printable = printable && g_ascii_isgraph(*c);
    if (!printable) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "the language model's key is empty or holds characters other than printable ASCII without blanks");
        return FALSE;
    }
    if (!endpoint->encrypted && !endpoint->loopback) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "the key would cross the network to '%s' unencrypted; use https, tunnel to this machine "
                    "(ssh -L), or unset the key if the server wants none",
                    endpoint->host);
        return FALSE;
    }
    return TRUE;
}
