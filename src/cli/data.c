/* aimfair data: every layout becomes manifests. */
#include "allow.h"
#include "data_check.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

/* What the subcommands' options receive. */
typedef struct {
    char *root;
    char *target;
    char *protected_attributes;
    char *output;
    char *bias;
    gint count;
    gint val_per_group;
    gint test_per_group;
    char *file;
    char *path_column;
    char *split_column;
    char *target_map;
    char **protected_maps;
    gint balanced;
    char *biased;
    AimfAllow allow;
} Options;

static void options_clear(Options *o)
{
    g_free(o->root);
    g_free(o->target);
    g_free(o->protected_attributes);
    g_free(o->output);
    g_free(o->bias);
    g_free(o->file);
    g_free(o->path_column);
    g_free(o->split_column);
    g_free(o->target_map);
    g_strfreev(o->protected_maps);
    g_free(o->biased);
    aimf_allow_clear(&o->allow);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

enum { MAX_COUNT = 100000000 };

/* --- Writing --- */

typedef struct {
    const char *name;
    const AimfManifest *manifest;
} Output;

static gboolean require_folder(const AimfCli *cli, const char *folder, GError **error)
{
    if (!aimf_cli_require(cli, "-o", folder, error))
        return FALSE;
    if (!g_str_equal(folder, "-"))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "-o is a folder for several files, so there is no -o - for the standard output; './-' is a folder of "
                "that name");
    return FALSE;
}

static gboolean make_folder(const char *folder, GError **error)
{
    if (g_mkdir_with_parents(folder, 0777) == 0)
        return TRUE;
    g_set_error(error, AIMF_ERROR, errno == ENOTDIR || errno == EEXIST ? AIMF_ERROR_INVALID : AIMF_ERROR_IO,
                "cannot create the folder '%s': %s", folder, g_strerror(errno));
    return FALSE;
}

static void print_outputs(AimfCli *cli, const AimfDataset *dataset, const Output *outputs, char **paths,
                          const AimfFindings *findings)
{
    if (!cli->json) {
        for (guint i = 0; paths[i]; i++) {
            g_autofree char *path = aimf_cli_printable(paths[i]);
            aimf_cli_print(cli, "%s: %u image%s\n", path, aimf_manifest_count(outputs[i].manifest),
                           AIMF_PLURAL(aimf_manifest_count(outputs[i].manifest)));
            data_print_groups(cli, outputs[i].manifest);
        }
        return;
    }
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_int(builder, "bad_names", dataset->n_bad_names);
    aimf_cli_json_int(builder, "missing", dataset->n_missing);
    aimf_cli_json_int(builder, "dropped", dataset->n_dropped);
    aimf_cli_json_int(builder, "other_formats", dataset->n_other_formats);
    json_builder_set_member_name(builder, "manifests");
    json_builder_begin_array(builder);
    for (guint i = 0; paths[i]; i++) {
        json_builder_begin_object(builder);
        aimf_cli_json_text(builder, "path", paths[i]);
        data_json_groups(builder, outputs[i].manifest);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    aimf_allow_json(builder, findings);
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}

/* Writes the manifests that are there and says what is in them. */
static gboolean write_outputs(AimfCli *cli, const AimfDataset *dataset, Options *o, const Output *outputs, guint n,
                              GError **error)
{
    const char *folder = o->output;
    if (!aimf_allow_report(cli, &o->allow, error) || !make_folder(folder, error))
        return FALSE;
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < n; i++) {
        char *path = g_build_filename(folder, outputs[i].name, NULL);
        g_ptr_array_add(paths, path);
        if (!aimf_manifest_save(outputs[i].manifest, path, error))
            return FALSE;
    }
    g_ptr_array_add(paths, NULL);
    print_outputs(cli, dataset, outputs, (char **)paths->pdata, o->allow.findings);
    return TRUE;
}

/* --- Datasets that are split: celeba, utkface, csv --- */

