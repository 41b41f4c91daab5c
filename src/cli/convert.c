/* aimfair convert: weight files from one format to another, or a list of what is in one. */
#include "cli.h"

#include <aimfair/weights.h>
#include <math.h>
#include <string.h>

typedef struct {
    char *dtype;
    char *only;
    gboolean list;
} Options;

/* @OUT's suffix chooses its format, so a name that says nothing is more likely a slip than a wish. */
static gboolean check_suffix(const char *path, GError **error)
{
    g_autofree char *lower = g_ascii_strdown(path, -1);
    if (g_str_has_suffix(lower, ".safetensors") || aimf_is_checkpoint_name(path))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "cannot tell the format of '%s' from its name: it should end in .safetensors, .pth, .pt or .ckpt",
                path);
    return FALSE;
}

static gboolean parse_dtype(const char *text, AimfDtype *dtype, GError **error)
{
    static const char *const names[] = { "f32", "bf16", "f16", NULL };
    static const AimfDtype dtypes[] = { AIMF_F32, AIMF_BF16, AIMF_F16 };
    *dtype = AIMF_N_DTYPES;
    if (!text)
        return TRUE;
    int choice = aimf_cli_choice("--dtype", text, names, error);
    if (choice < 0)
        return FALSE;
    *dtype = dtypes[choice];
    return TRUE;
}

/* Elements of entry @index that are infinite; integers have none. */
static gboolean count_infinite(const AimfTensors *tensors, guint index, gint64 *n, GError **error)
{
    const AimfTensor *tensor = aimf_tensors_at(tensors, index);
    *n = 0;
    if (tensor->dtype > AIMF_F64 && tensor->dtype != AIMF_F8_E4M3 && tensor->dtype != AIMF_F8_E5M2)
        return TRUE;
    gint64 count = aimf_shape_count(&tensor->shape);
    g_autofree double *values = g_try_new(double, (gsize)MAX(count, 1));
    if (!values) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory to check tensor '%s'", tensor->name);
        return FALSE;
    }
    if (!aimf_tensors_read(tensors, index, AIMF_F64, values, error))
        return FALSE;
    for (gint64 i = 0; i < count; i++)
        *n += isinf(values[i]) != 0;
    return TRUE;
}

/* Warns of the tensors that the narrower type could not hold. */
static gboolean warn_of_overflow(AimfCli *cli, const AimfTensors *before, const char *prefix, const AimfTensors *after,
                                 GError **error)
{
    for (guint i = 0; i < aimf_tensors_count(after); i++) {
        const AimfTensor *tensor = aimf_tensors_at(after, i);
        g_autofree char *name = g_strconcat(prefix, tensor->name, NULL);
        gint64 were, are;
        if (!count_infinite(before, (guint)aimf_tensors_find(before, name), &were, error) ||
            !count_infinite(after, i, &are, error))
            return FALSE;
        if (are > were)
            aimf_cli_message(cli, AIMF_LOG_WARNING,
                             "tensor '%s': %" G_GINT64_FORMAT " values are too large for %s and became infinite",
                             tensor->name, are - were, aimf_dtype_name(tensor->dtype));
    }
    return TRUE;
}

/* --- The list --- */

/* A file's text may hold anything, also what a terminal would obey. */
static char *printable(const char *text)
{
    char beyond_ascii[129];
    for (int i = 0; i < 128; i++)
        beyond_ascii[i] = (char)(128 + i);
    beyond_ascii[128] = 0;
    return g_strescape(text, beyond_ascii);
}

static void print_text(AimfCli *cli, const AimfTensors *tensors)
{
    gint64 elements = 0;
    gsize bytes = 0;
    for (guint i = 0; i < aimf_tensors_count(tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(tensors, i);
        g_autofree char *shape = aimf_shape_text(&tensor->shape);
        g_autofree char *name = printable(tensor->name);
        aimf_cli_print(cli, "%-48s %-5s %s\n", name, aimf_dtype_name(tensor->dtype), shape);
        elements += aimf_shape_count(&tensor->shape);
        bytes += tensor->bytes;
    }
    aimf_cli_print(cli, "%u tensor%s, %" G_GINT64_FORMAT " element%s, %" G_GSIZE_FORMAT " byte%s\n",
                   aimf_tensors_count(tensors), AIMF_PLURAL(aimf_tensors_count(tensors)), elements,
                   AIMF_PLURAL(elements), bytes, AIMF_PLURAL(bytes));
    g_auto(GStrv) keys = aimf_tensors_metadata_keys(tensors);
    for (char **key = keys; *key; key++) {
        g_autofree char *name = printable(*key), *value = printable(aimf_tensors_metadata(tensors, *key));
        aimf_cli_print(cli, "%s = %s\n", name, value);
    }
}

static void print_json(AimfCli *cli, const char *path, const AimfTensors *tensors)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "file", path);
    json_builder_set_member_name(builder, "tensors");
    json_builder_begin_array(builder);
    for (guint i = 0; i < aimf_tensors_count(tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(tensors, i);
        json_builder_begin_object(builder);
        aimf_cli_json_text(builder, "name", tensor->name);
        aimf_cli_json_text(builder, "dtype", aimf_dtype_name(tensor->dtype));
        json_builder_set_member_name(builder, "shape");
        json_builder_begin_array(builder);
        for (int d = 0; d < tensor->shape.rank; d++)
            json_builder_add_int_value(builder, tensor->shape.dim[d]);
        json_builder_end_array(builder);
        aimf_cli_json_int(builder, "bytes", (gint64)tensor->bytes);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "metadata");
    json_builder_begin_object(builder);
    g_auto(GStrv) keys = aimf_tensors_metadata_keys(tensors);
    for (char **key = keys; *key; key++)
        aimf_cli_json_text(builder, *key, aimf_tensors_metadata(tensors, *key));
    json_builder_end_object(builder);
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}

