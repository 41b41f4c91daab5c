/* Whether the sets of a training, a sensitivity pass or a measurement are what they are given for. */
#include <aimfair/sets.h>

#include "data/overlap.h"
#include "model/model.h"
#include "train/grid.h"
#include "train/provenance.h"

#include <math.h>

/* Where a set counts as balanced or biased: smallest group over largest. A bias of 1/2 is 0.5. */
static const double LOPSIDED = 0.5, EVEN = 0.8;
/* How far from equal groups a balanced set must be, beside the biased one, to be certainly the wrong one. */
static const double SWAPPED_DISTANCE = 0.1, SWAPPED_RATIO = 2;

/* A set with what it is called: "training set". */
typedef struct {
    const char *name;
    const AimfManifest *manifest;
} Set;

/* (owned) "the training set 'train.csv'" */
static char *set_text(const Set *set)
{
    const char *path = aimf_manifest_path(set->manifest);
    return path ? g_strdup_printf("the %s '%s'", set->name, path) : g_strdup_printf("the %s", set->name);
}

/* --- Pictures in two sets --- */

static void add_overlap(AimfFindings *findings, const AimfOverlap *overlap, const Set *a, const Set *b)
{
    g_autofree char *a_text = set_text(a), *b_text = set_text(b);
    guint n = overlap->n_files + overlap->n_copies;
    if (overlap->whole) {
        aimf_findings_add(findings, "same-set", TRUE, "%s and %s have the same pictures, all %u of them", a_text,
                          b_text, aimf_manifest_count(b->manifest));
        return;
    }
    g_autofree char *a_place = aimf_manifest_place(a->manifest, overlap->row_a);
    g_autofree char *b_place = aimf_manifest_place(b->manifest, overlap->row_b);
    g_autofree char *copies = overlap->n_copies
                                  ? g_strdup_printf(" (%u as the same file, %u as a copy with the same bytes)",
                                                    overlap->n_files, overlap->n_copies)
                                  : g_strdup("");
    aimf_findings_add(findings, "overlap", TRUE,
                      "%u of the %u pictures of %s are also in %s%s, the first in %s: '%s', there in %s: '%s'", n,
                      aimf_manifest_count(b->manifest), b_text, a_text, copies, b_place,
                      aimf_manifest_at(b->manifest, overlap->row_b).path, a_place,
                      aimf_manifest_at(a->manifest, overlap->row_a).path);
}

/* --- Names and labels --- */

enum { MAX_SETS = 3 };

/* Of @sets (n) and the model (nullable). */
static void check_words(AimfFindings *findings, const Set *sets, guint n, const AimfModel *model)
{
    AimfNamed sources[MAX_SETS + 1] = { { 0 } };
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    for (guint s = 0; s < n; s++) {
        char *text = set_text(&sets[s]);
        g_ptr_array_add(texts, text);
        sources[s] = (AimfNamed){ .source = text, .manifest = sets[s].manifest };
    }
    sources[n] = (AimfNamed){ .source = "the model", .classes = model ? model->classes : NULL };
    aimf_check_names(sources, n + 1, findings);
    aimf_check_labels(sources, n, findings);
}

/* --- Classes and groups --- */

static void check_classes(AimfFindings *findings, const Set *set, guint n_classes)
{
    guint n_labels, n_present = 0, last = 0;
    aimf_manifest_groups(set->manifest, &n_labels);
    g_autofree guint *counts = aimf_manifest_counts(set->manifest);
    g_autoptr(GString) missing = g_string_new(NULL);
    for (guint t = 0; t < n_classes; t++) {
        guint n = 0;
        for (guint i = 0; i < n_labels && t < (guint)aimf_manifest_classes(set->manifest); i++)
            n += counts[t * n_labels + i];
        n_present += n > 0;
        last = n ? t : last;
        if (!n)
            g_string_append_printf(missing, "%s%u", missing->len ? ", " : "", t);
    }
    g_autofree char *text = set_text(set);
    if (n_present == 1)
        aimf_findings_add(findings, "one-class", TRUE, "all %u pictures of %s have the target %u",
                          aimf_manifest_count(set->manifest), text, last);
    else if (n_present < n_classes)
        aimf_findings_add(findings, "missing-class", FALSE, "%s has no pictures with the target %s", text,
                          missing->str);
}

/* Two rows of one picture with two targets: one of them is wrong. */
static void check_targets(AimfFindings *findings, const Set *set)
{
    g_autoptr(GHashTable) rows = g_hash_table_new(g_str_hash, g_str_equal); /* path → row + 1 */
    guint n = 0, first = 0, other = 0;
    for (guint i = 0; i < aimf_manifest_count(set->manifest); i++) {
        AimfSample sample = aimf_manifest_at(set->manifest, i);
        guint before = GPOINTER_TO_UINT(g_hash_table_lookup(rows, sample.path));
        if (!before) {
            g_hash_table_insert(rows, (gpointer)sample.path, GUINT_TO_POINTER(i + 1));
        } else if (aimf_manifest_at(set->manifest, before - 1).target != sample.target && n++ == 0) {
            first = before - 1;
            other = i;
        }
    }
    if (!n)
        return;
    g_autofree char *text = set_text(set), *place = aimf_manifest_place(set->manifest, first);
    g_autofree char *other_place = aimf_manifest_place(set->manifest, other);
    AimfSample one = aimf_manifest_at(set->manifest, first), two = aimf_manifest_at(set->manifest, other);
    aimf_findings_add(findings, "contradiction", FALSE,
                      "%s contradicts itself: '%s' has the target %d in %s and %d in %s (such rows: %u)", text,
                      one.path, one.target, place, two.target, other_place, n);
}

