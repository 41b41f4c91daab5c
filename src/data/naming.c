/* Whether several sources call the same classes, and the same protected labels, the same. */
#include "data/labels.h"
#include "data/spellings.h"

#include <aimfair/data.h>
#include <string.h>

/* @MAX_NAMES: of one source; a column that says something else in every row is none of names, and is left out. */
enum { SHOWN = 4, MAX_NAMES = 4 * AIMF_MAX_CLASSES };

/* One name for one thing, a class's number or a protected label. */
typedef struct {
    guint source, index; /* which of all names */
    char *thing;
    char *name;
    char *key; /* the same for all spellings of a name */
} Name;

typedef struct {
    const char *what; /* "class" */
    const AimfNamed *sources;
    GPtrArray *names;  /* of Name, in the order of the sources */
    GHashTable *known; /* "thing", a line break, "name": what is among the names of the source that is being read */
} Naming;

static void name_free(gpointer data)
{
    Name *name = data;
    g_free(name->thing);
    g_free(name->name);
    g_free(name->key);
    g_free(name);
}

static Naming naming_of(const char *what, const AimfNamed *sources)
{
    return (Naming){
        .what = what,
        .sources = sources,
        .names = g_ptr_array_new_with_free_func(name_free),
        .known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };
}

static void naming_clear(Naming *naming)
{
    g_hash_table_unref(naming->known);
    g_ptr_array_unref(naming->names);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Naming, naming_clear)

/* --- Who calls what how --- */

/* A number in place of a name is none. FALSE: the source has so many that they are no names. */
static gboolean add_name(Naming *naming, guint source, const char *thing, const char *raw)
{
    g_autofree char *valid = g_utf8_make_valid(raw, -1);
    const char *text = aimf_label_strip(valid);
    g_autofree char *mark = g_strdup_printf("%s\n%s", thing, text);
    if (aimf_stands_for_nothing(text) || strcmp(text, thing) == 0 || g_hash_table_contains(naming->known, mark))
        return TRUE;
    Name *name = g_new(Name, 1);
    *name = (Name){ source, naming->names->len, g_strdup(thing), g_strdup(text), aimf_spelling_key(text) };
    g_ptr_array_add(naming->names, name);
    g_hash_table_add(naming->known, g_steal_pointer(&mark));
    return g_hash_table_size(naming->known) <= MAX_NAMES;
}

static gboolean add_classes(Naming *naming, guint source, char *const *classes)
{
    for (guint i = 0; classes && classes[i]; i++) {
        g_autofree char *thing = g_strdup_printf("%u", i);
        if (!add_name(naming, source, thing, classes[i]))
            return FALSE;
    }
    return TRUE;
}

/* The class of a row also where the column target is only kept; negative: none. */
static int class_of(const AimfManifest *manifest, guint row)
{
    int class = aimf_manifest_at(manifest, row).target;
    const char *text = aimf_manifest_has_targets(manifest) ? NULL : aimf_manifest_get(manifest, row, "target");
    if (!text)
        return class;
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return aimf_class_of(aimf_label_strip(valid), AIMF_MAX_CLASSES, &class) ? class : -1;
}

