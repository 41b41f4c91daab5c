/* The program: the table of commands, help, version, and what an error means for the exit status. */
#include "cli.h"

#include <aimfair/version.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One row per command, so that additions do not touch each other. */
/* clang-format off */
static const AimfCommand *const commands[] = {
    &AIMF_COMMAND_DATA,
    &AIMF_COMMAND_PROMPTS,
    &AIMF_COMMAND_GENERATE,
    &AIMF_COMMAND_AUTOENCODE,
    &AIMF_COMMAND_IMPORT,
    &AIMF_COMMAND_TRAIN,
    &AIMF_COMMAND_SENSITIVITY,
    &AIMF_COMMAND_FINETUNE,
    &AIMF_COMMAND_EVALUATE,
    &AIMF_COMMAND_PREDICT,
    &AIMF_COMMAND_CONVERT,
    &AIMF_COMMAND_PLAN,
    &AIMF_COMMAND_DEMO,
    NULL,
};
/* clang-format on */

static const AimfCommand *find_command(const char *name)
{
    for (const AimfCommand *const *c = commands; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

static gboolean unknown_command(const char *name, GError **error)
{
    const char *names[G_N_ELEMENTS(commands) + 1] = { "help" };
    for (gsize i = 0; commands[i]; i++)
        names[i + 1] = commands[i]->name;
    const char *nearest = aimf_cli_nearest(name, names);
    g_autofree char *hint = nearest ? g_strdup_printf(" did you mean '%s'?", nearest) : NULL;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "there is no command '%s';%s 'aimfair help' lists the commands",
                name, hint ? hint : "");
    return FALSE;
}

static gboolean print_overview(AimfCli *cli)
{
    aimf_cli_print(
        cli,
        "Usage: aimfair COMMAND [OPTION…]\n\n"
        "Makes biased image classifiers fairer by fine-tuning selected parameters on balanced synthetic images.\n\n"
        "Commands:\n");
    for (const AimfCommand *const *c = commands; *c; c++)
        aimf_cli_print(cli, "  %-14s%s\n", (*c)->name, (*c)->summary);
    aimf_cli_print(cli, "\n'aimfair help COMMAND' describes a command, 'aimfair --version' names the version.\n");
    return TRUE;
}

static gboolean print_version(AimfCli *cli)
{
    g_autofree char *engine = aimf_backend_version(NULL);
    aimf_cli_print(cli, "aimfair %s, %s\n", aimf_version(), engine);
    return TRUE;
}

static gboolean run_command(AimfCli *cli, int argc, char **argv, GError **error)
{
    if (!(cli->command = find_command(argv[0])))
        return unknown_command(argv[0], error);
    return cli->command->run(cli, argc, argv, error);
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
    gboolean help = strcmp(first, "help") == 0 || strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0;
    if (help && argc == 2)
        return print_overview(cli);
    if (help)
        return run_command(cli, 2, (char *[]){ argv[2], (char[]){ "--help" }, NULL }, error);
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
    fprintf(stderr, "aimfair%s%s: %s\n", cli->command ? " " : "", cli->command ? cli->command->name : "", message);
    if (cli->command && g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION))
        fprintf(stderr, "'aimfair help %s' lists the options\n", cli->command->name);
}

/*
 * Where the caller closed the standard output or error, the next file opened would take its place, and its messages. Held open for
 * the other direction, so that writing there still fails.
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
    aimf_cli_start_monitor(&cli);
    gboolean done = dispatch(&cli, argc, argv, &error);
    aimf_cli_end_progress();
    AimfExit status = done || !error ? cli.exit_status : status_of(error);
    if (error)
        report(&cli, error);
    g_autoptr(GError) output_error = NULL;
    if (!aimf_cli_finish_output(&cli, &output_error)) {
        report(&cli, output_error);
        if (status == AIMF_EXIT_DONE)
            status = AIMF_EXIT_FAILED;
    }
    return (int)status;
}
