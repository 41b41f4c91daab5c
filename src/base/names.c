#include <aimfair/names.h>

#include <string.h>

/* Nobody mistypes longer names, and hostile ones shall cost nothing. */
enum { LONGEST_NAME = 64 };

/* (owned) What matters of a name. */
static char *plain(const char *name)
{
    GString *letters = g_string_new(NULL);
    for (; *name; name++)
        if (!strchr("_- ", *name))
            g_string_append_c(letters, g_ascii_tolower(*name));
    return g_string_free(letters, FALSE);
}

/* Over bytes; only the last three rows of the table are kept. */
static guint distance(const char *a, const char *b)
{
    gsize n = strlen(b);
    g_autofree guint *rows = g_new(guint, 3 * (n + 1));
    guint *before = rows, *last = rows + n + 1, *row = rows + 2 * (n + 1);
    for (gsize j = 0; j <= n; j++)
        last[j] = (guint)j;
    for (gsize i = 0; a[i]; i++) {
        row[0] = (guint)i + 1;
        for (gsize j = 0; j < n; j++) {
            row[j + 1] = MIN(last[j] + (a[i] != b[j]), MIN(last[j + 1], row[j]) + 1);
            if (i && j && a[i] == b[j - 1] && a[i - 1] == b[j])
                row[j + 1] = MIN(row[j + 1], before[j - 1] + 1);
        }
        guint *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[n];
}

const char *aimf_nearest_name(const char *text, const char *const *names)
{
    g_autofree char *wanted = plain(text);
    gsize length = strlen(wanted);
    if (!length || length > LONGEST_NAME)
        return NULL;
    /* More mistakes than that, or every letter another: another word was meant. */
    guint best = (guint)MIN(length < 5 ? 1 : MAX(2, length / 3), length - 1);
    const char *nearest = NULL;
    for (; *names; names++) {
        g_autofree char *name = plain(*names);
        if (strlen(name) > 2 * LONGEST_NAME)
            continue;
        guint d = g_str_has_prefix(name, wanted) ? 0 : distance(wanted, name);
        if (d <= best && (!nearest || d < best)) {
            nearest = *names;
            best = d;
        }
    }
    return nearest;
}

char *aimf_name_hint(const char *text, const char *const *names)
{
    const char *nearest = aimf_nearest_name(text, names);
    return nearest ? g_strdup_printf(" (did you mean '%s'?)", nearest) : g_strdup("");
}
