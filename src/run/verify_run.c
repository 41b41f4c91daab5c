/* Whether a run's folder is what it says: the checks in their order. */
#include "base/file.h"
#include "run/checksums.h"
#include "run/verifier.h"

#include <string.h>

static void line_clear(gpointer data)
{
    AimfVerifyLine *line = data;
    g_free(line->what);
    g_free(line->text);
}

void aimf_verification_free(AimfVerification *verification)
{
    if (!verification)
        return;
    for (guint i = 0; i < verification->n; i++)
        line_clear(&verification->lines[i]);
    g_free(verification->lines);
    g_free(verification->sums_sha256);
    g_free(verification);
}

static void verifier_clear(AimfVerifier *verifier)
{
    g_clear_pointer(&verifier->files, aimf_folder_files_free);
    g_clear_pointer(&verifier->hashes, g_hash_table_unref);
    g_clear_pointer(&verifier->stages, g_ptr_array_unref);
    g_clear_pointer(&verifier->places, g_ptr_array_unref);
    g_clear_pointer(&verifier->lines, g_array_unref);
    g_free(verifier->root);
    g_free(verifier->sums_sha256);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfVerifier, verifier_clear)

static void provenance_free(gpointer data)
{
    aimf_provenance_free(data);
}

/* A run is known by one of its own files, so that one that lacks another is told of that. */
static gboolean is_run(const char *folder, GError **error)
{
    static const char *const marks[] = { AIMF_CHECKSUMS, "results.json", "config.resolved.yaml", "machine.json" };
    AimfPathKind kind = aimf_path_kind(folder, error);
    if (kind == AIMF_PATH_UNKNOWN)
        return FALSE;
    for (gsize i = 0; kind == AIMF_PATH_FOLDER && i < G_N_ELEMENTS(marks); i++) {
        g_autofree char *path = g_build_filename(folder, marks[i], NULL);
        AimfPathKind mark = aimf_path_kind(path, error);
        if (mark == AIMF_PATH_UNKNOWN)
            return FALSE;
        if (mark == AIMF_PATH_FILE)
            return TRUE;
    }
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
                kind == AIMF_PATH_MISSING  ? "there is no folder '%s'"
                : kind == AIMF_PATH_FOLDER ? "'%s' is no folder of a run: it "
                                             "has no " AIMF_CHECKSUMS
                                           : "'%s' is no folder",
                folder);
    return FALSE;
}

static AimfVerification *finish(AimfVerifier *verifier)
{
    AimfVerification *verification = g_new0(AimfVerification, 1);
    if (verifier->left_out) {
        AimfVerifyLine line = { AIMF_UNCHECKED, g_strdup("lines"),
                                g_strdup_printf("%u more are not listed", verifier->left_out) };
        g_array_append_val(verifier->lines, line);
        verifier->unchecked++;
    }
    verification->n = verifier->lines->len;
    verification->refuted = verifier->refuted;
    verification->unchecked = verifier->unchecked;
    verification->sums_sha256 = g_steal_pointer(&verifier->sums_sha256);
    g_array_set_clear_func(verifier->lines, NULL);
    verification->lines = (AimfVerifyLine *)(void *)g_array_free(g_steal_pointer(&verifier->lines), FALSE);
    return verification;
}

AimfVerification *aimf_run_verify(const AimfVerifyOptions *options, const AimfMonitor *monitor, GError **error)
{
    if (!is_run(options->folder, error))
        return NULL;
    g_auto(AimfVerifier) verifier = { .options = options, .monitor = monitor };
    verifier.hashes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    verifier.stages = g_ptr_array_new_with_free_func(provenance_free);
    verifier.places = g_ptr_array_new_with_free_func(g_free);
    verifier.lines = g_array_new(FALSE, FALSE, sizeof(AimfVerifyLine));
    g_array_set_clear_func(verifier.lines, line_clear);
    if (!aimf_verify_files(&verifier, error) || !aimf_verify_stages(&verifier, error) ||
        !aimf_verify_pictures(&verifier, error) || !aimf_verify_measures(&verifier, error) ||
        !aimf_verify_predictions(&verifier, error) || !aimf_verify_results(&verifier, error))
        return NULL;
    return finish(&verifier);
}
