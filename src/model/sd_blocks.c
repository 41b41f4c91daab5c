#include "model/sd_blocks.h"

AimfValue aimf_sd_resnet(AimfBuilder *b, int index, AimfValue x, AimfSdResnet options)
{
    AIMF_SCOPE(b, "resnets.%d", index);
    AimfGroupNorm norm = { .groups = options.groups, .epsilon = options.epsilon, .silu = TRUE };
    AimfConvLayer conv = { .channels = options.channels, .kernel = 3 };
    AimfConvLayer shortcut = { .channels = options.channels, .kernel = 1 };
    AimfValue h = aimf_build_group_norm(b, "norm1", x, norm); /* (N, C, H, W) */
    h = aimf_build_conv2d(b, "conv1", h, conv);
    if (options.embedding != AIMF_NONE)
        h = aimf_add_channels(b->graph, h, aimf_build_linear(b, "time_emb_proj", options.embedding, conv.channels));
    h = aimf_build_group_norm(b, "norm2", h, norm);
    h = aimf_build_conv2d(b, "conv2", h, conv);
    if (aimf_graph_shape(b->graph, x).dim[1] != options.channels)
        x = aimf_build_conv2d(b, "conv_shortcut", x, shortcut);
    return aimf_add(b->graph, x, h);
}

AimfValue aimf_sd_attention(AimfBuilder *b, const char *name, AimfValue x, AimfValue context, AimfSdAttention options)
{
    AIMF_SCOPE(b, "%s", name);
    static const char *const diffusers[] = { "to_q", "to_k", "to_v", "to_out.0" };
    static const char *const clip[] = { "q_proj", "k_proj", "v_proj", "out_proj" };
    const char *const *names = options.clip_names ? clip : diffusers;
    gint64 width = aimf_graph_shape(b->graph, x).dim[2];
    AimfAttention attention = { .heads = options.heads, .causal = options.causal };
    AimfValue (*layer)(AimfBuilder *, const char *, AimfValue, gint64) =
        options.no_bias ? aimf_build_projection : aimf_build_linear;
    AimfValue queries = layer(b, names[0], x, width); /* (N, T, C) */
    AimfValue keys = layer(b, names[1], context, width);
    AimfValue values = layer(b, names[2], context, width);
    return aimf_build_linear(b, names[3], aimf_attention(b->graph, queries, keys, values, attention), width);
}
