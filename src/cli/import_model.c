/* aimfair import: a classifier that another program trained becomes a saved model, its weights untouched. */
#include "architectures.h"
#include "training.h"

#include <math.h>
#include <string.h>

#define DEFAULT_TOLERANCE 1e-4

typedef struct {
    char *output;
    char *architecture;
    char *only;
    char *rename;
    char *image_size;
    char *crop;
    char *mean;
    char *std;
    char *value_range;
    char *channel_order;
    char *interpolation;
    char *antialias;
    char *resizer;
    char *crop_first;
    char *resize;
    char *target;
    char *classes;
    char *threshold;
    char *verify;
    gdouble tolerance; /* negative: not given */
} Arguments;

static void arguments_clear(Arguments *a)
{
    char *const texts[] = { a->output,  a->architecture,  a->only,        a->image_size,    a->crop,
                            a->mean,    a->std,           a->value_range, a->channel_order, a->antialias,
                            a->resizer, a->interpolation, a->crop_first,  a->resize,        a->target,
                            a->classes, a->threshold,     a->verify,      a->rename };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static gboolean invalid(const char *message, GError **error)
{
    g_set_error_literal(error, AIMF_ERROR, AIMF_ERROR_INVALID, message);
    return FALSE;
}

/* --- Options --- */

static gboolean check(AimfCli *cli, Arguments *a, int n_files, const char *weights, GError **error)
{
    if (n_files != 1) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "expected the name of one file of weights, found %d; see 'aimfair help import'", n_files);
        return FALSE;
    }
    if (a->tolerance >= 0 && !a->verify)
        return invalid("--tolerance is of --verify, which names no file", error);
    a->tolerance = a->tolerance >= 0 ? a->tolerance : DEFAULT_TOLERANCE;
    const char *const inputs[] = { weights, a->verify, a->rename };
    return aimf_cli_require(cli, "-o", a->output, error) && aimf_check_model_output(a->output, error) &&
           aimf_cli_check_apart("-o", a->output, inputs, G_N_ELEMENTS(inputs), error);
}

/* What weights do not say themselves. */
static gboolean check_complete(AimfCli *cli, const Arguments *a, GError **error)
{
    return aimf_cli_require(cli, "--image-size", a->image_size ? a->image_size : a->crop, error) &&
           aimf_cli_require(cli, "--mean", a->mean, error) && aimf_cli_require(cli, "--std", a->std, error);
}

static gboolean parse(AimfCli *cli, Arguments *a, int *argc, char **argv, GError **error)
{
    const GOptionEntry entries[] = {
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &a->output, "the model to write, .safetensors", "FILE" },
        AIMF_ARCHITECTURE_ENTRY(&a->architecture),
        { "only", 0, 0, G_OPTION_ARG_STRING, &a->only, "of the file, look only below these keys", "KEY,…" },
        AIMF_RENAME_ENTRY(&a->rename),
        { "image-size", 0, 0, G_OPTION_ARG_STRING, &a->image_size, "pixels that the network sees", "N|WxH" },
        { "mean", 0, 0, G_OPTION_ARG_STRING, &a->mean, "subtracted from the values, as Normalize does", "R,G,B" },
        { "std", 0, 0, G_OPTION_ARG_STRING, &a->std, "what the difference is divided by", "R,G,B" },
        { "value-range", 0, 0, G_OPTION_ARG_STRING, &a->value_range,
          "values before that go to 1, as ToTensor makes them, or to 255 (1)", "1|255" },
        { "channel-order", 0, 0, G_OPTION_ARG_STRING, &a->channel_order, "of the network's input: rgb or bgr (rgb)",
          "ORDER" },
        { "interpolation", 0, 0, G_OPTION_ARG_STRING, &a->interpolation, "bilinear or bicubic (bilinear)", "KIND" },
        { "antialias", 0, 0, G_OPTION_ARG_STRING, &a->antialias, "yes or no (yes)", "yes|no" },
        { "resizer", 0, 0, G_OPTION_ARG_STRING, &a->resizer,
          "whose arithmetic: pillow, tensor, tensor-v2 or float (pillow; tensor without antialiasing)", "NAME" },
        { "crop-first", 0, 0, G_OPTION_ARG_STRING, &a->crop_first,
          "cut a square of this side out of the middle before resizing (none)", "N|none" },
        { "resize", 0, 0, G_OPTION_ARG_STRING, &a->resize,
          "resize the shorter side and cut the middle out (the whole picture is resized)", "N|none" },
        { "crop", 0, 0, G_OPTION_ARG_STRING, &a->crop, "what is cut out, if there is no --image-size", "N|WxH" },
        { "target", 0, 0, G_OPTION_ARG_STRING, &a->target, "what is predicted, to be kept in the model", "NAME" },
        { "classes", 0, 0, G_OPTION_ARG_STRING, &a->classes, "names of the classes, from 0", "NAME,…" },
        { "threshold", 0, 0, G_OPTION_ARG_STRING, &a->threshold, "probability from which on it is class 1 (0.5)", "P" },
        { "verify", 0, 0, G_OPTION_ARG_FILENAME, &a->verify, "compare with these logits before writing", "CSV" },
        { "tolerance", 0, 0, G_OPTION_ARG_DOUBLE, &a->tolerance, "what --verify lets pass (0.0001)", "D [0, 1e6]" },
        G_OPTION_ENTRY_NULL,
    };
    return aimf_cli_parse(cli, entries, argc, argv, error) && !aimf_cli_list_architectures(cli, a->architecture) &&
           check(cli, a, *argc - 1, argv[1], error);
}

