/* The program: finding commands, help, version, and what an error means for the exit status. */
#include "bundle.h"
#include "cli.h"
#include "last_words.h"

#include <aimfair/names.h>
#include <aimfair/version.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * The one of @among whose last word is @word; NULL with an error that names the nearest. @parent: (nullable) whose
 * subcommands these are
 */
static const AimfCommand *find(const AimfCommand *const *among, const char *word, const char *parent, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const AimfCommand *const *c = among; *c; c++) {
        if (strcmp(aimf_cli_word(*c), word) == 0)
            return *c;
        g_ptr_array_add(names, (gpointer)aimf_cli_word(*c));
    }
    if (!parent)
        g_ptr_array_add(names, (gpointer) "help");
    g_ptr_array_add(names, NULL);
    g_autofree char *hint = aimf_name_hint(word, (const char *const *)names->pdata);
    if (parent)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "there is no '%s %s'%s; 'aimfair help %s' lists what there is", parent, word, hint, parent);
    else
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "there is no command '%s'%s; 'aimfair help' lists the commands", word, hint);
    return NULL;
}

/* The command that the first of @argv name, @n_words of them. */
static const AimfCommand *find_command(int argc, char **argv, int *n_words, GError **error)
{
    const AimfCommand *command = find(aimf_cli_commands, argv[0], NULL, error);
    *n_words = 1;
    if (!command || !command->subcommands || argc < 2 || argv[1][0] == '-')
        return command;
    *n_words = 2;
    return find(command->subcommands, argv[1], command->name, error);
}

static gboolean print_overview(AimfCli *cli)
{
    aimf_cli_print(
        cli,
        "Usage: aimfair COMMAND [OPTION…]\n\n"
        "Makes biased image classifiers fairer by fine-tuning selected parameters on balanced synthetic images.\n\n"
        "Commands:\n");
    for (const AimfCommand *const *c = aimf_cli_commands; *c; c++)
        aimf_cli_print(cli, "  %-14s%s\n", (*c)->name, (*c)->summary);
    aimf_cli_print(cli, "\n'aimfair help COMMAND' describes a command, 'aimfair --version' names the version.\n");
    return TRUE;
}

static gboolean print_version(AimfCli *cli)
{
    g_autofree char *engine = aimf_device_engine(NULL);
    aimf_cli_print(cli, "aimfair %s, %s\n", aimf_version(), engine);
    return TRUE;
}

static gboolean run_command(AimfCli *cli, int argc, char **argv, GError **error)
{
    int n_words;
    if (!(cli->command = find_command(argc, argv, &n_words, error)))
        return FALSE;
    return cli->command->run(cli, argc - n_words + 1, argv + n_words - 1, error);
}

/* "help", "help help", "help train", "help data groups". */
static gboolean print_help(AimfCli *cli, int argc, char **argv, GError **error)
{
    int n_words;
    if (!argc || (argc == 1 && strcmp(argv[0], "help") == 0))
        return print_overview(cli);
    const AimfCommand *command = find_command(argc, argv, &n_words, error);
    if (!command)
        return FALSE;
    if (argc == n_words) {
        cli->command = command;
        return command->run(cli, 2, (char *[]){ argv[n_words - 1], (char[]){ "--help" }, NULL }, error);
    }
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' has no '%s'; 'aimfair help %s' describes it",
                command->name, argv[n_words], command->name);
    return FALSE;
}

static gboolean dispatch(AimfCli *cli, int argc, char **argv, GError **error)
{
    const char *first = argc > 1 ? argv[1] : NULL;
    if (!first) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "a command is missing; 'aimfair help' lists the commands");
        return FALSE;
    }
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0)
        return print_version(cli);
    if (strcmp(first, "help") == 0 || strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
        return print_help(cli, argc - 2, argv + 2, error);
    if (strcmp(first, "--completion") == 0)
        return aimf_cli_print_completion(cli, argc > 2 ? argv[2] : "", error);
    if (strcmp(first, "--manual") == 0)
        return aimf_cli_print_manual(cli, argc > 2 ? argv[2] : "", error);
    return run_command(cli, argc - 1, argv + 1, error);
}

static AimfExit status_of(const GError *error)
{
    if (error->domain == G_OPTION_ERROR || error->domain == G_CONVERT_ERROR) /* of the arguments */
        return AIMF_EXIT_USAGE;
    if (error->domain != AIMF_ERROR)
        return AIMF_EXIT_FAILED;
    switch ((AimfErrorCode)error->code) {
    case AIMF_ERROR_INVALID:
    case AIMF_ERROR_NOT_FOUND:
    case AIMF_ERROR_FORMAT:
    case AIMF_ERROR_UNSUPPORTED:
        return AIMF_EXIT_USAGE;
    case AIMF_ERROR_INTERRUPTED:
        return AIMF_EXIT_INTERRUPTED;
    case AIMF_ERROR_IO:
    case AIMF_ERROR_MEMORY:
    case AIMF_ERROR_FAILED:
        break;
    }
    return AIMF_EXIT_FAILED;
}

static void report(const AimfCli *cli, const GError *error)
{
    g_autofree char *message = aimf_cli_printable(error->message);
    fprintf(stderr, "%saimfair%s%s:%s %s\n", aimf_cli_colour(STDERR_FILENO, AIMF_CLI_RED), cli->command ? " " : "",
            cli->command ? cli->command->name : "", aimf_cli_colour(STDERR_FILENO, AIMF_CLI_PLAIN), message);
}

/*
 * Where the caller closed the standard output or error, the next file opened would take its place, and its messages.
 * Held open for the other direction, so that writing there still fails.
 */
static void hold_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return;
}

int main(int argc, char **argv)
{
    hold_standard_streams();
    g_autoptr(GError) error = NULL;
    AimfCli cli = { .exit_status = AIMF_EXIT_DONE };
    setlocale(LC_CTYPE, ""); /* GOption turns arguments into UTF-8; numbers stay as in the C locale */
    aimf_bundle_use_fonts();
    aimf_last_words_prepare(&cli);
    aimf_cli_start_monitor(&cli);
    gboolean done = dispatch(&cli, argc, argv, &error);
    aimf_cli_end_progress();
    aimf_device_free(cli.device);
    AimfExit status = done || !error ? cli.exit_status : status_of(error);
    if (error)
        report(&cli, error);
    g_autoptr(GError) output_error = NULL;
    if (!aimf_cli_finish_output(&cli, &output_error)) {
        report(&cli, output_error);
        if (status == AIMF_EXIT_DONE || status == AIMF_EXIT_GATE || status == AIMF_EXIT_EVIDENCE)
            status = AIMF_EXIT_FAILED;
    }
    return (int)status;
}
