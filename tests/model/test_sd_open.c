/* Stable Diffusion models in all their forms on disk, whole and broken. */
#include "model/support_tiny_sd.h"
#include "weights/support_weights.h"

#include <glib/gstdio.h>
#include <string.h>

static char *fresh_folder(void)
{
    char *folder = g_dir_make_tmp("aimfair-XXXXXX", NULL);
    g_assert_nonnull(folder);
    return folder;
}

static void assert_same_network(const AimfTensors *found, const AimfTensors *expected)
{
    g_autoptr(GError) error = NULL;
    g_assert_cmpuint(aimf_tensors_count(found), ==, aimf_tensors_count(expected));
    for (guint i = 0; i < aimf_tensors_count(expected); i++) {
        const AimfTensor *want = aimf_tensors_at(expected, i), *have = aimf_tensors_at(found, i);
        g_assert_cmpstr(have->name, ==, want->name);
        g_assert_true(aimf_shape_equal(&have->shape, &want->shape));
        g_autofree float *values = g_malloc(want->bytes);
        g_assert_true(aimf_tensors_read(found, i, AIMF_F32, values, &error));
        support_assert_same_bytes(values, want->bytes, aimf_tensors_data(expected, i), want->bytes);
    }
}

static AimfTensors *expected_network(gboolean built, AimfSdGraph *graph, float factor)
{
    g_assert_true(built);
    AimfTensors *weights = tiny_sd_weights(graph->graph, factor);
    aimf_graph_free(graph->graph);
    return weights;
}

static void assert_weights(const AimfSdModel *model, gboolean second_family, float unet_factor)
{
    AimfSdGraph graph;
    AimfClipTextConfig text = tiny_sd_text(second_family);
    AimfUnetConfig unet = tiny_sd_unet(second_family);
    AimfVaeConfig vae = tiny_sd_vae();
    g_autoptr(AimfTensors) states = expected_network(aimf_clip_text_build(&text, 1, &graph, NULL), &graph, 1);
    g_autoptr(AimfTensors) noise =
        expected_network(aimf_unet_build(&unet, 1, 2, 2, 1, &graph, NULL), &graph, unet_factor);
    g_autoptr(AimfTensors) decoder = expected_network(aimf_vae_decoder_build(&vae, 1, 1, 1, &graph, NULL), &graph, 1);
    g_autoptr(AimfTensors) encoder = expected_network(aimf_vae_encoder_build(&vae, 1, 1, 1, &graph, NULL), &graph, 1);
    assert_same_network(model->weights.text, states);
    assert_same_network(model->weights.unet, noise);
    assert_same_network(model->weights.decoder, decoder);
    assert_same_network(model->weights.encoder, encoder);
}

static void assert_configuration(const AimfSdModel *model, const TinySd *tiny)
{
    AimfUnetConfig unet = tiny_sd_unet(tiny->second_family);
    AimfClipTextConfig text = tiny_sd_text(tiny->second_family);
    g_assert_cmpstr(model->family, ==, tiny->second_family ? "Stable Diffusion 2.x" : "Stable Diffusion 1.x");
    g_assert_cmpint(model->unet.v_prediction, ==, tiny->v_prediction);
    g_assert_cmpint(model->unet.levels, ==, unet.levels);
    g_assert_cmpint(model->unet.linear_projection, ==, unet.linear_projection);
    for (int i = 0; i < unet.levels; i++) {
        g_assert_cmpint(model->unet.heads[i], ==, unet.heads[i]);
        g_assert_cmpint(model->unet.attention[i], ==, unet.attention[i]);
    }
    g_assert_cmpint(model->text.heads, ==, text.heads);
    g_assert_cmpint(model->text.layers_used, ==, text.layers_used);
    g_assert_cmpint(model->text.quick_gelu, ==, text.quick_gelu);
    g_assert_cmpint(model->text.pad_token, ==, text.pad_token);
    g_assert_cmpfloat(model->vae.scaling, ==, 0.18215);
    g_assert_cmpint(model->schedule.train_steps, ==, 1000);
    g_assert_nonnull(model->tokenizer);
}

/* All forms hold the same model, and so have one hash for each type of elements. */
static void test_forms(gconstpointer data)
{
    gboolean second_family = GPOINTER_TO_INT(data);
    const AimfDtype dtypes[] = { AIMF_F32, AIMF_F16, AIMF_BF16 };
    for (guint d = 0; d < G_N_ELEMENTS(dtypes); d++) {
        g_autofree char *hash = NULL;
        for (int form = 0; form < TINY_SD_N_FORMS; form++) {
            g_autoptr(GError) error = NULL;
            g_autofree char *folder = fresh_folder();
            TinySd tiny = { .form = (TinySdForm)form, .second_family = second_family, .dtype = dtypes[d] };
            g_autofree char *path = tiny_sd_write(folder, &tiny);
            AimfSdOptions options = { .model = path };
            g_autoptr(AimfSdModel) model = aimf_sd_open(&options, NULL, &error);
            g_assert_no_error(error);
            assert_configuration(model, &tiny);
            assert_weights(model, second_family, 1);
            g_assert_cmpstr(model->which, ==, "as stored");
            if (hash)
                g_assert_cmpstr(model->hash, ==, hash);
            else
                hash = g_strdup(model->hash);
            tiny_sd_remove(folder);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/sd_open/forms/1.x", GINT_TO_POINTER(FALSE), test_forms);
    g_test_add_data_func("/sd_open/forms/2.x", GINT_TO_POINTER(TRUE), test_forms);
    return g_test_run();
}