static gboolean take_size(const Arguments *a, AimfPreprocess *p, GError **error)
{
    int width = p->width, height = p->height, crop_width, crop_height;
    if ((a->image_size && !aimf_cli_size("--image-size", a->image_size, &width, &height, error)) ||
        (a->crop && !aimf_cli_size("--crop", a->crop, &crop_width, &crop_height, error)))
        return FALSE;
    if (a->crop && a->image_size && (width != crop_width || height != crop_height)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "--crop is %s and --image-size %s; what is cut out is what the network sees, so they must be equal",
                    a->crop, a->image_size);
        return FALSE;
    }
    if (a->crop) {
        width = crop_width;
        height = crop_height;
    }
    if (p->width) /* the file says something */
        aimf_preprocess_resize_input(p, width, height);
    p->width = width;
    p->height = height;
    return TRUE;
}

static gboolean take_triple(const char *option, const char *text, double least, float values[3], GError **error)
{
    double numbers[3];
    if (text && !aimf_cli_triple(option, text, numbers, error))
        return FALSE;
    for (int c = 0; text && c < 3; c++) {
        if (!aimf_cli_check_double(option, numbers[c], least, 1e5, error))
            return FALSE;
        values[c] = (float)numbers[c];
    }
    return TRUE;
}

/* No values have a mean beyond them; means and deviations that would fit the other range better are doubtful. */
static gboolean check_range(AimfCli *cli, const AimfPreprocess *p, GError **error)
{
    const int highest = p->full_range ? 255 : 1, other = p->full_range ? 1 : 255;
    gboolean small_means = TRUE, small_std = FALSE, large_std = FALSE;
    for (int c = 0; c < 3; c++) {
        double mean = (double)p->mean[c], std = (double)p->std[c];
        if (mean > highest) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--mean has %g, and values go from 0 to %d%s", mean,
                        highest, p->full_range ? "" : ": is --value-range 255 missing?");
            return FALSE;
        }
        small_means = small_means && mean > 0 && mean <= 1;
        small_std = small_std || std < 1;
        large_std = large_std || std > highest;
    }
    if (p->full_range ? small_means || small_std : large_std)
        aimf_cli_message(cli, AIMF_LOG_WARNING,
                         "--mean and --std look like those of values from 0 to %d, and values go to %d; is "
                         "--value-range %d meant?",
                         other, highest, other);
    return TRUE;
}

/* As CenterCrop does it; hardly what anybody means. TRUE. */
static gboolean warn_of_border(AimfCli *cli, const AimfPreprocess *p)
{
    if (p->resize && p->resize < MAX(p->width, p->height))
        aimf_cli_message(cli, AIMF_LOG_WARNING,
                         "the shorter side is resized to %d pixels and %dx%d are cut out: what a picture lacks of that "
                         "is filled with black",
                         p->resize, p->width, p->height);
    return TRUE;
}

