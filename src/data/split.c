/* Drawing from a dataset: biased and balanced sets, and the split into training, validation and test. */
#include <aimfair/data.h>

#include "base/monitor.h"
#include "base/random.h"
#include <math.h>
#include <string.h>

enum { MAX_ATTRIBUTES = 8 };

/* The rows of a manifest by (target, protected) group, target-major; a manifest without targets is of one class. */
typedef struct {
    const AimfManifest *samples;
    const char *const *labels;
    guint n_labels;
    guint n;
    GArray **rows; /* (n) of guint32 */
} Groups;

static void groups_clear(Groups *groups)
{
    for (guint g = 0; g < groups->n; g++)
        g_array_unref(groups->rows[g]);
    g_clear_pointer(&groups->rows, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Groups, groups_clear)

/* @parts: (nullable) only rows of the training part are taken. */
static Groups groups_of(const AimfManifest *samples, const guint8 *parts)
{
    Groups groups = { .samples = samples };
    groups.labels = aimf_manifest_groups(samples, &groups.n_labels);
    groups.n = (guint)MAX(aimf_manifest_classes(samples), 1) * groups.n_labels;
    groups.rows = g_new(GArray *, groups.n);
    for (guint g = 0; g < groups.n; g++)
        groups.rows[g] = g_array_new(FALSE, FALSE, sizeof(guint32));
    for (guint32 i = 0; i < aimf_manifest_count(samples); i++) {
        AimfSample sample = aimf_manifest_at(samples, i);
        if (!parts || parts[i] == AIMF_PART_TRAIN)
            g_array_append_val(groups.rows[(guint)MAX(sample.target, 0) * groups.n_labels + (guint)sample.group], i);
    }
    return groups;
}

/* One order for each group and @draw, of which every use takes a stretch. */
static void groups_shuffle(Groups *groups, guint64 seed, guint draw)
{
    for (guint g = 0; g < groups->n; g++) {
        AimfRandom random = aimf_random_at(seed, AIMF_STREAM_SPLIT, (guint64)draw << 32 | g);
        aimf_random_shuffle(&random, (guint32 *)groups->rows[g]->data, groups->rows[g]->len);
    }
}

/* @label: empty without protected labels; @detail: "" or what the images are for. */
static gboolean fail_short(int target, const char *label, guint64 asked, guint there, const char *detail,
                           GError **error)
{
    g_autofree char *group =
        *label ? g_strdup_printf("group %d_%s (target %d, protected %s)", target, label, target, label)
               : g_strdup_printf("target %d", target);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "%s: %" G_GUINT64_FORMAT " images are asked for%s, %u there are; ask for fewer or add images", group,
                asked, detail, there);
    return FALSE;
}

/* --- Group sizes --- */

gboolean aimf_bias_parse(const char *text, double *bias, GError **error)
{
    char *end;
    double value = g_ascii_strtod(text, &end);
    gboolean good = end != text;
    if (good && *end == '/') {
        const char *denominator = end + 1;
        double divisor = g_ascii_strtod(denominator, &end);
        good = end != denominator && divisor > 0;
        value /= divisor;
    }
    good = good && *end == 0 && isfinite(value) && value >= 0;
    if (good)
        *bias = value;
    else
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "bias '%s': expected minority to majority, such as 1/9 or 0.25", text);
    return good;
}

/*
 * @bits: (MAX_ATTRIBUTES) receives the attributes of a label such as "1" or "0_1"; their number, 0 if the label is
 * not of that form.
 */
static int parse_label(const char *label, int *bits)
{
    int n = 0;
    for (const char *c = label;; c += 2) {
        if ((*c != '0' && *c != '1') || (c[1] != 0 && c[1] != '_') || n == MAX_ATTRIBUTES)
            return 0;
        bits[n++] = *c - '0';
        if (c[1] == 0)
            return n;
    }
}

/* The halves and doubles are exact, so with one attribute these are the paper's r and 1/2 - r to the last bit. */
static double bias_share(double bias, int target, const int *bits, int n)
{
    double r = bias / (bias + 1) / 2, share = 0.5;
    for (int i = 0; i < n; i++)
        share *= bits[i] == target ? 2 * r : 1 - 2 * r;
    return share;
}

