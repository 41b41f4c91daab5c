/* printf for texts that leave the library: a number's point is a point in every locale of the program around it. */
#pragma once

#include <glib.h>

/** aimf_format, aimf_format_list: (owned) as g_strdup_printf and g_strdup_vprintf. */
char *aimf_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *aimf_format_list(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
/** aimf_format_append: as g_string_append_printf. */
void aimf_format_append(GString *text, const char *format, ...) G_GNUC_PRINTF(2, 3);