/* @p: what the file says, or zero; the options that are given overrule it. */
static gboolean take_preprocess(AimfCli *cli, const Arguments *a, AimfPreprocess *p, GError **error)
{
    const char *const given[][3] = {
        { "--crop-first", "crop_first", a->crop_first },
        { "--resize", "resize", a->resize },
        { "--interpolation", "interpolation", a->interpolation },
        { "--antialias", "antialias", a->antialias },
        { "--resizer", "resizer", a->resizer },
        { "--channel-order", "channel_order", a->channel_order },
        { "--value-range", "value_range", a->value_range },
    };
    if (!take_size(a, p, error) || !take_triple("--mean", a->mean, -1e5, p->mean, error) ||
        !take_triple("--std", a->std, 1e-5, p->std, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(given); i++) {
        if (given[i][2] && !aimf_preprocess_set(p, given[i][1], given[i][2], error)) {
            g_prefix_error(error, "%s: ", given[i][0]);
            return FALSE;
        }
    }
    if (a->crop && !p->resize)
        return invalid("--crop needs --resize: the shorter side is resized, then the middle is cut out; what is cut "
                       "out before resizing is --crop-first",
                       error);
    if (p->aliased && !a->resizer && p->resizing == AIMF_RESIZE_PILLOW)
        p->resizing = AIMF_RESIZE_TENSOR; /* Pillow cannot */
    return aimf_preprocess_check(p, error) && check_range(cli, p, error) && warn_of_border(cli, p);
}

static gboolean take_names(const Arguments *a, AimfModel *model, GError **error)
{
    guint n = model->outputs == 1 ? 2 : (guint)model->outputs;
    if (a->target) {
        g_free(model->target);
        model->target = g_strdup(a->target);
    }
    if (a->classes) {
        g_strfreev(model->classes);
        model->classes = g_strsplit(a->classes, ",", -1);
    }
    if (model->classes && g_strv_length(model->classes) != n) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "--classes has %u name%s; the weights' final layer has %d output%s, for %u classes",
                    g_strv_length(model->classes), AIMF_PLURAL(g_strv_length(model->classes)), model->outputs,
                    AIMF_PLURAL(model->outputs), n);
        return FALSE;
    }
    if (a->classes && !aimf_check_class_names(model->classes, error))
        return FALSE;
    if (!a->threshold)
        return TRUE;
    if (n > 2)
        return invalid("--threshold needs a model of two classes; of several, the largest logit wins", error);
    if (!aimf_cli_double("--threshold", a->threshold, &model->threshold, error))
        return FALSE;
    if (model->threshold > 0 && model->threshold < 1)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--threshold is %s; it must be above 0 and below 1",
                a->threshold);
    return FALSE;
}

/* --- Weights --- */

/* A model computes in single precision; what double precision had beyond that is said, not lost in silence. */
static gboolean warn_of_rounding(AimfCli *cli, const AimfTensors *weights, GError **error)
{
    gint64 rounded = 0;
    for (guint i = 0; i < aimf_tensors_count(weights); i++) {
        const AimfTensor *tensor = aimf_tensors_at(weights, i);
        if (tensor->dtype != AIMF_F64)
            continue;
        gint64 n = aimf_shape_count(&tensor->shape);
        g_autofree double *values = g_try_new(double, (gsize)MAX(n, 1));
        if (!values) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory to look at tensor '%s'", tensor->name);
            return FALSE;
        }
        if (!aimf_tensors_read(weights, i, AIMF_F64, values, error))
            return FALSE;
        for (gint64 k = 0; k < n; k++)
            rounded += (double)(float)values[k] != values[k] && !isnan(values[k]);
    }
    if (rounded)
        aimf_cli_message(cli, AIMF_LOG_WARNING,
                         "%" G_GINT64_FORMAT " weight%s of double precision %s rounded to single precision", rounded,
                         AIMF_PLURAL(rounded), rounded == 1 ? "was" : "were");
    return TRUE;
}

/* (owned) A model of the weights in @file, which says nothing of how to use them. */
static AimfModel *model_of_weights(AimfCli *cli, const Arguments *a, AimfTensors *file,
                                   const AimfPreprocess *preprocess, GError **error)
{
    const char *architecture = a->architecture ? a->architecture : "resnet18";
    const AimfWeightSearch search = { .only = a->only, .rename = a->rename };
    g_autoptr(AimfTensors) weights = aimf_model_select_weights(file, architecture, &search, cli->monitor, error);
    if (!weights)
        return NULL;
    int outputs = aimf_weights_outputs(architecture, weights);
    g_autoptr(AimfModel) model = aimf_model_new_for(architecture, preprocess, MAX(outputs, 1), 0, error);
    return model && aimf_model_take_weights(model, weights, cli->monitor, error) &&
                   warn_of_rounding(cli, weights, error)
               ? g_steal_pointer(&model)
               : NULL;
}

