#include "data/spellings.h"

#include "base/normalize.h"

#include <string.h>

/* What pandas reads as missing (pandas.read_csv, na_values), from which many tables come, in whatever case. */
gboolean aimf_stands_for_nothing(const char *text)
{
    static const char *const WORDS[] = {
        "",     "nan", "na",   "n/a",    "none",    "null",    "nat",      "<na>",
        "#n/a", "#na", "-nan", "1.#ind", "1.#qnan", "-1.#ind", "-1.#qnan", "#n/a n/a",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(WORDS); i++)
        if (g_ascii_strcasecmp(WORDS[i], text) == 0)
            return TRUE;
    return FALSE;
}

gboolean aimf_is_blank(gunichar c)
{
    return g_unichar_isspace(c) || g_unichar_type(c) == G_UNICODE_FORMAT;
}

char *aimf_label_strip(char *text)
{
    while (*text && aimf_is_blank(g_utf8_get_char(text)))
        text = g_utf8_next_char(text);
    char *end = text + strlen(text);
    while (end > text) {
        char *last = g_utf8_prev_char(end);
        if (!aimf_is_blank(g_utf8_get_char(last)))
            break;
        end = last;
    }
    *end = 0;
    return text;
}

typedef struct {
    char *text;
    guint64 rows;
} Spelling;

struct AimfSpellings {
    char *column;
    GHashTable *texts; /* char * → Spelling *, which owns it */
    GHashTable *keys;  /* char * → GPtrArray of Spelling *, borrowed */
};

static void spelling_free(gpointer data)
{
    g_free(((Spelling *)data)->text);
    g_free(data);
}

AimfSpellings *aimf_spellings_new(const char *column)
{
    AimfSpellings *spellings = g_new(AimfSpellings, 1);
    spellings->column = g_strdup(column);
    spellings->texts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, spelling_free);
    spellings->keys =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)(void (*)(void))g_ptr_array_unref);
    return spellings;
}

void aimf_spellings_free(AimfSpellings *spellings)
{
    if (!spellings)
        return;
    g_free(spellings->column);
    g_hash_table_unref(spellings->keys);
    g_hash_table_unref(spellings->texts);
    g_free(spellings);
}

/* Appends the run of digits at *@text to @digits, which begins with none that is 0. Returns: how many there were. */
static guint take_digits(const char **text, GString *digits)
{
    guint n = 0;
    for (; g_ascii_isdigit(**text); (*text)++, n++)
        if (digits->len || **text != '0')
            g_string_append_c(digits, **text);
    return n;
}

char *aimf_number_key(const char *text)
{
    enum { MAX_EXPONENT = 1000000 };
    g_autoptr(GString) digits = g_string_new(NULL); /* without zeros at either end; their place is the exponent */
    gboolean negative = *text == '-';
    text += *text == '-' || *text == '+';
    guint n = take_digits(&text, digits);
    gint64 exponent = 0;
    if (*text == '.') {
        text++;
        guint decimals = take_digits(&text, digits);
        exponent -= decimals;
        n += decimals;
    }
    if (n && (*text == 'e' || *text == 'E')) {
        gint64 given;
        const char *sign = text + 1;
        if (!g_ascii_string_to_signed(*sign == '+' && g_ascii_isdigit(sign[1]) ? sign + 1 : sign, 10, -MAX_EXPONENT,
                                      MAX_EXPONENT, &given, NULL))
            return NULL;
        exponent += given;
        text += strlen(text);
    }
    if (!n || *text)
        return NULL;
    for (; digits->len && digits->str[digits->len - 1] == '0'; exponent++)
        g_string_truncate(digits, digits->len - 1);
    if (!digits->len)
        return g_strdup("0");
    return g_strdup_printf("%s%se%" G_GINT64_FORMAT, negative ? "-" : "", digits->str, exponent);
}

/* One more part of a label. Its number's key is added in place of its letters. */
static void add_part(GString *key, GString *part, gboolean first)
{
    g_autofree char *number = aimf_number_key(part->str);
    g_string_append(key, first ? "" : "_");
    g_string_append(key, number ? number : part->str);
    g_string_truncate(part, 0);
}

