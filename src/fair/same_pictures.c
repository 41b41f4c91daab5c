#include "fair/same_pictures.h"

#include "base/format.h"
#include "base/shown.h"

#include <string.h>

static gboolean other_set(const AimfTwoSets *names, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean other_set(const AimfTwoSets *names, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *why = aimf_format_list(format, args);
    va_end(args);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s are not of the same test set: %s", names->both, why);
    return FALSE;
}

static gboolean check_kinds(const AimfOutcomes *one, const AimfOutcomes *other, const AimfTwoSets *names,
                            GError **error)
{
    if (one->n != other->n)
        return other_set(names, error, "%u samples and %u", one->n, other->n);
    if (one->n_targets != other->n_targets)
        return other_set(names, error, "%d classes and %d", one->n_targets, other->n_targets);
    if (!g_strv_equal((const char *const *)one->labels, (const char *const *)other->labels)) {
        g_autofree char *some = g_strjoinv(", ", one->labels), *others = g_strjoinv(", ", other->labels);
        return other_set(names, error, "the protected labels are %s and %s", AIMF_SHOWN(some), AIMF_SHOWN(others));
    }
    if (one->positive != other->positive)
        return other_set(names, error, "the positive class is %d and %d", one->positive, other->positive);
    return TRUE;
}

/* (owned) for each sample of @one its row in @other. */
static guint32 *match_rows(const AimfOutcomes *one, const AimfOutcomes *other, const AimfTwoSets *names, GError **error)
{
    guint n = one->n;
    g_autofree guint32 *match = g_new(guint32, n), *next = g_new0(guint32, n);
    if (!one->paths || !other->paths || one == other) {
        for (guint32 i = 0; i < n; i++)
            match[i] = i;
        return g_steal_pointer(&match);
    }
    g_autoptr(GHashTable) first = g_hash_table_new(g_str_hash, g_str_equal); /* path → first row + 1 that is left */
    for (guint32 i = n; i-- > 0;) {
        next[i] = GPOINTER_TO_UINT(g_hash_table_lookup(first, other->paths[i]));
        g_hash_table_insert(first, other->paths[i], GUINT_TO_POINTER(i + 1));
    }
    for (guint32 i = 0; i < n; i++) {
        guint32 row = GPOINTER_TO_UINT(g_hash_table_lookup(first, one->paths[i]));
        if (!row) {
            other_set(names, error, "the picture '%s' is missing %s", AIMF_SHOWN(one->paths[i]), names->other);
            return NULL;
        }
        match[i] = row - 1;
        g_hash_table_insert(first, other->paths[row - 1], GUINT_TO_POINTER(next[row - 1]));
    }
    return g_steal_pointer(&match);
}

static gboolean check_rows(const AimfOutcomes *one, const AimfOutcomes *other, const guint32 *match,
                           const AimfTwoSets *names, GError **error)
{
    for (guint i = 0; i < one->n; i++) {
        guint32 k = match[i];
        gboolean other_target = one->target[i] != other->target[k];
        if (!other_target && one->group[i] == other->group[k])
            continue;
        g_autofree char *name = one->paths && other->paths ? g_strdup_printf("'%s'", AIMF_SHOWN(one->paths[i]))
                                                           : g_strdup_printf("row %u", i + 1);
        return other_target
                   ? other_set(names, error, "%s has the target %d %s and %d %s", name, one->target[i], names->one,
                               other->target[k], names->other)
                   : other_set(names, error, "%s has the protected label '%s' %s and '%s' %s", name,
                               one->labels[one->group[i]], names->one, other->labels[other->group[k]], names->other);
    }
    return TRUE;
}

void aimf_ordered_rows_clear(AimfOrderedRows *rows)
{
    g_free(rows->prediction);
    g_free(rows->score);
    g_free(rows->probability);
    g_free(rows->class_probability);
}

/* (owned, nullable) rows of @width values each. */
static double *in_order(const double *values, const guint32 *match, gsize n, gsize width)
{
    double *ordered = values ? g_new(double, n *width) : NULL;
    for (gsize i = 0; values && i < n; i++)
        memcpy(ordered + i * width, values + match[i] * width, width * sizeof *values);
    return ordered;
}

gboolean aimf_rows_in_order(AimfOrderedRows *rows, const AimfOutcomes *outcomes, const AimfOutcomes *order,
                            const AimfTwoSets *names, GError **error)
{
    if (!check_kinds(order, outcomes, names, error))
        return FALSE;
    g_autofree guint32 *match = match_rows(order, outcomes, names, error);
    if (!match || !check_rows(order, outcomes, match, names, error))
        return FALSE;
    gsize n = outcomes->n;
    rows->prediction = g_new(int, n);
    for (gsize i = 0; i < n; i++)
        rows->prediction[i] = outcomes->prediction[match[i]];
    rows->score = in_order(outcomes->logit ? outcomes->logit : outcomes->probability, match, n, 1);
    rows->probability = in_order(outcomes->probability, match, n, 1);
    rows->class_probability = in_order(outcomes->class_probability, match, n, (gsize)outcomes->n_targets);
    rows->rows = aimf_outcomes_rows(outcomes);
    rows->rows.target = order->target;
    rows->rows.group = order->group;
    rows->rows.prediction = rows->prediction;
    rows->rows.score = rows->score;
    rows->rows.probability = rows->probability;
    rows->rows.class_probability = rows->class_probability;
    return TRUE;
}
