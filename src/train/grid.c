#include "train/grid.h"

#include "data/spellings.h"

#include <math.h>
#include <string.h>

enum { SHOWN_GROUPS = 16 };

static gint compare_labels(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* (owned) of owned keys, in the order of the set's labels; empty without labels. */
static GPtrArray *keys_of(const AimfManifest *set)
{
    guint n;
    const char *const *labels = aimf_manifest_groups(set, &n);
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; aimf_manifest_has_labels(set) && i < n; i++)
        g_ptr_array_add(keys, aimf_spelling_key(labels[i]));
    return keys;
}

static gboolean find_key(const GPtrArray *keys, const char *key, guint *at)
{
    return g_ptr_array_find_with_equal_func((GPtrArray *)keys, key, g_str_equal, at);
}

static gboolean have_common(const GPtrArray *a, const GPtrArray *b)
{
    for (guint i = 0; i < a->len; i++)
        if (find_key(b, g_ptr_array_index(a, i), NULL))
            return TRUE;
    return FALSE;
}

/* Marks the sets whose labels are one another's with those of the set @which. */
static void find_related(GPtrArray *const *keys, guint n, guint which, gboolean *related)
{
    related[which] = TRUE;
    for (gboolean more = TRUE; more;) {
        more = FALSE;
        for (guint s = 0; s < n * n; s++) {
            guint a = s / n, b = s % n;
            if (related[a] && !related[b] && have_common(keys[a], keys[b]))
                more = related[b] = TRUE;
        }
    }
}

static void add_labels(AimfGrid *grid, const AimfManifest *set, const GPtrArray *keys)
{
    guint n;
    const char *const *labels = aimf_manifest_groups(set, &n);
    for (guint i = 0; i < keys->len; i++)
        if (!find_key(grid->keys, g_ptr_array_index(keys, i), NULL)) {
            g_ptr_array_add(grid->labels, (gpointer)labels[i]);
            g_ptr_array_add(grid->keys, g_strdup(g_ptr_array_index(keys, i)));
        }
}

void aimf_grid_init(AimfGrid *grid, const AimfManifest *const *sets, guint n, guint which)
{
    *grid = (AimfGrid){ .labels = g_ptr_array_new(), .n_classes = 2 };
    grid->keys = g_ptr_array_new_with_free_func(g_free);
    g_autofree GPtrArray **keys = g_new(GPtrArray *, n);
    g_autofree gboolean *related = g_new0(gboolean, n);
    for (guint s = 0; s < n; s++) {
        keys[s] = keys_of(sets[s]);
        grid->n_classes = MAX(grid->n_classes, (guint)aimf_manifest_classes(sets[s]));
    }
    find_related(keys, n, which, related);
    for (guint s = 0; s < n; s++)
        if (related[s])
            add_labels(grid, sets[s], keys[s]);
    for (guint s = 0; s < n; s++)
        g_ptr_array_unref(keys[s]);
    if (grid->labels->len == 1)
        g_ptr_array_set_size(grid->labels, 0);
    g_ptr_array_sort(grid->labels, compare_labels);
    g_ptr_array_set_size(grid->keys, 0);
    for (guint i = 0; i < grid->labels->len; i++)
        g_ptr_array_add(grid->keys, aimf_spelling_key(g_ptr_array_index(grid->labels, i)));
    grid->n = grid->n_classes * MAX(grid->labels->len, 1);
}

void aimf_grid_clear(AimfGrid *grid)
{
    g_clear_pointer(&grid->labels, g_ptr_array_unref);
    g_clear_pointer(&grid->keys, g_ptr_array_unref);
}

gboolean aimf_grid_has_labels(const AimfGrid *grid)
{
    return grid->labels->len > 1;
}

gboolean aimf_grid_knows(const AimfGrid *grid, const AimfManifest *set)
{
    g_autoptr(GPtrArray) keys = keys_of(set);
    return have_common(grid->keys, keys);
}

guint *aimf_grid_counts(const AimfGrid *grid, const AimfManifest *set)
{
    guint n_labels, width = MAX(grid->labels->len, 1);
    g_autoptr(GPtrArray) keys = keys_of(set);
    g_autofree guint *of_set = aimf_manifest_counts(set);
    guint *counts = g_new0(guint, (gsize)grid->n + 1);
    aimf_manifest_groups(set, &n_labels);
    for (guint i = 0; i < n_labels; i++) {
        guint at = 0;
        if (grid->labels->len && (i >= keys->len || !find_key(grid->keys, g_ptr_array_index(keys, i), &at)))
            continue;
        for (guint t = 0; t < (guint)aimf_manifest_classes(set); t++)
            counts[t * width + at] += of_set[t * n_labels + i];
    }
    return counts;
}

char *aimf_grid_group(const AimfGrid *grid, guint group)
{
    guint width = MAX(grid->labels->len, 1);
    if (!aimf_grid_has_labels(grid))
        return g_strdup_printf("class %u", group / width);
    return g_strdup_printf("%u_%s", group / width, (const char *)g_ptr_array_index(grid->labels, group % width));
}

char *aimf_grid_text(const AimfGrid *grid, const guint *counts)
{
    GString *text = g_string_new(NULL);
    for (guint g = 0; g < MIN(grid->n, SHOWN_GROUPS); g++) {
        g_autofree char *name = aimf_grid_group(grid, g);
        g_string_append_printf(text, "%s%s: %u", g ? ", " : "", name, counts[g]);
    }
    if (grid->n > SHOWN_GROUPS)
        g_string_append_printf(text, " and %u more groups", grid->n - SHOWN_GROUPS);
    return g_string_free(text, FALSE);
}

static guint64 total_of(const AimfGrid *grid, const guint *counts)
{
    guint64 total = 0;
    for (guint g = 0; g < grid->n; g++)
        total += counts[g];
    return total;
}

double aimf_grid_evenness(const AimfGrid *grid, const guint *counts)
{
    guint smallest = G_MAXUINT, largest = 0;
    for (guint g = 0; g < grid->n; g++) {
        smallest = MIN(smallest, counts[g]);
        largest = MAX(largest, counts[g]);
    }
    return largest ? (double)smallest / largest : NAN;
}

double aimf_grid_distance(const AimfGrid *grid, const guint *counts)
{
    double total = (double)total_of(grid, counts), distance = 0;
    for (guint g = 0; g < grid->n; g++)
        distance += fabs(counts[g] / total - 1.0 / grid->n) / 2;
    return total > 0 ? distance : NAN;
}
