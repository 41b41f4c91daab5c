/* How contexts are distributed over the groups, and whether chance alone would do it. */
#include "prompts/chi_square.h"
#include "prompts/context_classes.h"
#include "prompts/prompts.h"

#include <math.h>
#include <string.h>

enum {
    MIN_EXPECTED = 5,    /* Cochran 1954, in its stricter form: every cell, not four of five */
    MAX_CELLS = 1 << 22, /* of a dimension's table */
};
static const double LEVEL = 0.05;
static const char UNMENTIONED[] = "unmentioned";
static const char OTHERS[] = "others";

/* One dimension being counted: value (borrowed) to its counts per group. */
typedef struct {
    char *name;
    GHashTable *counts; /* of guint[n_groups] */
    gboolean found;     /* in some prompt */
} Tally;

static void tally_free(gpointer data)
{
    Tally *tally = data;
    g_hash_table_unref(tally->counts);
    g_free(tally->name);
    g_free(tally);
}

static Tally *tally_new(const char *name)
{
    Tally *tally = g_new(Tally, 1);
    *tally = (Tally){ g_strdup(name), g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free), FALSE };
    return tally;
}

static void count(Tally *tally, const char *value, guint group, guint n_groups)
{
    tally->found = tally->found || value;
    value = value ? value : UNMENTIONED;
    guint *counts = g_hash_table_lookup(tally->counts, value);
    if (!counts && ((guint64)g_hash_table_size(tally->counts) + 2) * n_groups > MAX_CELLS) {
        value = OTHERS; /* a file with many groups could ask for the product of all its values and groups */
        counts = g_hash_table_lookup(tally->counts, value);
    }
    if (!counts) {
        counts = g_new0(guint, n_groups);
        g_hash_table_insert(tally->counts, (gpointer)value, counts);
    }
    counts[group]++;
}

/* --- Counting --- */

static gboolean is_the_tasks_own(const AimfTask *task, const char *dimension)
{
    for (guint a = 0; task && a < task->n_attributes; a++)
        if (g_strcmp0(task->attributes[a].slot, dimension) == 0)
            return TRUE;
    return FALSE;
}

static void count_classes(const AimfPrompts *prompts, const AimfTask *task, GPtrArray *tallies)
{
    g_autoptr(AimfClassifier) classifier = aimf_classifier_new();
    g_autoptr(GPtrArray) classes = g_ptr_array_new();
    for (guint d = 0; d < aimf_class_dimensions(); d++) {
        g_ptr_array_add(classes, tally_new(aimf_class_dimension(d)));
        g_ptr_array_add(tallies, g_ptr_array_index(classes, d));
    }
    for (guint g = 0; g < prompts->n_groups; g++)
        for (guint i = 0; i < prompts->groups[g].n_prompts; i++) {
            /* Without contexts it is the same text for every dimension. */
            g_autofree char *before = NULL;
            g_autoptr(AimfWords) words = NULL;
            for (guint d = 0; d < classes->len; d++) {
                g_autofree char *text = aimf_class_text(d, &prompts->groups[g].prompts[i]);
                if (g_strcmp0(text, before) != 0) {
                    aimf_words_free(words);
                    words = aimf_words_new(text);
                    g_free(before);
                    before = g_steal_pointer(&text);
                }
                count(g_ptr_array_index(classes, d), aimf_classify(classifier, d, words), g, prompts->n_groups);
            }
        }
    for (guint d = 0; d < classes->len; d++) {
        Tally *tally = g_ptr_array_index(classes, d);
        if (!tally->found || is_the_tasks_own(task, tally->name))
            g_ptr_array_remove(tallies, tally);
    }
}

static const char *label_of(const AimfPrompt *prompt, const char *dimension)
{
    for (guint i = 0; i < prompt->n_contexts; i++)
        if (strcmp(prompt->dimensions[i], dimension) == 0)
            return prompt->contexts[i];
    return NULL;
}

