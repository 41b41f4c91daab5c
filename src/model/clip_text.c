/*
 * CLIP's text encoder: a causal transformer with layer norm before each half of a block. Names as in transformers'
 * CLIPTextModel.
 * Source: Radford et al. 2021, section 2.4; transformers, models/clip/modeling_clip.py.
 */
#include "model/sd_blocks.h"
#include "model/sd_config.h"
#include "model/stable_diffusion.h"

static AimfValue self_attention(AimfGraph *graph, const AimfClipTextConfig *config, const char *at, AimfValue x)
{
    g_autofree char *q = aimf_sd_path(at, "q_proj"), *k = aimf_sd_path(at, "k_proj");
    g_autofree char *v = aimf_sd_path(at, "v_proj"), *out = aimf_sd_path(at, "out_proj");
    AimfValue queries = aimf_sd_linear(graph, q, x, config->hidden, FALSE); /* (N, T, hidden) */
    AimfValue keys = aimf_sd_linear(graph, k, x, config->hidden, FALSE);
    AimfValue values = aimf_sd_linear(graph, v, x, config->hidden, FALSE);
    AimfAttention options = { .heads = config->heads, .causal = TRUE };
    x = aimf_attention(graph, queries, keys, values, options);
    return aimf_sd_linear(graph, out, x, config->hidden, FALSE);
}

static AimfValue encoder_layer(AimfGraph *graph, const AimfClipTextConfig *config, const char *at, AimfValue x)
{
    g_autofree char *norm1 = aimf_sd_path(at, "layer_norm1"), *attention = aimf_sd_path(at, "self_attn");
    g_autofree char *norm2 = aimf_sd_path(at, "layer_norm2");
    g_autofree char *fc1 = aimf_sd_path(at, "mlp.fc1"), *fc2 = aimf_sd_path(at, "mlp.fc2");
    AimfValue h = aimf_sd_layer_norm(graph, norm1, x, config->epsilon);
    x = aimf_add(graph, x, self_attention(graph, config, attention, h));
    h = aimf_sd_layer_norm(graph, norm2, x, config->epsilon);
    h = aimf_sd_linear(graph, fc1, h, config->intermediate, FALSE);
    h = config->quick_gelu ? aimf_quick_gelu(graph, h) : aimf_gelu(graph, h);
    return aimf_add(graph, x, aimf_sd_linear(graph, fc2, h, config->hidden, FALSE));
}

gboolean aimf_clip_text_build(const AimfClipTextConfig *config, int batch, AimfSdGraph *built, GError **error)
{
    if (!aimf_clip_text_config_check(config, error) || !aimf_sd_check_batch(batch, error))
        return FALSE;
    AimfGraph *graph = aimf_graph_new();
    *built = (AimfSdGraph){ .graph = graph };
    built->input = aimf_graph_input(graph, "tokens", AIMF_SHAPE(batch, config->positions)); /* (N, T) */
    AimfValue table = aimf_graph_parameter(graph, "text_model.embeddings.token_embedding.weight",
                                           AIMF_SHAPE(config->vocabulary, config->hidden));
    AimfValue positions = aimf_graph_parameter(graph, "text_model.embeddings.position_embedding.weight",
                                               AIMF_SHAPE(config->positions, config->hidden));
    AimfValue x = aimf_embedding(graph, built->input, table, positions); /* (N, T, hidden) */
    for (int i = 0; i < config->layers_used; i++) {
        g_autofree char *at = aimf_sd_path("text_model", "encoder.layers.%d", i);
        x = encoder_layer(graph, config, at, x);
    }
    built->output = aimf_sd_layer_norm(graph, "text_model.final_layer_norm", x, config->epsilon);
    return TRUE;
}