static gboolean read_split_options(const AimfCli *cli, const Options *o, AimfSplitOptions *split, GError **error)
{
    *split = (AimfSplitOptions){
        .biased = o->bias != NULL,
        .count = (guint)o->count,
        .val_per_group = (guint)o->val_per_group,
        .test_per_group = (guint)o->test_per_group,
        .seed = cli->seed,
    };
    if ((o->bias != NULL) != (o->count > 0)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "--bias and --count go together: the training set has --count images with the ratio --bias; "
                    "without both it is all the images that are left");
        return FALSE;
    }
    return !o->bias || aimf_bias_parse(o->bias, &split->bias, error);
}

/* "csv --file train.csv -o ." would leave nothing to split a second time. */
static gboolean check_source(const Options *o, GError **error)
{
    static const char *const names[] = { "train.csv", "val.csv", "test.csv" };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(o->output, names[i], NULL);
        if (!aimf_cli_check_apart("-o", path, (const char *const[]){ o->file }, 1, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean split_dataset(AimfCli *cli, const char *kind, Options *o, GError **error)
{
    AimfSplitOptions split;
    if (!require_folder(cli, o->output, error) || !check_source(o, error) || !aimf_allow_check(&o->allow, error) ||
        !read_split_options(cli, o, &split, error))
        return FALSE;
    AimfDatasetOptions options = {
        .root = o->root,
        .target = o->target,
        .protected_attributes = o->protected_attributes,
        .file = o->file,
        .path_column = o->path_column,
        .split_column = o->split_column,
        .target_map = o->target_map,
        .protected_maps = (const char *const *)o->protected_maps,
        .labels = cli->labels,
    };
    options.labels.findings = o->allow.findings;
    g_autoptr(AimfDataset) dataset = aimf_dataset_open(kind, &options, cli->monitor, error);
    AimfManifest *parts[AIMF_N_PARTS];
    if (!dataset)
        return FALSE;
    aimf_check_dataset(dataset->samples, "the dataset", o->allow.findings);
    if (split.biased)
        aimf_check_bias(dataset->samples, split.bias, split.count, o->allow.findings);
    if (!aimf_allow_report(cli, &o->allow, error) || !aimf_dataset_split(dataset, &split, cli->monitor, parts, error))
        return FALSE;
    static const char *const names[AIMF_N_PARTS] = { "training set", "validation set", "test set" };
    for (int i = split.biased ? AIMF_PART_VAL : AIMF_PART_TRAIN; i < AIMF_N_PARTS; i++)
        aimf_check_part(dataset->samples, parts[i], names[i], o->allow.findings);
    const Output outputs[] = { { "train.csv", parts[AIMF_PART_TRAIN] },
                               { "val.csv", parts[AIMF_PART_VAL] },
                               { "test.csv", parts[AIMF_PART_TEST] } };
    gboolean good = aimf_check_parts((const AimfManifest *const *)parts, names, AIMF_N_PARTS, cli->monitor,
                                     o->allow.findings, error) &&
                    aimf_allow_report(cli, &o->allow, error) &&
                    write_outputs(cli, dataset, o, outputs, G_N_ELEMENTS(outputs), error);
    for (int i = 0; i < AIMF_N_PARTS; i++)
        aimf_manifest_free(parts[i]);
    return good;
}

#define ROOT_ENTRY(o, text)                                                                                            \
    {                                                                                                                  \
        "root", 0, 0, G_OPTION_ARG_FILENAME, &(o).root, text, "DIR"                                                    \
    }
#define ATTRIBUTE_ENTRIES(o)                                                                                           \
    { "target", 0, 0, G_OPTION_ARG_STRING, &(o).target, "the attribute to predict", "NAME" },                          \
    {                                                                                                                  \
        "protected", 0, 0, G_OPTION_ARG_STRING, &(o).protected_attributes,                                             \
            "the attribute that makes the groups; several: with commas", "NAMES"                                       \
    }
#define BIAS_ENTRIES(o)                                                                                                \
    { "bias", 0, 0, G_OPTION_ARG_STRING, &(o).bias, "minority to majority in the training set, such as 1/9", "B" },    \
    {                                                                                                                  \
        "count", 0, 0, G_OPTION_ARG_INT, &(o).count, "images of the biased training set", "N [1, 100000000]"           \
    }
#define SPLIT_ENTRIES(o)                                                                                               \
    { "val-per-group",   0, 0, G_OPTION_ARG_INT, &(o).val_per_group, "validation images of each group (0)",            \
      "N [0, 100000000]" },                                                                                            \
    {                                                                                                                  \
        "test-per-group", 0, 0, G_OPTION_ARG_INT, &(o).test_per_group, "test images of each group (0)",                \
            "N [0, 100000000]"                                                                                         \
    }
#define OUTPUT_ENTRY(o)                                                                                                \
    {                                                                                                                  \
        "output", 'o', 0, G_OPTION_ARG_FILENAME, &(o).output, "where the manifests go", "DIR"                          \
    }

static gboolean run_celeba(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Options) o = { 0 };
    aimf_allow_init(&o.allow);
    const GOptionEntry entries[] = {
        ROOT_ENTRY(o, "folder with img_align_celeba/ and list_attr_celeba.txt or .csv, or Img/ and Anno/"),
        ATTRIBUTE_ENTRIES(o),
        BIAS_ENTRIES(o),
        OUTPUT_ENTRY(o),
        AIMF_ALLOW_ENTRY(&o.allow),
        G_OPTION_ENTRY_NULL,
    };
    return aimf_cli_parse(cli, entries, &argc, argv, error) && split_dataset(cli, "celeba", &o, error);
}

static gboolean run_utkface(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Options) o = { 0 };
    aimf_allow_init(&o.allow);
    const GOptionEntry entries[] = {
        ROOT_ENTRY(o, "folder with the images, or with UTKFace/, crop_part1/ or part1/ to part3/"),
        ATTRIBUTE_ENTRIES(o),
        BIAS_ENTRIES(o),
        SPLIT_ENTRIES(o),
        OUTPUT_ENTRY(o),
        AIMF_ALLOW_ENTRY(&o.allow),
        G_OPTION_ENTRY_NULL,
    };
    return aimf_cli_parse(cli, entries, &argc, argv, error) && split_dataset(cli, "utkface", &o, error);
}

static gboolean run_csv(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Options) o = { 0 };
    aimf_allow_init(&o.allow);
    const GOptionEntry entries[] = {
        { "file", 0, 0, G_OPTION_ARG_FILENAME, &o.file, "the CSV to read", "CSV" },
        ROOT_ENTRY(o, "where its relative paths begin (the file's own folder)"),
        { "path-column", 0, 0, G_OPTION_ARG_STRING, &o.path_column, "column of the image's path", "NAME" },
        { "target-column", 0, 0, G_OPTION_ARG_STRING, &o.target, "column of the class (none)", "NAME" },
        { "protected-column", 0, 0, G_OPTION_ARG_STRING, &o.protected_attributes,
          "column of the protected label (none); several: with commas", "NAMES" },
        { "split-column", 0, 0, G_OPTION_ARG_STRING, &o.split_column, "column that says train, val or test", "NAME" },
        { "target-map", 0, 0, G_OPTION_ARG_STRING, &o.target_map, "classes of values: cat=0,dog=1 or dog=1,*=0",
          "MAP" },
        { "protected-map", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.protected_maps,
          "labels of values; once for each protected column", "MAP" },
        BIAS_ENTRIES(o),
        SPLIT_ENTRIES(o),
        OUTPUT_ENTRY(o),
        AIMF_ALLOW_ENTRY(&o.allow),
        G_OPTION_ENTRY_NULL,
    };
    return aimf_cli_parse(cli, entries, &argc, argv, error) && split_dataset(cli, "csv", &o, error);
}