static void print(AimfCli *cli, const char *path, const AimfTensors *tensors)
{
    if (cli->json)
        print_json(cli, path, tensors);
    else
        print_text(cli, tensors);
}

/* --- The command --- */

/*
 * transformers 4 refuses safetensors that do not say whose layout their tensors have; a model that aimfair saved says
 * that it is one. Source: its modeling_utils.py, load_state_dict.
 */
static void mark_format(AimfTensors *tensors)
{
    if (aimf_tensors_metadata(tensors, "aimfair.format"))
        return;
    static const char *const formats[] = { "pt", "tf", "flax", "mlx", "np", NULL };
    const char *format = aimf_tensors_metadata(tensors, "format");
    if (!format || !g_strv_contains(formats, format))
        aimf_tensors_set_metadata(tensors, "format", "pt");
}

static gboolean convert(AimfCli *cli, const Options *options, const char *from, const char *to, GError **error)
{
    AimfDtype dtype;
    if (!parse_dtype(options->dtype, &dtype, error) || (to && !check_suffix(to, error)) ||
        (to && !aimf_cli_check_apart("OUT", to, &from, 1, error)))
        return FALSE;
    g_autoptr(AimfTensors) opened =
        options->only ? aimf_tensors_open_partly(from, error) : aimf_tensors_open(from, error);
    if (!opened)
        return FALSE;
    g_autoptr(AimfTensors) changed = NULL;
    const AimfTensors *tensors = opened;
    if (options->only || dtype != AIMF_N_DTYPES) {
        g_autofree char *prefix = options->only ? aimf_tensors_below(opened, options->only) : g_strdup("");
        changed = aimf_tensors_select(opened, prefix, dtype, error);
        if (!changed) {
            g_prefix_error(error, "'%s': ", from);
            return FALSE;
        }
        if (dtype != AIMF_N_DTYPES && !warn_of_overflow(cli, opened, prefix, changed, error))
            return FALSE;
        tensors = changed;
    }
    if (to && !aimf_is_checkpoint_name(to))
        mark_format(changed ? changed : opened);
    if (to && !aimf_tensors_save(tensors, to, error))
        return FALSE;
    if (to)
        aimf_cli_message(cli, AIMF_LOG_INFO, "wrote %u tensor%s to %s", aimf_tensors_count(tensors),
                         AIMF_PLURAL(aimf_tensors_count(tensors)), to);
    if (options->list || cli->json)
        print(cli, to ? to : from, tensors);
    return TRUE;
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    Options options = { 0 };
    const GOptionEntry entries[] = {
        { "dtype", 0, 0, G_OPTION_ARG_STRING, &options.dtype, "floating-point type to write: f32, bf16 or f16",
          "TYPE" },
        { "only", 0, 0, G_OPTION_ARG_STRING, &options.only, "take the tensors below this key of a checkpoint", "KEY" },
        { "list", 0, 0, G_OPTION_ARG_NONE, &options.list, "print names, types and shapes; OUT may then be left out",
          NULL },
        G_OPTION_ENTRY_NULL,
    };
    gboolean done = aimf_cli_parse(cli, entries, &argc, argv, error);
    if (done && (argc < (options.list ? 2 : 3) || argc > 3)) {
        g_set_error(
            error, AIMF_ERROR, AIMF_ERROR_INVALID,
            "expected the names of two files, IN and OUT, or IN and --list; found %d; see 'aimfair help convert'",
            argc - 1);
        done = FALSE;
    }
    done = done && convert(cli, &options, argv[1], argc == 3 ? argv[2] : NULL, error);
    g_free(options.dtype);
    g_free(options.only);
    return done;
}

const AimfCommand AIMF_COMMAND_CONVERT = {
    .name = "convert",
    .summary = "convert weight files between PyTorch checkpoints and safetensors, or list them",
    .arguments = "IN [OUT]",
    .description =
        "IN is told apart by its content. OUT becomes a PyTorch checkpoint if its name ends in .pth, .pt or .ckpt,\n"
        "and safetensors if it ends in .safetensors.",
    .run = run,
};
