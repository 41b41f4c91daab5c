/* What the stages of a run say that they follow from, and whether every file has a stage that accounts for it. */
#include "run/verifier.h"

#include "run/checksums.h"

#include <string.h>

/* @stages, @inputs, @outputs: that were looked at and held; @outside: (name → itself) inputs that are no files here */
typedef struct {
    guint stages;
    guint inputs;
    guint outputs;
    GHashTable *outside;
    GHashTable *accounted; /* owned path → itself: files that a stage lists */
} Tally;

static void tally_clear(Tally *tally)
{
    g_clear_pointer(&tally->outside, g_hash_table_unref);
    g_clear_pointer(&tally->accounted, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Tally, tally_clear)

/* --- Reading them --- */

/* (owned, nullable) the folder of a path that ends with a provenance.json. */
static char *place_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && strcmp(slash + 1, AIMF_PROVENANCE) == 0 ? g_strndup(path, (gsize)(slash - path)) : NULL;
}

static gboolean find_stages(AimfVerifier *verifier, GError **error)
{
    for (guint i = 0; i < verifier->files->files->len; i++) {
        g_autofree char *place = place_of(g_ptr_array_index(verifier->files->files, i));
        GError *failure = NULL;
        if (!place)
            continue;
        g_autofree char *folder = aimf_verifier_path(verifier, place);
        AimfProvenance *stage = aimf_provenance_open(folder, &failure);
        if (stage) {
            g_ptr_array_add(verifier->stages, stage);
            g_ptr_array_add(verifier->places, g_steal_pointer(&place));
        } else {
            g_autofree char *what = g_strdup_printf("%s/" AIMF_PROVENANCE, place);
            if (!aimf_verifier_add_error(verifier, AIMF_REFUTED, what, failure, error))
                return FALSE;
        }
    }
    return TRUE;
}

/* --- What they say --- */

/* Whether the run's file @path has the hash @expected, which @stage says; otherwise there is a line. */
static gboolean check_hash(AimfVerifier *verifier, const char *path, const char *expected, const char *stage)
{
    const char *found = aimf_verifier_hash(verifier, path);
    if (found && strcmp(found, expected) == 0)
        return TRUE;
    if (!aimf_verifier_there(verifier, path))
        aimf_verifier_add(verifier, AIMF_REFUTED, path, "it is missing; the stage '%s' lists it", stage);
    else if (found)
        aimf_verifier_add(verifier, AIMF_REFUTED, path, "its SHA-256 is %s, not %s as the stage '%s' says", found,
                          expected, stage);
    return FALSE;
}

static void check_outputs(AimfVerifier *verifier, const AimfProvenance *stage, const char *place, Tally *tally)
{
    g_autoptr(GList) names = json_object_get_members(stage->outputs);
    for (const GList *name = names; name; name = name->next) {
        if (g_str_has_prefix(name->data, AIMF_PICTURES_OF))
            continue;
        char *path = g_strdup_printf("%s/%s", place, (const char *)name->data);
        const char *expected = json_object_get_string_member(stage->outputs, name->data);
        if (check_hash(verifier, path, expected, stage->name))
            tally->outputs++;
        g_hash_table_add(tally->accounted, path);
    }
}

/* An input is a file of the run, or it is named by what it is: pictures, rows, a key of the configuration. */
static void check_inputs(AimfVerifier *verifier, const AimfProvenance *stage, Tally *tally)
{
    g_autoptr(GList) names = json_object_get_members(stage->inputs);
    for (const GList *member = names; member; member = member->next) {
        const char *name = member->data;
        gboolean pictures = g_str_has_prefix(name, AIMF_PICTURES_OF);
        if (pictures && aimf_run_path_valid(name + strlen(AIMF_PICTURES_OF)))
            continue;
        gboolean file = aimf_verifier_there(verifier, name) || (strchr(name, '/') && aimf_run_path_valid(name));
        if (pictures || !file)
            g_hash_table_add(tally->outside, member->data);
        else
            tally->inputs +=
                (guint)check_hash(verifier, name, json_object_get_string_member(stage->inputs, name), stage->name);
    }
}

static void check_stage(AimfVerifier *verifier, const AimfProvenance *stage, const char *place, Tally *tally)
{
    g_autofree char *what = g_strdup_printf("%s/" AIMF_PROVENANCE, place), *key = aimf_provenance_key(stage);
    guint refuted = verifier->refuted;
    if (strcmp(key, stage->key) != 0)
        aimf_verifier_add(verifier, AIMF_REFUTED, what, "its key is %s, but %s follows from what it says", stage->key,
                          key);
    if (strcmp(stage->name, place) != 0)
        aimf_verifier_add(verifier, AIMF_REFUTED, what, "it is of the stage '%s'", stage->name);
    check_outputs(verifier, stage, place, tally);
    check_inputs(verifier, stage, tally);
    tally->stages += verifier->refuted == refuted;
}

/* --- Files that nothing lists --- */

