/* A component's weights: the first part is an index of shards, or a weight file; two good shards lie beside it. */
#include "fuzz/support_fuzz.h"
#include "model/sd_source.h"

static void write_shard(const char *file, const char *tensor)
{
    static const float values[] = { 1, 2, 3, 4 };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    const AimfShape shape = AIMF_SHAPE(2, 2);
    aimf_tensors_add(tensors, tensor, AIMF_F32, &shape, values, &error);
    g_assert_no_error(error);
    g_assert_true(aimf_tensors_save(tensors, fuzz_path(file), &error));
}

static void note(AimfLogLevel level, const char *text, gpointer user_data)
{
    (void)level, (void)user_data;
    fuzz_check_text(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gboolean begun;
    if (!begun) {
        write_shard("one.safetensors", "conv.weight");
        write_shard("two.safetensors", "conv.bias");
        begun = TRUE;
    }
    fuzz_write("model.safetensors.index.json", data, size);
    GError *error = NULL;
    gboolean is_raw;
    g_autoptr(AimfSdSource) source = aimf_sd_source_open_component(fuzz_folder(), TRUE, &is_raw, &error);
    if (fuzz_check(source != NULL, &error))
        aimf_sd_report_surplus(source, &(AimfMonitor){ .message = note });
    return 0;
}