/* (owned) The model that aimfair saved at @path: what it says stays but for what options overrule. */
static AimfModel *saved_model(AimfCli *cli, const Arguments *a, const char *path, GError **error)
{
    if (a->only || a->rename) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s the tensors of other programs; '%s' is a saved model",
                    a->only ? "--only chooses among" : "--rename is for", path);
        return NULL;
    }
    g_autoptr(AimfModel) model = aimf_model_open(path, error);
    if (model && a->architecture && strcmp(a->architecture, model->architecture) != 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--arch is %s, and '%s' is a saved %s", a->architecture,
                    path, model->architecture);
        return NULL;
    }
    if (model)
        aimf_cli_message(cli, AIMF_LOG_INFO, "'%s' is a saved model: what no option says otherwise stays as it is",
                         path);
    return g_steal_pointer(&model);
}

static AimfModel *make_model(AimfCli *cli, const Arguments *a, const char *path, GError **error)
{
    AimfPreprocess preprocess = { 0 };
    GError *failure = NULL;
    g_autoptr(AimfTensors) file = aimf_tensors_open_partly(path, error);
    if (!file)
        return NULL;
    gboolean saved = aimf_saved_preprocess(file, &preprocess, &failure);
    if (failure) {
        g_propagate_prefixed_error(error, failure, "'%s': ", path);
        return NULL;
    }
    if ((!saved && !check_complete(cli, a, error)) || !take_preprocess(cli, a, &preprocess, error))
        return NULL;
    g_autoptr(AimfModel) model = saved ? saved_model(cli, a, path, error) : NULL;
    if (!saved && !(model = model_of_weights(cli, a, file, &preprocess, error)))
        g_prefix_error(error, "'%s': ", path);
    if (!model || !aimf_model_set_preprocess(model, &preprocess, cli->monitor, error))
        return NULL;
    return take_names(a, model, error) ? g_steal_pointer(&model) : NULL;
}

/* --- Comparing with reference logits --- */

/* The options that say @found where it is not what was given; empty if it is. */
static char *differing_options(const AimfPreprocess *given, const AimfPreprocess *found)
{
    static const char *const options[][3] = { { "interpolation", "--interpolation", "bilinear" },
                                              { "antialias", "--antialias", "yes" },
                                              { "resizer", "--resizer", "pillow" },
                                              { "channel_order", "--channel-order", "rgb" },
                                              { "value_range", "--value-range", "1" } };
    GString *text = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        g_autofree char *before = aimf_preprocess_get(given, options[i][0]);
        g_autofree char *after = aimf_preprocess_get(found, options[i][0]);
        if (g_strcmp0(before, after) != 0)
            g_string_append_printf(text, " %s %s", options[i][1], after ? after : options[i][2]);
    }
    if (memcmp(given->mean, found->mean, sizeof given->mean) != 0 ||
        memcmp(given->std, found->std, sizeof given->std) != 0)
        g_string_append(text, " --mean and --std in the other order");
    return g_string_free(text, FALSE);
}

static gboolean disagree(AimfCli *cli, const Arguments *a, const AimfModel *model, const AimfReferences *references,
                         const AimfDisagreement *worst, const AimfPredictOptions *options, GError **error)
{
    AimfPreprocess found;
    GError *failure = NULL;
    gboolean explained =
        aimf_references_explain(references, model, a->tolerance, options, cli->monitor, &found, &failure);
    if (failure) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    g_autofree char *differing = explained ? differing_options(&model->preprocess, &found) : NULL;
    g_autofree char *hint = NULL;
    if (!explained)
        hint = g_strdup("no other resizer, interpolation, channel order or value range agrees either: look at "
                        "--image-size, --crop-first, --resize, --mean and --std, and at the weights");
    else if (*differing)
        hint = g_strdup_printf("the first pictures agree with%s", differing);
    else
        hint = g_strdup("the first pictures agree as they are: look at this one");
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "--verify %s: the largest difference is %.3g, above the tolerance of %g: logit %d of '%s' is %.7g, the "
                "reference is %.7g; %s. Nothing was written",
                a->verify, worst->largest, a->tolerance, worst->output,
                aimf_manifest_at(references->pictures, worst->row).path, worst->found, worst->expected, hint);
    return FALSE;
}

