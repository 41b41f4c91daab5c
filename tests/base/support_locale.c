#include "base/support_locale.h"

#include <glib/gstdio.h>
#include <locale.h>

static char *made; /* (nullable) folder of one that localedef made */

static gboolean has_comma(void)
{
    return *localeconv()->decimal_point == ',';
}

/* glibc finds locales by LOCPATH when they are asked for. */
static void make_locale(void)
{
    made = g_dir_make_tmp("aimfair-locale-XXXXXX", NULL);
    g_autofree char *to = g_build_filename(made, "de_DE.UTF-8", NULL);
    const char *const command[] = { "localedef", "--no-archive", "-c", "-i", "de_DE", "-f", "UTF-8", to, NULL };
    g_spawn_sync(NULL, (char **)(gsize)command, NULL,
                 G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL, NULL,
                 NULL, NULL);
    g_setenv("LOCPATH", made, TRUE);
    setlocale(LC_NUMERIC, "de_DE.UTF-8");
}

gboolean support_comma_begin(void)
{
    static const char *const names[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "es_ES.UTF-8", "it_IT.UTF-8" };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (setlocale(LC_NUMERIC, names[i]) && has_comma())
            return TRUE;
    make_locale();
    if (has_comma())
        return TRUE;
    support_comma_end();
    return FALSE;
}

void support_comma_end(void)
{
    setlocale(LC_NUMERIC, "C");
    g_unsetenv("LOCPATH");
    if (!made)
        return;
    g_autofree char *command = g_strdup_printf("rm -rf %s", made);
    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    g_clear_pointer(&made, g_free);
}