/* --- Group folders: sets drawn from the same images --- */

/* "1/9:20000" */
static gboolean parse_biased(const char *text, double *bias, guint *count, GError **error)
{
    const char *colon = strrchr(text, ':');
    guint64 number;
    if (!colon || !g_ascii_string_to_unsigned(colon + 1, 10, 1, MAX_COUNT, &number, NULL)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "--biased takes BIAS:IMAGES such as 1/9:20000, from 1 to %d images, not '%s'", MAX_COUNT, text);
        return FALSE;
    }
    *count = (guint)number;
    g_autofree char *ratio = g_strndup(text, (gsize)(colon - text));
    return aimf_bias_parse(ratio, bias, error);
}

static gboolean draw_groups(AimfCli *cli, Options *o, GError **error)
{
    double bias = 0;
    guint count = 0, n = 0;
    if (!require_folder(cli, o->output, error) ||
        !aimf_cli_require(cli, "--balanced or --biased", o->balanced || o->biased ? o : NULL, error) ||
        (o->biased && !parse_biased(o->biased, &bias, &count, error)) || !aimf_allow_check(&o->allow, error))
        return FALSE;
    AimfDatasetOptions options = { .root = o->root };
    g_autoptr(AimfDataset) dataset = aimf_dataset_open("groups", &options, cli->monitor, error);
    if (!dataset)
        return FALSE;
    aimf_check_dataset(dataset->samples, "the dataset", o->allow.findings);
    if (o->biased)
        aimf_check_bias(dataset->samples, bias, count, o->allow.findings);
    if (!aimf_allow_report(cli, &o->allow, error))
        return FALSE;
    g_autoptr(AimfManifest) balanced = NULL;
    g_autoptr(AimfManifest) biased = NULL;
    if (o->balanced &&
        !(balanced = aimf_manifest_draw_balanced(dataset->samples, (guint)o->balanced, cli->seed, error)))
        return FALSE;
    if (o->biased && !(biased = aimf_manifest_draw_biased(dataset->samples, bias, count, cli->seed, error)))
        return FALSE;
    Output outputs[2];
    if (balanced)
        outputs[n++] = (Output){ "balanced.csv", balanced };
    if (biased)
        outputs[n++] = (Output){ "biased.csv", biased };
    return write_outputs(cli, dataset, o, outputs, n, error);
}

