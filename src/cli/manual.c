/* aimfair --manual NAME: manual pages in man(7). tools/manual_pages adds what docs/ say. */
#include "option_tables.h"

#include <aimfair/version.h>
#include <string.h>

/* The exit statuses of docs/command-line.md. */
static const char EXIT_STATUS[] =
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\nDone.\n"
    ".TP\n.B 1\nFailed while working: writing failed, no memory, the computation itself.\n"
    ".TP\n.B 2\nWrong usage or bad input; the message says which.\n"
    ".TP\n.B 3\nA demand made with \\-\\-require or \\-\\-require\\-evidence was not met.\n"
    ".TP\n.B 4\nThe test set does not show whether a demand made with \\-\\-require\\-evidence is met.\n"
    ".TP\n.B 130\nInterrupted; what was won is kept.\n";

/* Text of a program as text of a page: no hyphens made of minus signs, no line that begins with a request. */
static void print_text(AimfCli *cli, const char *text)
{
    gboolean line_start = TRUE;
    for (const char *c = text; *c; c++) {
        if (line_start && (*c == '.' || *c == '\''))
            aimf_cli_print(cli, "\\&");
        if (*c == '\\')
            aimf_cli_print(cli, "\\e");
        else
            aimf_cli_print(cli, *c == '-' ? "\\-" : "%c", *c);
        line_start = *c == '\n';
    }
}

/* "aimfair-data-groups" */
static char *page_name(const AimfCommand *command)
{
    g_autofree char *name = g_strconcat("aimfair-", command->name, NULL);
    return g_strdelimit(g_steal_pointer(&name), " ", '-');
}

static void print_head(AimfCli *cli, const char *page, const char *summary)
{
    g_autofree char *title = g_ascii_strup(page, -1);
    aimf_cli_print(cli, ".TH %s 1 \"\" \"aimfair %s\" \"aimfair\"\n.SH NAME\n", title, aimf_version());
    print_text(cli, page);
    aimf_cli_print(cli, " \\- ");
    print_text(cli, summary);
    aimf_cli_print(cli, "\n.SH SYNOPSIS\n");
}

static void print_option(AimfCli *cli, const GOptionEntry *option)
{
    g_autofree char *argument = describe_argument(option), *range = describe_range(option);
    aimf_cli_print(cli, ".TP\n");
    if (option->short_name)
        aimf_cli_print(cli, "\\fB\\-%c\\fP, ", option->short_name);
    aimf_cli_print(cli, "\\fB\\-\\-");
    print_text(cli, option->long_name);
    aimf_cli_print(cli, "\\fP");
    if (argument) {
        aimf_cli_print(cli, "=\\fI");
        print_text(cli, argument);
        aimf_cli_print(cli, "\\fP");
    }
    aimf_cli_print(cli, "\n");
    print_text(cli, option->description);
    if (range && !strstr(range, "2147483647") && !strstr(range, "9223372036854775807"))
        aimf_cli_print(cli, "; %s", range);
    aimf_cli_print(cli, "\n");
}

/* Each line of the description is one of the page too: examples stay lines. */
static void print_description(AimfCli *cli, const AimfCommand *command)
{
    aimf_cli_print(cli, ".SH DESCRIPTION\n%c", g_ascii_toupper(command->summary[0]));
    print_text(cli, command->summary + 1);
    aimf_cli_print(cli, ".\n");
    g_auto(GStrv) lines = g_strsplit(command->description ? command->description : "", "\n", -1);
    for (char **line = lines; *line; line++) {
        if (!*g_strchug(*line))
            continue;
        aimf_cli_print(cli, line == lines ? ".PP\n" : ".br\n");
        print_text(cli, *line);
        aimf_cli_print(cli, "\n");
    }
    for (const AimfCommand *const *c = command->subcommands; c && *c; c++) {
        g_autofree char *page = page_name(*c);
        aimf_cli_print(cli, ".TP\n\\fB%s\\fP(1)\n", page);
        print_text(cli, (*c)->summary);
        aimf_cli_print(cli, "\n");
    }
}

static void print_command(AimfCli *cli, const Description *d)
{
    g_autofree char *page = page_name(d->command);
    print_head(cli, page, d->command->summary);
    aimf_cli_print(cli, "\\fBaimfair %s\\fP [\\fIOPTION\\fP\\&...]", d->command->name);
    if (d->command->arguments) {
        aimf_cli_print(cli, " \\fI");
        print_text(cli, d->command->arguments);
        aimf_cli_print(cli, "\\fP");
    }
    aimf_cli_print(cli, "\n");
    print_description(cli, d->command);
    aimf_cli_print(cli, ".SH OPTIONS\n");
    for (gsize i = 0; i < d->n_own; i++)
        print_option(cli, &d->options[i]);
    aimf_cli_print(cli, ".SS Common options\n");
    for (const GOptionEntry *option = d->options + d->n_own; option->long_name; option++)
        print_option(cli, option);
    aimf_cli_print(cli, "%s.SH SEE ALSO\n\\fBaimfair\\fP(1)\n", EXIT_STATUS);
}

static void print_overview(AimfCli *cli, const GArray *descriptions)
{
    print_head(cli, "aimfair", "fairer image classifiers, without demographic labels on the training data");
    aimf_cli_print(
        cli, "\\fBaimfair\\fP \\fICOMMAND\\fP [\\fIOPTION\\fP\\&...]\n.br\n\\fBaimfair help\\fP [\\fICOMMAND\\fP]\n"
             ".br\n\\fBaimfair \\-\\-version\\fP\n.br\n\\fBaimfair \\-\\-completion bash\\fP|\\fBzsh\\fP\n"
             ".SH DESCRIPTION\nMakes biased image classifiers fairer by fine\\-tuning selected parameters on "
             "balanced synthetic images.\n.SH COMMANDS\n");
    for (guint i = 0; i < descriptions->len; i++) {
        const AimfCommand *command = g_array_index(descriptions, Description, i).command;
        g_autofree char *page = page_name(command);
        aimf_cli_print(cli, ".TP\n\\fB%s\\fP(1)\n", page);
        print_text(cli, command->summary);
        aimf_cli_print(cli, "\n");
    }
    aimf_cli_print(cli, "%s", EXIT_STATUS);
}

gboolean aimf_cli_print_manual(AimfCli *cli, const char *name, GError **error)
{
    g_autoptr(GArray) descriptions = describe_commands(cli);
    if (strcmp(name, "aimfair") == 0) {
        print_overview(cli, descriptions);
        return TRUE;
    }
    for (guint i = 0; i < descriptions->len; i++) {
        const Description *d = &g_array_index(descriptions, Description, i);
        g_autofree char *page = page_name(d->command);
        if (strcmp(page, name) == 0) {
            print_command(cli, d);
            return TRUE;
        }
        if (!*name)
            aimf_cli_print(cli, "%s\n", page);
    }
    if (*name)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "there is no manual page '%s'; 'aimfair --manual' lists the pages", name);
    else
        aimf_cli_print(cli, "aimfair\n");
    return !*name;
}
