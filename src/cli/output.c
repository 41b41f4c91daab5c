/* Results on stdout: text and JSON, with every failed write noticed. */
#include "cli.h"

#include <aimfair/json.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * (owned) What a terminal would act upon, but for ends of lines and tabs, as JSON writes it; names in files may have
 * anything.
 */
static char *escape_controls(const char *text)
{
    g_autoptr(GString) shown = g_string_new(NULL);
    for (const guchar *c = (const guchar *)text; *c; c++) {
        gboolean second_set = c[0] == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0; /* U+0080 to U+009F in UTF-8 */
        gboolean turns = c[0] == 0xE2 && ((c[1] == 0x80 && c[2] >= 0xAA && c[2] <= 0xAE) ||
                                          (c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9)); /* changes the direction */
        if (turns) {
            g_string_append_printf(shown, "\\u%04x", 0x2000u | (unsigned)(c[1] & 0x3F) << 6 | (c[2] & 0x3Fu));
            c += 2;
        } else if (second_set)
            g_string_append_printf(shown, "\\u%04x", (unsigned)*++c);
        else if ((*c < ' ' && *c != '\n' && *c != '\t') || *c == 0x7F)
            g_string_append_printf(shown, "\\u%04x", (unsigned)*c);
        else
            g_string_append_c(shown, (char)*c);
    }
    return g_string_free(g_steal_pointer(&shown), FALSE);
}

static void put(AimfCli *cli, const char *text)
{
    aimf_cli_end_progress(); /* both streams may be one terminal */
    errno = 0;
    if (cli->text_option) {
        if (!cli->quiet)
            fputs(text, stderr);
    } else if (fputs(text, stdout) < 0 && !cli->output_failure)
        cli->output_failure = errno ? errno : EIO;
}

void aimf_cli_print(AimfCli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args), *shown = escape_controls(text);
    va_end(args);
    put(cli, shown);
}

void aimf_cli_print_coloured(AimfCli *cli, AimfCliColour colour, const char *text)
{
    int fd = cli->text_option ? STDERR_FILENO : STDOUT_FILENO;
    g_autofree char *shown = escape_controls(text);
    g_autofree char *coloured =
        g_strconcat(aimf_cli_colour(fd, colour), shown, aimf_cli_colour(fd, AIMF_CLI_PLAIN), NULL);
    put(cli, coloured);
}

void aimf_cli_print_padded(AimfCli *cli, const char *text, glong width)
{
    glong length = g_utf8_validate(text, -1, NULL) ? g_utf8_strlen(text, -1) : width;
    aimf_cli_print(cli, "%s%*s", text, (int)MAX(width - length, 0), "");
}

/* What @path has, to stdout. */
static gboolean copy_out(AimfCli *cli, const char *path, GError **error)
{
    char *text;
    gsize length;
    g_autoptr(GError) reason = NULL;
    if (!g_file_get_contents(path, &text, &length, &reason)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_IO, "cannot pass on what was written for the standard output: %s",
                    reason->message);
        return FALSE;
    }
    aimf_cli_end_progress();
    errno = 0;
    if (fwrite(text, 1, length, stdout) != length && !cli->output_failure)
        cli->output_failure = errno ? errno : EIO;
    g_free(text);
    return TRUE;
}

gboolean aimf_cli_write_text(AimfCli *cli, const char *path,
                             gboolean (*write)(const char *path, gconstpointer data, GError **error),
                             gconstpointer data, GError **error)
{
    if (strcmp(path, "-") != 0)
        return write(path, data, error);
    g_autoptr(GError) reason = NULL;
    g_autofree char *folder = g_dir_make_tmp("aimfair-XXXXXX", &reason);
    if (!folder) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_IO, "cannot make a passing file: %s; is TMPDIR right?",
                    reason->message);
        return FALSE;
    }
    g_autofree char *passing = g_build_filename(folder, "text", NULL);
    gboolean good = write(passing, data, error) && copy_out(cli, passing, error);
    g_unlink(passing);
    g_rmdir(folder);
    return good;
}

void aimf_cli_print_json(AimfCli *cli, JsonBuilder *builder)
{
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = aimf_json_write(root, TRUE);
    aimf_cli_print(cli, "%s\n", text);
}

gboolean aimf_cli_finish_output(AimfCli *cli, GError **error)
{
    errno = 0;
    if (fflush(stdout) != 0 && !cli->output_failure)
        cli->output_failure = errno ? errno : EIO;
    if (ferror(stdout) && !cli->output_failure)
        cli->output_failure = EIO;
    if (!cli->output_failure)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_IO, "cannot write the results to the standard output: %s",
                g_strerror(cli->output_failure));
    return FALSE;
}

void aimf_cli_json_double(JsonBuilder *builder, const char *name, double value)
{
    json_builder_set_member_name(builder, name);
    if (isfinite(value))
        json_builder_add_double_value(builder, value);
    else
        json_builder_add_null_value(builder);
}

void aimf_cli_json_int(JsonBuilder *builder, const char *name, gint64 value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, value);
}

void aimf_cli_json_text(JsonBuilder *builder, const char *name, const char *value)
{
    json_builder_set_member_name(builder, name);
    if (value)
        json_builder_add_string_value(builder, value);
    else
        json_builder_add_null_value(builder);
}

void aimf_cli_json_bool(JsonBuilder *builder, const char *name, gboolean value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_boolean_value(builder, value);
}
