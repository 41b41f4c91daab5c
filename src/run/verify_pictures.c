/*
 * Pictures of a run's manifests against the hashes that its stages say, and what generated pictures say of themselves.
 */
#include "run/verifier.h"

#include "base/file.h"
#include "base/json.h"
#include "base/monitor.h"
#include "run/file_hash.h"
#include "run/pictures_hash.h"

#include <string.h>

static const gsize MAX_PNG_BYTES = (gsize)64 << 20;

/* What is known of a manifest's pictures; @hash: NULL where @missing of @n are not there, or the manifest is none. */
typedef struct {
    char *hash;
    guint n;
    guint missing;
} Pictures;

typedef struct {
    GHashTable *known; /* owned path of a manifest → owned Pictures */
    guint held;
    guint pictures;
    GHashTable *told; /* manifests whose pictures are not there, or that are none */
} Sets;

static void pictures_free(gpointer data)
{
    Pictures *pictures = data;
    g_free(pictures->hash);
    g_free(pictures);
}

static void sets_clear(Sets *sets)
{
    g_clear_pointer(&sets->known, g_hash_table_unref);
    g_clear_pointer(&sets->told, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sets, sets_clear)

/* (owned) NULL with INTERRUPTED; a manifest that cannot be read has a line. */
static Pictures *look_at(AimfVerifier *verifier, const char *path, GError **error)
{
    GError *failure = NULL;
    g_autoptr(AimfManifest) manifest = aimf_verifier_manifest(verifier, path, &failure);
    Pictures *found = g_new0(Pictures, 1);
    if (!manifest) {
        if (aimf_verifier_add_error(verifier, AIMF_REFUTED, path, failure, error))
            return found;
        g_free(found);
        return NULL;
    }
    found->n = aimf_manifest_count(manifest);
    g_autoptr(AimfManifest) pictures = aimf_verifier_pictures(verifier, manifest, NULL, 0, &found->missing);
    g_autoptr(AimfPictureHashes) hashes = aimf_picture_hashes_open(NULL);
    if (found->missing < found->n || !found->n)
        found->hash = aimf_pictures_hash(hashes, pictures, verifier->monitor, error);
    if (found->hash || (found->n && found->missing == found->n))
        return found;
    pictures_free(found);
    return NULL;
}

/* Once for each manifest: pictures that are not there are no fault, as data may have been moved. */
static void tell_missing(AimfVerifier *verifier, const Pictures *pictures, const char *path, Sets *sets)
{
    if (!pictures->missing || !g_hash_table_add(sets->told, g_strdup(path)))
        return;
    g_autofree char *what = g_strconcat(AIMF_PICTURES_OF, path, NULL);
    aimf_verifier_add(verifier, AIMF_UNCHECKED, what, "%u of %u %s not there%s", pictures->missing, pictures->n,
                      pictures->n == 1 ? "is" : "are",
                      verifier->options->data ? "" : "; the data's folder can be named, if it was moved");
}

static gboolean check_one(AimfVerifier *verifier, const char *path, const char *expected, const char *stage, Sets *sets,
                          GError **error)
{
    Pictures *pictures = g_hash_table_lookup(sets->known, path);
    if (!pictures) {
        if (!(pictures = look_at(verifier, path, error)))
            return FALSE;
        g_hash_table_insert(sets->known, g_strdup(path), pictures);
        sets->pictures += pictures->missing ? 0 : pictures->n;
    }
    if (pictures->hash && strcmp(pictures->hash, expected) == 0) {
        sets->held++;
    } else if (pictures->missing) {
        tell_missing(verifier, pictures, path, sets);
    } else if (pictures->hash) {
        g_autofree char *what = g_strconcat(AIMF_PICTURES_OF, path, NULL);
        aimf_verifier_add(verifier, AIMF_REFUTED, what,
                          "they, or their order, are not those of the stage '%s': their SHA-256 is %s, not %s", stage,
                          pictures->hash, expected);
    }
    return TRUE;
}

/* @place: (nullable) the folder that names in @members begin at */
static gboolean check_members(AimfVerifier *verifier, JsonObject *members, const char *place, const char *stage,
                              Sets *sets, GError **error)
{
    g_autoptr(GList) names = json_object_get_members(members);
    for (const GList *name = names; name; name = name->next) {
        const char *manifest = (const char *)name->data + strlen(AIMF_PICTURES_OF);
        if (!g_str_has_prefix(name->data, AIMF_PICTURES_OF) || !aimf_run_path_valid(manifest))
            continue;
        g_autofree char *path = place ? g_strdup_printf("%s/%s", place, manifest) : g_strdup(manifest);
        if (!check_one(verifier, path, json_object_get_string_member(members, name->data), stage, sets, error))
            return FALSE;
    }
    return TRUE;
}

/* --- Where data are now --- */

/* The folder that pictures were in, as shared/data/data.json says. */
static gboolean find_root(AimfVerifier *verifier, GError **error)
{
    static const char description[] = "shared/data/data.json";
    enum { MAX_BYTES = 16 << 20 };
    if (!verifier->options->data)
        return TRUE;
    g_autoptr(GError) failure = NULL;
    g_autofree char *path = aimf_verifier_file(verifier, description, &failure);
    g_autoptr(JsonNode) root = path ? aimf_json_open(path, MAX_BYTES, &failure) : NULL;
    const char *text = root ? aimf_json_text(json_node_get_object(root), path, "root", &failure) : NULL;
    if (aimf_is_fault(failure)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (text && g_path_is_absolute(text))
        verifier->root = g_strdup(text);
    else
        aimf_verifier_add(verifier, AIMF_UNCHECKED, description,
                          "it does not say in which folder the data were, so that no other can be looked into%s%s",
                          failure ? ": " : "", failure ? failure->message : "");
    return TRUE;
}

/* --- Marks --- */

/* Whether the iTXt chunk @data (@bytes) is an XMP packet with @mark. */
static gboolean is_marked(const guint8 *data, gsize bytes, const char *mark)
{
    const AimfImageText text = aimf_image_source_text(AIMF_SOURCE_TRAINED_ALGORITHMIC_MEDIA);
    gsize keyword = strlen(text.keyword) + 1; /* with its 0 */
    if (bytes < keyword || memcmp(data, text.keyword, keyword) != 0)
        return FALSE;
    return memmem(data + keyword, bytes - keyword, mark, strlen(mark)) != NULL;
}

/* Walks over the chunks of a PNG: length, four letters, data, four bytes of checksum. */
static gboolean has_mark(const guint8 *data, gsize bytes)
{
    static const guint8 signature[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
    static const char mark[] = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia<";
    enum { HEAD = 8, TAIL = 4 };
    if (bytes < sizeof signature || memcmp(data, signature, sizeof signature) != 0)
        return FALSE;
    for (gsize at = sizeof signature; bytes - at >= HEAD + TAIL;) {
        guint32 length;
        memcpy(&length, data + at, sizeof length);
        length = GUINT32_FROM_BE(length);
        if (length > bytes - at - HEAD - TAIL)
            return FALSE;
        if (memcmp(data + at + 4, "iTXt", 4) == 0 && is_marked(data + at + HEAD, length, mark))
            return TRUE;
        at += HEAD + (gsize)length + TAIL;
    }
    return FALSE;
}

static gboolean check_marks(AimfVerifier *verifier, GError **error)
{
    guint marked = 0, refuted = verifier->refuted;
    if (!aimf_verifier_there(verifier, "shared/pictures/job.json"))
        return TRUE;
    for (guint i = 0; i < verifier->files->files->len; i++) {
        const char *path = g_ptr_array_index(verifier->files->files, i);
        if (!g_str_has_prefix(path, "shared/pictures/") || !g_str_has_suffix(path, ".png"))
            continue;
        g_autofree char *full = aimf_verifier_path(verifier, path);
        GError *failure = NULL;
        gsize size = 0;
        g_autoptr(GBytes) bytes = aimf_file_read(full, MAX_PNG_BYTES, &failure);
        const guint8 *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;
        if (!aimf_check_stop(verifier->monitor, "looking at pictures", error)) {
            g_clear_error(&failure);
            return FALSE;
        }
        if (!bytes) {
            if (!aimf_verifier_add_error(verifier, AIMF_UNCHECKED, path, failure, error))
                return FALSE;
        } else if (has_mark(data, size))
            marked++;
        else
            aimf_verifier_add(verifier, AIMF_REFUTED, path,
                              "it is a generated picture that does not say so: it lacks the digital source type");
    }
    if (verifier->refuted == refuted)
        aimf_verifier_add(verifier, AIMF_VERIFIED, "marks", "%u generated picture%s say%s so", marked,
                          AIMF_PLURAL(marked), marked == 1 ? "s" : "");
    return TRUE;
}

gboolean aimf_verify_pictures(AimfVerifier *verifier, GError **error)
{
    g_auto(Sets) sets = { .known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, pictures_free) };
    sets.told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!find_root(verifier, error))
        return FALSE;
    for (guint i = 0; i < verifier->stages->len; i++) {
        const AimfProvenance *stage = g_ptr_array_index(verifier->stages, i);
        const char *place = g_ptr_array_index(verifier->places, i);
        if (!check_members(verifier, stage->inputs, NULL, stage->name, &sets, error) ||
            !check_members(verifier, stage->outputs, place, stage->name, &sets, error))
            return FALSE;
    }
    if (sets.held)
        aimf_verifier_add(verifier, AIMF_VERIFIED, "pictures", "%u hash%s of sets, of %u picture%s, are theirs",
                          sets.held, sets.held == 1 ? "" : "es", sets.pictures, AIMF_PLURAL(sets.pictures));
    return check_marks(verifier, error);
}
