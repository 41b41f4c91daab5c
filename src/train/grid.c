#include "train/grid.h"

#include <math.h>
#include <string.h>

enum { SHOWN_GROUPS = 16 };

static gint compare_labels(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gboolean has_label(const AimfManifest *set, const char *label)
{
    guint n;
    const char *const *labels = aimf_manifest_groups(set, &n);
    for (guint i = 0; i < n; i++)
        if (strcmp(labels[i], label) == 0)
            return TRUE;
    return FALSE;
}

/* Several labels, or one that says something because another set has it, too, beside others. */
static gboolean is_labelled(const AimfManifest *const *sets, guint n, guint which)
{
    guint n_labels, n_others;
    const char *const *labels = aimf_manifest_groups(sets[which], &n_labels);
    gboolean labelled = n_labels > 1;
    if (!aimf_manifest_has_labels(sets[which]))
        return FALSE;
    for (guint i = 0; i < n && n_labels == 1 && !labelled; i++) {
        aimf_manifest_groups(sets[i], &n_others);
        labelled = n_others > 1 && has_label(sets[i], labels[0]);
    }
    return labelled;
}

void aimf_grid_init(AimfGrid *grid, const AimfManifest *const *sets, guint n)
{
    *grid = (AimfGrid){ .labels = g_ptr_array_new(), .n_classes = 2 };
    for (guint s = 0; s < n; s++) {
        guint n_labels;
        const char *const *labels = aimf_manifest_groups(sets[s], &n_labels);
        grid->n_classes = MAX(grid->n_classes, (guint)aimf_manifest_classes(sets[s]));
        for (guint i = 0; is_labelled(sets, n, s) && i < n_labels; i++)
            if (!g_ptr_array_find_with_equal_func(grid->labels, labels[i], g_str_equal, NULL))
                g_ptr_array_add(grid->labels, (gpointer)labels[i]);
    }
    g_ptr_array_sort(grid->labels, compare_labels);
    grid->n = grid->n_classes * MAX(grid->labels->len, 1);
}

void aimf_grid_clear(AimfGrid *grid)
{
    g_clear_pointer(&grid->labels, g_ptr_array_unref);
}

gboolean aimf_grid_has_labels(const AimfGrid *grid)
{
    return grid->labels->len > 1;
}

gboolean aimf_grid_knows(const AimfGrid *grid, const AimfManifest *set)
{
    for (guint i = 0; i < grid->labels->len; i++)
        if (has_label(set, g_ptr_array_index(grid->labels, i)))
            return TRUE;
    return FALSE;
}

guint *aimf_grid_counts(const AimfGrid *grid, const AimfManifest *set)
{
    guint n_labels, width = MAX(grid->labels->len, 1);
    const char *const *labels = aimf_manifest_groups(set, &n_labels);
    g_autofree guint *of_set = aimf_manifest_counts(set);
    guint *counts = g_new0(guint, (gsize)grid->n + 1);
    for (guint i = 0; i < n_labels; i++) {
        guint at = 0;
        if (grid->labels->len && !g_ptr_array_find_with_equal_func(grid->labels, labels[i], g_str_equal, &at))
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
