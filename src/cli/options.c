/* Parsing of options and of the small texts that they take. */
#include "cli.h"
#include "entries.h"

#include <aimfair/expansion.h>
#include <aimfair/names.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean wrong_text(const char *option, const char *expected, const char *text, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s takes %s, not '%s'", option, expected, text);
    return FALSE;
}

/* What the common options receive, as text where it needs a check. */
typedef struct {
    char *seed;
    char *threads;
    char *device;
    char *precision;
    char *missing;
    char *max_expansion;
    gboolean help;
} Common;

static void common_clear(Common *common)
{
    g_free(common->seed);
    g_free(common->threads);
    g_free(common->device);
    g_free(common->precision);
    g_free(common->missing);
    g_free(common->max_expansion);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Common, common_clear)

enum { N_COMMON = 10 };

static void common_entries(AimfCli *cli, Common *common, GOptionEntry entries[N_COMMON])
{
    const GOptionEntry all[N_COMMON] = {
        { "seed", 0, 0, G_OPTION_ARG_STRING, &common->seed, "of everything random (0)", "N" },
        { "threads", 0, 0, G_OPTION_ARG_STRING, &common->threads,
          "that compute; 0: OMP_NUM_THREADS, or one per processor (0)", "N" },
        { "device", 0, 0, G_OPTION_ARG_STRING, &common->device, "that computes, as 'aimfair devices' lists them (auto)",
          "NAME" },
        { "precision", 0, 0, G_OPTION_ARG_STRING, &common->precision, "f32 or bf16 (f32)", "KIND" },
        { "max-expansion", 0, 0, G_OPTION_ARG_STRING, &common->max_expansion,
          "trust files that ask for N times the memory that is usual for their size (1)", "N" },
        { "json", 0, 0, G_OPTION_ARG_NONE, &cli->json, "results as one JSON object on stdout", NULL },
        { "quiet", 'q', 0, G_OPTION_ARG_NONE, &cli->quiet, "no progress, only warnings and errors", NULL },
        { "verbose", 'v', 0, G_OPTION_ARG_NONE, &cli->verbose, "more messages", NULL },
        { "help", 'h', 0, G_OPTION_ARG_NONE, &common->help, "show this help", NULL },
        G_OPTION_ENTRY_NULL,
    };
    memcpy(entries, all, sizeof all);
}

/* Not the main group: help shows that one last. */
static void add_group(GOptionContext *context, const char *name, const char *title, const GOptionEntry *entries)
{
    GOptionGroup *group = g_option_group_new(name, title, "", NULL, NULL);
    g_option_group_add_entries(group, entries);
    g_option_context_add_group(context, group);
}

/* (owned, an array) The command's own options, and those of labels where it reads them. */
static GOptionEntry *own_entries(AimfCli *cli, Common *common, const GOptionEntry *own)
{
    const GOptionEntry labels[] = {
        { "missing", 0, 0, G_OPTION_ARG_STRING, &common->missing,
          "rows without target or label (empty, nan, NA …): error, drop, or keep the word as a label (error)", "KIND" },
        { "merge-labels", 0, 0, G_OPTION_ARG_NONE, &cli->labels.merge_spellings,
          "labels that differ only in case, blanks, the form of a number or of accents are one", NULL },
    };
    GArray *entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    for (; own->long_name; own++)
        g_array_append_val(entries, *own);
    if (cli->command->reads_labels)
        g_array_append_vals(entries, labels, G_N_ELEMENTS(labels));
    return (GOptionEntry *)(void *)g_array_free(entries, FALSE);
}

static gboolean take_labels(AimfCli *cli, const Common *common, GError **error)
{
    static const char *const kinds[] = { "error", "drop", "keep", NULL };
    int kind = common->missing ? aimf_cli_choice("--missing", common->missing, kinds, error) : 0;
    cli->labels.missing = kind == 1 ? AIMF_MISSING_DROP : kind == 2 ? AIMF_MISSING_KEEP : AIMF_MISSING_ERROR;
    return kind >= 0;
}

