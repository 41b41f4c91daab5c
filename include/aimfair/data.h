/*
 * Manifests, dataset readers, splits and batches.
 *
 * Example:
 *     gboolean draw(const char *all, const char *to, GError **error)
 *     {
 *         g_autoptr(AimfManifest) manifest = aimf_manifest_open(all, error);
 *         if (!manifest)
 *             return FALSE; // the error names file, line and column
 *         g_autoptr(AimfManifest) balanced = aimf_manifest_draw_balanced(manifest, 100, 7, error);
 *         return balanced && aimf_manifest_save(balanced, to, error);
 *     }
 */
#pragma once

#include <aimfair/error.h>
#include <aimfair/findings.h>
#include <aimfair/image.h>
#include <aimfair/monitor.h>
#include <aimfair/trace.h>

G_BEGIN_DECLS

/**
 * AimfManifest:
 * A list of images with labels, the one data interface: CSV (RFC 4180, UTF-8) with a header and the columns path,
 * target and protected, in any order. protected is text; protected2, protected3 … are joined to it by '_' and make
 * the group. All other columns are kept. Paths are absolute or relative to the manifest's own folder. Blanks around
 * targets and labels do not count. Tables of spreadsheets are read too: other separators, UTF-16, empty columns and
 * rows.
 */
typedef struct AimfManifest AimfManifest;

/**
 * What a file may say: classes in [0, AIMF_MAX_CLASSES), distinct protected labels. More is taken for a mistaken
 * column. Models have no more classes either.
 */
#define AIMF_MAX_CLASSES 1000
#define AIMF_MAX_LABELS 1000

/**
 * AimfSample: one row, borrowed from the manifest. @group: index into the manifest's sorted list of protected labels.
 * Without targets or labels, @target is -1, or @group is 0 and @protected_label empty.
 */
typedef struct {
    const char *path; /* as a path that can be opened from here */
    int target;       /* 0, 1, … */
    int group;
    const char *protected_label;
} AimfSample;

/**
 * AimfMissing: what is done about a target or label that is empty or a word for nothing (nan, NA, N/A, None, null and
 * what else pandas takes for one): an error, its row is left out, or the word (not the empty text) is a label like
 * any other.
 */
typedef enum { AIMF_MISSING_ERROR, AIMF_MISSING_DROP, AIMF_MISSING_KEEP } AimfMissing;

/**
 * AimfLabelRules: how labels in tables are understood.
 * @merge_spellings: labels of one column that differ only in case, in blanks, in how a number is written (1, 1.0, 01)
 *   or in Unicode's composition are one, in its most frequent spelling; otherwise they are several, and doubtful
 * @findings: (nullable, borrowed) receives what is doubtful about a table's labels: "spellings", "missing-values"
 *   (rows that were left out), "unlabelled"; without it the reader's monitor hears of them as warnings
 */
typedef struct {
    AimfMissing missing;
    gboolean merge_spellings;
    AimfFindings *findings;
} AimfLabelRules;

/**
 * AimfColumnUse: of a column: it must be there, it is read if it is there, or it is kept like any other without a
 * look at it. Optional protected labels that some rows lack are none for the whole manifest, which is doubtful
 * ("unlabelled"), unless AIMF_MISSING_DROP leaves such rows out.
 */
typedef enum { AIMF_COLUMN_REQUIRED, AIMF_COLUMN_OPTIONAL, AIMF_COLUMN_UNUSED } AimfColumnUse;

/** AimfManifestOptions: @protected_labels: the use of all columns protected, protected2, … */
typedef struct {
    AimfColumnUse target;
    AimfColumnUse protected_labels;
    AimfLabelRules labels;
} AimfManifestOptions;

/**
 * aimf_manifest_open, aimf_manifest_open_with:
 * @options: (nullable) as all members 0, which is what aimf_manifest_open takes: both columns are required, nothing
 *   may be missing
 * @monitor: (nullable) is told what is doubtful about labels unless @options has findings
 * Returns: (owned); NULL with NOT_FOUND, IO, INVALID or FORMAT naming file, line and column. No image is touched.
 */
AimfManifest *aimf_manifest_open(const char *path, GError **error);
AimfManifest *aimf_manifest_open_with(const char *path, const AimfManifestOptions *options, const AimfMonitor *monitor,
                                      GError **error);
/** aimf_manifest_new: (owned) empty, for readers. */
AimfManifest *aimf_manifest_new(void);
void aimf_manifest_free(AimfManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfManifest, aimf_manifest_free)

