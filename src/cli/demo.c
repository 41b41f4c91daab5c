/* aimfair demo: a run upon portraits that are drawn on the spot. */
#include "run_summary.h"

/* The seed is of the drawings, too. */
static gboolean draw_by_seed(AimfCli *cli, AimfConfig *config, GError **error)
{
    g_autofree char *setting = g_strdup_printf("data.seed=%" G_GUINT64_FORMAT, cli->seed);
    return !cli->seed_given || aimf_config_set(config, setting, error);
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_autofree char *output = NULL;
    const GOptionEntry entries[] = {
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "folder for everything it makes (demo-out)", "DIR" },
        G_OPTION_ENTRY_NULL,
    };
    if (!aimf_cli_parse(cli, entries, &argc, argv, error))
        return FALSE;
    g_autofree char *text = aimf_config_template("portraits", error);
    g_autoptr(AimfConfig) config = text ? aimf_config_parse(text, "the demo", error) : NULL;
    if (!config || !aimf_cli_configure(cli, config, error) || !draw_by_seed(cli, config, error))
        return FALSE;
    const AimfRunOptions options = { .folder = output ? output : "demo-out", .update = TRUE };
    return aimf_cli_run(cli, config, &options, error);
}

const AimfCommand AIMF_COMMAND_DEMO = {
    .name = "demo",
    .summary = "the whole method on portraits drawn on the spot, in minutes and without any data",
    .description =
        "Draws photographs in which smiles go with long hair, trains a classifier that falls for it, and makes\n"
        "it fairer with synthetic pictures: of the selected parameters and of all. It is the run of\n"
        "'aimfair run --init portraits'. See docs/demo.md.\n",
    .run = run,
};