gboolean aimf_bias_count(double bias, guint count, int target, const char *protected_label, guint *size, GError **error)
{
    int bits[MAX_ATTRIBUTES];
    int n = parse_label(protected_label, bits);
    if (n == 0 || target < 0 || target > 1 || !isfinite(bias) || bias < 0) {
        g_set_error(
            error, AIMF_ERROR, AIMF_ERROR_INVALID,
            "group %d_%s: a biased set needs a target of 0 or 1 and protected attributes of 0 or 1 (at most %d); "
            "name one value of the attribute, such as race:0",
            target, protected_label, MAX_ATTRIBUTES);
        return FALSE;
    }
    double share = bias_share(bias, target, bits, n);
    *size = (guint)nearbyint(count * share);
    return TRUE;
}

/* The opposite of parse_label, for the lowest @n bits of @code. */
static void write_label(guint code, int n, char label[2 * MAX_ATTRIBUTES])
{
    for (int i = 0; i < n; i++) {
        label[2 * i] = code >> (n - 1 - i) & 1 ? '1' : '0';
        label[2 * i + 1] = i + 1 < n ? '_' : 0;
    }
}

void aimf_check_bias(const AimfManifest *samples, double bias, guint count, AimfFindings *findings)
{
    guint n_labels;
    const char *const *labels = aimf_manifest_groups(samples, &n_labels);
    int bits[MAX_ATTRIBUTES], n = n_labels ? parse_label(labels[0], bits) : 0;
    for (guint code = 0; n && code < 2u << n; code++) {
        char label[2 * MAX_ATTRIBUTES];
        int target = (int)(code >> n);
        write_label(code, n, label);
        for (int i = 0; i < n; i++)
            bits[i] = (int)(code >> (n - 1 - i) & 1);
        double share = bias_share(bias, target, bits, n), least = floor(0.5 / share) + 1; /* halves go down to 0 */
        if (share > 0 && nearbyint(count * share) < 1)
            aimf_findings_add(
                findings, "empty-group", TRUE,
                "group %d_%s gets no image: its share of %u images with the bias %g is %.3g; ask for %.0f "
                "images at least",
                target, label, count, bias, count * share, least);
    }
}

void aimf_check_part(const AimfManifest *samples, const AimfManifest *part, const char *name, AimfFindings *findings)
{
    guint n_labels, n_part;
    const char *const *labels = aimf_manifest_groups(samples, &n_labels);
    const char *const *part_labels = aimf_manifest_groups(part, &n_part);
    g_autofree guint *counts = aimf_manifest_counts(samples), *part_counts = aimf_manifest_counts(part);
    g_autoptr(GString) empty = g_string_new(NULL);
    for (guint g = 0; g < (guint)aimf_manifest_classes(samples) * n_labels; g++) {
        guint target = g / n_labels, at = 0;
        const char *label = labels[g % n_labels];
        while (at < n_part && strcmp(part_labels[at], label) != 0)
            at++;
        gboolean there =
            at < n_part && target < (guint)aimf_manifest_classes(part) && part_counts[target * n_part + at];
        if (counts[g] && !there)
            g_string_append_printf(empty, "%s%u_%s (%u in the dataset)", empty->len ? ", " : "", target, label,
                                   counts[g]);
    }
    if (empty->len && aimf_manifest_count(part))
        aimf_findings_add(findings, "empty-group", FALSE, "the %s has no images of the groups %s", name, empty->str);
}

/*
 * (owned) the size of each of @groups in a biased set; NULL with an error also when a group that must not be empty
 * has no images.
 */
static guint *biased_sizes(const Groups *groups, double bias, guint count, GError **error)
{
    if (groups->n_labels == 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "there are no images to draw from");
        return NULL;
    }
    if (!aimf_manifest_has_targets(groups->samples) || !aimf_manifest_has_labels(groups->samples)) {
        g_set_error(
            error, AIMF_ERROR, AIMF_ERROR_INVALID,
            "a biased set needs a target and a protected attribute; without them there is no group to be small");
        return NULL;
    }
    g_autofree guint *sizes = g_new0(guint, groups->n + 1);
    int bits[MAX_ATTRIBUTES], n_attributes = 0;
    for (guint i = 0; i < groups->n_labels; i++) {
        guint unused;
        int n = parse_label(groups->labels[i], bits);
        if (!aimf_bias_count(bias, count, (int)(groups->n / groups->n_labels) - 1, groups->labels[i], &unused, error))
            return NULL;
        if (n_attributes && n != n_attributes) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                        "protected labels '%s' and '%s' differ in their number of attributes", groups->labels[0],
                        groups->labels[i]);
            return NULL;
        }
        n_attributes = n;
    }
    for (guint code = 0; code < 2u << n_attributes; code++) {
        int target = (int)(code >> n_attributes);
        char label[2 * MAX_ATTRIBUTES];
        write_label(code, n_attributes, label);
        guint size, at = 0;
        if (!aimf_bias_count(bias, count, target, label, &size, error))
            return NULL;
        while (at < groups->n_labels && strcmp(groups->labels[at], label) != 0)
            at++;
        if (at < groups->n_labels)
            sizes[(guint)target * groups->n_labels + at] = size;
        else if (size && !fail_short(target, label, size, 0, "", error))
            return NULL;
    }
    return g_steal_pointer(&sizes);
}

