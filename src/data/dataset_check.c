/* Whether what was read from a dataset has anything to compare. */
#include <aimfair/data.h>

enum { SHOWN_GROUPS = 8 };

/* Pictures by class and label. */
typedef struct {
    guint n_labels;
    guint n_classes;
    guint *counts; /* (n_classes, n_labels) */
} Table;

/* Of class @index how many labels have pictures, or of label @index how many classes. */
static guint n_present(const Table *table, gboolean of_class, guint index)
{
    guint n = 0, others = of_class ? table->n_labels : table->n_classes;
    for (guint i = 0; i < others; i++)
        n += table->counts[of_class ? index * table->n_labels + i : i * table->n_labels + index] > 0;
    return n;
}

/* Whether each class has one label only, or each label one class. */
static gboolean is_told(const Table *table, gboolean of_class)
{
    for (guint i = 0; i < (of_class ? table->n_classes : table->n_labels); i++)
        if (n_present(table, of_class, i) > 1)
            return FALSE;
    return TRUE;
}

/* (owned) "0_a: 20, 1_b: 31" */
static char *groups_text(const Table *table, const char *const *labels)
{
    GString *text = g_string_new(NULL);
    guint n = 0;
    for (guint g = 0; g < table->n_classes * table->n_labels; g++)
        if (table->counts[g] && n++ < SHOWN_GROUPS)
            g_string_append_printf(text, "%s%u_%s: %u", text->len ? ", " : "", g / table->n_labels,
                                   labels[g % table->n_labels], table->counts[g]);
    if (n > SHOWN_GROUPS)
        g_string_append_printf(text, " and %u more groups", n - SHOWN_GROUPS);
    return g_string_free(text, FALSE);
}

void aimf_check_dataset(const AimfManifest *samples, const char *name, AimfFindings *findings)
{
    g_autofree guint *counts = aimf_manifest_counts(samples);
    Table table = { .n_classes = (guint)aimf_manifest_classes(samples), .counts = counts };
    const char *const *labels = aimf_manifest_groups(samples, &table.n_labels);
    guint n = aimf_manifest_count(samples), n_classes = 0, last = 0;
    for (guint t = 0; t < table.n_classes; t++) {
        gboolean there = n_present(&table, TRUE, t) > 0;
        n_classes += (guint)there;
        last = there ? t : last;
    }
    gboolean labelled = n && aimf_manifest_has_labels(samples);
    if (n_classes == 1)
        aimf_findings_add(findings, "one-class", FALSE, "all %u pictures of %s have the target %u", n, name, last);
    if (labelled && table.n_labels == 1)
        aimf_findings_add(findings, "one-group", FALSE,
                          "all %u pictures of %s have the protected label '%s': there are no groups to compare", n,
                          name, labels[0]);
    if (!labelled || n_classes < 2 || table.n_labels < 2 || (!is_told(&table, TRUE) && !is_told(&table, FALSE)))
        return;
    g_autofree char *groups = groups_text(&table, labels);
    aimf_findings_add(findings, "confounded", FALSE,
                      "in %s the target and the protected label tell one another, so their influence cannot be told "
                      "apart: there are only %s",
                      name, groups);
}
