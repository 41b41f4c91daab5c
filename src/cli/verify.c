/* aimfair verify: whether the folder of a run is what it says. */
#include "cli.h"

#include <aimfair/run.h>

enum { DEFAULT_SAMPLE = 32 };

typedef struct {
    char *data;
    gint sample;
} Arguments;

static void arguments_clear(Arguments *a)
{
    g_free(a->data);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static const char *kind_name(AimfVerifyKind kind)
{
    static const char *const names[] = {
        [AIMF_VERIFIED] = "verified", [AIMF_REFUTED] = "refuted", [AIMF_UNCHECKED] = "unchecked"
    };
    return names[kind];
}

/* Faults come first, then what was not looked at. */
static const AimfVerifyKind ORDER[] = { AIMF_REFUTED, AIMF_UNCHECKED, AIMF_VERIFIED };

static void print_lines(AimfCli *cli, const AimfVerification *found, AimfVerifyKind kind)
{
    for (guint i = 0; i < found->n; i++) {
        const AimfVerifyLine *line = &found->lines[i];
        if (line->kind != kind)
            continue;
        g_autofree char *what = aimf_cli_printable(line->what), *text = aimf_cli_printable(line->text);
        aimf_cli_print_padded(cli, kind_name(kind), 11);
        aimf_cli_print(cli, "%s: %s\n", what, text);
    }
}

static void print_table(AimfCli *cli, const AimfVerification *found)
{
    for (gsize i = 0; i < G_N_ELEMENTS(ORDER); i++)
        print_lines(cli, found, ORDER[i]);
    if (found->refuted)
        aimf_cli_print(cli, "\nThe run is not what it says: %u fault%s.\n", found->refuted,
                       AIMF_PLURAL(found->refuted));
    else
        aimf_cli_print(cli, "\nNothing speaks against the run%s.\n",
                       found->unchecked ? "; what is unchecked says nothing" : "");
}

static void print_json(AimfCli *cli, const AimfVerification *found)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_bool(builder, "verified", found->refuted == 0);
    aimf_cli_json_int(builder, "refuted", found->refuted);
    aimf_cli_json_int(builder, "unchecked", found->unchecked);
    aimf_cli_json_text(builder, "sums_sha256", found->sums_sha256);
    json_builder_set_member_name(builder, "lines");
    json_builder_begin_array(builder);
    for (gsize k = 0; k < G_N_ELEMENTS(ORDER); k++) {
        for (guint i = 0; i < found->n; i++) {
            const AimfVerifyLine *line = &found->lines[i];
            if (line->kind != ORDER[k])
                continue;
            json_builder_begin_object(builder);
            aimf_cli_json_text(builder, "kind", kind_name(line->kind));
            aimf_cli_json_text(builder, "what", line->what);
            aimf_cli_json_text(builder, "text", line->text);
            json_builder_end_object(builder);
        }
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Arguments) a = { .sample = DEFAULT_SAMPLE };
    const GOptionEntry entries[] = {
        { "data", 0, 0, G_OPTION_ARG_FILENAME, &a.data, "the data's folder, if it was moved since", "DIR" },
        { "sample", 0, 0, G_OPTION_ARG_INT, &a.sample, "predictions of each model that are computed again (32)",
          "N [0, 2147483647]" },
        G_OPTION_ENTRY_NULL,
    };
    if (!aimf_cli_parse(cli, entries, &argc, argv, error))
        return FALSE;
    if (argc != 2) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "name the folder of one run");
        return FALSE;
    }
    const AimfVerifyOptions options = {
        .folder = argv[1],
        .data = a.data,
        .sample = (guint)a.sample,
        .seed = cli->seed,
        .device = cli->device,
        .threads = cli->threads,
    };
    g_autoptr(AimfVerification) found = aimf_run_verify(&options, cli->monitor, error);
    if (!found)
        return FALSE;
    (cli->json ? print_json : print_table)(cli, found);
    if (found->refuted)
        cli->exit_status = AIMF_EXIT_GATE;
    return TRUE;
}

const AimfCommand AIMF_COMMAND_VERIFY = {
    .name = "verify",
    .summary = "check a run's folder: files, hashes, measures and a sample of predictions",
    .arguments = "RUN",
    .description = "Example: aimfair verify celeba-run --data /data/celeba",
    .run = run,
};
