/* PyTorch's checkpoints: ZIP archives, streams of pickles, tar files. */
#include "fuzz/support_fuzz.h"
#include "fuzz/support_fuzz_weights.h"
#include "weights/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    g_autoptr(GBytes) map = g_bytes_new_static(data, size);
    if (!aimf_is_checkpoint(map))
        return 0;
    g_autoptr(AimfTensors) tensors = aimf_checkpoint_parse(map, &error);
    if (fuzz_check(tensors != NULL, &error))
        fuzz_read_tensors(tensors);
    return 0;
}
