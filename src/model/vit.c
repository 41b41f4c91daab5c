/*
 * Vision transformers: Dosovitskiy et al., "An image is worth 16x16 words", ICLR 2021, figure 1 and table 1, and of
 * the small ones Steiner et al., "How to train your ViT?", 2021, with timm's names (timm/models/vision_transformer.py).
 */
#include "model/architecture.h"

static const double EPSILON = 1e-6;

/* One product makes queries, keys and values, in this order. */
static AimfValue attention(AimfBuilder *b, AimfValue x, int heads)
{
    gint64 width = aimf_graph_shape(b->graph, x).dim[2];
    AIMF_SCOPE(b, "attn");
    AimfValue qkv = aimf_build_linear(b, "qkv", x, 3 * width), part[3];
    aimf_split(b->graph, qkv, 2, (const gint64[]){ width, width, width }, 3, part);
    x = aimf_attention(b->graph, part[0], part[1], part[2], (AimfAttention){ .heads = heads });
    return aimf_build_linear(b, "proj", x, width);
}

static AimfValue mlp(AimfBuilder *b, AimfValue x)
{
    gint64 width = aimf_graph_shape(b->graph, x).dim[2];
    AIMF_SCOPE(b, "mlp");
    x = aimf_gelu(b->graph, aimf_build_linear(b, "fc1", x, 4 * width));
    return aimf_build_linear(b, "fc2", x, width);
}

static AimfValue block(AimfBuilder *b, AimfValue x, int heads)
{
    x = aimf_add(b->graph, x, attention(b, aimf_build_layer_norm(b, "norm1", x, EPSILON), heads));
    return aimf_add(b->graph, x, mlp(b, aimf_build_layer_norm(b, "norm2", x, EPSILON)));
}

/* Patches as tokens behind the class's, each with its place added. */
static AimfValue embed(AimfBuilder *b, AimfValue images, int patch, int width)
{
    AimfShape shape = aimf_graph_shape(b->graph, images);
    gint64 tokens = 1 + shape.dim[2] / patch * (shape.dim[3] / patch);
    AimfValue class_token =
        aimf_build_parameter(b, "cls_token", AIMF_SHAPE(1, 1, width), (AimfInit){ AIMF_INIT_NORMAL, 1e-6 });
    AimfValue places =
        aimf_build_parameter(b, "pos_embed", AIMF_SHAPE(1, tokens, width), (AimfInit){ AIMF_INIT_NORMAL, 0.02 });
    AimfConvLayer patches = { .channels = width, .kernel = patch, .stride = patch, .padded = TRUE };
    AimfValue x = aimf_tokens(b->graph, aimf_build_conv2d(b, "patch_embed.proj", images, patches));
    class_token = aimf_expand(b->graph, class_token, AIMF_SHAPE(shape.dim[0], 1, width));
    x = aimf_concat(b->graph, (AimfValue[]){ class_token, x }, 2, 1);
    return aimf_add(b->graph, x, places);
}

static AimfValue vit(AimfBuilder *b, AimfValue images, int outputs, int patch, int width, int heads)
{
    enum { BLOCKS = 12 };
    b->scheme = (AimfScheme){ AIMF_DRAW_DEFAULT, AIMF_DRAW_DEFAULT, AIMF_DRAW_NORMAL, AIMF_DRAW_ZERO, 0.02 };
    AimfValue x = embed(b, images, patch, width); /* (N, 1 + patches, width) */
    for (int i = 0; i < BLOCKS; i++) {
        AIMF_SCOPE(b, "blocks.%d", i);
        x = block(b, x, heads);
    }
    /* Only the class's token is used, so only that one needs its norm. */
    x = aimf_flatten(b->graph, aimf_slice(b->graph, x, 1, 0, 1), 1); /* (N, width) */
    x = aimf_build_layer_norm(b, "norm", x, EPSILON);
    return aimf_build_linear(b, "head", x, outputs);
}

AimfValue aimf_vit_small_patch32_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    return vit(b, images, outputs, 32, 384, 6);
}

AimfValue aimf_vit_small_patch16_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    return vit(b, images, outputs, 16, 384, 6);
}

AimfValue aimf_vit_base_patch16_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    return vit(b, images, outputs, 16, 768, 12);
}
