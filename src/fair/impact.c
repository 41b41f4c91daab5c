/* Selection rates and impact ratios, by one column and by several together. */
#include "fair/intervals.h"

#include <aimfair/fair.h>
#include <math.h>

static const double ALPHA = 0.05;
enum { SMALL_PERCENT = 2 };

static void tables_free(AimfImpactTable *tables, guint n)
{
    for (guint t = 0; tables && t < n; t++) {
        for (guint i = 0; i < tables[t].n_categories; i++)
            g_strfreev(tables[t].categories[i].values);
        g_free(tables[t].categories);
        g_strfreev(tables[t].columns);
    }
    g_free(tables);
}

void aimf_impact_free(AimfImpact *impact)
{
    if (!impact)
        return;
    tables_free(impact->selection, impact->n_tables);
    tables_free(impact->scoring, impact->n_tables);
    g_free(impact);
}

/* --- Which samples are in which category --- */

/* The columns from @first to before @end are looked at together. */
typedef struct {
    const AimfImpactRows *rows;
    guint first, end;
} Key;

static int category_of(const Key *key, guint column, guint32 row)
{
    return key->rows->category[(gsize)column * key->rows->n + row];
}

static gint compare_rows(gconstpointer a, gconstpointer b, gpointer user_data)
{
    const Key *key = user_data;
    const guint32 x = *(const guint32 *)a, y = *(const guint32 *)b;
    for (guint c = key->first; c < key->end; c++) {
        int left = category_of(key, c, x), right = category_of(key, c, y);
        if (left != right)
            return left < right ? -1 : 1;
    }
    return 0;
}

static gboolean is_known(const Key *key, guint32 row)
{
    for (guint c = key->first; c < key->end; c++)
        if (category_of(key, c, row) < 0)
            return FALSE;
    return TRUE;
}

static char **values_of(const Key *key, guint32 row)
{
    char **values = g_new0(char *, (gsize)(key->end - key->first) + 1);
    for (guint c = key->first; c < key->end; c++)
        values[c - key->first] = g_strdup(key->rows->categories[c][category_of(key, c, row)]);
    return values;
}

/* --- Ratios --- */

/* a / b against c / d, in whole numbers: rows are fewer than 2^31. */
static int compare_fractions(guint64 a, guint64 b, guint64 c, guint64 d)
{
    return a * d < c * b ? -1 : a * d > c * b;
}

/* Of the highest rate, of equal ones the largest, which is known best. */
static AimfImpactCategory *find_reference(const AimfImpactTable *table)
{
    gboolean all_small = TRUE;
    AimfImpactCategory *found = NULL;
    for (guint i = 0; i < table->n_categories; i++)
        all_small = all_small && table->categories[i].small;
    for (guint i = 0; i < table->n_categories; i++) {
        AimfImpactCategory *category = &table->categories[i];
        if (category->small && !all_small)
            continue;
        int order = found ? compare_fractions(category->hits, category->n, found->hits, found->n) : 1;
        if (order > 0 || (order == 0 && category->n > found->n))
            found = category;
    }
    return found;
}

static void fill_ratios(const AimfImpactTable *table)
{
    AimfImpactCategory *reference = find_reference(table);
    if (!reference || !reference->hits)
        return;
    const AimfShare highest = { reference->hits, reference->n };
    reference->reference = TRUE;
    for (guint i = 0; i < table->n_categories; i++) {
        AimfImpactCategory *category = &table->categories[i];
        const AimfShare share = { category->hits, category->n };
        category->ratio = category == reference ? 1 : category->rate / reference->rate;
        if (category != reference)
            category->ratio_interval = aimf_ratio_interval(share, highest, ALPHA);
        category->below_four_fifths = compare_fractions(5 * share.x, share.n, 4 * highest.x, highest.n) < 0;
    }
}

/* --- Tables --- */

