/* Weight files of the safetensors format: what is read, written again, must be the same. */
#include "fuzz/support_fuzz.h"
#include "fuzz/support_fuzz_weights.h"
#include "weights/safetensors.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    g_autoptr(GBytes) map = g_bytes_new_static(data, size);
    if (!aimf_is_safetensors(map))
        return 0;
    g_autoptr(AimfTensors) tensors = aimf_safetensors_parse(map, &error);
    if (!fuzz_check(tensors != NULL, &error))
        return 0;
    fuzz_read_tensors(tensors);
    const char *path = fuzz_path("again.safetensors");
    if (!fuzz_check(aimf_tensors_save(tensors, path, &error), &error))
        g_error("what was read cannot be written");
    g_autoptr(AimfTensors) again = aimf_tensors_open(path, &error);
    fuzz_check(again != NULL, &error);
    fuzz_same_tensors(tensors, again);
    return 0;
}
