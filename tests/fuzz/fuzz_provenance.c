/* provenance.json of a stage; what is read is saved and read again, with the key that follows from it. */
#include "fuzz/support_fuzz.h"

#include "run/stage_provenance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    g_autofree char *folder = g_path_get_dirname(fuzz_write(AIMF_PROVENANCE, data, size));
    g_autoptr(AimfProvenance) found = aimf_provenance_open(folder, &error);
    if (!fuzz_check(found != NULL, &error))
        return 0;
    g_autofree char *key = aimf_provenance_key(found);
    if (!fuzz_check(aimf_provenance_save(found, folder, &error), &error))
        g_error("what was read cannot be written");
    g_autoptr(AimfProvenance) again = aimf_provenance_open(folder, &error);
    if (!fuzz_check(again != NULL, &error))
        g_error("what was written cannot be read");
    g_autofree char *same = aimf_provenance_key(again);
    g_assert_cmpstr(same, ==, key);
    g_assert_cmpstr(again->key, ==, found->key);
    g_assert_cmpstr(again->failure, ==, found->failure);
    return 0;
}
