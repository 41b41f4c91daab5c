/* aimfair report: finished runs as one page, side by side where there are several. */
#include "cli.h"

#include <aimfair/run.h>

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_autofree char *output = NULL;
    const GOptionEntry entries[] = {
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "the page to write, .html", "FILE" },
        G_OPTION_ENTRY_NULL,
    };
    if (!aimf_cli_parse(cli, entries, &argc, argv, error) || !aimf_cli_require(cli, "-o", output, error) ||
        !aimf_cli_check_output("-o", output, error))
        return FALSE;
    if (argc < 2) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "name the folders of one or more finished runs");
        return FALSE;
    }
    if (!aimf_run_report((const char *const *)(argv + 1), (guint)argc - 1, output, cli->monitor, error))
        return FALSE;
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "report", output);
    json_builder_end_object(builder);
    g_autofree char *shown = aimf_cli_printable(output);
    if (cli->json)
        aimf_cli_print_json(cli, builder);
    else
        aimf_cli_print(cli, "Report to open: %s\n", shown);
    return TRUE;
}

const AimfCommand AIMF_COMMAND_REPORT = {
    .name = "report",
    .summary = "the report of finished runs, side by side where there are several",
    .arguments = "RUN…",
    .description = "Example: aimfair report one two -o both.html",
    .run = run,
};
