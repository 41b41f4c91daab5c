/* A configuration; what is read is written out, and that is read as the same. */
#include "fuzz/support_fuzz.h"

#include "run/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    g_autoptr(AimfConfig) found = aimf_config_open(fuzz_write("my.yaml", data, size), NULL, &error);
    if (!fuzz_check(found != NULL, &error))
        return 0;
    g_autofree char *text = aimf_config_text(found);
    g_autoptr(AimfConfig) again = aimf_config_parse(text, "what was written", &error);
    if (!fuzz_check(again != NULL, &error))
        g_error("what was written cannot be read");
    for (int key = 0; key < AIMF_N_KEYS; key++)
        g_assert_cmpuint(aimf_config_length(found, (AimfConfigKey)key), ==,
                         aimf_config_length(again, (AimfConfigKey)key));
    g_autofree char *text_again = aimf_config_text(again);
    g_assert_cmpstr(text, ==, text_again);
    return 0;
}
