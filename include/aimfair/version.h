/*
 * The library's version.
 *
 * Example:
 *     void print_version(void)
 *     {
 *         g_print("aimfair %s\n", aimf_version());
 *     }
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** aimf_version: (borrowed) for instance "0.1.0". */
const char *aimf_version(void);

G_END_DECLS
