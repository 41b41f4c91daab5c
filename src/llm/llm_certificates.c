#include "llm/llm_certificates.h"

#include "base/file.h"

#include <curl/curl.h>
#include <unistd.h>

/* libcurl itself knows one place, that of the distribution it was built for. */
static const char *const usual[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Arch, Gentoo */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora, Red Hat */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* theirs in newer versions */
    "/etc/ssl/ca-bundle.pem",                            /* openSUSE */
    "/etc/ssl/cert.pem",                                 /* Alpine */
    NULL,
};

static gboolean is_there(const char *path)
{
    return path && aimf_path_kind(path, NULL) == AIMF_PATH_FILE && access(path, R_OK) == 0;
}

char *aimf_certificates_find(const char *named, const char *const *places, GError **error)
{
    if (named && *named) {
        if (is_there(named))
            return g_strdup(named);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
                    "SSL_CERT_FILE names '%s', which cannot be read; it must be a file of trusted certificates (PEM)",
                    named);
        return NULL;
    }
    const char *built_in = curl_version_info(CURLVERSION_NOW)->cainfo;
    if (!places && is_there(built_in))
        return g_strdup(built_in);
    for (const char *const *place = places ? places : usual; *place; place++)
        if (is_there(*place))
            return g_strdup(*place);
    g_set_error_literal(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
                        "no list of trusted certificates is in any of the usual places, so that no https server can be "
                        "checked; install one (ca-certificates), or set SSL_CERT_FILE to such a file (PEM)");
    return NULL;
}
