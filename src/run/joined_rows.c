#include "run/joined_rows.h"

#include <string.h>

/* WHOLE: one path is the other, or ends it. LOOK_AHEAD: rows behind the first alike one that may be more so */
enum { WHOLE = G_MAXINT, LOOK_AHEAD = 1000 };

/* How many of the last parts of two paths are the same. */
static int parts_alike(const char *a, const char *b)
{
    const char *x = a + strlen(a), *y = b + strlen(b);
    int parts = 0;
    while (x > a && y > b && x[-1] == y[-1]) {
        x--;
        y--;
        parts += *x == '/';
    }
    gboolean ends_b = x == a && (y == b || y[-1] == '/'), ends_a = y == b && (x == a || x[-1] == '/');
    return ends_a || ends_b ? WHOLE : parts;
}

/* 0: it is not the row of outcome @i. */
static int likeness(const AimfOutcomes *outcomes, guint i, const AimfManifest *manifest, guint row)
{
    AimfSample sample = aimf_manifest_at(manifest, row);
    if (outcomes->target[i] != sample.target ||
        g_strcmp0(outcomes->labels[outcomes->group[i]], sample.protected_label) != 0)
        return 0;
    return outcomes->paths ? parts_alike(outcomes->paths[i], sample.path) : WHOLE;
}

/* The first of those that are most alike, of rows from @row to @last; G_MAXUINT where none is. */
static guint find_row(const AimfOutcomes *outcomes, guint i, const AimfManifest *manifest, guint row, guint last)
{
    guint found = G_MAXUINT, ahead = 0;
    for (int most = 0; row <= last && most != WHOLE && ahead <= LOOK_AHEAD; row++) {
        int alike = likeness(outcomes, i, manifest, row);
        if (alike > most) {
            most = alike;
            found = row;
        }
        ahead += most > 0;
    }
    return found;
}

guint32 *aimf_run_join_rows(const AimfOutcomes *outcomes, const AimfManifest *manifest, guint *failed)
{
    guint n = aimf_manifest_count(manifest), row = 0;
    g_autofree guint32 *rows = g_new(guint32, (gsize)outcomes->n + 1);
    for (guint i = 0; i < outcomes->n; i++) {
        guint behind = outcomes->n - i - 1; /* which need rows, too */
        guint found = n > behind ? find_row(outcomes, i, manifest, row, n - behind - 1) : G_MAXUINT;
        if (found == G_MAXUINT) {
            if (failed)
                *failed = i;
            return NULL;
        }
        rows[i] = found;
        row = found + 1;
    }
    return g_steal_pointer(&rows);
}
