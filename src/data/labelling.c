/* Whether several sets write their protected labels the same, and what makes them do so. */
#include "data/labels.h"
#include "data/manifest.h"
#include "data/spellings.h"

#include <aimfair/data.h>
#include <string.h>

enum { SHOWN = 4 };

/* The labels of one set, and for each what it is without its spelling. */
typedef struct {
    const char *source;
    const char *const *labels;
    guint n;
    char **keys; /* (n) */
} Labels;

static void labels_clear(gpointer data)
{
    g_strfreev(((Labels *)data)->keys);
}

/* (owned) of Labels, of the sets that have any. */
static GArray *collect(const AimfNamed *sources, guint n)
{
    GArray *sets = g_array_new(FALSE, FALSE, sizeof(Labels));
    g_array_set_clear_func(sets, labels_clear);
    for (guint s = 0; s < n; s++) {
        const AimfManifest *manifest = sources[s].manifest;
        if (!manifest || !aimf_manifest_has_labels(manifest))
            continue;
        Labels set = { .source = sources[s].source };
        set.labels = aimf_manifest_groups(manifest, &set.n);
        set.keys = g_new0(char *, (gsize)set.n + 1);
        for (guint i = 0; i < set.n; i++)
            set.keys[i] = aimf_spelling_key(set.labels[i]);
        g_array_append_val(sets, set);
    }
    return sets;
}

static gboolean has(const Labels *set, const char *label)
{
    for (guint i = 0; i < set->n; i++)
        if (strcmp(set->labels[i], label) == 0)
            return TRUE;
    return FALSE;
}

/* Labels of @b that @a writes otherwise; what one file spells in two ways was said when it was read. */
static guint describe_spellings(const Labels *a, const Labels *b, GString *text)
{
    guint n = 0;
    for (guint i = 0; i < a->n; i++) {
        for (guint k = 0; k < b->n; k++) {
            if (strcmp(a->keys[i], b->keys[k]) != 0 || has(b, a->labels[i]) || has(a, b->labels[k]))
                continue;
            if (n++ < SHOWN)
                g_string_append_printf(text, "%s'%s' and '%s'", n > 1 ? ", " : "", a->labels[i], b->labels[k]);
        }
    }
    if (n > SHOWN)
        g_string_append_printf(text, " and %u more", n - SHOWN);
    return n;
}

static gboolean have_common(const Labels *a, const Labels *b)
{
    for (guint i = 0; i < a->n; i++)
        if (g_strv_contains((const char *const *)b->keys, a->keys[i]))
            return TRUE;
    return FALSE;
}

static void compare(const Labels *a, const Labels *b, AimfFindings *findings)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (describe_spellings(a, b, text))
        aimf_findings_add(findings, "spellings", FALSE,
                          "%s and %s spell protected labels differently, which count as different groups: %s; "
                          "--merge-labels joins them",
                          a->source, b->source, text->str);
    if (a->n > 1 && b->n > 1 && !have_common(a, b))
        aimf_findings_add(findings, "labels", FALSE,
                          "%s and %s have no protected label in common ('%s' there, '%s' here)", b->source, a->source,
                          a->labels[0], b->labels[0]);
}

void aimf_check_labels(const AimfNamed *sources, guint n, AimfFindings *findings)
{
    g_autoptr(GArray) sets = collect(sources, n);
    for (guint b = 1; b < sets->len; b++)
        for (guint a = 0; a < b; a++)
            compare(&g_array_index(sets, Labels, a), &g_array_index(sets, Labels, b), findings);
}

void aimf_manifests_merge_labels(AimfManifest *const *manifests, guint n)
{
    g_autoptr(AimfSpellings) spellings = aimf_spellings_new("protected");
    for (guint m = 0; m < n; m++) {
        guint n_labels;
        const char *const *labels = aimf_manifest_groups(manifests[m], &n_labels);
        g_autofree guint64 *rows = g_new0(guint64, (gsize)n_labels + 1);
        for (guint i = 0; i < aimf_manifest_count(manifests[m]); i++)
            rows[aimf_manifest_at(manifests[m], i).group]++;
        for (guint i = 0; i < n_labels; i++)
            aimf_spellings_add(spellings, labels[i], rows[i]);
    }
    for (guint m = 0; m < n; m++) {
        guint n_labels;
        const char *const *labels = aimf_manifest_groups(manifests[m], &n_labels);
        g_autofree const char **usual = g_new(const char *, (gsize)n_labels + 1);
        for (guint i = 0; i < n_labels; i++)
            usual[i] = aimf_spellings_usual(spellings, labels[i]);
        aimf_manifest_relabel(manifests[m], usual);
    }
}
