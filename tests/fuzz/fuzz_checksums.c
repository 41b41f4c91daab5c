/* SHA256SUMS; what is read has one form only, so that its lines can be looked for again in the bytes. */
#include "fuzz/support_fuzz.h"

#include "run/checksums.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    g_autoptr(AimfChecksums) sums = aimf_checksums_open(fuzz_write("SHA256SUMS", data, size), &error);
    if (!fuzz_check(sums != NULL, &error))
        return 0;
    guint lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    g_assert_cmpuint(sums->n, ==, lines);
    for (guint i = 0; i < sums->n; i++) {
        const AimfChecksum *sum = &sums->files[i];
        g_assert_true(aimf_run_path_valid(sum->path) && aimf_sha256_valid(sum->sha256));
        g_assert_false(aimf_checksums_leave_out(sum->path));
        g_assert_true(aimf_checksums_find(sums, sum->path) == sum->sha256);
        g_assert_true(i == 0 || strcmp(sums->files[i - 1].path, sum->path) < 0);
    }
    return 0;
}
