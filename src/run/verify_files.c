/* SHA256SUMS against the files of a run. */
#include "run/verifier.h"

#include "base/monitor.h"
#include "run/checksums.h"

#include <string.h>

enum { CHUNK = 64 };

typedef struct {
    char *path;
    char sha256[AIMF_SHA256_SIZE];
    GError *failure;
} File;

/* Files that are read at once; FALSE with INTERRUPTED. */
static gboolean hash_chunk(AimfVerifier *verifier, guint first, guint n, GError **error)
{
    File files[CHUNK];
    gboolean goes_on = TRUE;
    for (guint i = 0; i < n; i++)
        files[i] = (File){
            .path = aimf_verifier_path(verifier, g_ptr_array_index(verifier->files->files, first + i)),
        };
#pragma omp parallel for schedule(dynamic)
    for (guint i = 0; i < n; i++)
        aimf_hash_file(files[i].path, verifier->monitor, files[i].sha256, NULL, &files[i].failure);
    for (guint i = 0; i < n; i++) {
        const char *path = g_ptr_array_index(verifier->files->files, first + i);
        g_hash_table_insert(verifier->hashes, g_strdup(path), g_strdup(files[i].failure ? "" : files[i].sha256));
        if (files[i].failure && goes_on)
            goes_on = aimf_verifier_add_error(verifier, AIMF_REFUTED, path, files[i].failure, error);
        else
            g_clear_error(&files[i].failure);
        g_free(files[i].path);
    }
    return goes_on && aimf_check_stop(verifier->monitor, "hashing files", error);
}

static gboolean hash_files(AimfVerifier *verifier, GError **error)
{
    AimfStage stage;
    guint n = verifier->files->files->len;
    aimf_stage_begin(&stage, verifier->monitor, "hashing files", "files", n);
    for (guint first = 0; first < n; first += CHUNK) {
        guint count = MIN(CHUNK, n - first);
        if (!hash_chunk(verifier, first, count, error))
            return FALSE;
        aimf_stage_step(&stage, count, NULL);
    }
    return TRUE;
}

/* Listed files that are others now, or gone. */
static void check_listed(AimfVerifier *verifier, const AimfChecksums *sums)
{
    for (guint i = 0; i < sums->n; i++) {
        const AimfChecksum *sum = &sums->files[i];
        const char *found = aimf_verifier_hash(verifier, sum->path);
        if (!aimf_verifier_there(verifier, sum->path))
            aimf_verifier_add(verifier, AIMF_REFUTED, sum->path, "it is missing; " AIMF_CHECKSUMS " lists it");
        else if (found && strcmp(found, sum->sha256) != 0)
            aimf_verifier_add(verifier, AIMF_REFUTED, sum->path, "its SHA-256 is %s, not %s as " AIMF_CHECKSUMS " says",
                              found, sum->sha256);
    }
}

static void check_unlisted(AimfVerifier *verifier, const AimfChecksums *sums)
{
    for (guint i = 0; i < verifier->files->files->len; i++) {
        const char *path = g_ptr_array_index(verifier->files->files, i);
        if (!aimf_checksums_leave_out(path) && !aimf_checksums_find(sums, path))
            aimf_verifier_add(verifier, AIMF_REFUTED, path, AIMF_CHECKSUMS " does not list it");
    }
}

/* The one file that nothing vouches for must say nothing. */
static void check_lock(AimfVerifier *verifier)
{
    g_autofree char *empty = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "", -1);
    const char *found = aimf_verifier_hash(verifier, AIMF_RUN_LOCK);
    if (found && strcmp(found, empty) != 0)
        aimf_verifier_add(verifier, AIMF_REFUTED, AIMF_RUN_LOCK,
                          "it locks the run while somebody works in it, and is "
                          "not empty");
}

gboolean aimf_verify_files(AimfVerifier *verifier, GError **error)
{
    GError *failure = NULL;
    guint refuted = verifier->refuted;
    if (!(verifier->files = aimf_folder_files(verifier->options->folder, verifier->monitor, error)))
        return FALSE;
    for (guint i = 0; i < verifier->files->odd->len; i++) {
        const AimfOddFile *odd = g_ptr_array_index(verifier->files->odd, i);
        aimf_verifier_add(verifier, AIMF_REFUTED, odd->path, "%s", odd->why);
    }
    if (!hash_files(verifier, error))
        return FALSE;
    check_lock(verifier);
    verifier->sums_sha256 = g_strdup(aimf_verifier_hash(verifier, AIMF_CHECKSUMS));
    g_autofree char *path = aimf_verifier_file(verifier, AIMF_CHECKSUMS, &failure);
    g_autoptr(AimfChecksums) sums = path ? aimf_checksums_open(path, &failure) : NULL;
    if (!sums) {
        aimf_verifier_add(verifier, AIMF_UNCHECKED, "files", "without " AIMF_CHECKSUMS " nothing says which they were");
        return aimf_verifier_add_error(verifier, AIMF_REFUTED, AIMF_CHECKSUMS, failure, error);
    }
    check_listed(verifier, sums);
    check_unlisted(verifier, sums);
    if (verifier->refuted == refuted)
        aimf_verifier_add(verifier, AIMF_VERIFIED, AIMF_CHECKSUMS,
                          "%u file%s as it says, and there are no others; its own SHA-256 is %s", sums->n,
                          sums->n == 1 ? " is" : "s are", sums->sha256);
    return TRUE;
}
