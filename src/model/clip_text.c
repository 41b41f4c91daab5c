/*
 * CLIP's text encoder: a causal transformer with layer norm before each half of a block. Names as in transformers'
 * CLIPTextModel.
 * Source: Radford et al. 2021, section 2.4; transformers, models/clip/modeling_clip.py.
 */
#include "model/sd_blocks.h"
#include "model/sd_config.h"
#include "model/stable_diffusion.h"

static AimfValue encoder_layer(AimfBuilder *b, int index, const AimfClipTextConfig *config, AimfValue x)
{
    AIMF_SCOPE(b, "encoder.layers.%d", index);
    AimfSdAttention attention = { .heads = config->heads, .causal = TRUE, .clip_names = TRUE };
    AimfValue h = aimf_build_layer_norm(b, "layer_norm1", x, config->epsilon); /* (N, T, hidden) */
    x = aimf_add(b->graph, x, aimf_sd_attention(b, "self_attn", h, h, attention));
    h = aimf_build_layer_norm(b, "layer_norm2", x, config->epsilon);
    h = aimf_build_linear(b, "mlp.fc1", h, config->intermediate);
    h = config->quick_gelu ? aimf_quick_gelu(b->graph, h) : aimf_gelu(b->graph, h);
    return aimf_add(b->graph, x, aimf_build_linear(b, "mlp.fc2", h, config->hidden));
}

static AimfValue encoder(AimfBuilder *b, const AimfClipTextConfig *config, AimfValue ids)
{
    AIMF_SCOPE(b, "text_model");
    AimfValue table = aimf_build_table(b, "embeddings.token_embedding", config->vocabulary, config->hidden);
    AimfValue positions = aimf_build_table(b, "embeddings.position_embedding", config->positions, config->hidden);
    AimfValue x = aimf_embedding(b->graph, ids, table, positions); /* (N, T, hidden) */
    for (int i = 0; i < config->layers_used; i++)
        x = encoder_layer(b, i, config, x);
    return aimf_build_layer_norm(b, "final_layer_norm", x, config->epsilon);
}

gboolean aimf_clip_text_build(const AimfClipTextConfig *config, int batch, AimfSdGraph *built, GError **error)
{
    if (!aimf_clip_text_config_check(config, error) || !aimf_sd_check_batch(batch, error))
        return FALSE;
    g_auto(AimfBuilder) b;
    aimf_builder_init(&b, FALSE);
    AimfValue ids = aimf_graph_input(b.graph, "tokens", AIMF_SHAPE(batch, config->positions)); /* (N, T) */
    AimfValue states = encoder(&b, config, ids);
    *built = (AimfSdGraph){ .graph = g_steal_pointer(&b.graph), .input = ids, .output = states };
    return TRUE;
}
