#include "option_tables.h"

#include "entries.h"

#include <string.h>

/* What aimf_cli_parse hands over while cli->describe is set. */
static void take_options(AimfCli *cli, const GOptionEntry *own, const GOptionEntry *common)
{
    Description *being_made = cli->description;
    g_autoptr(GArray) options = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    for (; own->long_name; own++)
        g_array_append_val(options, *own);
    being_made->n_own = options->len;
    for (; common->long_name; common++)
        g_array_append_val(options, *common);
    being_made->options = (GOptionEntry *)(void *)g_array_free(g_steal_pointer(&options), FALSE);
}

static void describe(AimfCli *cli, const AimfCommand *command, GArray *descriptions)
{
    Description description = { .command = command };
    g_autofree char *name = g_strdup(command->name);
    char *argv[] = { name, NULL };
    cli->description = &description;
    cli->command = command;
    command->run(cli, 1, argv, NULL);
    cli->description = NULL;
    g_assert(description.options);
    g_array_append_val(descriptions, description);
    for (const AimfCommand *const *c = command->subcommands; c && *c; c++)
        describe(cli, *c, descriptions);
}

static void description_clear(gpointer data)
{
    g_free(((Description *)data)->options);
}

GArray *describe_commands(AimfCli *cli)
{
    GArray *descriptions = g_array_new(FALSE, TRUE, sizeof(Description));
    g_array_set_clear_func(descriptions, description_clear);
    cli->describe = take_options;
    for (const AimfCommand *const *c = aimf_cli_commands; *c; c++)
        describe(cli, *c, descriptions);
    cli->describe = NULL;
    cli->command = NULL;
    return descriptions;
}

char *describe_argument(const GOptionEntry *option)
{
    if (!entries_takes_argument(option))
        return NULL;
    const char *name = option->arg_description ? option->arg_description : "TEXT", *range = strstr(name, " [");
    return range ? g_strndup(name, (gsize)(range - name)) : g_strdup(name);
}

char *describe_range(const GOptionEntry *option)
{
    const char *range = option->arg_description ? strstr(option->arg_description, " [") : NULL;
    const char *comma = range ? strchr(range, ',') : NULL;
    if (!comma)
        return NULL;
    return g_strdup_printf("%.*s to %.*s", (int)(comma - range - 2), range + 2, (int)strcspn(comma + 2, "]"),
                           comma + 2);
}