static gboolean take_common(AimfCli *cli, const Common *common, GError **error)
{
    static const char *const precisions[] = { "f32", "bf16", NULL };
    enum { MAX_THREADS = 1024 };
    guint64 threads = 0, expansion = 1;
    int precision = 0;
    cli->seed_given = common->seed != NULL;
    cli->device_given = common->device != NULL;
    cli->precision_given = common->precision != NULL;
    cli->threads_given = common->threads != NULL;
    if (common->seed && !g_ascii_string_to_unsigned(common->seed, 10, 0, G_MAXUINT64, &cli->seed, NULL))
        return wrong_text("--seed", "a whole number from 0 to 2^64 - 1", common->seed, error);
    if (common->threads && !g_ascii_string_to_unsigned(common->threads, 10, 0, MAX_THREADS, &threads, NULL))
        return wrong_text("--threads", "a number from 0 (as many as OpenMP has) to 1024", common->threads, error);
    if (common->max_expansion &&
        !g_ascii_string_to_unsigned(common->max_expansion, 10, 1, AIMF_MAX_EXPANSION, &expansion, NULL))
        return wrong_text("--max-expansion", "a whole number from 1 to 1000000", common->max_expansion, error);
    if (common->precision && (precision = aimf_cli_choice("--precision", common->precision, precisions, error)) < 0)
        return FALSE;
    aimf_set_max_expansion((guint)expansion);
    cli->threads = (int)threads;
    if (cli->threads)
        aimf_set_threads(cli->threads); /* without the option OpenMP's own choice stands */
    if (!(cli->device = aimf_device_open(common->device, error))) {
        g_prefix_error(error, "--device: ");
        return FALSE;
    }
    aimf_cli_message(cli, AIMF_LOG_DEBUG, "device: %s", aimf_device_name(cli->device));
    cli->precision = precision == 1 ? AIMF_PRECISION_BF16 : AIMF_PRECISION_F32;
    if (!cli->quiet || !cli->verbose)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--quiet and --verbose exclude each other");
    return FALSE;
}

/* GOption keeps a "--" whose followers look like options; it has done its duty by then. */
static void drop_separator(int *argc, char **argv)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            memmove(argv + i, argv + i + 1, (gsize)(*argc - i - 1) * sizeof *argv);
            argv[--*argc] = NULL;
            return;
        }
    }
}

const char *aimf_cli_word(const AimfCommand *command)
{
    const char *blank = strrchr(command->name, ' ');
    return blank ? blank + 1 : command->name;
}

/* (owned) The command in a sentence, and what subcommands it has. */
static char *summary_of(const AimfCommand *command)
{
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%c%s.", g_ascii_toupper(command->summary[0]), command->summary + 1);
    for (const AimfCommand *const *c = command->subcommands; c && *c; c++)
        g_string_append_printf(text, "%s  %-10s%s", c == command->subcommands ? "\n\nSubcommands:\n" : "\n",
                               aimf_cli_word(*c), (*c)->summary);
    return g_string_free(text, FALSE);
}

gboolean aimf_cli_parse(AimfCli *cli, const GOptionEntry *entries, int *argc, char **argv, GError **error)
{
    const AimfCommand *command = cli->command;
    g_auto(Common) common = { 0 };
    GOptionEntry common_table[N_COMMON];
    common_entries(cli, &common, common_table);
    g_autofree GOptionEntry *own_table = own_entries(cli, &common, entries);
    if (cli->describe) {
        cli->describe(cli, own_table, common_table);
        return FALSE;
    }
    g_autoptr(Entries) own = entries_new(own_table);
    const GOptionEntry *const tables[] = { own_table, common_table };
    if (!entries_check(tables, G_N_ELEMENTS(tables), command->name, *argc, argv, error))
        return FALSE;
    g_autoptr(GOptionContext) context = g_option_context_new(command->arguments);
    g_autofree char *program = g_strconcat("aimfair ", command->name, NULL);
    g_autofree char *summary = summary_of(command);
    g_set_prgname(program);
    g_option_context_set_summary(context, summary);
    g_option_context_set_description(context, command->description);
    g_option_context_set_help_enabled(context, FALSE); /* GOption's own exits, and does not see a failed write */
    if (own_table->long_name)
        add_group(context, "own", "Options:", entries_table(own));
    add_group(context, "common", "Common options:", common_table);
    if (!g_option_context_parse(context, argc, &argv, error)) {
        if (error && (*error)->domain == G_CONVERT_ERROR)
            g_prefix_error(error, "an option's text is not in the encoding of the locale; is LC_ALL=C.UTF-8 wanted? ");
        return FALSE;
    }
    if (common.help) {
        g_autofree char *text = g_option_context_get_help(context, FALSE, NULL);
        aimf_cli_print(cli, "%s", text);
        return FALSE;
    }
    drop_separator(argc, argv);
    if (*argc > 1 && !command->arguments) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "unexpected argument '%s'; 'aimfair help %s' lists the options", argv[1], command->name);
        return FALSE;
    }
    return take_labels(cli, &common, error) && take_common(cli, &common, error) && entries_take_numbers(own, error);
}

gboolean aimf_cli_require(const AimfCli *cli, const char *option, gconstpointer value, GError **error)
{
    if (value)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s is missing; 'aimfair help %s' says what it means", option,
                cli->command->name);
    return FALSE;
}

gboolean aimf_cli_check_double(const char *option, double value, double low, double high, GError **error)
{
    if (value >= low && value <= high)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s is %.9g; it must be from %.9g to %.9g", option, value, low,
                high);
    return FALSE;
}