char *aimf_spelling_key(const char *text)
{
    g_autofree char *plain = aimf_normalize(text, -1, G_NORMALIZE_ALL_COMPOSE);
    g_autofree char *folded = g_utf8_casefold(plain, -1);
    g_autofree char *composed = aimf_normalize(folded, -1, G_NORMALIZE_ALL_COMPOSE);
    g_autoptr(GString) key = g_string_new(NULL), part = g_string_new(NULL);
    gboolean first = TRUE;
    for (const char *c = composed; *c; c = g_utf8_next_char(c)) {
        gunichar letter = g_utf8_get_char(c);
        if (letter == '_') {
            add_part(key, part, first);
            first = FALSE;
        } else if (!aimf_is_blank(letter)) {
            g_string_append_unichar(part, letter);
        }
    }
    add_part(key, part, first);
    return g_strdup(key->str);
}

static gint compare_spellings(gconstpointer a, gconstpointer b)
{
    const Spelling *const *x = a, *const *y = b;
    return strcmp((*x)->text, (*y)->text);
}

void aimf_spellings_add(AimfSpellings *spellings, const char *text, guint64 rows)
{
    Spelling *spelling = g_hash_table_lookup(spellings->texts, text);
    if (!spelling) {
        spelling = g_new(Spelling, 1);
        *spelling = (Spelling){ .text = g_strdup(text) };
        g_hash_table_insert(spellings->texts, spelling->text, spelling);
        char *key = aimf_spelling_key(text);
        GPtrArray *same = g_hash_table_lookup(spellings->keys, key);
        if (same) {
            g_free(key);
        } else {
            same = g_ptr_array_new();
            g_hash_table_insert(spellings->keys, key, same);
        }
        g_ptr_array_add(same, spelling);
    }
    spelling->rows += rows;
}

const char *aimf_spellings_usual(const AimfSpellings *spellings, const char *text)
{
    g_autofree char *key = aimf_spelling_key(text);
    const GPtrArray *same = g_hash_table_lookup(spellings->keys, key);
    const Spelling *usual = g_ptr_array_index(same, 0);
    for (guint i = 1; i < same->len; i++) {
        const Spelling *other = g_ptr_array_index(same, i);
        if (other->rows > usual->rows || (other->rows == usual->rows && strcmp(other->text, usual->text) < 0))
            usual = other;
    }
    return usual->text;
}

static gint compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *aimf_spellings_list(const AimfSpellings *spellings, gboolean of_rows)
{
    GPtrArray *texts = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, spellings->texts);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Spelling *spelling = value;
        if ((spelling->rows > 0) == of_rows)
            g_ptr_array_add(texts, spelling->text);
    }
    g_ptr_array_sort(texts, compare_texts);
    return texts;
}

static void describe_set(const GPtrArray *same, GString *text)
{
    for (guint i = 0; i < same->len; i++) {
        const Spelling *spelling = g_ptr_array_index(same, i);
        g_string_append_printf(text, "%s'%s'", i == 0 ? "" : i + 1 < same->len ? ", " : " and ", spelling->text);
        if (spelling->rows)
            g_string_append_printf(text, " (%" G_GUINT64_FORMAT "%s)", spelling->rows,
                                   i                     ? ""
                                   : spelling->rows == 1 ? " row"
                                                         : " rows");
    }
}

static gint compare_sets(gconstpointer a, gconstpointer b)
{
    const GPtrArray *const *x = a, *const *y = b;
    return compare_spellings(&(*x)->pdata[0], &(*y)->pdata[0]);
}

gboolean aimf_spellings_describe(const AimfSpellings *spellings, GString *text)
{
    enum { SHOWN = 10 };
    guint n = 0;
    g_autoptr(GPtrArray) sets = g_ptr_array_new();
    GHashTableIter iter;
    gpointer same;
    g_hash_table_iter_init(&iter, spellings->keys);
    while (g_hash_table_iter_next(&iter, NULL, &same))
        if (((GPtrArray *)same)->len > 1) {
            g_ptr_array_sort(same, compare_spellings);
            g_ptr_array_add(sets, same);
        }
    g_ptr_array_sort(sets, compare_sets); /* the hash table has no order */
    for (; n < sets->len && n < SHOWN; n++) {
        if (n == 0)
            g_string_append_printf(text, "%scolumn '%s': ", text->len ? "; " : "", spellings->column);
        g_string_append(text, n ? ", " : "");
        describe_set(g_ptr_array_index(sets, n), text);
    }
    if (n < sets->len)
        g_string_append_printf(text, " and %u more", sets->len - n);
    return sets->len > 0;
}
