/*
 * Saved models: the input is what stands in the file's header before a small architecture's tensors, metadata above
 * all; the values are zeros that nobody wrote. What opens is saved and asks for the same again.
 */
#include "fuzz/support_fuzz.h"
#include "model/model.h"

#include <string.h>
#include <unistd.h>

/* The header's entries of resnet18 with one output. @bytes: of all values */
static char *describe_tensors(gint64 *bytes)
{
    const AimfPreprocess preprocess = { .width = 32, .height = 32, .std = { 1, 1, 1 } };
    g_autoptr(AimfModel) model = aimf_model_blank("resnet18", &preprocess, 1, NULL);
    GString *text = g_string_new(NULL);
    *bytes = 0;
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(model->tensors, i);
        g_string_append_printf(text, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", tensor->name,
                               tensor->dtype == AIMF_I64 ? "I64" : "F32");
        for (int d = 0; d < tensor->shape.rank; d++)
            g_string_append_printf(text, "%s%" G_GINT64_FORMAT, d ? "," : "", tensor->shape.dim[d]);
        gint64 end = *bytes + (gint64)tensor->bytes;
        g_string_append_printf(text, "],\"data_offsets\":[%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT "]}", *bytes, end);
        *bytes = end;
    }
    g_string_append_c(text, '}');
    return g_string_free(text, FALSE);
}

static const char *write_model(const uint8_t *data, size_t size)
{
    static char *tensors;
    static gint64 bytes;
    if (!tensors)
        tensors = describe_tensors(&bytes);
    g_autoptr(GString) file = g_string_new_len("\0\0\0\0\0\0\0", 8);
    g_string_append(file, "{\"__metadata__\":");
    g_string_append_len(file, (const char *)data, (gssize)size);
    g_string_append(file, tensors);
    guint64 header = GUINT64_TO_LE(file->len - 8);
    memcpy(file->str, &header, sizeof header);
    const char *path = fuzz_write("model.safetensors", file->str, file->len);
    g_assert_cmpint(truncate(path, (off_t)file->len + bytes), ==, 0);
    return path;
}

static void save_again(const AimfModel *model)
{
    GError *error = NULL;
    const char *path = fuzz_path("again.safetensors");
    if (!fuzz_check(aimf_model_save(model, path, &error), &error))
        g_error("what was read cannot be written");
    g_autoptr(AimfModel) again = aimf_model_open(path, &error);
    if (!fuzz_check(again != NULL, &error))
        g_error("what was written cannot be read");
    g_autofree char *one = aimf_preprocess_text(&model->preprocess);
    g_autofree char *other = aimf_preprocess_text(&again->preprocess);
    g_assert_cmpstr(one, ==, other);
    g_assert_cmpint(model->outputs, ==, again->outputs);
    g_assert_cmpfloat(model->threshold, ==, again->threshold);
    g_assert_cmpstr(model->target, ==, again->target);
    g_assert_true(!model->classes == !again->classes);
    if (model->classes)
        g_assert_cmpstrv(model->classes, again->classes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    g_autoptr(AimfModel) model = aimf_model_open(write_model(data, size), &error);
    if (fuzz_check(model != NULL, &error))
        save_again(model);
    return 0;
}