static void count_label(const AimfPrompts *prompts, const char *dimension, GPtrArray *tallies)
{
    Tally *tally = tally_new(dimension);
    g_ptr_array_add(tallies, tally);
    for (guint g = 0; g < prompts->n_groups; g++)
        for (guint i = 0; i < prompts->groups[g].n_prompts; i++)
            count(tally, label_of(&prompts->groups[g].prompts[i], dimension), g, prompts->n_groups);
}

/* Labels of dimensions that the classes do not know, in the order in which they first appear. */
static void count_labels(const AimfPrompts *prompts, GPtrArray *tallies)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint g = 0; g < prompts->n_groups; g++)
        for (guint i = 0; i < prompts->groups[g].n_prompts; i++) {
            const AimfPrompt *prompt = &prompts->groups[g].prompts[i];
            for (guint c = 0; c < prompt->n_contexts && g_hash_table_size(seen) < AIMF_MAX_CONTEXTS; c++)
                if (!aimf_class_covers(prompt->dimensions[c]) && g_hash_table_add(seen, prompt->dimensions[c]))
                    count_label(prompts, prompt->dimensions[c], tallies);
        }
}

/* --- Testing --- */

static guint sum_of(const guint *row, guint n)
{
    guint sum = 0;
    for (guint i = 0; i < n; i++)
        sum += row[i];
    return sum;
}

/* A row of the table that is being pooled. */
typedef struct {
    guint sum;
    guint row;
} Row;

static gint compare_rows(gconstpointer a, gconstpointer b, gpointer user_data)
{
    const Row *x = a, *y = b;
    (void)user_data;
    return x->sum != y->sum ? (x->sum > y->sum) - (x->sum < y->sum) : (x->row > y->row) - (x->row < y->row);
}

/* (owned) The rarest row, the first of several, taken out of @tree. */
static Row *take_rarest(GTree *tree)
{
    Row *row = g_memdup2(g_tree_node_key(g_tree_node_first(tree)), sizeof *row);
    g_tree_remove(tree, row);
    return row;
}

/* Moves the rows that are in @tree together, in their order. */
static void close_gaps(GTree *tree, guint *table, guint *rows, guint columns)
{
    g_autofree guint8 *stays = g_new0(guint8, *rows);
    guint n = 0;
    for (GTreeNode *node = g_tree_node_first(tree); node; node = g_tree_node_next(node))
        stays[((const Row *)g_tree_node_key(node))->row] = 1;
    for (guint r = 0; r < *rows; r++)
        if (stays[r])
            memmove(table + (gsize)n++ * columns, table + (gsize)r * columns, sizeof *table * columns);
    *rows = n;
}

/* Merges the two rarest values until every cell expects enough, or two values are left. */
static void pool(guint *table, guint *rows, guint columns)
{
    if (*rows < 3 || columns == 0)
        return;
    g_autoptr(GTree) tree = g_tree_new_full(compare_rows, NULL, g_free, NULL);
    g_autofree guint *column_sums = g_new0(guint, columns);
    for (guint r = 0; r < *rows; r++) {
        const guint *row = table + (gsize)r * columns;
        g_tree_insert(tree, g_memdup2(&(Row){ sum_of(row, columns), r }, sizeof(Row)), NULL);
        for (guint c = 0; c < columns; c++)
            column_sums[c] += row[c];
    }
    double all = sum_of(column_sums, columns), least = column_sums[0];
    for (guint c = 1; c < columns; c++)
        least = MIN(least, column_sums[c]);
    while (g_tree_nnodes(tree) > 2) {
        const Row *smallest = g_tree_node_key(g_tree_node_first(tree));
        if (smallest->sum * least / all >= MIN_EXPECTED)
            break;
        g_autofree Row *one = take_rarest(tree);
        g_autofree Row *other = take_rarest(tree);
        const guint *from = table + (gsize)MAX(one->row, other->row) * columns;
        guint *to = table + (gsize)MIN(one->row, other->row) * columns;
        for (guint c = 0; c < columns; c++)
            to[c] += from[c];
        g_tree_insert(tree, g_memdup2(&(Row){ one->sum + other->sum, MIN(one->row, other->row) }, sizeof(Row)), NULL);
    }
    close_gaps(tree, table, rows, columns);
}

