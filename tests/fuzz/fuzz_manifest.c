/*
 * Manifests; what is read is saved, and read again it has the same rows. The first byte says what is asked of labels.
 */
#include "fuzz/support_fuzz.h"

#include <aimfair/data.h>

static void note(AimfLogLevel level, const char *text, gpointer user_data)
{
    (void)level, (void)user_data;
    fuzz_check_text(text);
}

static void save_and_read(const AimfManifest *manifest)
{
    GError *error = NULL;
    const char *path = fuzz_path("again.csv");
    g_autofree char *before = aimf_manifest_hash(manifest);
    g_assert_nonnull(before);
    if (!fuzz_check(aimf_manifest_save(manifest, path, &error), &error))
        return;
    const AimfManifestOptions options = { .target = AIMF_COLUMN_OPTIONAL,
                                          .protected_labels = AIMF_COLUMN_OPTIONAL,
                                          .labels = { .missing = AIMF_MISSING_KEEP } };
    g_autoptr(AimfManifest) again = aimf_manifest_open_with(path, &options, NULL, &error);
    if (!fuzz_check(again != NULL, &error))
        g_error("what was written cannot be read");
    g_assert_cmpuint(aimf_manifest_count(again), ==, aimf_manifest_count(manifest));
    for (guint i = 0; i < aimf_manifest_count(manifest); i++) {
        g_assert_cmpint(aimf_manifest_at(again, i).target, ==, aimf_manifest_at(manifest, i).target);
        g_assert_cmpstr(aimf_manifest_at(again, i).protected_label, ==, aimf_manifest_at(manifest, i).protected_label);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    const AimfManifestOptions options = { .target = (AimfColumnUse)(*data & 1),
                                          .protected_labels = (AimfColumnUse)(*data >> 1 & 1),
                                          .labels = { .missing = (AimfMissing)((*data >> 2 & 3) % 3),
                                                      .merge_spellings = *data >> 4 & 1 } };
    GError *error = NULL;
    const AimfMonitor monitor = { .message = note };
    g_autoptr(AimfManifest) manifest =
        aimf_manifest_open_with(fuzz_write("manifest.csv", data + 1, size - 1), &options, &monitor, &error);
    if (!fuzz_check(manifest != NULL, &error))
        return 0;
    g_free(aimf_manifest_counts(manifest));
    g_strfreev(aimf_manifest_class_names(manifest));
    g_strfreev(aimf_manifest_group_names(manifest));
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    aimf_check_names(&(AimfNamed){ .source = "the file", .manifest = manifest }, 1, findings);
    aimf_check_dataset(manifest, "the file", findings);
    save_and_read(manifest);
    return 0;
}