/* Pictures of an output's manifest are accounted for by the hash of them all. */
static void account_pictures(AimfVerifier *verifier, const char *manifest_path, Tally *tally)
{
    g_autoptr(AimfManifest) manifest = aimf_verifier_manifest(verifier, manifest_path, NULL);
    g_autofree char *root = g_canonicalize_filename(verifier->options->folder, NULL);
    for (guint i = 0; manifest && i < aimf_manifest_count(manifest); i++) {
        g_autofree char *path = g_canonicalize_filename(aimf_manifest_at(manifest, i).path, NULL);
        const char *inside = aimf_path_below(path, root);
        if (inside)
            g_hash_table_add(tally->accounted, g_strdup(inside));
    }
}

static void account_all_pictures(AimfVerifier *verifier, Tally *tally)
{
    for (guint i = 0; i < verifier->stages->len; i++) {
        const AimfProvenance *stage = g_ptr_array_index(verifier->stages, i);
        g_autoptr(GList) names = json_object_get_members(stage->outputs);
        for (const GList *name = names; name; name = name->next) {
            if (!g_str_has_prefix(name->data, AIMF_PICTURES_OF))
                continue;
            g_autofree char *path = g_strdup_printf("%s/%s", (const char *)g_ptr_array_index(verifier->places, i),
                                                    (const char *)name->data + strlen(AIMF_PICTURES_OF));
            account_pictures(verifier, path, tally);
        }
    }
}

/* Logs are no outputs, as they have times; files whose name begins with a dot are locks, and empty. */
static gboolean needs_no_stage(const AimfVerifier *verifier, const char *path)
{
    static const char *const own[] = { "config.yaml",  "config.resolved.yaml", "machine.json", "machine-pictures.csv",
                                       "results.json", "results.csv",          "junit.xml",    "model-card.md",
                                       "report.html",  AIMF_CHECKSUMS,         AIMF_RUN_LOCK,  NULL };
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *empty = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "", -1);
    return g_strv_contains(own, path) || g_str_has_prefix(path, "events/") || strcmp(name, "log.csv") == 0 ||
           g_str_has_suffix(name, ".log") || strcmp(name, AIMF_PROVENANCE) == 0 ||
           (name[0] == '.' && g_strcmp0(aimf_verifier_hash(verifier, path), empty) == 0);
}

/* (borrowed, nullable) the stage whose folder @path lies in. */
static const char *stage_above(GHashTable *places, const char *path)
{
    g_autofree char *above = g_strdup(path);
    for (char *slash; (slash = strrchr(above, '/'));) {
        *slash = 0;
        const char *place = g_hash_table_lookup(places, above);
        if (place)
            return place;
    }
    return NULL;
}

static void check_accounted(AimfVerifier *verifier, const Tally *tally)
{
    guint strangers = 0;
    const char *first = NULL;
    g_autoptr(GHashTable) places = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < verifier->places->len; i++)
        g_hash_table_add(places, g_ptr_array_index(verifier->places, i));
    for (guint i = 0; i < verifier->files->files->len; i++) {
        const char *path = g_ptr_array_index(verifier->files->files, i);
        if (g_hash_table_contains(tally->accounted, path) || needs_no_stage(verifier, path))
            continue;
        const char *place = stage_above(places, path);
        if (place)
            aimf_verifier_add(verifier, AIMF_REFUTED, path, "it lies in the stage '%s', which does not list it", place);
        else if (strangers++ == 0)
            first = path;
    }
    if (strangers)
        aimf_verifier_add(verifier, AIMF_UNCHECKED, first, "no stage accounts for it and %u other file%s",
                          strangers - 1, AIMF_PLURAL(strangers - 1));
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

static void tell_outside(AimfVerifier *verifier, const Tally *tally)
{
    g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(tally->outside), compare_names);
    g_autoptr(GString) list = g_string_new(NULL);
    for (const GList *name = names; name && list->len < 1000; name = name->next)
        g_string_append_printf(list, "%s%s", list->len ? ", " : "", (const char *)name->data);
    if (names)
        aimf_verifier_add(verifier, AIMF_UNCHECKED, "inputs", "from outside of the run, and not looked at: %s",
                          list->str);
}

gboolean aimf_verify_stages(AimfVerifier *verifier, GError **error)
{
    g_auto(Tally) tally = { .outside = g_hash_table_new(g_str_hash, g_str_equal) };
    tally.accounted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint refuted = verifier->refuted;
    if (!find_stages(verifier, error))
        return FALSE;
    for (guint i = 0; i < verifier->stages->len; i++)
        check_stage(verifier, g_ptr_array_index(verifier->stages, i), g_ptr_array_index(verifier->places, i), &tally);
    account_all_pictures(verifier, &tally);
    check_accounted(verifier, &tally);
    tell_outside(verifier, &tally);
    if (!verifier->stages->len)
        aimf_verifier_add(verifier, AIMF_UNCHECKED, "stages", "there are none");
    else if (verifier->refuted == refuted)
        aimf_verifier_add(verifier, AIMF_VERIFIED, "stages",
                          "%u key%s, %u input%s and %u output%s follow from one another", tally.stages,
                          AIMF_PLURAL(tally.stages), tally.inputs, AIMF_PLURAL(tally.inputs), tally.outputs,
                          AIMF_PLURAL(tally.outputs));
    return TRUE;
}
