#include "run/verifier.h"

#include "base/file.h"
#include "base/format.h"
#include "base/shown.h"

#include <string.h>

/* More lines than that nobody reads: they are counted. */
enum { MAX_LINES = 10000 };

void aimf_verifier_add(AimfVerifier *verifier, AimfVerifyKind kind, const char *what, const char *format, ...)
{
    verifier->refuted += kind == AIMF_REFUTED;
    verifier->unchecked += kind == AIMF_UNCHECKED;
    if (verifier->lines->len >= MAX_LINES && kind != AIMF_VERIFIED) {
        verifier->left_out++;
        return;
    }
    va_list args;
    va_start(args, format);
    AimfVerifyLine line = { kind, aimf_message_text(g_strdup(what)),
                            aimf_message_text(aimf_format_list(format, args)) };
    va_end(args);
    g_array_append_val(verifier->lines, line);
}

gboolean aimf_verifier_add_error(AimfVerifier *verifier, AimfVerifyKind kind, const char *what, GError *failure,
                                 GError **error)
{
    if (g_error_matches(failure, AIMF_ERROR, AIMF_ERROR_INTERRUPTED) ||
        g_error_matches(failure, AIMF_ERROR, AIMF_ERROR_IO)) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    if (g_error_matches(failure, AIMF_ERROR, AIMF_ERROR_MEMORY))
        kind = AIMF_UNCHECKED;
    aimf_verifier_add(verifier, kind, what, "%s", failure->message);
    g_error_free(failure);
    return TRUE;
}

char *aimf_verifier_path(const AimfVerifier *verifier, const char *path)
{
    return g_build_filename(verifier->options->folder, path, NULL);
}

char *aimf_verifier_file(const AimfVerifier *verifier, const char *path, GError **error)
{
    if (aimf_verifier_there(verifier, path))
        return aimf_verifier_path(verifier, path);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "'%s' is missing, or no regular file of the run",
                AIMF_SHOWN(path));
    return NULL;
}

const char *aimf_verifier_hash(const AimfVerifier *verifier, const char *path)
{
    const char *hash = g_hash_table_lookup(verifier->hashes, path);
    return hash && *hash ? hash : NULL;
}

gboolean aimf_verifier_there(const AimfVerifier *verifier, const char *path)
{
    return g_hash_table_contains(verifier->hashes, path);
}

AimfManifest *aimf_verifier_manifest(const AimfVerifier *verifier, const char *path, GError **error)
{
    const AimfManifestOptions options = { .target = AIMF_COLUMN_UNUSED, .protected_labels = AIMF_COLUMN_UNUSED };
    g_autofree char *full = aimf_verifier_file(verifier, path, error);
    return full ? aimf_manifest_open_with(full, &options, NULL, error) : NULL;
}

/* (owned) @path, or where it is below another folder now. */
static char *moved(const AimfVerifier *verifier, const char *path)
{
    const char *root = verifier->root, *data = verifier->options->data;
    gsize length = root ? strlen(root) : 0;
    while (length && root[length - 1] == '/')
        length--;
    if (!data || !root || strncmp(path, root, length) != 0 || path[length] != '/')
        return g_strdup(path);
    return g_build_filename(data, path + length + 1, NULL);
}

AimfManifest *aimf_verifier_pictures(const AimfVerifier *verifier, const AimfManifest *manifest, const guint32 *rows,
                                     guint n, guint *missing)
{
    AimfManifest *pictures = aimf_manifest_new();
    *missing = 0;
    n = rows ? n : aimf_manifest_count(manifest);
    for (guint i = 0; i < n; i++) {
        g_autofree char *path = moved(verifier, aimf_manifest_at(manifest, rows ? rows[i] : i).path);
        aimf_manifest_add(pictures, path, -1, NULL);
        *missing += aimf_path_kind(path, NULL) == AIMF_PATH_MISSING || aimf_path_forbidden(path);
    }
    return pictures;
}
