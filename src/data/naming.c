/* Whether several sources call the same classes, and the same protected labels, the same. */
#include "data/labels.h"
#include "data/spellings.h"

#include <aimfair/data.h>
#include <string.h>

/* @MAX_NAMES: of one source; a column that says something else in every row is none of names. */
enum { SHOWN = 4, MAX_NAMES = 4 * AIMF_MAX_CLASSES };

/* One name for one thing, a class's number or a protected label. */
typedef struct {
    guint source;
    char *thing;
    char *name;
    char *key; /* the same for all spellings of a name */
} Name;

typedef struct {
    const char *what; /* "class" */
    const AimfNamed *sources;
    GPtrArray *names;   /* of Name, in the order of the sources */
    GHashTable *known;  /* "source thing", a line break, "name": what is among the names */
    GHashTable *things; /* "source key" → (borrowed) the thing that the source calls so, "" where it is several */
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
        .things = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };
}

static void naming_clear(Naming *naming)
{
    g_hash_table_unref(naming->known);
    g_hash_table_unref(naming->things);
    g_ptr_array_unref(naming->names);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Naming, naming_clear)

/* --- Who calls what how --- */

/* A number in place of a name is none. FALSE: the source has so many that they are no names. */
static gboolean add_name(Naming *naming, guint source, const char *thing, const char *text)
{
    g_autofree char *mark = g_strdup_printf("%u %s\n%s", source, thing, text);
    if (aimf_stands_for_nothing(text) || strcmp(text, thing) == 0 || g_hash_table_contains(naming->known, mark))
        return TRUE;
    Name *name = g_new(Name, 1);
    *name = (Name){ source, g_strdup(thing), g_strdup(text), aimf_spelling_key(text) };
    g_ptr_array_add(naming->names, name);
    g_hash_table_add(naming->known, g_steal_pointer(&mark));
    char *called = g_strdup_printf("%u %s", source, name->key);
    const char *other = g_hash_table_lookup(naming->things, called);
    const char *things = other && strcmp(other, thing) != 0 ? "" : name->thing;
    g_hash_table_replace(naming->things, called, (gpointer)things);
    return g_hash_table_size(naming->known) < (source + 1) * MAX_NAMES;
}

static void add_classes(Naming *naming, guint source, char *const *classes)
{
    for (guint i = 0; classes && classes[i]; i++) {
        g_autofree char *thing = g_strdup_printf("%u", i);
        if (!add_name(naming, source, thing, classes[i]))
            return;
    }
}

/* The class of a row also where the column target is only kept; negative: none. */
static int class_of(const AimfManifest *manifest, guint row)
{
    int class = aimf_manifest_at(manifest, row).target;
    const char *text = aimf_manifest_has_targets(manifest) ? NULL : aimf_manifest_get(manifest, row, "target");
    return text && !aimf_class_of(text, AIMF_MAX_CLASSES, &class) ? -1 : class;
}

static void add_column_of_classes(Naming *naming, guint source, const AimfManifest *manifest)
{
    for (guint row = 0; row < aimf_manifest_count(manifest); row++) {
        const char *name = aimf_manifest_get(manifest, row, "target_name");
        int class = name ? class_of(manifest, row) : -1;
        g_autofree char *thing = g_strdup_printf("%d", class);
        if (!name || (class >= 0 && !add_name(naming, source, thing, name)))
            return;
    }
}

static void add_column_of_labels(Naming *naming, guint source, const AimfManifest *manifest)
{
    for (guint row = 0; aimf_manifest_has_labels(manifest) && row < aimf_manifest_count(manifest); row++) {
        const char *name = aimf_manifest_get(manifest, row, "protected_name");
        if (!name || !add_name(naming, source, aimf_manifest_at(manifest, row).protected_label, name))
            return;
    }
}

/* --- Contradictions --- */

/* Whether @source calls another thing than @name's so. */
static gboolean means_another(const Naming *naming, guint source, const Name *name)
{
    g_autofree char *called = g_strdup_printf("%u %s", source, name->key);
    const char *thing = g_hash_table_lookup(naming->things, called);
    return thing && strcmp(thing, name->thing) != 0;
}

static void describe(const Naming *naming, const Name *a, const Name *b, guint n, GString *text)
{
    if (n >= SHOWN)
        return;
    g_string_append_printf(text, "%s%s %s is '%s' in %s and '%s'", n ? "; " : "", naming->what, a->thing, a->name,
                           naming->sources[a->source].source, b->name);
    if (a->source != b->source)
        g_string_append_printf(text, " in %s", naming->sources[b->source].source);
}

/* Whether @name contradicts @other, a name of the same thing; @certain: one of them is another thing's name, too. */
static gboolean contradicts(const Naming *naming, const Name *name, const Name *other, gboolean *certain)
{
    if (!other || strcmp(other->key, name->key) == 0)
        return FALSE;
    *certain = means_another(naming, name->source, other) || means_another(naming, other->source, name);
    return TRUE;
}

static void find_contradictions(const Naming *naming, AimfFindings *findings)
{
    guint n[2] = { 0 };
    g_autoptr(GString) doubtful = g_string_new(NULL), certain = g_string_new(NULL);
    g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);  /* things */
    g_autoptr(GHashTable) first = g_hash_table_new(g_str_hash, g_str_equal); /* thing → its first name of all */
    g_autoptr(GHashTable) own = g_hash_table_new(g_str_hash, g_str_equal);   /* and that in the current source */
    guint source = 0;
    for (guint i = 0; i < naming->names->len; i++) {
        Name *name = g_ptr_array_index(naming->names, i);
        if (name->source != source)
            g_hash_table_remove_all(own);
        source = name->source;
        const Name *foreign = g_hash_table_lookup(first, name->thing), *same = g_hash_table_lookup(own, name->thing);
        if (!foreign)
            g_hash_table_insert(first, name->thing, name);
        if (!same)
            g_hash_table_insert(own, name->thing, name);
        gboolean swapped = FALSE;
        const Name *other = contradicts(naming, name, same, &swapped) ? same : NULL;
        if (!swapped && contradicts(naming, name, foreign, &swapped))
            other = foreign;
        if (!other || !g_hash_table_add(told, name->thing))
            continue;
        describe(naming, other, name, n[swapped]++, swapped ? certain : doubtful);
    }
    for (int swapped = 0; swapped < 2; swapped++) {
        GString *text = swapped ? certain : doubtful;
        if (n[swapped] > SHOWN)
            g_string_append_printf(text, " and %u more", n[swapped] - SHOWN);
        if (n[swapped])
            aimf_findings_add(findings, "names", swapped, "%s: %s", text->str,
                              swapped ? "the same name stands for different numbers" : "do these names mean the same?");
    }
}

void aimf_check_names(const AimfNamed *sources, guint n, AimfFindings *findings)
{
    g_auto(Naming) classes = naming_of("class", sources), labels = naming_of("protected label", sources);
    for (guint i = 0; i < n; i++) {
        add_classes(&classes, i, sources[i].classes);
        if (!sources[i].manifest)
            continue;
        add_column_of_classes(&classes, i, sources[i].manifest);
        add_column_of_labels(&labels, i, sources[i].manifest);
    }
    find_contradictions(&classes, findings);
    find_contradictions(&labels, findings);
}