/**
 * aimf_manifest_add: appends a row; @protected_label is copied, other columns are empty. Indices in AimfSample.group
 * that were handed out before may change. A @target of -1 is none, and so is a NULL @protected_label; all rows must
 * agree in that.
 */
void aimf_manifest_add(AimfManifest *manifest, const char *path, int target, const char *protected_label);
guint aimf_manifest_count(const AimfManifest *manifest);
/** aimf_manifest_has_targets, _has_labels: it says classes, or protected labels. */
gboolean aimf_manifest_has_targets(const AimfManifest *manifest);
gboolean aimf_manifest_has_labels(const AimfManifest *manifest);
/** aimf_manifest_n_dropped: rows of the file that were left out because a value was missing. */
guint aimf_manifest_n_dropped(const AimfManifest *manifest);
AimfSample aimf_manifest_at(const AimfManifest *manifest, guint index);
/**
 * aimf_manifest_groups: (borrowed) the sorted distinct protected labels, one empty one if there are none; their
 * number in @n.
 */
const char *const *aimf_manifest_groups(const AimfManifest *manifest, guint *n);
/** aimf_manifest_classes: largest target + 1, at least 2; 0 for an empty manifest or one without targets. */
int aimf_manifest_classes(const AimfManifest *manifest);
/**
 * aimf_manifest_counts: (owned) (classes, labels) the number of rows of each target and protected label,
 * target-major.
 */
guint *aimf_manifest_counts(const AimfManifest *manifest);
/** aimf_manifest_path: (borrowed, nullable) the file it was read from. */
const char *aimf_manifest_path(const AimfManifest *manifest);
/**
 * aimf_manifest_line: where the row @index begins in the file, from 1: a row may have several lines, and rows may have
 * been left out before it. 0 in a manifest that was not read from a file.
 */
guint64 aimf_manifest_line(const AimfManifest *manifest, guint index);
/** aimf_manifest_place: (owned) the same for messages: "line 7", or without a file "row 6", counted from 1. */
char *aimf_manifest_place(const AimfManifest *manifest, guint index);
/** aimf_manifest_hash: (owned) SHA-256 over the rows (path as written in the file, target, protected) in order. */
char *aimf_manifest_hash(const AimfManifest *manifest);
/** aimf_manifest_subset: (owned) a new manifest of the @n rows @rows, in that order, with all their columns. */
AimfManifest *aimf_manifest_subset(const AimfManifest *manifest, const guint32 *rows, guint n);

/**
 * aimf_manifest_get: (borrowed, nullable) the text of row @index in the column @name; NULL when there is no such
 * column.
 */
const char *aimf_manifest_get(const AimfManifest *manifest, guint index, const char *name);
/** aimf_manifest_columns: (borrowed) the NULL-terminated names of its columns, without path and target. */
const char *const *aimf_manifest_columns(const AimfManifest *manifest);
/**
 * aimf_manifest_set: changes the text in a column that is none of path, target, protected…; adds the column if it is
 * new.
 */
void aimf_manifest_set(AimfManifest *manifest, guint index, const char *name, const char *value);
/**
 * aimf_manifest_class_names, aimf_manifest_group_names:
 * What the classes, and the labels of aimf_manifest_groups, are called: the texts of the columns target_name and
 * protected_name, which readers of datasets write. Returns: (owned) NULL-terminated, in the order of the classes or
 * labels; NULL unless every one of them that has rows has one name throughout. What has no rows is called by its
 * number or label.
 */
char **aimf_manifest_class_names(const AimfManifest *manifest);
char **aimf_manifest_group_names(const AimfManifest *manifest);
/**
 * AimfNamed: something that has names for classes or protected labels. @source: what it is called in messages, "the
 * data 'test.csv'"; @classes: (nullable) NULL-terminated names of classes; @manifest: (nullable) one whose columns
 * target_name and protected_name say them, also where its targets were not read. All are borrowed.
 */
typedef struct {
    const char *source;
    char *const *classes;
    const AimfManifest *manifest;
} AimfNamed;

/**
 * aimf_check_names: "names" where @sources (n) have two names for one class or one protected label, be they both in
 * one source. Certain if one of the names also stands for another number, as in swapped classes; otherwise doubtful,
 * as they may be two words for one thing. Spellings of one name, and names that are only the number, do not count.
 */
void aimf_check_names(const AimfNamed *sources, guint n, AimfFindings *findings);

/**
 * aimf_check_labels: doubtful "spellings" where two of @sources (n) write one protected label in two ways, and "labels"
 * where two with several labels have none in common. Those without a manifest are left out.
 */
