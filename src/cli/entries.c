#include "entries.h"

#include <aimfair/error.h>
#include <aimfair/names.h>
#include <math.h>
#include <string.h>

/* One option with a number. */
typedef struct {
    char *option; /* "--epochs" */
    GOptionArg type;
    gpointer target;
    double low, high;
    gint64 low_int, high_int;
    gboolean bounded;
    char *text; /* what GOption received; NULL where the option is not given */
} Number;

struct Entries {
    GOptionEntry *table;
    Number *numbers;
    gsize n_numbers;
    GPtrArray *names; /* of arguments, without ranges; owned */
};

/* --- Making the table --- */

static gboolean is_number(const GOptionEntry *entry)
{
    return entry->arg == G_OPTION_ARG_INT || entry->arg == G_OPTION_ARG_INT64 || entry->arg == G_OPTION_ARG_DOUBLE;
}

/* "N [1, 65536]" */
static void read_range(Number *number, const char *argument)
{
    const char *open = argument ? strchr(argument, '[') : NULL, *comma = open ? strchr(open, ',') : NULL;
    number->bounded = comma != NULL;
    number->low_int = number->type == G_OPTION_ARG_INT ? G_MININT : G_MININT64;
    number->high_int = number->type == G_OPTION_ARG_INT ? G_MAXINT : G_MAXINT64;
    number->low = -G_MAXDOUBLE;
    number->high = G_MAXDOUBLE;
    if (!comma)
        return;
    number->low = g_ascii_strtod(open + 1, NULL);
    number->high = g_ascii_strtod(comma + 1, NULL);
    number->low_int = g_ascii_strtoll(open + 1, NULL, 10);
    number->high_int = g_ascii_strtoll(comma + 1, NULL, 10);
}

Entries *entries_new(const GOptionEntry *own)
{
    gsize n = 0;
    while (own[n].long_name)
        n++;
    Entries *entries = g_new0(Entries, 1);
    entries->table = g_memdup2(own, (n + 1) * sizeof *own);
    entries->numbers = g_new0(Number, n + 1);
    entries->names = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < n; i++) {
        GOptionEntry *entry = &entries->table[i];
        if (!is_number(entry))
            continue;
        Number *number = &entries->numbers[entries->n_numbers++];
        number->option = g_strconcat("--", entry->long_name, NULL);
        number->type = entry->arg;
        number->target = entry->arg_data;
        read_range(number, entry->arg_description);
        char *name = g_strdup(entry->arg_description ? entry->arg_description : "N");
        char *range = strstr(name, " [");
        if (range)
            *range = 0;
        g_ptr_array_add(entries->names, name);
        entry->arg_description = name;
        entry->arg = G_OPTION_ARG_STRING;
        entry->arg_data = &number->text;
    }
    return entries;
}

void entries_free(Entries *entries)
{
    if (!entries)
        return;
    for (gsize i = 0; i < entries->n_numbers; i++) {
        g_free(entries->numbers[i].option);
        g_free(entries->numbers[i].text);
    }
    g_free(entries->numbers);
    g_free(entries->table);
    g_ptr_array_unref(entries->names);
    g_free(entries);
}

const GOptionEntry *entries_table(const Entries *entries)
{
    return entries->table;
}

/* --- Numbers --- */

/* (owned) "from 1 to 65536" */
static char *range_text(const Number *number)
{
    if (number->type == G_OPTION_ARG_DOUBLE)
        return g_strdup_printf("from %.9g to %.9g", number->low, number->high);
    return g_strdup_printf("from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, number->low_int, number->high_int);
}

static gboolean not_a_number(const Number *number, GError **error)
{
    g_autofree char *range = number->bounded ? range_text(number) : g_strdup("");
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s takes a %snumber%s%s, not '%s'", number->option,
                number->type == G_OPTION_ARG_DOUBLE ? "" : "whole ", *range ? " " : "", range, number->text);
    return FALSE;
}

static gboolean out_of_range(const Number *number, GError **error)
{
    g_autofree char *range = range_text(number);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s is %s; it must be %s", number->option, number->text, range);
    return FALSE;
}

static gboolean take_double(const Number *number, GError **error)
{
    char *end;
    double value = g_ascii_strtod(number->text, &end);
    if (end == number->text || *end || g_ascii_isspace(number->text[0]))
        return not_a_number(number, error);
    if (!(value >= number->low && value <= number->high))
        return out_of_range(number, error);
    *(double *)number->target = value;
    return TRUE;
}

static gboolean take_whole(const Number *number, GError **error)
{
    gint64 value;
    g_autoptr(GError) reason = NULL;
    if (!g_ascii_string_to_signed(number->text, 10, number->low_int, number->high_int, &value, &reason))
        return g_error_matches(reason, G_NUMBER_PARSER_ERROR, G_NUMBER_PARSER_ERROR_OUT_OF_BOUNDS)
                   ? out_of_range(number, error)
                   : not_a_number(number, error);
    if (number->type == G_OPTION_ARG_INT)
        *(gint *)number->target = (gint)value;
    else
        *(gint64 *)number->target = value;
    return TRUE;
}