/* "/dev/stdout", or "-o x.csv >x.csv": a file that is replaced when done would take what was printed with it. */
static gboolean is_standard_stream(const char *path)
{
    struct stat file, stream;
    gboolean same = FALSE;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO && stat(path, &file) == 0; fd++)
        same = same || (fstat(fd, &stream) == 0 && stream.st_dev == file.st_dev && stream.st_ino == file.st_ino);
    return same;
}

/* (owned) @folder, or the nearest one above it that exists. */
static char *existing_folder(const char *folder)
{
    g_autofree char *at = g_canonicalize_filename(folder, NULL);
    struct stat info;
    while (stat(at, &info) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        char *parent = g_path_get_dirname(at);
        g_free(at);
        at = parent;
    }
    return g_steal_pointer(&at);
}

/* The library writes a file under a longer name first. */
#define PART_ENDING ".XXXXXX.aimfair-part"

static gboolean has_long_name(const char *path, const char *folder)
{
    g_autofree char *base = g_path_get_basename(path);
    long most = pathconf(folder, _PC_NAME_MAX);
    return (most >= 0 && strlen(base) + strlen(PART_ENDING) > (gulong)most) ||
           strlen(path) + strlen(PART_ENDING) >= PATH_MAX;
}

/* What is there must be a file, in a folder. *@failure: errno where that cannot be seen */
static const char *check_place(const char *path, const char *folder, int *failure)
{
    struct stat info;
    gboolean there = stat(path, &info) == 0;
    if (!there && errno != ENOENT && errno != ENOTDIR)
        return g_strerror(*failure = errno);
    if (there && S_ISDIR(info.st_mode))
        return "it is a folder";
    if (there && !S_ISREG(info.st_mode))
        return "it is not a regular file";
    if (there && is_standard_stream(path))
        return "this program's own output or messages go there";
    there = stat(folder, &info) == 0;
    if (!there && errno != ENOENT && errno != ENOTDIR)
        return g_strerror(*failure = errno);
    return there && S_ISDIR(info.st_mode) ? NULL : "its folder does not exist";
}

static gboolean check_output(const char *option, const char *path, const char *folder, GError **error)
{
    const char *wrong = NULL;
    int failure = 0;
    if (!*path)
        wrong = "the name is empty";
    else if (strcmp(path, "-") == 0)
        wrong = "only texts go to the standard output; './-' is a file of that name";
    else if (!(wrong = check_place(path, folder, &failure)) && has_long_name(path, folder))
        wrong = "its name is too long: while it is written, " PART_ENDING " stands behind it";
    else if (!wrong && g_access(folder, W_OK) != 0)
        wrong = g_strerror(failure = errno);
    gboolean broken = failure && failure != EACCES && failure != EROFS && failure != ENAMETOOLONG && failure != ELOOP;
    if (wrong)
        g_set_error(error, AIMF_ERROR, broken ? AIMF_ERROR_IO : AIMF_ERROR_NOT_FOUND, "%s: cannot write '%s': %s",
                    option, path, wrong);
    return !wrong;
}

gboolean aimf_cli_check_output(const char *option, const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    return check_output(option, path, folder, error);
}

gboolean aimf_cli_check_new_output(const char *option, const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path), *existing = existing_folder(folder);
    return check_output(option, path, existing, error);
}

gboolean aimf_cli_check_text_output(AimfCli *cli, const char *option, const char *path, GError **error)
{
    if (strcmp(path, "-") != 0)
        return aimf_cli_check_output(option, path, error);
    const char *other = cli->json ? "--json" : cli->text_option;
    if (other) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "%s - and %s both write to the standard output; name a file for one of them", option, other);
        return FALSE;
    }
    cli->text_option = option;
    return TRUE;
}

gboolean aimf_cli_make_folder(const char *folder, GError **error)
{
    struct stat info;
    if (g_mkdir_with_parents(folder, 0777) == 0)
        return TRUE;
    int number = errno; /* ENOTDIR also where GLib could not examine it */
    gboolean in_the_way = number == ENOTDIR || number == EEXIST, seen = stat(folder, &info) == 0;
    if (in_the_way && seen && S_ISDIR(info.st_mode))
        return TRUE;
    if (in_the_way && !seen && errno != ENOENT && errno != ENOTDIR) {
        number = errno;
        in_the_way = FALSE;
    }
    g_set_error(error, AIMF_ERROR, in_the_way ? AIMF_ERROR_INVALID : AIMF_ERROR_IO, "cannot create the folder '%s': %s",
                folder, g_strerror(number));
    return FALSE;
}

