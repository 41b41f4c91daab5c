#include "data/spellings.h"

#include "base/normalize.h"

#include <math.h>
#include <string.h>

/* What pandas reads as missing (pandas.read_csv, na_values), from which many tables come. */
gboolean aimf_stands_for_nothing(const char *text)
{
    static const char *const WORDS[] = {
        "",    "nan",  "NaN",  "NA",     "N/A",     "None",    "null",     "NULL", "n/a",  "<NA>", "#N/A",
        "#NA", "-nan", "-NaN", "1.#IND", "1.#QNAN", "-1.#IND", "-1.#QNAN", "NAN",  "Null", "NaT",  "#N/A N/A",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(WORDS); i++)
        if (strcmp(WORDS[i], text) == 0)
            return TRUE;
    return FALSE;
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

/* 1, 1.0, 01, +1 and 1e0 are one number; words that strtod knows (inf, nan, 0x1) are texts. */
static char *number_key(const char *text)
{
    if (strspn(text, "0123456789+-.eE") != strlen(text) || !strpbrk(text, "0123456789"))
        return NULL;
    char *end, number[G_ASCII_DTOSTR_BUF_SIZE];
    double value = g_ascii_strtod(text, &end);
    if (end == text || *end || !isfinite(value))
        return NULL;
    return g_strdup(g_ascii_dtostr(number, sizeof number, value + 0.0)); /* -0 + 0 is 0 */
}

char *aimf_spelling_key(const char *text)
{
    g_autofree char *folded = g_utf8_casefold(text, -1);
    g_autofree char *composed = aimf_normalize(folded, -1, G_NORMALIZE_DEFAULT_COMPOSE);
    g_autoptr(GString) key = g_string_new(NULL);
    for (const char *c = composed; *c; c = g_utf8_next_char(c)) {
        gunichar letter = g_utf8_get_char(c);
        if (!g_unichar_isspace(letter))
            g_string_append_unichar(key, letter);
    }
    char *number = number_key(key->str);
    return number ? number : g_strdup(key->str);
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
