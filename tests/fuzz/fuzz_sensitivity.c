/* sensitivity.json; what is read is saved, read again, and a selection made of it. */
#include "fuzz/support_fuzz.h"

#include <aimfair/fair.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    g_autoptr(AimfSensitivities) found = aimf_sensitivities_open(fuzz_write("sensitivity.json", data, size), &error);
    if (!fuzz_check(found != NULL, &error))
        return 0;
    const char *path = fuzz_path("again.json");
    if (!fuzz_check(aimf_sensitivities_save(found, path, &error), &error))
        g_error("what was read cannot be written");
    g_autoptr(AimfSensitivities) again = aimf_sensitivities_open(path, &error);
    if (!fuzz_check(again != NULL, &error))
        g_error("what was written cannot be read");
    g_assert_cmpuint(again->n, ==, found->n);
    g_assert_cmpint(again->batch_norm, ==, found->batch_norm);
    return 0;
}