/* --- Drawing --- */

/* Marks the @n rows of group @g from @offset on; FALSE with an error when there are fewer. */
static gboolean mark(const Groups *groups, guint g, guint offset, guint n, guint8 *marks, guint8 value, GError **error)
{
    const GArray *rows = groups->rows[g];
    if ((guint64)offset + n > rows->len)
        return fail_short((int)(g / groups->n_labels), groups->labels[g % groups->n_labels], (guint64)offset + n,
                          rows->len, "", error);
    for (guint i = 0; i < n; i++)
        marks[g_array_index(rows, guint32, offset + i)] = value;
    return TRUE;
}

static AimfManifest *marked(const AimfManifest *samples, const guint8 *marks, guint8 value)
{
    guint count = aimf_manifest_count(samples), n = 0;
    g_autofree guint32 *rows = g_new(guint32, count + 1);
    for (guint32 i = 0; i < count; i++)
        if (marks[i] == value)
            rows[n++] = i;
    return aimf_manifest_subset(samples, rows, n);
}

enum { DRAW_SPLIT, DRAW_BALANCED, DRAW_BIASED };

AimfManifest *aimf_manifest_draw_balanced(const AimfManifest *manifest, guint per_group, guint64 seed, GError **error)
{
    g_auto(Groups) groups = groups_of(manifest, NULL);
    groups_shuffle(&groups, seed, DRAW_BALANCED);
    g_autofree guint8 *marks = g_new0(guint8, aimf_manifest_count(manifest) + 1);
    for (guint g = 0; g < groups.n; g++)
        if (!mark(&groups, g, 0, per_group, marks, 1, error))
            return NULL;
    return marked(manifest, marks, 1);
}

/* @sizes: (groups) of each */
static AimfManifest *draw_sizes(const AimfManifest *manifest, Groups *groups, const guint *sizes, guint64 seed,
                                GError **error)
{
    groups_shuffle(groups, seed, DRAW_BIASED);
    g_autofree guint8 *marks = g_new0(guint8, aimf_manifest_count(manifest) + 1);
    for (guint g = 0; g < groups->n; g++)
        if (!mark(groups, g, 0, sizes[g], marks, 1, error))
            return NULL;
    return marked(manifest, marks, 1);
}

AimfManifest *aimf_manifest_draw_biased(const AimfManifest *manifest, double bias, guint count, guint64 seed,
                                        GError **error)
{
    g_auto(Groups) groups = groups_of(manifest, NULL);
    g_autofree guint *sizes = biased_sizes(&groups, bias, count, error);
    if (!sizes)
        return NULL;
    return draw_sizes(manifest, &groups, sizes, seed, error);
}

/* (owned) (groups) how many of each make @count with the shares of @like's. */
static guint *sizes_like(const Groups *groups, const AimfManifest *like, guint count, GError **error)
{
    g_auto(Groups) shares = groups_of(like, NULL);
    g_autofree guint *sizes = g_new0(guint, groups->n + 1);
    guint total = aimf_manifest_count(like);
    for (guint s = 0; s < shares.n; s++) {
        const char *label = shares.labels[s % shares.n_labels];
        guint target = s / shares.n_labels, l = 0;
        guint size = (guint)rint((double)count * shares.rows[s]->len / total);
        while (l < groups->n_labels && strcmp(groups->labels[l], label) != 0)
            l++;
        guint g = target * groups->n_labels + l;
        if (l < groups->n_labels && g < groups->n)
            sizes[g] = size;
        else if (size && !fail_short((int)target, label, size, 0, "", error))
            return NULL;
    }
    return g_steal_pointer(&sizes);
}