static void check_empty_groups(AimfFindings *findings, const AimfGrid *grid, const Set *set)
{
    g_autofree guint *counts = aimf_grid_counts(grid, set->manifest);
    g_autofree char *text = set_text(set), *groups = aimf_grid_text(grid, counts);
    if (aimf_grid_has_labels(grid) && aimf_grid_evenness(grid, counts) == 0)
        aimf_findings_add(findings, "empty-group", FALSE, "%s lacks a group, which then cannot be its worst one (%s)",
                          text, groups);
}

static gboolean is_lopsided(const AimfGrid *grid, const guint *counts)
{
    return aimf_grid_has_labels(grid) && aimf_grid_evenness(grid, counts) < LOPSIDED;
}

/* --- Training --- */

/* Fine-tuning wants a balanced set, and not the photographs again from which the bias came. */
static void check_finetuning(const AimfTrainingSets *sets, const AimfGrid *grid, const Set *train,
                             AimfFindings *findings)
{
    g_autofree guint *counts = aimf_grid_counts(grid, train->manifest);
    g_autofree char *text = set_text(train), *groups = aimf_grid_text(grid, counts);
    AimfUse use = aimf_run_use(sets->start, train->manifest);
    gboolean known = aimf_grid_has_labels(grid), lopsided = is_lopsided(grid, counts);
    if (use == AIMF_USE_PRETRAINING && lopsided)
        aimf_findings_add(findings, "same-set", TRUE,
                          "%s is the set that the model was trained on, and it is not balanced (%s); fine-tuning takes "
                          "a balanced set",
                          text, groups);
    else if (lopsided)
        aimf_findings_add(findings, "unbalanced", FALSE, "%s is not balanced: its groups have %s", text, groups);
    else if (use == AIMF_USE_PRETRAINING && !known)
        aimf_findings_add(findings, "same-set", FALSE, "%s is a set that the model was trained on before", text);
    if (use == AIMF_USE_VALIDATION)
        aimf_findings_add(findings, "chosen-on", FALSE,
                          "%s is the validation set that chose an epoch of the model's earlier training", text);
}

gboolean aimf_check_training_sets(const AimfTrainingSets *sets, const AimfMonitor *monitor, AimfFindings *findings,
                                  GError **error)
{
    const Set named[] = { { "training set", sets->train }, { "validation set", sets->validation } };
    const Set train = named[0], validation = named[1];
    const AimfManifest *const both[] = { sets->train, sets->validation };
    g_auto(AimfGrid) of_train = { 0 }, of_validation = { 0 };
    g_autoptr(AimfPictures) pictures =
        aimf_pictures_compare(both, G_N_ELEMENTS(both), AIMF_COMPARE_ACROSS, monitor, error);
    if (!pictures)
        return FALSE;
    AimfOverlap overlap = aimf_pictures_overlap(pictures, 0, 1);
    if (overlap.n_files || overlap.n_copies)
        add_overlap(findings, &overlap, &train, &validation);
    check_words(findings, named, G_N_ELEMENTS(named), sets->model);
    aimf_grid_init(&of_train, both, G_N_ELEMENTS(both), 0);
    aimf_grid_init(&of_validation, both, G_N_ELEMENTS(both), 1);
    check_classes(findings, &train, of_train.n_classes);
    check_classes(findings, &validation, of_validation.n_classes);
    check_empty_groups(findings, &of_validation, &validation);
    check_targets(findings, &train);
    check_targets(findings, &validation);
    if (aimf_run_use(sets->start, sets->validation) >= AIMF_USE_TRAINING) {
        g_autofree char *text = set_text(&validation);
        aimf_findings_add(findings, "trained-on", TRUE,
                          "%s is a set that the model to begin with was trained on, so it can choose no epoch", text);
    }
    if (sets->batch_norm == AIMF_BATCH_NORM_FROZEN && !sets->start && !sets->finetuning && sets->model &&
        aimf_model_has_batch_norm(sets->model))
        aimf_findings_add(findings, "batch-norm", FALSE,
                          "batch norm is frozen, but in random weights its running statistics, which stay as they are, "
                          "are of no pictures: it normalises nothing");
    if (sets->finetuning)
        check_finetuning(sets, &of_train, &train, findings);
    return TRUE;
}

/* --- Sensitivity --- */

enum { REAL, BIASED, BALANCED, N_SETS };

