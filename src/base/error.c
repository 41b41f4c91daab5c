#include <aimfair/error.h>

#include "base/format.h"
#include "base/shown.h"

GQuark aimf_error_quark(void)
{
    return g_quark_from_static_string("aimf-error");
}

/*
 * GLib's functions for setting errors, as the library's sources call them: CMakeLists.txt gives them these names
 * there, and GLib's header then declares them. So no error can be made whose message people cannot be shown.
 */

void aimf_set_error_literal(GError **error, GQuark domain, gint code, const gchar *message)
{
    if (!error)
        return;
    g_return_if_fail(*error == NULL);
    *error = g_error_new_literal(domain, code, "");
    g_free((*error)->message);
    (*error)->message = aimf_message_text(g_strdup(message));
}

void aimf_set_error(GError **error, GQuark domain, gint code, const gchar *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = error ? aimf_format_list(format, args) : NULL;
    va_end(args);
    if (error)
        aimf_set_error_literal(error, domain, code, message);
}

static void prefix(GError *error, char *text)
{
    char *message = g_strconcat(text, error->message, NULL);
    g_free(text);
    g_free(error->message);
    error->message = aimf_message_text(message);
}

void aimf_prefix_error(GError **error, const gchar *format, ...)
{
    va_list args;
    va_start(args, format);
    if (error && *error)
        prefix(*error, aimf_format_list(format, args));
    va_end(args);
}

void aimf_propagate_prefixed_error(GError **to, GError *error, const gchar *format, ...)
{
    va_list args;
    va_start(args, format);
    g_propagate_error(to, error);
    if (to && *to)
        prefix(*to, aimf_format_list(format, args));
    va_end(args);
}
