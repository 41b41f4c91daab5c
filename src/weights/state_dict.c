#include "weights/state_dict.h"

#include "base/number.h"
#include "base/shown.h"

#include "weights/pickle_names.h"
#include "weights/tensors.h"

#include <string.h>

enum {
    MAX_DEPTH = 64,       /* also ends containers that contain themselves */
    MAX_VISITS = 1 << 23, /* containers met again and again could grow without end … */
    VISITS_PER_BYTE = 16, /* … and real files hardly ever share one */
    FREE_VISITS = 1000,
    BYTES_PER_VISIT = 64,      /* of a key, which is copied at every visit */
    MAX_KEY_ITEMS = 8,         /* of a tuple that is a dict's key */
    MAX_NAMES_BYTES = 1 << 26, /* of all names together */
    MAX_TEXT_BYTES = 4096,
    MAX_TEXTS = 10000,
};

/* Keys under which programs put a model's tensors. */
static const char *const wrappers[] = { "state_dict", "model_state_dict", "ema_state_dict", "model", "module",
                                        "net",        "network",          "weights",        "params" };

typedef struct {
    GArray *entries;
    GString *name; /* of where the walk is */
    guint depth, n_texts;
    gsize visits, max_visits; /* values looked at */
    gsize names_bytes;
} Walk;

static gboolean visit(Walk *walk, const AimfPickleValue *value, GError **error);

static void entry_clear(gpointer data)
{
    AimfStateEntry *entry = data;
    g_free(entry->name);
    g_free(entry->text);
}

/* @entry: without its name; its text is taken. */
static gboolean add(Walk *walk, AimfStateEntry entry, GError **error)
{
    walk->names_bytes += walk->name->len;
    if (walk->names_bytes > MAX_NAMES_BYTES) {
        g_free(entry.text);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the checkpoint's names have more than %d bytes in all",
                    MAX_NAMES_BYTES);
        return FALSE;
    }
    entry.name = g_strdup(walk->name->len ? walk->name->str : "tensor");
    g_array_append_val(walk->entries, entry);
    return TRUE;
}

static gboolean add_tensor(Walk *walk, const AimfPickleView *view, GError **error)
{
    if (view)
        return add(walk, (AimfStateEntry){ .view = view }, error);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the Parameter '%s' never got its tensor",
                AIMF_SHOWN(walk->name->str));
    return FALSE;
}

static gboolean add_text(Walk *walk, char *text, GError **error)
{
    if (walk->n_texts < MAX_TEXTS && walk->name->len) {
        walk->n_texts++;
        return add(walk, (AimfStateEntry){ .text = text }, error);
    }
    g_free(text);
    return TRUE;
}

static char *number_text(double number)
{
    char text[AIMF_NUMBER_SIZE];
    return g_strdup(aimf_number_text(text, number));
}

/* NULL for what is no number. */
static char *scalar_text(const AimfPickleValue *value)
{
    switch (value->kind) {
    case AIMF_PICKLE_BOOL:
        return g_strdup(value->integer ? "true" : "false");
    case AIMF_PICKLE_INT:
        return g_strdup_printf("%" G_GINT64_FORMAT, value->integer);
    case AIMF_PICKLE_FLOAT:
        return number_text(value->number);
    default:
        return NULL;
    }
}

/* A list of nothing but numbers; NULL if it is another, or too long to be kept: then *@too_long. */
static char *numbers_text(Walk *walk, const AimfPickleValue *value, gboolean *too_long)
{
    GString *text = g_string_new("[");
    *too_long = FALSE;
    for (guint i = 0; i < value->items->len; i++) {
        g_autofree char *item = scalar_text(value->items->pdata[i]);
        walk->visits++;
        if (!item) {
            g_string_free(text, TRUE);
            *too_long = FALSE;
            return NULL;
        }
        *too_long |= text->len > MAX_TEXT_BYTES;
        if (!*too_long)
            g_string_append_printf(text, "%s%s", i ? ", " : "", item);
    }
    g_string_append_c(text, ']');
    return g_string_free(text, *too_long);
}

static gboolean visit_as(Walk *walk, const char *key, gsize bytes, const AimfPickleValue *value, GError **error)
{
    gsize length = walk->name->len;
    walk->visits += bytes / BYTES_PER_VISIT;
    if (length + 1 + bytes > AIMF_MAX_NAME_BYTES) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "a name that begins with '%s' has more than %d bytes",
                    AIMF_SHOWN(walk->name->str), AIMF_MAX_NAME_BYTES);
        return FALSE;
    }
    if (walk->depth > 1)
        g_string_append_c(walk->name, '.');
    g_string_append_len(walk->name, key, (gssize)bytes);
    gboolean done = visit(walk, value, error);
    g_string_truncate(walk->name, length);
    return done;
}

static char *key_text(const AimfPickleValue *key);