static gboolean same_file(const char *a, const char *b)
{
    g_autofree char *full_a = g_canonicalize_filename(a, NULL);
    g_autofree char *full_b = g_canonicalize_filename(b, NULL);
    GStatBuf x, y;
    return strcmp(full_a, full_b) == 0 ||
           (g_stat(a, &x) == 0 && g_stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

gboolean aimf_cli_check_apart(const char *option, const char *path, const char *const *others, gsize n, GError **error)
{
    for (gsize i = 0; i < n; i++) {
        if (!others[i] || !same_file(path, others[i]))
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "%s %s would replace a file that this command needs; choose another name", option, path);
        return FALSE;
    }
    return TRUE;
}

/* A finite number that ends at @end; NULL if there is none. */
static const char *scan_double(const char *text, double *value)
{
    char *end;
    if (g_ascii_isspace(text[0]))
        return NULL;
    *value = g_ascii_strtod(text, &end);
    return end != text && isfinite(*value) ? end : NULL;
}

gboolean aimf_cli_double(const char *option, const char *text, double *value, GError **error)
{
    const char *end = scan_double(text, value);
    return (end && !*end) || wrong_text(option, "a number", text, error);
}

/* Whether @text is @n numbers and commas between them. */
static gboolean scan_doubles(const char *text, double *values, int n)
{
    const char *end = scan_double(text, &values[0]);
    for (int i = 1; i < n; i++)
        end = end && *end == ',' ? scan_double(end + 1, &values[i]) : NULL;
    return end && !*end;
}

gboolean aimf_cli_pair(const char *option, const char *text, double pair[2], GError **error)
{
    return scan_doubles(text, pair, 2) || wrong_text(option, "two numbers with a comma between them", text, error);
}

gboolean aimf_cli_triple(const char *option, const char *text, double triple[3], GError **error)
{
    return scan_doubles(text, triple, 3) ||
           wrong_text(option, "three numbers, of red, green and blue, like 0.485,0.456,0.406", text, error);
}

gboolean aimf_cli_size(const char *option, const char *text, int *width, int *height, GError **error)
{
    g_auto(GStrv) sides = g_strsplit(text, "x", 3);
    guint n = g_strv_length(sides);
    gint64 across, down;
    if (n < 1 || n > 2 || !g_ascii_string_to_signed(sides[0], 10, 1, G_MAXINT, &across, NULL) ||
        !g_ascii_string_to_signed(sides[n - 1], 10, 1, G_MAXINT, &down, NULL))
        return wrong_text(option, "a number of pixels like 224, or width and height like 320x240, from 1 on", text,
                          error);
    *width = (int)across;
    *height = (int)down;
    return TRUE;
}

GArray *aimf_cli_uints(const char *option, const char *text, GError **error)
{
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(guint));
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    for (char **part = parts; *part; part++) {
        guint64 number;
        if (!g_ascii_string_to_unsigned(*part, 10, 0, G_MAXUINT, &number, NULL)) {
            wrong_text(option, "whole numbers like 6,9", text, error);
            return NULL;
        }
        guint value = (guint)number;
        g_array_append_val(values, value);
    }
    return g_steal_pointer(&values);
}

gboolean aimf_cli_bytes(const char *option, const char *text, gsize *bytes, GError **error)
{
    static const char units[] = "KMGT";
    char *end;
    guint64 number = g_ascii_isdigit(text[0]) ? g_ascii_strtoull(text, &end, 10) : 0;
    guint shift = 0;
    gboolean good = g_ascii_isdigit(text[0]) && number < G_MAXUINT64; /* which is what too many digits give */
    if (good && *end) {
        const char *unit = strchr(units, g_ascii_toupper(*end));
        good = unit && !end[1];
        shift = unit ? 10 * (guint)(unit - units + 1) : 0;
    }
    if (!good || number > G_MAXSIZE >> shift)
        return wrong_text(option, "a number of bytes like 512M or 2G", text, error);
    *bytes = (gsize)(number << shift);
    return TRUE;
}

int aimf_cli_choice(const char *option, const char *text, const char *const *choices, GError **error)
{
    for (int i = 0; choices[i]; i++)
        if (strcmp(choices[i], text) == 0)
            return i;
    g_autofree char *list = g_strjoinv(", ", (char **)choices);
    g_autofree char *hint = aimf_name_hint(text, choices);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s is one of %s, not '%s'%s", option, list, text, hint);
    return -1;
}

AimfManifest *aimf_cli_open_manifest(AimfCli *cli, const char *path, AimfColumnUse target, AimfColumnUse labels,
                                     AimfFindings *findings, GError **error)
{
    AimfManifestOptions options = { .target = target, .protected_labels = labels, .labels = cli->labels };
    options.labels.findings = findings;
    return aimf_manifest_open_with(path, &options, cli->monitor, error);
}