void aimf_check_labels(const AimfNamed *sources, guint n, AimfFindings *findings);

/**
 * aimf_manifests_merge_labels: protected labels that differ only in spelling, see AimfLabelRules, become in all of
 * @manifests (n) what most of their rows say.
 */
void aimf_manifests_merge_labels(AimfManifest *const *manifests, guint n);

/**
 * aimf_manifest_save: writes CSV atomically; paths become relative to the new file's folder where they lie below it,
 * absolute otherwise.
 */
gboolean aimf_manifest_save(const AimfManifest *manifest, const char *path, GError **error);
/**
 * aimf_manifest_save_within: the same, but paths are relative wherever they lie below @root, the new file's folder or
 * one above it ("../pictures/1.png"): so that @root can be moved as a whole.
 */
gboolean aimf_manifest_save_within(const AimfManifest *manifest, const char *path, const char *root, GError **error);

/**
 * aimf_manifest_unchanged: FALSE with IO if the file that it was read from is another one by now, or gone
 * (NOT_FOUND).
 */
gboolean aimf_manifest_unchanged(const AimfManifest *manifest, GError **error);

/** AimfNamedManifest: a manifest and the name of its file; all borrowed. */
typedef struct {
    const char *name;
    const AimfManifest *manifest;
} AimfNamedManifest;

/**
 * aimf_manifests_save: writes @n manifests that belong together into @folder. They get their names when all are
 * written; after a kill while they do, none of them can be opened (INVALID) until they are written anew. Returns:
 * FALSE with IO.
 */
gboolean aimf_manifests_save(const AimfNamedManifest *manifests, guint n, const char *folder, GError **error);

/* --- Drawing subsets --- */

/**
 * aimf_bias_parse:
 * @text: minority to majority as the paper writes it, "1/9", or as a decimal number
 * Returns: FALSE with INVALID for anything but a finite ratio >= 0.
 */
gboolean aimf_bias_parse(const char *text, double *bias, GError **error);

/**
 * aimf_bias_count:
 * The size of group (@target, @protected_label) in a biased set of @count images. @protected_label: "0" or "1", or
 * several of them joined by '_'. With one protected attribute and r = b/(b+1)/2: round(count * r) where target and
 * attribute agree, round(count * (1/2 - r)) elsewhere, halves to even. With several, the attributes are independent
 * given the target, each with the bias of the single case. Returns: FALSE with INVALID when the labels are not
 * binary.
 * Source: arXiv 2503.05665, code of 27 March 2025, cut_dataset.py (one attribute; the extension to several is ours).
 */
gboolean aimf_bias_count(double bias, guint count, int target, const char *protected_label, guint *size,
                         GError **error);

/**
 * aimf_check_bias: certain "empty-group" for each group that gets no image in a biased set of @count only because
 * its share, which is not 0, is rounded; says how many images it takes. @samples: what the set is to be drawn from
 */
void aimf_check_bias(const AimfManifest *samples, double bias, guint count, AimfFindings *findings);
/**
 * aimf_check_dataset: doubtful "one-class", "one-group" (one protected label) and "confounded" (each class has one
 * label only, or each label one class) of @samples, called @name in messages ("the dataset").
 */
void aimf_check_dataset(const AimfManifest *samples, const char *name, AimfFindings *findings);
/**
 * aimf_check_part: doubtful "empty-group" for the groups of @samples that @part, drawn from it and called @name
 * ("test set"), lacks. An empty part is passed over.
 */
void aimf_check_part(const AimfManifest *samples, const AimfManifest *part, const char *name, AimfFindings *findings);
/**
 * aimf_check_parts: certain "overlap" for each two of @parts (n), called @names, that have a file in common,
 * under whatever name. No file is read. FALSE with INTERRUPTED.
 */
gboolean aimf_check_parts(const AimfManifest *const *parts, const char *const *names, guint n,
                          const AimfMonitor *monitor, AimfFindings *findings, GError **error);

/**
 * aimf_manifest_draw_balanced, aimf_manifest_draw_biased:
 * Images drawn without replacement with @seed, in the order of @manifest: @per_group of each (target, protected)
 * group, or aimf_bias_count of each. Returns: (owned) or NULL with INVALID naming the group that is short, what was
 * asked and what there is.
 */
AimfManifest *aimf_manifest_draw_balanced(const AimfManifest *manifest, guint per_group, guint64 seed, GError **error);
AimfManifest *aimf_manifest_draw_biased(const AimfManifest *manifest, double bias, guint count, guint64 seed,
                                        GError **error);
