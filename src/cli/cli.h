/*
 * The frame that every command of the program stands in: options, progress and messages on stderr, results on stdout,
 * errors and exit statuses.
 *
 * To add a command NAME: write src/cli/NAME.c, which defines
 *
 *     const AimfCommand AIMF_COMMAND_NAME = { .name = "NAME", .summary = "one line, no full stop", .run = run, … };
 *
 *     static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
 *     {
 *         g_autofree char *model_path = NULL;
 *         gint epochs = 15;
 *         const GOptionEntry entries[] = {
 *             { "model", 0, 0, G_OPTION_ARG_FILENAME, &model_path, "the model to start from", "FILE" },
 *             { "epochs", 0, 0, G_OPTION_ARG_INT, &epochs, "passes over the training set (15)", "N [1, 100000]" },
 *             G_OPTION_ENTRY_NULL,
 *         };
 *         if (!aimf_cli_parse(cli, entries, &argc, argv, error) ||
 *             !aimf_cli_require(cli, "--model", model_path, error))
 *             return FALSE;
 *         … work, with cli->monitor, cli->seed, cli->device, cli->threads, cli->precision …
 *         aimf_cli_print(cli, "…");
 *         return TRUE;
 *     }
 *
 * then declare AIMF_COMMAND_NAME at the end of this header, add its row to the table in commands.c and its page
 * docs/NAME.md. A command never calls exit, printf or perror: it returns FALSE with an error, and the frame reports
 * it and chooses the status.
 */
#pragma once

#include <aimfair/data.h>
#include <aimfair/graph.h>
#include <aimfair/monitor.h>
#include <json-glib/json-glib.h>

/** AimfExit: exit statuses of the program. */
typedef enum {
    AIMF_EXIT_DONE = 0,
    AIMF_EXIT_FAILED = 1,        /* while working: writing failed, no memory, the computation itself */
    AIMF_EXIT_USAGE = 2,         /* wrong usage or bad input */
    AIMF_EXIT_GATE = 3,          /* a fairness gate the user asked for was not met, or a run is not what it says */
    AIMF_EXIT_EVIDENCE = 4,      /* none was missed, but the test set does not show that one is met */
    AIMF_EXIT_INTERRUPTED = 130, /* what was won is kept */
} AimfExit;

typedef struct AimfCli AimfCli;

/**
 * AimfCommand:
 * @summary: one line for the list of commands
 * @arguments: (nullable) what follows the options in the usage line, "MANIFEST…"; NULL: the command takes none
 * @description: (nullable) text below the options in the command's help
 * @reads_labels: it has the options of how labels in tables are understood, --missing and --merge-labels
 * @subcommands: (nullable) NULL-terminated; their names are this one's and a word more, "data groups". main.c finds
 * them
 * @run: FALSE with an error, or FALSE without when there is nothing more to do (help was shown); argv[0] is the
 *   command's name
 */
typedef struct AimfCommand AimfCommand;
struct AimfCommand {
    const char *name;
    const char *summary;
    const char *arguments;
    const char *description;
    gboolean reads_labels;
    const AimfCommand *const *subcommands;
    gboolean (*run)(AimfCli *cli, int argc, char **argv, GError **error);
};

/**
 * AimfCli: one invocation. The common options have their values after aimf_cli_parse.
 * @threads: 0: what OpenMP chooses; @device: that was named, or "auto"
 * @seed_given, @threads_given, @device_given, @precision_given: the user named one
 * @labels: what --missing and --merge-labels say
 * @monitor: to be handed to the library: progress and messages on stderr, stopped by SIGINT and SIGTERM
 * @exit_status: of a run that returns TRUE; a command sets it to AIMF_EXIT_GATE or AIMF_EXIT_EVIDENCE
 * @text_option: (nullable) the option whose text goes to stdout
 * @describe: (nullable) receives a command's options in place of their being parsed; then nothing is run.
 *   @description: for it
 */
struct AimfCli {
    const AimfCommand *command;
    guint64 seed;
    gboolean seed_given;
    gboolean threads_given;
    gboolean device_given;
    gboolean precision_given;
    int threads;
    AimfDevice *device;
    AimfPrecision precision;
    gboolean json;
    gboolean quiet;
    gboolean verbose;
    AimfLabelRules labels;
    const AimfMonitor *monitor;
    AimfExit exit_status;
    int output_failure; /* errno of the first write to stdout that failed */
    const char *text_option;
    void (*describe)(AimfCli *cli, const GOptionEntry *own, const GOptionEntry *common);
    gpointer description;
};

/* --- Options --- */