/* @sorted: (n) scratch; @hit: (rows) 0 or 1 */
static void fill_table(AimfImpactTable *table, const Key *key, const guint8 *hit, guint32 *sorted)
{
    const guint n = key->rows->n;
    guint known = 0;
    for (guint32 row = 0; row < n; row++)
        if (is_known(key, row))
            sorted[known++] = row;
    g_qsort_with_data(sorted, (gint)known, sizeof *sorted, compare_rows, (gpointer)key);
    table->n_columns = key->end - key->first;
    table->columns = g_new0(char *, (gsize)table->n_columns + 1);
    for (guint c = key->first; c < key->end; c++)
        table->columns[c - key->first] = g_strdup(key->rows->columns[c]);
    table->n = n;
    table->unknown = n - known;
    g_autoptr(GArray) categories = g_array_new(FALSE, FALSE, sizeof(AimfImpactCategory));
    for (guint i = 0, next; i < known; i = next) {
        AimfImpactCategory category = { .ratio = NAN, .ratio_interval = { NAN, NAN } };
        for (next = i; next < known && compare_rows(&sorted[i], &sorted[next], (gpointer)key) == 0; next++)
            category.hits += hit[sorted[next]];
        category.n = next - i;
        category.share = (double)category.n / known;
        category.rate = (double)category.hits / category.n;
        category.rate_interval = aimf_wilson((AimfShare){ category.hits, category.n }, ALPHA);
        category.small = (guint64)category.n * 100 < (guint64)SMALL_PERCENT * n;
        g_array_append_val(categories, category);
        g_array_index(categories, AimfImpactCategory, categories->len - 1).values = values_of(key, sorted[i]);
    }
    table->n_categories = categories->len;
    table->categories = (AimfImpactCategory *)(gpointer)g_array_free(g_steal_pointer(&categories), FALSE);
    fill_ratios(table);
}

/* (owned) by each column, then by all of them. */
static AimfImpactTable *make_tables(const AimfImpactRows *rows, const guint8 *hit, guint n_tables)
{
    AimfImpactTable *tables = g_new0(AimfImpactTable, n_tables);
    g_autofree guint32 *sorted = g_new(guint32, rows->n);
    for (guint t = 0; t < n_tables; t++) {
        gboolean one = t < rows->n_columns;
        const Key key = { rows, one ? t : 0, one ? t + 1 : rows->n_columns };
        fill_table(&tables[t], &key, hit, sorted);
    }
    return tables;
}

/* --- Scores --- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* (owned, nullable) the scores for @positive; of class 0 of two those of class 1 count downwards. */
static double *scores_of(const AimfImpactRows *rows, int positive)
{
    if (!rows->scores || (rows->n_scores > 1 && positive >= rows->n_scores))
        return NULL;
    double *scores = g_new(double, rows->n);
    for (guint i = 0; i < rows->n; i++)
        scores[i] = rows->n_scores > 1 ? rows->scores[(gsize)i * (gsize)rows->n_scores + (gsize)positive]
                    : positive == 1    ? rows->scores[i]
                                       : -rows->scores[i];
    return scores;
}

/*
 * Whether each of @scores (n) is above their median, which is returned. What is above the mean of the two in the
 * middle is above the lower of them, so that no rounding of that mean counts.
 */
static double find_above(double *scores, guint n, guint8 *above)
{
    g_autofree double *sorted = g_memdup2(scores, n * sizeof *scores);
    qsort(sorted, n, sizeof *sorted, compare_doubles);
    double low = sorted[(n - 1) / 2], high = sorted[n / 2];
    for (guint i = 0; i < n; i++)
        above[i] = scores[i] > low;
    return low == high ? low : low / 2 + high / 2;
}

static gboolean check_rows(const AimfImpactRows *rows, int positive, GError **error)
{
    const char *wrong = NULL;
    if (!rows->n)
        wrong = "there is no sample";
    else if (!rows->prediction)
        wrong = "the samples were not judged";
    else if (positive < 0)
        wrong = "with more than two classes it must be said which of them is selection (--positive)";
    for (gsize i = 0; !wrong && rows->scores && i < (gsize)rows->n * (gsize)rows->n_scores; i++)
        if (isnan(rows->scores[i]))
            wrong = "a score is not a number";
    if (wrong)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "impact ratios: %s", wrong);
    return !wrong;
}

AimfImpact *aimf_impact_measure(const AimfImpactRows *rows, int positive, GError **error)
{
    if (!check_rows(rows, positive, error))
        return NULL;
    AimfImpact *impact = g_new0(AimfImpact, 1);
    impact->positive = positive;
    impact->median = NAN;
    impact->n_tables = rows->n_columns + (rows->n_columns > 1);
    g_autofree guint8 *hit = g_new(guint8, rows->n);
    for (guint i = 0; i < rows->n; i++)
        hit[i] = rows->prediction[i] == positive;
    impact->selection = make_tables(rows, hit, impact->n_tables);
    g_autofree double *scores = scores_of(rows, positive);
    if (!scores)
        return impact;
    impact->score = rows->score;
    impact->median = find_above(scores, rows->n, hit);
    if (rows->n_scores == 1 && positive == 0 && g_strcmp0(rows->score, "probability") == 0)
        impact->median += 1; /* that of class 0 is what the other lacks to 1 */
    impact->scoring = make_tables(rows, hit, impact->n_tables);
    return impact;
}