static gboolean verify(AimfCli *cli, const Arguments *a, const AimfModel *model, AimfDisagreement *worst, guint *n,
                       GError **error)
{
    g_autoptr(AimfReferences) references = aimf_references_open(a->verify, model->outputs, error);
    const AimfPredictOptions options = { .device = cli->device,
                                         .precision = AIMF_PRECISION_F32,
                                         .threads = cli->threads };
    if (!references || !aimf_references_compare(references, model, &options, cli->monitor, worst, error))
        return FALSE;
    *n = aimf_manifest_count(references->pictures);
    return worst->largest <= a->tolerance || disagree(cli, a, model, references, worst, &options, error);
}

/* --- The command --- */

static void report_json(AimfCli *cli, const Arguments *a, const AimfModel *model, const AimfDisagreement *worst,
                        guint n_verified)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autofree char *hash = aimf_model_hash(model), *preprocess = aimf_preprocess_text(&model->preprocess);
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "model", a->output);
    aimf_cli_json_text(builder, "model_hash", hash);
    aimf_cli_json_text(builder, "architecture", model->architecture);
    aimf_cli_json_int(builder, "outputs", model->outputs);
    aimf_cli_json_double(builder, "threshold", model->threshold);
    aimf_cli_json_text(builder, "preprocess", preprocess);
    if (a->verify) {
        json_builder_set_member_name(builder, "verified");
        json_builder_begin_object(builder);
        aimf_cli_json_text(builder, "references", a->verify);
        aimf_cli_json_int(builder, "n", n_verified);
        aimf_cli_json_double(builder, "largest_difference", worst->largest);
        aimf_cli_json_double(builder, "tolerance", a->tolerance);
        json_builder_end_object(builder);
    }
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}

static void report(AimfCli *cli, const Arguments *a, const AimfModel *model, const AimfDisagreement *worst,
                   guint n_verified)
{
    g_autofree char *preprocess = aimf_preprocess_text(&model->preprocess);
    g_autofree char *names = model->classes ? g_strjoinv(", ", model->classes) : NULL;
    g_autofree char *classes = names ? aimf_cli_printable(names) : NULL;
    g_autofree char *output = aimf_cli_printable(a->output);
    aimf_cli_print(cli, "%s: %s, %d output%s (%s)%s%s\n%s\n", output, model->architecture, model->outputs,
                   AIMF_PLURAL(model->outputs), model->outputs == 1 ? "sigmoid" : "softmax", classes ? ": " : "",
                   classes ? classes : "", preprocess);
    g_autofree char *verify = a->verify ? aimf_cli_printable(a->verify) : NULL;
    if (verify)
        aimf_cli_print(cli, "%s: %u picture%s, largest difference of a logit %.3g (tolerance %g)\n", verify, n_verified,
                       AIMF_PLURAL(n_verified), worst->largest, a->tolerance);
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Arguments) a = { .tolerance = -1 };
    if (!parse(cli, &a, &argc, argv, error))
        return FALSE;
    AimfDisagreement worst = { 0 };
    guint n_verified = 0;
    g_autoptr(AimfModel) model = make_model(cli, &a, argv[1], error);
    if (!model || (a.verify && !verify(cli, &a, model, &worst, &n_verified, error)) ||
        !aimf_model_save(model, a.output, error))
        return FALSE;
    (cli->json ? report_json : report)(cli, &a, model, &worst, n_verified);
    return TRUE;
}

const AimfCommand AIMF_COMMAND_IMPORT = {
    .name = "import",
    .summary = "make a saved model of a classifier that was trained elsewhere",
    .arguments = "WEIGHTS",
    .description =
        "The weights keep their bits; how pictures are prepared for them becomes part of the model.\n"
        "Example: aimfair import resnet18_smile.pth -o smile.safetensors --image-size 224 --mean 0.485,0.456,0.406 "
        "--std 0.229,0.224,0.225 --resize 256 --verify logits.csv",
    .run = run,
};