/**
 * aimf_cli_parse:
 * @entries: the command's own options, ended by G_OPTION_ENTRY_NULL; strings they receive belong to the caller. A
 *   number's range stands behind its argument's name, "N [1, 65536]", and is checked here
 * Parses @argv, leaves in it argv[0] and the positional arguments, sets the common options (--seed, --threads,
 * --device, --precision, --json, --quiet, --verbose, --help). Returns: FALSE with an error, or without one when the
 * help was asked for and printed.
 */
gboolean aimf_cli_parse(AimfCli *cli, const GOptionEntry *entries, int *argc, char **argv, GError **error);

/**
 * aimf_cli_require: FALSE with INVALID unless @value (what the option @option received) is there; says how to get
 * help.
 */
gboolean aimf_cli_require(const AimfCli *cli, const char *option, gconstpointer value, GError **error);
/**
 * aimf_cli_check_double: FALSE with INVALID, naming @option and the range, unless @low <= @value <= @high. Options that
 * are numbers have their range in their entry.
 */
gboolean aimf_cli_check_double(const char *option, double value, double low, double high, GError **error);
/**
 * aimf_cli_check_output: FALSE unless a file could be made at @path, so that this is not found out after hours of
 * work.
 */
gboolean aimf_cli_check_output(const char *option, const char *path, GError **error);
/** aimf_cli_check_new_output: the same where missing folders are made before it is written. */
gboolean aimf_cli_check_new_output(const char *option, const char *path, GError **error);
/**
 * aimf_cli_check_text_output: the same for what aimf_cli_write_text writes: "-" is the standard output, unless it is
 * taken. Then what the command prints goes to stderr.
 */
gboolean aimf_cli_check_text_output(AimfCli *cli, const char *option, const char *path, GError **error);
/** aimf_cli_make_folder: the folder and its parents, if missing. FALSE with INVALID if a file is in the way, or IO. */
gboolean aimf_cli_make_folder(const char *folder, GError **error);
/**
 * aimf_cli_check_apart: FALSE with INVALID if @path is one of @others (n), the command's other files; NULL among them
 * is none.
 */
gboolean aimf_cli_check_apart(const char *option, const char *path, const char *const *others, gsize n, GError **error);

/**
 * aimf_cli_open_manifest: (owned) the manifest @path, its columns used as said and its labels understood by
 * cli->labels. @findings: receives what is doubtful about labels
 */
AimfManifest *aimf_cli_open_manifest(AimfCli *cli, const char *path, AimfColumnUse target, AimfColumnUse labels,
                                     AimfFindings *findings, GError **error);

/* Texts of options. Each fails with INVALID, naming @option, what it expects and what it found. */

/** aimf_cli_double: one finite number. */
gboolean aimf_cli_double(const char *option, const char *text, double *value, GError **error);
/** aimf_cli_pair: "0.08,1". */
gboolean aimf_cli_pair(const char *option, const char *text, double pair[2], GError **error);
/** aimf_cli_uints: "6,9" -> (owned) array of guint; an empty text gives an empty array. NULL with an error. */
GArray *aimf_cli_uints(const char *option, const char *text, GError **error);
/** aimf_cli_size: "224", a square, or "320x240", width and height. */
gboolean aimf_cli_size(const char *option, const char *text, int *width, int *height, GError **error);
/** aimf_cli_triple: "0.485,0.456,0.406". */
gboolean aimf_cli_triple(const char *option, const char *text, double triple[3], GError **error);
/** aimf_cli_bytes: "1073741824", "512M", "2G" (powers of 1024). */
gboolean aimf_cli_bytes(const char *option, const char *text, gsize *bytes, GError **error);
/** aimf_cli_choice: index of @text in the NULL-terminated @choices, -1 with an error that lists them. */
int aimf_cli_choice(const char *option, const char *text, const char *const *choices, GError **error);

/* --- The program's tables for other programs --- */

/** aimf_cli_commands: NULL-terminated; in commands.c. */
extern const AimfCommand *const aimf_cli_commands[];
/** aimf_cli_word: (borrowed) the last word of the command's name, "groups" of "data groups". */
const char *aimf_cli_word(const AimfCommand *command);
/** aimf_cli_print_completion: a script for @shell, bash or zsh, with every command and option. */
gboolean aimf_cli_print_completion(AimfCli *cli, const char *shell, GError **error);
/**
 * aimf_cli_print_manual: the manual page of @name, "aimfair" or a command, in man(7); "" prints the names that there
 * are.
 */
gboolean aimf_cli_print_manual(AimfCli *cli, const char *name, GError **error);