static gboolean run_groups(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Options) o = { 0 };
    aimf_allow_init(&o.allow);
    const GOptionEntry entries[] = {
        ROOT_ENTRY(o, "folder with 0_0/, 0_1/, 1_0/, 1_1/ (target_protected)"),
        { "balanced", 0, 0, G_OPTION_ARG_INT, &o.balanced, "write balanced.csv with N images of each group",
          "N [1, 100000000]" },
        { "biased", 0, 0, G_OPTION_ARG_STRING, &o.biased, "write biased.csv with so many images in all", "B:N" },
        OUTPUT_ENTRY(o),
        AIMF_ALLOW_ENTRY(&o.allow),
        G_OPTION_ENTRY_NULL,
    };
    return aimf_cli_parse(cli, entries, &argc, argv, error) && draw_groups(cli, &o, error);
}

/* --- The command and its subcommands --- */

static const AimfCommand CELEBA = {
    .name = "data celeba",
    .summary = "write manifests for CelebA, with its official split",
    .description = "Attributes are CelebA's own (Smiling, Male, Blond_Hair …); NAME:0 turns one around.",
    .run = run_celeba,
};
static const AimfCommand UTKFACE = {
    .name = "data utkface",
    .summary = "write manifests for UTKFace, split with --seed",
    .description = "Attributes: gender (1 is female), race, race:K, age>=N, age<N, or Female, White, Black, Asian …",
    .run = run_utkface,
};
static const AimfCommand GROUPS = {
    .name = "data groups",
    .summary = "draw balanced and biased sets from folders target_protected, with --seed",
    .run = run_groups,
};
static const AimfCommand CSV = {
    .name = "data csv",
    .summary = "write manifests from any CSV, split by a column or with --seed",
    .reads_labels = TRUE,
    .run = run_csv,
};

static const AimfCommand *const SUBCOMMANDS[] = { &CELEBA, &UTKFACE, &GROUPS, &CSV, &AIMF_COMMAND_DATA_CHECK, NULL };

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    const GOptionEntry entries[] = { G_OPTION_ENTRY_NULL };
    if (aimf_cli_parse(cli, entries, &argc, argv, error))
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "a layout or 'check' is missing; 'aimfair help data' lists what there is");
    return FALSE;
}

const AimfCommand AIMF_COMMAND_DATA = {
    .name = "data",
    .summary = "turn a dataset into manifests, check manifests",
    .arguments = "LAYOUT|check",
    .description = "'aimfair help data LAYOUT' lists the options. A manifest is a CSV: path, target, protected.",
    .subcommands = SUBCOMMANDS,
    .run = run,
};
