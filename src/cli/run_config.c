/* aimfair run: one configuration from data to a fairer model and a folder of evidence. */
#include "run_summary.h"

#include <string.h>

typedef struct {
    char *init;
    char **settings;
    char *output;
    gboolean dry_run;
    gboolean update;
    gboolean schema;
    gboolean keys;
} Options;

static void options_clear(Options *o)
{
    g_free(o->init);
    g_strfreev(o->settings);
    g_free(o->output);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

/* (owned) "my-run" beside "my-run.yaml". */
static char *folder_of(const char *path)
{
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    if (dot && dot > (slash ? slash + 1 : path))
        return g_strndup(path, (gsize)(dot - path));
    return g_strconcat(path, ".run", NULL);
}

static gboolean print_taken(AimfCli *cli, char *text)
{
    if (text)
        aimf_cli_print(cli, "%s", text);
    g_free(text);
    return text != NULL;
}

static gboolean estimate(AimfCli *cli, const AimfConfig *config, const AimfRunOptions *options, GError **error)
{
    AimfRunEstimate found;
    if (!aimf_run_estimate(config, options, cli->monitor, &found, error))
        return FALSE;
    if (cli->json) {
        g_autoptr(JsonBuilder) builder = json_builder_new();
        json_builder_begin_object(builder);
        aimf_cli_json_text(builder, "folder", options->folder);
        aimf_cli_json_int(builder, "pictures", (gint64)found.pictures);
        aimf_cli_json_int(builder, "passes", (gint64)found.passes);
        aimf_cli_json_double(builder, "seconds", found.seconds);
        aimf_cli_json_int(builder, "bytes", (gint64)found.bytes);
        json_builder_end_object(builder);
        aimf_cli_print_json(cli, builder);
    } else {
        aimf_cli_print(cli, "%s", found.text);
    }
    aimf_run_estimate_clear(&found);
    return TRUE;
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Options) o = { .init = NULL };
    const GOptionEntry entries[] = {
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &o.output, "the run's folder (the configuration's name)", "DIR" },
        { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.settings,
          "a value in place of the configuration's; may be repeated", "KEY=VALUE" },
        { "dry-run", 0, 0, G_OPTION_ARG_NONE, &o.dry_run, "check all inputs and say what would be done", NULL },
        { "update", 0, 0, G_OPTION_ARG_NONE, &o.update, "make anew what another configuration made", NULL },
        { "init", 0, 0, G_OPTION_ARG_STRING, &o.init,
          "print a configuration to begin with: celeba, utkface, folders, own-model or portraits", "KIND" },
        { "schema", 0, 0, G_OPTION_ARG_NONE, &o.schema, "print the JSON schema of configurations", NULL },
        { "keys", 0, 0, G_OPTION_ARG_NONE, &o.keys, "print all keys with their defaults", NULL },
        G_OPTION_ENTRY_NULL,
    };
    if (!aimf_cli_parse(cli, entries, &argc, argv, error))
        return FALSE;
    if (o.init)
        return print_taken(cli, aimf_config_template(o.init, error));
    if (o.schema || o.keys)
        return print_taken(cli, o.schema ? aimf_config_schema() : aimf_config_manual());
    if (argc != 2) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "name one configuration, my.yaml; 'aimfair run --init celeba > my.yaml' writes one to begin with");
        return FALSE;
    }
    g_autofree char *folder = o.output ? g_strdup(o.output) : folder_of(argv[1]);
    g_autoptr(AimfConfig) config = aimf_config_open(argv[1], (const char *const *)o.settings, error);
    if (!config || !aimf_cli_configure(cli, config, error))
        return FALSE;
    const AimfRunOptions options = { .folder = folder, .update = o.update };
    return o.dry_run ? estimate(cli, config, &options, error) : aimf_cli_run(cli, config, &options, error);
}

const AimfCommand AIMF_COMMAND_RUN = {
    .name = "run",
    .summary = "one configuration from data to a fairer model and a report",
    .arguments = "[CONFIG.yaml]",
    .description = "Stopped at any moment, the same command goes on. See docs/run.md.\n"
                   "Examples:\n"
                   "  aimfair run --init celeba > my.yaml\n"
                   "  aimfair run --dry-run my.yaml\n"
                   "  aimfair run my.yaml --set train.epochs=3\n",
    .run = run,
};