/* "(1, a)"; NULL if an item of it cannot be written. */
static char *tuple_text(const AimfPickleValue *tuple)
{
    g_autoptr(GString) text = g_string_new("(");
    for (guint i = 0; i < tuple->items->len; i++) {
        const AimfPickleValue *value = tuple->items->pdata[i];
        g_autofree char *item = i < MAX_KEY_ITEMS && value->kind != AIMF_PICKLE_TUPLE ? key_text(value) : NULL;
        if (!item)
            return NULL;
        g_string_append_printf(text, "%s%s", i ? ", " : "", item);
    }
    g_string_append_c(text, ')');
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* A key as text, as far as it has one. */
static char *key_text(const AimfPickleValue *key)
{
    switch (key->kind) {
    case AIMF_PICKLE_TEXT:
        return key->text.bytes <= AIMF_MAX_NAME_BYTES ? g_strndup(key->text.data, key->text.bytes) : NULL;
    case AIMF_PICKLE_NONE:
        return g_strdup("None");
    case AIMF_PICKLE_GLOBAL:
        return g_strdup(aimf_pickle_name(key));
    case AIMF_PICKLE_TUPLE:
        return tuple_text(key);
    default:
        return scalar_text(key);
    }
}

static gboolean visit_dict(Walk *walk, const AimfPickleValue *dict, GError **error)
{
    for (guint i = 0; i < dict->items->len; i += 2) {
        const AimfPickleValue *key = dict->items->pdata[i], *value = dict->items->pdata[i + 1];
        if (key->kind == AIMF_PICKLE_GLOBAL && !aimf_pickle_name(key)) /* the key of a callback's state is its type */
            continue;
        if (key->kind == AIMF_PICKLE_LIST || key->kind == AIMF_PICKLE_DICT) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "a dict in '%s' has a list or a dict as a key",
                        walk->name->str);
            return FALSE;
        }
        g_autofree char *text = key->kind == AIMF_PICKLE_TEXT ? NULL : key_text(key);
        if (!text && key->kind != AIMF_PICKLE_TEXT)
            text = g_strdup_printf("#%u", i / 2);
        if (!visit_as(walk, text ? text : key->text.data, text ? strlen(text) : key->text.bytes, value, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean visit_sequence(Walk *walk, const AimfPickleValue *sequence, GError **error)
{
    gboolean too_long;
    char *numbers = numbers_text(walk, sequence, &too_long);
    if (too_long)
        return TRUE;
    if (numbers)
        return add_text(walk, numbers, error);
    for (guint i = 0; i < sequence->items->len; i++) {
        char index[16];
        gsize bytes = (gsize)g_snprintf(index, sizeof index, "%u", i);
        if (!visit_as(walk, index, bytes, sequence->items->pdata[i], error))
            return FALSE;
    }
    return TRUE;
}

/* Recursion is no deeper than MAX_DEPTH. */
static gboolean visit(Walk *walk, const AimfPickleValue *value, GError **error)
{
    if (walk->depth >= MAX_DEPTH || ++walk->visits > walk->max_visits) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the checkpoint is nested too deeply or contains itself");
        return FALSE;
    }
    gboolean done = TRUE;
    walk->depth++;
    switch (value->kind) {
    case AIMF_PICKLE_TENSOR:
        done = add_tensor(walk, value->view, error);
        break;
    case AIMF_PICKLE_UNREADABLE:
        done = add(walk, (AimfStateEntry){ .unreadable = value->unreadable }, error);
        break;
    case AIMF_PICKLE_DICT:
        done = visit_dict(walk, value, error);
        break;
    case AIMF_PICKLE_LIST:
    case AIMF_PICKLE_TUPLE:
        done = visit_sequence(walk, value, error);
        break;
    case AIMF_PICKLE_TEXT:
        if (value->text.bytes <= MAX_TEXT_BYTES)
            done = add_text(walk, g_strndup(value->text.data, value->text.bytes), error);
        break;
    case AIMF_PICKLE_BOOL:
    case AIMF_PICKLE_INT:
    case AIMF_PICKLE_FLOAT:
        done = add_text(walk, scalar_text(value), error);
        break;
    case AIMF_PICKLE_NONE:
    case AIMF_PICKLE_LONG:
    case AIMF_PICKLE_GLOBAL:
    case AIMF_PICKLE_STORAGE:
    case AIMF_PICKLE_OPAQUE:
        break;
    }
    walk->depth--;
    return done;
}

/* The wrapper that all tensors' names lose, with its dot, or NULL. */
static const char *common_wrapper(const AimfPickleValue *root, GArray *entries)
{
    for (guint w = 0; w < G_N_ELEMENTS(wrappers); w++) {
        const AimfPickleValue *wrapped = aimf_pickle_lookup(root, wrappers[w]);
        if (!wrapped || wrapped->kind != AIMF_PICKLE_DICT)
            continue;
        g_autofree char *prefix = g_strdup_printf("%s.", wrappers[w]);
        gboolean all = TRUE;
        for (guint i = 0; i < entries->len; i++) {
            const AimfStateEntry *entry = &g_array_index(entries, AimfStateEntry, i);
            all &= entry->text || g_str_has_prefix(entry->name, prefix);
        }
        if (all)
            return wrappers[w];
    }
    return NULL;
}

GArray *aimf_state_dict(const AimfPickle *pickle, const AimfPickleValue *root, const char **wrapper, GError **error)
{
    Walk walk = { .entries = g_array_new(FALSE, FALSE, sizeof(AimfStateEntry)), .name = g_string_new(NULL) };
    walk.max_visits =
        pickle->bytes > MAX_VISITS / VISITS_PER_BYTE ? MAX_VISITS : FREE_VISITS + VISITS_PER_BYTE * pickle->bytes;
    g_array_set_clear_func(walk.entries, entry_clear);
    gboolean done = visit(&walk, root, error);
    g_string_free(walk.name, TRUE);
    if (!done) {
        g_array_unref(walk.entries);
        return NULL;
    }
    *wrapper = common_wrapper(root, walk.entries);
    gsize skipped = *wrapper ? strlen(*wrapper) + 1 : 0;
    for (guint i = 0; skipped && i < walk.entries->len; i++) {
        AimfStateEntry *entry = &g_array_index(walk.entries, AimfStateEntry, i);
        if (!entry->text)
            memmove(entry->name, entry->name + skipped, strlen(entry->name + skipped) + 1);
    }
    return walk.entries;
}