static void test_dimension(AimfBalanceDimension *dimension, guint n_groups)
{
    g_autofree guint *filled = g_new(guint, n_groups); /* groups that have prompts */
    guint columns = 0, rows = dimension->n_values;
    for (guint g = 0; g < n_groups; g++) {
        guint sum = 0;
        for (guint v = 0; v < rows; v++)
            sum += dimension->counts[(gsize)v * n_groups + g];
        if (sum)
            filled[columns++] = g;
    }
    g_autofree guint *table = g_new(guint, (gsize)rows * columns);
    for (guint v = 0; v < rows; v++)
        for (guint c = 0; c < columns; c++)
            table[(gsize)v * columns + c] = dimension->counts[(gsize)v * n_groups + filled[c]];
    pool(table, &rows, columns);
    AimfChiSquare test = aimf_chi_square(table, rows, columns);
    dimension->cramers_v = test.cramers_v;
    dimension->chi_square = test.statistic;
    dimension->degrees = test.degrees;
    dimension->p_value = test.p_value;
    dimension->tested = test.degrees > 0 && test.smallest >= MIN_EXPECTED;
    dimension->group = filled[test.column];
}

static int compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void take_tally(AimfBalanceDimension *dimension, const Tally *tally, guint n_groups)
{
    guint n = 0;
    g_autofree const char **values = (const char **)g_hash_table_get_keys_as_array(tally->counts, &n);
    qsort(values, n, sizeof *values, compare_texts);
    *dimension = (AimfBalanceDimension){
        .name = g_strdup(tally->name),
        .n_values = n,
        .values = g_new(char *, n),
        .counts = g_new(guint, (gsize)n * n_groups),
    };
    for (guint v = 0; v < n; v++) {
        dimension->values[v] = g_strdup(values[v]);
        memcpy(dimension->counts + (gsize)v * n_groups, g_hash_table_lookup(tally->counts, values[v]),
               sizeof(guint) * n_groups);
    }
    test_dimension(dimension, n_groups);
}

AimfBalance *aimf_prompts_balance(const AimfPrompts *prompts, const AimfTask *task)
{
    g_autoptr(GPtrArray) tallies = g_ptr_array_new_with_free_func(tally_free);
    count_classes(prompts, task, tallies);
    count_labels(prompts, tallies);
    AimfBalance *balance = g_new0(AimfBalance, 1);
    balance->n_groups = prompts->n_groups;
    balance->groups = g_new(char *, prompts->n_groups);
    for (guint g = 0; g < prompts->n_groups; g++)
        balance->groups[g] = g_strdup(prompts->groups[g].name);
    balance->n_dimensions = tallies->len;
    balance->dimensions = g_new0(AimfBalanceDimension, tallies->len);
    balance->most = -1;
    guint n_tested = 0;
    double most = 0;
    for (guint d = 0; d < tallies->len; d++) {
        AimfBalanceDimension *dimension = &balance->dimensions[d];
        take_tally(dimension, g_ptr_array_index(tallies, d), prompts->n_groups);
        n_tested += dimension->tested ? 1 : 0;
        if (dimension->cramers_v > most) { /* not, if it is NaN */
            most = dimension->cramers_v;
            balance->most = (int)d;
        }
    }
    balance->level = LEVEL / MAX(n_tested, 1);
    return balance;
}

void aimf_balance_free(AimfBalance *balance)
{
    if (!balance)
        return;
    for (guint d = 0; d < balance->n_dimensions; d++) {
        AimfBalanceDimension *dimension = &balance->dimensions[d];
        for (guint v = 0; v < dimension->n_values; v++)
            g_free(dimension->values[v]);
        g_free(dimension->values);
        g_free(dimension->counts);
        g_free(dimension->name);
    }
    for (guint g = 0; g < balance->n_groups; g++)
        g_free(balance->groups[g]);
    g_free(balance->groups);
    g_free(balance->dimensions);
    g_free(balance);
}

gboolean aimf_balance_beyond_chance(const AimfBalance *balance, guint dimension)
{
    g_return_val_if_fail(dimension < balance->n_dimensions, FALSE);
    return balance->dimensions[dimension].tested && balance->dimensions[dimension].p_value < balance->level;
}