gboolean entries_take_numbers(const Entries *entries, GError **error)
{
    for (gsize i = 0; i < entries->n_numbers; i++) {
        const Number *number = &entries->numbers[i];
        if (number->text &&
            !(number->type == G_OPTION_ARG_DOUBLE ? take_double(number, error) : take_whole(number, error)))
            return FALSE;
    }
    return TRUE;
}

/* --- Names --- */

gboolean entries_takes_argument(const GOptionEntry *entry)
{
    return entry->arg != G_OPTION_ARG_NONE;
}

/* By the long name (@length), or by the short one where @name is NULL. */
static const GOptionEntry *find(const GOptionEntry *const *tables, gsize n, const char *name, gsize length, char letter)
{
    for (gsize t = 0; t < n; t++)
        for (const GOptionEntry *entry = tables[t]; entry->long_name; entry++)
            if (name ? strlen(entry->long_name) == length && strncmp(entry->long_name, name, length) == 0
                     : entry->short_name == letter)
                return entry;
    return NULL;
}

static gboolean unknown(const GOptionEntry *const *tables, gsize n, const char *given, const char *command,
                        GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (gsize t = 0; t < n; t++)
        for (const GOptionEntry *entry = tables[t]; entry->long_name; entry++)
            g_ptr_array_add(names, g_strconcat("--", entry->long_name, NULL));
    g_ptr_array_add(names, NULL);
    g_autofree char *name = g_strndup(given, strcspn(given, "="));
    g_autofree char *hint = aimf_name_hint(name, (const char *const *)names->pdata);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "there is no option '%s'%s; 'aimfair help %s' lists the options",
                name, hint, command);
    return FALSE;
}

/*
 * Scripts hand on variables that nobody has set. Only a prompt can be empty: the argument of such options is a TEXT;
 * and what is wrong with a number is told when it is taken.
 */
static gboolean check_empty(const GOptionEntry *entry, const char *value, GError **error)
{
    if (!value || *value || (entry && (is_number(entry) || g_strcmp0(entry->arg_description, "TEXT") == 0)))
        return TRUE;
    if (!entry)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "an argument is empty, and nothing has an empty name");
    else if (entry->arg == G_OPTION_ARG_FILENAME || entry->arg == G_OPTION_ARG_FILENAME_ARRAY)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--%s: the name is empty; give that of a file or a folder",
                    entry->long_name);
    else
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "--%s: the value is empty; give one (%s), or leave the option out", entry->long_name,
                    entry->arg_description);
    return FALSE;
}

/* An option that is no list has one value: of two different ones, neither is silently the right one. */
static gboolean check_once(GHashTable *values, const GOptionEntry *entry, const char *value, GError **error)
{
    gboolean list = entry->arg == G_OPTION_ARG_STRING_ARRAY || entry->arg == G_OPTION_ARG_FILENAME_ARRAY;
    const char *before = g_hash_table_lookup(values, entry);
    if (list || !value)
        return TRUE;
    if (before && strcmp(before, value) != 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--%s is given twice: '%s' and '%s'", entry->long_name,
                    before, value);
        return FALSE;
    }
    g_hash_table_insert(values, (gpointer)entry, (gpointer)value);
    return TRUE;
}

gboolean entries_check(const GOptionEntry *const *tables, gsize n, const char *command, int argc, char **argv,
                       GError **error)
{
    g_autoptr(GHashTable) values = g_hash_table_new(NULL, NULL);
    gboolean names_only = FALSE;
    for (int i = 1; i < argc; i++) {
        const char *text = argv[i];
        if (!check_empty(NULL, text, error))
            return FALSE;
        names_only = names_only || strcmp(text, "--") == 0;
        if (names_only || text[0] != '-' || !text[1])
            continue;
        const GOptionEntry *entry = NULL;
        gsize length = strcspn(text, "=");
        const char *value = NULL; /* in the same word; else it is the next one */
        if (text[1] == '-') {
            if (!(entry = find(tables, n, text + 2, length - 2, 0)))
                return unknown(tables, n, text, command, error);
            value = text[length] ? text + length + 1 : NULL;
            if (value && !entries_takes_argument(entry)) {
                g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--%s takes no value, not even '%s'",
                            entry->long_name, value);
                return FALSE;
            }
        }
        for (const char *letter = text + 1; text[1] != '-' && *letter && !(entry && entries_takes_argument(entry));
             letter++) {
            if (!(entry = find(tables, n, NULL, 0, *letter)))
                return unknown(tables, n, text, command, error);
            value = letter[1] ? letter + 1 : NULL;
        }
        if (!entries_takes_argument(entry))
            continue;
        if (!value)
            value = ++i < argc ? argv[i] : NULL;
        if (!check_empty(entry, value, error) || !check_once(values, entry, value, error))
            return FALSE;
    }
    return TRUE;
}