/**
 * aimf_cli_write_text:
 * @write: writes @data as the file @path
 * Writes @path, or for "-" a passing file whose text then goes to stdout.
 */
gboolean aimf_cli_write_text(AimfCli *cli, const char *path,
                             gboolean (*write)(const char *path, gconstpointer data, GError **error),
                             gconstpointer data, GError **error);

/* --- Colours, on a terminal that has them, unless NO_COLOR says that nobody wants them --- */

typedef enum {
    AIMF_CLI_PLAIN,
    AIMF_CLI_BOLD,
    AIMF_CLI_DIM,
    AIMF_CLI_RED,
    AIMF_CLI_GREEN,
    AIMF_CLI_YELLOW
} AimfCliColour;

/**
 * aimf_cli_colour: (static) what to write to @fd so that what follows is seen in @colour, and AIMF_CLI_PLAIN behind it;
 * "" where there are to be no colours.
 */
const char *aimf_cli_colour(int fd, AimfCliColour colour);

/* --- Results on stdout. A failed write is remembered; the frame then reports it and exits with 1. --- */

void aimf_cli_print(AimfCli *cli, const char *format, ...) G_GNUC_PRINTF(2, 3);
/**
 * aimf_cli_print_padded: @text and blanks up to @width characters; printf counts bytes, and labels may be any UTF-8.
 */
void aimf_cli_print_padded(AimfCli *cli, const char *text, glong width);
/** aimf_cli_print_coloured: one word or so; a table's last column, or padded apart. */
void aimf_cli_print_coloured(AimfCli *cli, AimfCliColour colour, const char *text);
/** aimf_cli_label: (owned) a label as a table shows it: in quotes if it has blanks, or nothing at all, to be seen. */
char *aimf_cli_label(const char *label);
/** aimf_cli_print_json: @builder's root as indented JSON and a newline. */
void aimf_cli_print_json(AimfCli *cli, JsonBuilder *builder);
/** aimf_cli_finish_output: flushes stdout. FALSE with IO when this or an earlier write failed. */
gboolean aimf_cli_finish_output(AimfCli *cli, GError **error);

/* Members of the object that @builder is in; NULL texts and numbers that are not finite become null. */

void aimf_cli_json_double(JsonBuilder *builder, const char *name, double value);
void aimf_cli_json_int(JsonBuilder *builder, const char *name, gint64 value);
void aimf_cli_json_text(JsonBuilder *builder, const char *name, const char *value);
void aimf_cli_json_bool(JsonBuilder *builder, const char *name, gboolean value);

/* --- Progress and messages on stderr --- */

/** aimf_cli_printable: (owned) text from a file or a server, with what a terminal would act upon written as \u001b. */
char *aimf_cli_printable(const char *text);
/**
 * aimf_cli_message: one line on stderr if the level is wanted: debug with --verbose, info without --quiet, warnings
 * always.
 */
void aimf_cli_message(AimfCli *cli, AimfLogLevel level, const char *format, ...) G_GNUC_PRINTF(3, 4);
/** aimf_cli_start_monitor: installs the signal handlers and makes cli->monitor; once per process. */
void aimf_cli_start_monitor(AimfCli *cli);
/** aimf_cli_end_progress: removes the line of progress from the terminal. */
void aimf_cli_end_progress(void);
/** aimf_cli_progress_shown: whether the terminal's last line is one of progress. A signal handler may ask. */
gboolean aimf_cli_progress_shown(void);

/* --- The commands, in the order of commands.c's table --- */

extern const AimfCommand AIMF_COMMAND_RUN;
extern const AimfCommand AIMF_COMMAND_REPORT;
extern const AimfCommand AIMF_COMMAND_DATA;
extern const AimfCommand AIMF_COMMAND_PROMPTS;
extern const AimfCommand AIMF_COMMAND_GENERATE;
extern const AimfCommand AIMF_COMMAND_AUTOENCODE;
extern const AimfCommand AIMF_COMMAND_IMPORT;
extern const AimfCommand AIMF_COMMAND_TRAIN;
extern const AimfCommand AIMF_COMMAND_SENSITIVITY;
extern const AimfCommand AIMF_COMMAND_FINETUNE;
extern const AimfCommand AIMF_COMMAND_EVALUATE;
extern const AimfCommand AIMF_COMMAND_PREDICT;
extern const AimfCommand AIMF_COMMAND_VERIFY;
extern const AimfCommand AIMF_COMMAND_CONVERT;
extern const AimfCommand AIMF_COMMAND_PLAN;
extern const AimfCommand AIMF_COMMAND_DEVICES;
extern const AimfCommand AIMF_COMMAND_DEMO;