/**
 * aimf_manifest_draw_like: the same with the shares that the groups of @like have: a group that is there with the same
 * target and label gets @count times its share, rounded. INVALID also where @like has no labels, or @manifest lacks one
 * of its groups.
 */
AimfManifest *aimf_manifest_draw_like(const AimfManifest *manifest, const AimfManifest *like, guint count, guint64 seed,
                                      GError **error);

/* --- Datasets --- */

/**
 * AimfDatasetKind: a layout that can be read. @official_split: it says itself what is for training, validation and
 * test.
 */
typedef struct {
    const char *name;
    const char *summary;
    gboolean official_split;
} AimfDatasetKind;

/** aimf_dataset_kinds: (borrowed) the @n layouts there are. */
const AimfDatasetKind *aimf_dataset_kinds(guint *n);

/**
 * AimfDatasetOptions:
 * @root: the dataset's folder; for "csv" where its relative paths begin, NULL for the file's own folder
 * @target, @protected_attributes: what to predict and the comma-separated attributes that make the groups. For
 *   "celeba" and "utkface" attributes: NAME, NAME:K (1 where the attribute is K, else 0), NAME>=N, NAME<N, or an
 *   alias (BlondHair, Female, White); for "csv" columns; for "groups" not used
 * @file, @path_column, @split_column: "csv" only; @split_column (nullable) holds train, val or test
 * @target_map: (nullable) "csv" only: VALUE=CLASS,… with * for all other values
 * @protected_maps: (nullable) "csv" only: NULL-terminated, VALUE=LABEL,… for the protected columns in their order
 * @labels: "csv" only: how targets and labels are understood
 * For "csv", @target and @protected_attributes may be NULL: the manifests then lack that column. No attribute may be
 * named twice, not even in other words (Male, Male:0), and no column, unless each time with a map of its own.
 */
typedef struct {
    const char *root;
    const char *target;
    const char *protected_attributes;
    const char *file;
    const char *path_column;
    const char *split_column;
    const char *target_map;
    const char *const *protected_maps;
    AimfLabelRules labels;
} AimfDatasetOptions;

typedef enum { AIMF_PART_TRAIN, AIMF_PART_VAL, AIMF_PART_TEST, AIMF_N_PARTS } AimfPart;

/**
 * AimfDataset:
 * @samples: every labelled picture that is on disk, in the dataset's own order
 * @parts: (count) AimfPart of each; NULL without an official split
 * @n_bad_names: files passed over because their name does not say the labels
 * @n_missing: labelled pictures passed over because they are not on disk
 * @n_dropped: rows passed over because a target or label was missing
 * @n_other_formats: files passed over because their name says a format that is not read (BMP, GIF, TIFF, HEIC …)
 */
typedef struct {
    AimfManifest *samples;
    guint8 *parts;
    guint n_bad_names;
    guint n_missing;
    guint n_dropped;
    guint n_other_formats;
} AimfDataset;

void aimf_dataset_free(AimfDataset *dataset);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfDataset, aimf_dataset_free)

/**
 * aimf_dataset_open:
 * Lists a dataset of the layout @kind and reads its labels; no picture is opened. What was passed over is told as a
 * warning.
 * Returns: (owned) or NULL with NOT_FOUND (folder, file, column, attribute), INVALID (options), FORMAT (naming file
 * and line).
 */
AimfDataset *aimf_dataset_open(const char *kind, const AimfDatasetOptions *options, const AimfMonitor *monitor,
                               GError **error);

/**
 * aimf_attribute_canonical:
 * (owned) the attribute expression @text of the layout @kind without aliases: "BlondHair" gives "Blond_Hair",
 * "Female" gives "gender:1" for "utkface". NULL with NOT_FOUND (lists what there is) or INVALID.
 */
char *aimf_attribute_canonical(const char *kind, const char *text, GError **error);

/**
 * AimfSplitOptions:
 * @biased: the training set has @count images with the ratio @bias (see aimf_bias_count); otherwise it is all that is
 *   left
 * @val_per_group, @test_per_group, @seed: only without an official split
 */
typedef struct {
    gboolean biased;
    double bias;
    guint count;
    guint val_per_group;
    guint test_per_group;
    guint64 seed;
} AimfSplitOptions;

/**
 * aimf_dataset_split:
 * @parts: receives three owned manifests, each in the dataset's order; an empty one is told as a warning
 * With an official split: its whole validation and test ranges, and from its training range the first images of each
 * group, as the original takes them. Without: drawn with the seed, per (target, protected) group: test first, then
 * validation, then the training set from what is left, so that the test set does not depend on the sizes of the other
 * two.
 * Returns: FALSE with INVALID: an option that does not fit, or a group that is short, with what was asked and what
 * there is.
 */