static void check_pictures(const Set *sets, const AimfPictures *pictures, AimfFindings *findings)
{
    for (guint b = 1; b < N_SETS; b++) {
        for (guint a = 0; a < b; a++) {
            AimfOverlap overlap = aimf_pictures_overlap(pictures, a, b);
            gboolean drawn_alike = a == BIASED; /* both synthetic sets may be drawn from one folder */
            if ((overlap.n_files || overlap.n_copies) && (!drawn_alike || overlap.whole))
                add_overlap(findings, &overlap, &sets[a], &sets[b]);
        }
    }
}

/* The balanced set and the biased one by their group counts. TRUE if they look swapped. */
static gboolean check_swapped(const Set *sets, const AimfGrid *grid, guint *const *counts, AimfFindings *findings)
{
    double biased = aimf_grid_distance(grid, counts[BIASED]), balanced = aimf_grid_distance(grid, counts[BALANCED]);
    if (!(balanced > biased))
        return FALSE;
    gboolean certain = balanced >= MAX(SWAPPED_DISTANCE, SWAPPED_RATIO * biased);
    g_autofree char *biased_text = set_text(&sets[BIASED]), *balanced_text = set_text(&sets[BALANCED]);
    g_autofree char *biased_groups = aimf_grid_text(grid, counts[BIASED]);
    g_autofree char *balanced_groups = aimf_grid_text(grid, counts[BALANCED]);
    aimf_findings_add(findings, "swapped", certain, "%s (%s) is less balanced than %s (%s); they seem to be swapped",
                      balanced_text, balanced_groups, biased_text, biased_groups);
    return TRUE;
}

static void check_balance(const Set *sets, const AimfGrid *grids, AimfFindings *findings)
{
    guint *counts[N_SETS];
    for (guint s = 0; s < N_SETS; s++)
        counts[s] = aimf_grid_counts(&grids[s], sets[s].manifest);
    gboolean comparable =
        aimf_grid_has_labels(&grids[BIASED]) && aimf_grid_knows(&grids[BIASED], sets[BALANCED].manifest);
    gboolean swapped = comparable && check_swapped(sets, &grids[BIASED], counts, findings);
    for (guint s = 0; s < N_SETS; s++) {
        g_autofree char *text = set_text(&sets[s]), *groups = aimf_grid_text(&grids[s], counts[s]);
        double evenness = aimf_grid_has_labels(&grids[s]) ? aimf_grid_evenness(&grids[s], counts[s]) : NAN;
        if (s == BALANCED && evenness < LOPSIDED && !swapped)
            aimf_findings_add(findings, "unbalanced", FALSE, "%s is not balanced: its groups have %s", text, groups);
        if (s != BALANCED && evenness >= EVEN && !(swapped && s == BIASED))
            aimf_findings_add(findings, "unbiased", FALSE, "%s is hardly biased: its groups have %s", text, groups);
        g_free(counts[s]);
    }
}

gboolean aimf_check_sensitivity_sets(const AimfSensitivitySets *given, const AimfMonitor *monitor,
                                     AimfFindings *findings, GError **error)
{
    const Set sets[N_SETS] = { { "real set", given->real },
                               { "biased set", given->biased },
                               { "balanced set", given->balanced } };
    const AimfManifest *const all[N_SETS] = { given->real, given->biased, given->balanced };
    g_autoptr(AimfPictures) pictures = aimf_pictures_compare(all, N_SETS, AIMF_COMPARE_ACROSS, monitor, error);
    AimfGrid grids[N_SETS];
    if (!pictures)
        return FALSE;
    check_pictures(sets, pictures, findings);
    check_words(findings, sets, N_SETS, given->model);
    for (guint s = 0; s < N_SETS; s++) {
        g_autofree char *text = set_text(&sets[s]);
        aimf_grid_init(&grids[s], all, N_SETS, s);
        check_classes(findings, &sets[s], grids[s].n_classes);
        check_targets(findings, &sets[s]);
        if (s != REAL && given->model && aimf_run_use(given->model->tensors, all[s]) == AIMF_USE_PRETRAINING &&
            aimf_run_use(given->model->tensors, given->real) != AIMF_USE_PRETRAINING)
            aimf_findings_add(findings, "swapped", TRUE,
                              "%s is the set that the model was trained on, and the real set is not; they seem to be "
                              "swapped",
                              text);
    }
    check_balance(sets, grids, findings);
    for (guint s = 0; s < N_SETS; s++)
        aimf_grid_clear(&grids[s]);
    return TRUE;
}

/* --- Measuring --- */

void aimf_check_evaluation_set(const AimfModel *model, const AimfManifest *data, AimfFindings *findings)
{
    const Set set = { "data", data };
    g_autofree char *text = set_text(&set);
    AimfUse use = aimf_run_use(model->tensors, data);
    if (use >= AIMF_USE_TRAINING)
        aimf_findings_add(findings, "trained-on", FALSE,
                          "%s are the set that the model was trained on; how good it is on others this does not say",
                          text);
    else if (use == AIMF_USE_VALIDATION)
        aimf_findings_add(findings, "chosen-on", FALSE,
                          "%s are the set that chose the model's epoch, so the measures are a little too good", text);
    check_targets(findings, &set);
    check_words(findings, &set, 1, model);
}