AimfManifest *aimf_manifest_draw_like(const AimfManifest *manifest, const AimfManifest *like, guint count, guint64 seed,
                                      GError **error)
{
    if (!aimf_manifest_has_labels(like) || !aimf_manifest_count(like)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "the set to be like has no protected labels, so that nothing says how biased it is");
        return NULL;
    }
    g_auto(Groups) groups = groups_of(manifest, NULL);
    g_autofree guint *sizes = sizes_like(&groups, like, count, error);
    return sizes ? draw_sizes(manifest, &groups, sizes, seed, error) : NULL;
}

/* --- Splitting --- */

enum { UNUSED = AIMF_N_PARTS };

static gboolean split_official(const AimfDataset *dataset, const AimfSplitOptions *options, guint8 *marks,
                               GError **error)
{
    if (options->val_per_group || options->test_per_group) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "this dataset has an official split; --val-per-group and --test-per-group do not apply to it");
        return FALSE;
    }
    guint count = aimf_manifest_count(dataset->samples);
    memcpy(marks, dataset->parts, count);
    if (!options->biased)
        return TRUE;
    g_auto(Groups) groups = groups_of(dataset->samples, dataset->parts);
    g_autofree guint *sizes = biased_sizes(&groups, options->bias, options->count, error);
    if (!sizes)
        return FALSE;
    for (guint i = 0; i < count; i++)
        if (marks[i] == AIMF_PART_TRAIN)
            marks[i] = UNUSED;
    for (guint g = 0; g < groups.n; g++)
        if (!mark(&groups, g, 0, sizes[g], marks, AIMF_PART_TRAIN, error))
            return FALSE;
    return TRUE;
}

static gboolean split_drawn(const AimfDataset *dataset, const AimfSplitOptions *options, guint8 *marks, GError **error)
{
    g_auto(Groups) groups = groups_of(dataset->samples, NULL);
    g_autofree guint *sizes = NULL;
    if (options->biased && !(sizes = biased_sizes(&groups, options->bias, options->count, error)))
        return FALSE;
    guint64 held_out = (guint64)options->test_per_group + options->val_per_group;
    if (held_out > G_MAXINT32) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "%" G_GUINT64_FORMAT " images per group for validation and test are too many", held_out);
        return FALSE;
    }
    groups_shuffle(&groups, options->seed, DRAW_SPLIT);
    memset(marks, UNUSED, aimf_manifest_count(dataset->samples));
    for (guint g = 0; g < groups.n; g++) {
        guint there = groups.rows[g]->len, offset = (guint)held_out;
        guint train = sizes ? sizes[g] : there > offset ? there - offset : 0;
        if (held_out + train > there) {
            g_autofree char *detail = g_strdup_printf(" (%u for testing, %u for validation, %u for training)",
                                                      options->test_per_group, options->val_per_group, train);
            return fail_short((int)(g / groups.n_labels), groups.labels[g % groups.n_labels], held_out + train, there,
                              detail, error);
        }
        if (!mark(&groups, g, offset, train, marks, AIMF_PART_TRAIN, error) ||
            !mark(&groups, g, options->test_per_group, options->val_per_group, marks, AIMF_PART_VAL, error) ||
            !mark(&groups, g, 0, options->test_per_group, marks, AIMF_PART_TEST, error))
            return FALSE;
    }
    return TRUE;
}

gboolean aimf_dataset_split(const AimfDataset *dataset, const AimfSplitOptions *options, const AimfMonitor *monitor,
                            AimfManifest *parts[AIMF_N_PARTS], GError **error)
{
    static const char *const NAMES[AIMF_N_PARTS] = { "training", "validation", "test" };
    g_autofree guint8 *marks = g_new0(guint8, aimf_manifest_count(dataset->samples) + 1);
    if (!(dataset->parts ? split_official : split_drawn)(dataset, options, marks, error))
        return FALSE;
    for (guint8 part = 0; part < AIMF_N_PARTS; part++) {
        parts[part] = marked(dataset->samples, marks, part);
        if (aimf_manifest_count(parts[part]) == 0)
            aimf_message(monitor, AIMF_LOG_WARNING, "the %s set is empty", NAMES[part]);
    }
    return TRUE;
}