static gboolean add_column_of_classes(Naming *naming, guint source, const AimfManifest *manifest)
{
    for (guint row = 0; manifest && row < aimf_manifest_count(manifest); row++) {
        const char *name = aimf_manifest_get(manifest, row, "target_name");
        if (!name)
            return TRUE;
        int class = class_of(manifest, row);
        g_autofree char *thing = g_strdup_printf("%d", class);
        if (class >= 0 && !add_name(naming, source, thing, name))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_column_of_labels(Naming *naming, guint source, const AimfManifest *manifest)
{
    gboolean labelled = manifest && aimf_manifest_has_labels(manifest);
    for (guint row = 0; labelled && row < aimf_manifest_count(manifest); row++) {
        const char *name = aimf_manifest_get(manifest, row, "protected_name");
        if (!name)
            return TRUE;
        if (!add_name(naming, source, aimf_manifest_at(manifest, row).protected_label, name))
            return FALSE;
    }
    return TRUE;
}

/* The next source begins; of the one before nothing is kept if it has too many names to be names. */
static void end_source(Naming *naming, guint n_before, gboolean are_names)
{
    g_hash_table_remove_all(naming->known);
    if (!are_names)
        g_ptr_array_set_size(naming->names, (int)n_before);
}

/* --- Contradictions --- */

/* What is said of one thing. */
typedef struct {
    const Name *first;
    const Name *doubtful[2]; /* the first two names that differ */
    const Name *certain[2];  /* of which one stands for another thing, too */
} Thing;

/*
 * Of each source the first two names that a key finds and that differ in what it is not: two things of one name, or two
 * names of one thing.
 */
typedef struct {
    const Name *names[2];
} Pair;

static const Pair *lookup(GHashTable *table, const char *word, guint source)
{
    static const Pair none = { { NULL } };
    g_autofree char *key = g_strdup_printf("%u %s", source, word);
    const Pair *pair = g_hash_table_lookup(table, key);
    return pair ? pair : &none;
}

static void index_name(GHashTable *table, const char *word, const Name *name, gboolean differs_by_thing)
{
    g_autofree char *key = g_strdup_printf("%u %s", name->source, word);
    Pair *pair = g_hash_table_lookup(table, key);
    if (!pair) {
        pair = g_new0(Pair, 1);
        pair->names[0] = name;
        g_hash_table_insert(table, g_steal_pointer(&key), pair);
    } else if (!pair->names[1] && (differs_by_thing ? strcmp(pair->names[0]->thing, name->thing) != 0
                                                    : strcmp(pair->names[0]->key, name->key) != 0)) {
        pair->names[1] = name;
    }
}

/*
 * Whether a name stands for two things: @source calls another thing so, and has another name for @name's thing; then
 * this is certain to be wrong.
 */
static void check_source(GHashTable *by_thing, GHashTable *by_key, GHashTable *things, const Name *name, guint source)
{
    Thing *thing = g_hash_table_lookup(things, name->thing);
    const Pair *others = lookup(by_key, name->key, source), *here = lookup(by_thing, name->thing, source);
    for (int i = 0; i < 4; i++) {
        const Name *other = others->names[i / 2], *there = here->names[i % 2];
        if (!other || !there || thing->certain[0] || strcmp(other->thing, name->thing) == 0 ||
            strcmp(there->key, name->key) == 0)
            continue;
        gboolean earlier = there->index < name->index;
        thing->certain[0] = earlier ? there : name;
        thing->certain[1] = earlier ? name : there;
    }
}

static void describe(const Naming *naming, const Name *const pair[2], guint n, GString *text)
{
    if (n >= SHOWN)
        return;
    g_string_append_printf(text, "%s%s %s is '%s' in %s and '%s'", n ? "; " : "", naming->what, pair[0]->thing,
                           pair[0]->name, naming->sources[pair[0]->source].source, pair[1]->name);
    if (pair[0]->source != pair[1]->source)
        g_string_append_printf(text, " in %s", naming->sources[pair[1]->source].source);
}

static void report(const Naming *naming, const GPtrArray *order, AimfFindings *findings)
{
    for (int certain = 0; certain < 2; certain++) {
        g_autoptr(GString) text = g_string_new(NULL);
        guint n = 0;
        for (guint i = 0; i < order->len; i++) {
            const Thing *thing = g_ptr_array_index(order, i);
            if (certain ? thing->certain[0] != NULL : thing->doubtful[0] && !thing->certain[0])
                describe(naming, certain ? thing->certain : thing->doubtful, n++, text);
        }
        if (n > SHOWN)
            g_string_append_printf(text, " and %u more", n - SHOWN);
        if (n)
            aimf_findings_add(findings, "names", certain, "%s: %s", text->str,
                              certain ? "the same name stands for different numbers" : "do these names mean the same?");
    }
}

static void find_contradictions(const Naming *naming, guint n_sources, AimfFindings *findings)
{
    g_autoptr(GPtrArray) order = g_ptr_array_new_with_free_func(g_free);      /* of Thing */
    g_autoptr(GHashTable) things = g_hash_table_new(g_str_hash, g_str_equal); /* → Thing */
    g_autoptr(GHashTable) by_thing = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GHashTable) by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < naming->names->len; i++) {
        const Name *name = g_ptr_array_index(naming->names, i);
        Thing *thing = g_hash_table_lookup(things, name->thing);
        if (!thing) {
            thing = g_new0(Thing, 1);
            thing->first = name;
            g_ptr_array_add(order, thing);
            g_hash_table_insert(things, name->thing, thing);
        } else if (!thing->doubtful[0] && strcmp(thing->first->key, name->key) != 0) {
            thing->doubtful[0] = thing->first;
            thing->doubtful[1] = name;
        }
        index_name(by_thing, name->thing, name, FALSE);
        index_name(by_key, name->key, name, TRUE);
    }
    for (guint i = 0; i < naming->names->len; i++) {
        const Name *name = g_ptr_array_index(naming->names, i);
        for (guint source = 0; source < n_sources; source++)
            check_source(by_thing, by_key, things, name, source);
    }
    report(naming, order, findings);
}

void aimf_check_names(const AimfNamed *sources, guint n, AimfFindings *findings)
{
    g_auto(Naming) classes = naming_of("class", sources), labels = naming_of("protected label", sources);
    for (guint i = 0; i < n; i++) {
        guint n_classes = classes.names->len, n_labels = labels.names->len;
        end_source(&classes, n_classes,
                   add_classes(&classes, i, sources[i].classes) &&
                       add_column_of_classes(&classes, i, sources[i].manifest));
        end_source(&labels, n_labels, add_column_of_labels(&labels, i, sources[i].manifest));
    }
    find_contradictions(&classes, n, findings);
    find_contradictions(&labels, n, findings);
}
