/* What a result rests on: hashes of files, and the engine. */
#include <aimfair/fair.h>

#include "base/file.h"
#include "base/instruction_set.h"

#include <math.h>

void aimf_evidence_free(AimfEvidence *evidence)
{
    if (!evidence)
        return;
    g_free(evidence->model_sha256);
    g_free(evidence->weights_sha256);
    g_free(evidence->data_sha256);
    g_free(evidence->rows_sha256);
    g_free(evidence->engine);
    g_strfreev(evidence->results);
    g_strfreev(evidence->results_sha256);
    g_free(evidence);
}

/* (owned) of the file's bytes; NULL with an error. */
static char *hash_file(const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = aimf_file_map(path, error);
    return bytes ? g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes) : NULL;
}

AimfEvidence *aimf_evidence_new(const char *model_path, const AimfModel *model, const char *data_path,
                                const AimfManifest *manifest, const AimfPredictOptions *options, GError **error)
{
    g_autoptr(AimfEvidence) evidence = g_new0(AimfEvidence, 1);
    evidence->threshold = NAN;
    if ((model_path && !(evidence->model_sha256 = hash_file(model_path, error))) ||
        (data_path && !(evidence->data_sha256 = hash_file(data_path, error))) ||
        (manifest && !aimf_manifest_unchanged(manifest, error)))
        return NULL;
    evidence->rows_sha256 = manifest ? aimf_manifest_hash(manifest) : NULL;
    if (!model)
        return g_steal_pointer(&evidence);
    evidence->weights_sha256 = aimf_model_hash(model);
    evidence->precision = options->precision == AIMF_PRECISION_BF16 ? "bf16" : "f32";
    evidence->engine = aimf_device_engine(options->device);
    evidence->instruction_set = aimf_instruction_set_name(aimf_instruction_set());
    return g_steal_pointer(&evidence);
}

AimfEvidence *aimf_evidence_of_results(const char *const *paths, guint n, GError **error)
{
    g_autoptr(AimfEvidence) evidence = g_new0(AimfEvidence, 1);
    evidence->threshold = NAN;
    evidence->results = g_new0(char *, (gsize)n + 1);
    evidence->results_sha256 = g_new0(char *, (gsize)n + 1);
    for (guint i = 0; i < n; i++) {
        evidence->results[i] = g_strdup(paths[i]);
        if (!(evidence->results_sha256[i] = hash_file(paths[i], error)))
            return NULL;
    }
    return g_steal_pointer(&evidence);
}
