#include "base/format.h"

#include <locale.h>

/* The locale C, which every system has. */
static locale_t plain_locale(void)
{
    static gsize made;
    if (g_once_init_enter(&made))
        g_once_init_leave(&made, (gsize)newlocale(LC_ALL_MASK, "C", (locale_t)0));
    return (locale_t)made;
}

char *aimf_format_list(const char *format, va_list args)
{
    locale_t before = uselocale(plain_locale()); /* of this thread alone */
    char *text = g_strdup_vprintf(format, args);
    uselocale(before);
    return text;
}

char *aimf_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = aimf_format_list(format, args);
    va_end(args);
    return text;
}

void aimf_format_append(GString *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *more = aimf_format_list(format, args);
    va_end(args);
    g_string_append(text, more);
}