gboolean aimf_dataset_split(const AimfDataset *dataset, const AimfSplitOptions *options, const AimfMonitor *monitor,
                            AimfManifest *parts[AIMF_N_PARTS], GError **error);

/* --- Checking --- */

/**
 * AimfProblem: @manifest, @row: where; @other_manifest, @other_row: of a duplicate, its first appearance; @text:
 * owned.
 */
typedef struct {
    guint manifest;
    guint row;
    guint other_manifest;
    guint other_row;
    char *text;
} AimfProblem;

/**
 * AimfDataCheck: arrays of AimfProblem, each sorted by manifest and row. @across: a picture in two manifests, a leak if
 * one is for testing. Paths are known through links; where pictures were decoded, also copies with the same bytes.
 */
typedef struct {
    GArray *missing;
    GArray *unreadable;
    GArray *repeated;
    GArray *across;
} AimfDataCheck;

void aimf_data_check_free(AimfDataCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfDataCheck, aimf_data_check_free)

/**
 * aimf_data_check:
 * @decode: decode every picture; otherwise only look whether the file is there; @threads: 0: see aimf_set_threads
 * Returns: (owned) what is wrong with @manifests (n), or NULL with INTERRUPTED or FAILED (not one thread could be
 * started).
 */
AimfDataCheck *aimf_data_check(const AimfManifest *const *manifests, guint n, gboolean decode, int threads,
                               const AimfMonitor *monitor, GError **error);

/* --- Batches --- */

/**
 * AimfLoaderOptions:
 * @preprocess: how a picture becomes the network's input; @batch: images per batch
 * @augment: (nullable) training augmentation: its crop is resized to the input's size with the preprocessing's
 *   interpolation, in place of its resizing and central crop. NULL: the preprocessing alone
 * @shuffle: draw a new order each epoch; @drop_last: leave out an incomplete last batch
 * @seed: of order and augmentation; @threads: decoders, 0: see aimf_set_threads
 * @skip_bad: how many different unreadable images are tolerated over the loader's life before next fails; each is
 *   reported as a warning, once
 * @cache_bytes: decoded pictures kept from epoch to epoch, at most
 * @trace: (nullable) receives each picture's decoding and the caller's waiting; must live longer
 */
typedef struct {
    AimfPreprocess preprocess;
    guint batch;
    const AimfAugment *augment;
    gboolean shuffle;
    gboolean drop_last;
    guint64 seed;
    int threads;
    guint skip_bad;
    gsize cache_bytes;
    AimfTrace *trace;
} AimfLoaderOptions;

/**
 * AimfBatch: valid until the next call for its loader.
 * @n: images in it; @images: (n, 3, height, width) f32; @targets: (n) f32 of the class numbers; @samples: (n) row in
 *   the manifest
 */
typedef struct {
    guint n;
    const float *images;
    const float *targets;
    const guint32 *samples;
} AimfBatch;

/**
 * AimfLoader: decodes batches ahead on threads of its own. Sample i of epoch e has the same pixels whatever the
 * number of threads. An image skipped as unreadable leaves its batch shorter by one; it is never replaced. A batch of
 * which nothing is left is passed over. The decoders run only where nothing else wants the processor, so they do not
 * hold up computing; a caller that has to wait for its batch decodes along. One thread at a time may call a loader.
 */
typedef struct AimfLoader AimfLoader;

/** aimf_loader_new: @manifest is borrowed for the loader's life. NULL with INVALID when no batch can be made. */
AimfLoader *aimf_loader_new(const AimfManifest *manifest, const AimfLoaderOptions *options, const AimfMonitor *monitor,
                            GError **error);
void aimf_loader_free(AimfLoader *loader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfLoader, aimf_loader_free)
/** aimf_loader_batches: per epoch. */
guint aimf_loader_batches(const AimfLoader *loader);
/**
 * aimf_loader_begin: starts epoch @epoch (from 0) at its first batch, wherever the loader was. Before it, next has
 * nothing.
 */
void aimf_loader_begin(AimfLoader *loader, guint epoch);
/**
 * aimf_loader_next: the next batch. FALSE without @error at the epoch's end; FALSE with an image's error (its path is
 * in the message) when more than skip_bad are unreadable, or with INTERRUPTED.
 */
gboolean aimf_loader_next(AimfLoader *loader, AimfBatch *batch, GError **error);

G_END_DECLS
