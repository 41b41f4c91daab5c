/* A text encoder that textual inversion has given one more token: what it makes of other texts stays as it was. */
#include "base/file.h"
#include "device/support_devices.h"
#include "diffusion/support_tiny_diffusion.h"
#include "diffusion/text_states.h"

#include <string.h>

enum { HIDDEN = 32 };

static void write_file(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_assert_true(aimf_file_write(path, text, strlen(text), NULL));
}

/* The tokenizer's folder within the model: Hugging Face's two files, and added tokens where they are not NULL. */
static void write_tokenizer(const char *model, const char *added)
{
    static const char *const names[] = { "vocab.json", "merges.txt" };
    g_autofree char *folder = g_build_filename(model, "tokenizer", NULL);
    g_assert_true(aimf_directory_make(folder, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *from = g_build_filename(GOLDEN_DIR, "text", "pair", names[i], NULL), *text = NULL;
        g_assert_true(g_file_get_contents(from, &text, NULL, NULL));
        write_file(folder, names[i], text);
    }
    if (added)
        write_file(folder, "added_tokens.json", added);
}

/* The encoder with @n_added rows more, of the family that pads with the end token. */
static void change_encoder(const char *model, int n_added)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_build_filename(model, "text_encoder", NULL);
    g_autofree char *path = g_build_filename(folder, "model.safetensors", NULL);
    g_autoptr(AimfTensors) before = aimf_tensors_open(path, &error), after = aimf_tensors_new();
    g_assert_no_error(error);
    gint64 rows = 0;
    for (guint i = 0; i < aimf_tensors_count(before); i++) {
        const AimfTensor *tensor = aimf_tensors_at(before, i);
        AimfShape shape = tensor->shape;
        gboolean grows = g_str_has_suffix(tensor->name, "token_embedding.weight");
        if (grows) {
            rows = shape.dim[0] += n_added;
            g_assert_cmpint(shape.dim[1], ==, HIDDEN);
        }
        int index = aimf_tensors_add(after, tensor->name, AIMF_F32, &shape, NULL, &error);
        float *values = aimf_tensors_writable(after, (guint)index);
        g_assert_true(aimf_tensors_read(before, i, AIMF_F32, values, &error));
        for (int k = 0; grows && k < n_added * HIDDEN; k++)
            values[aimf_shape_count(&tensor->shape) + k] = (float)(k % 7) - 3;
    }
    g_assert_true(aimf_tensors_save(after, path, &error));
    g_autofree char *config = g_strdup_printf(
        "{\"vocab_size\": %d, \"max_position_embeddings\": 77, \"hidden_size\": 32, \"intermediate_size\": 64,"
        " \"num_attention_heads\": 2, \"num_hidden_layers\": 2, \"hidden_act\": \"quick_gelu\"}",
        (int)rows);
    write_file(folder, "config.json", config);
}

static AimfDiffusion *open_model(const char *model, GError **error)
{
    AimfDiffusionOptions options = { .device = support_device_under_test(), .model = model };
    return aimf_diffusion_open(&options, NULL, error);
}

/* (owned) */
static float *states(AimfDiffusion *diffusion, const char *prompt)
{
    g_autoptr(GError) error = NULL;
    const AimfTextStates *found = aimf_text_states_get(diffusion, prompt, AIMF_PRECISION_F32, &error);
    g_assert_no_error(error);
    return g_memdup2(found->states, aimf_text_states_values(diffusion) * sizeof(float));
}

static void test_states(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *plain = tiny_diffusion_write(TINY_SOUND), *added = tiny_diffusion_write(TINY_SOUND);
    write_tokenizer(plain, NULL);
    change_encoder(plain, 0);
    write_tokenizer(added, "{\"<new>\": 754}");
    change_encoder(added, 1);
    AimfDiffusion *before = open_model(plain, &error);
    g_assert_no_error(error);
    AimfDiffusion *after = open_model(added, &error);
    g_assert_no_error(error);
    gsize bytes = aimf_text_states_values(before) * sizeof(float);
    static const char *const prompts[] = { "a portrait", "", "an old man in a hat" };
    for (guint i = 0; i < G_N_ELEMENTS(prompts); i++) {
        g_autofree float *left = states(before, prompts[i]), *right = states(after, prompts[i]);
        g_assert_cmpint(memcmp(left, right, bytes), ==, 0);
    }
    g_autofree float *spelled = states(before, "a <new> portrait"), *known = states(after, "a <new> portrait");
    g_assert_cmpint(memcmp(spelled, known, bytes), !=, 0);
    aimf_diffusion_free(before);
    aimf_diffusion_free(after);
    tiny_diffusion_remove(plain);
    tiny_diffusion_remove(added);
}

/* More rows than tokens: the vocabulary is not the one that belongs to it. */
static void test_mismatch(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *model = tiny_diffusion_write(TINY_SOUND);
    write_tokenizer(model, NULL);
    change_encoder(model, 1);
    g_assert_null(open_model(model, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "has 754 tokens"));
    g_assert_nonnull(strstr(error->message, "added_tokens.json"));
    tiny_diffusion_remove(model);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/added_tokens/states", test_states);
    g_test_add_func("/added_tokens/mismatch", test_mismatch);
    return g_test_run();
}
