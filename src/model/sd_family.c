/* Recognising what is no Stable Diffusion 1.x or 2.x, so that the message can say what it is. */
#include "model/sd_source.h"

/* The first pattern that a tensor's name fits counts. */
static const struct {
    const char *pattern;
    const char *what;
} families[] = {
    { "conditioner.embedders.*", "Stable Diffusion XL" },
    { "*label_emb.*", "Stable Diffusion XL or unCLIP" },
    { "*add_embedding.linear_1.*", "the UNet of Stable Diffusion XL" },
    { "*joint_blocks.*", "Stable Diffusion 3" },
    { "*double_blocks.*", "FLUX" },
    { "*single_transformer_blocks.*", "FLUX" },
    { "control_model.*", "a ControlNet" },
    { "controlnet_*", "a ControlNet" },
    { "*lora_*", "a LoRA, which is an addition to a model" },
    { "emb_params", "a textual inversion, which is an addition to a model" },
    { "string_to_param.*", "a textual inversion, which is an addition to a model" },
    { "*cap_embedder.*", "Lumina" },
    { "layer1.0.conv1.weight", "a ResNet" },
    { "*.layer1.0.conv1.weight", "a ResNet" },
    { "down_blocks.*", "diffusers' UNet alone: give the folder that holds unet, vae and text_encoder" },
    { "decoder.layers.*", "the tiny autoencoder TAESD alone: it can replace a model's autoencoder" },
    { "decoder.*", "an autoencoder alone: it can replace a model's" },
    { "text_model.*", "a text encoder alone" },
    { "blocks.*.attn.*", "a vision transformer" },
};

const char *aimf_sd_looks_like(const AimfTensors *tensors)
{
    for (guint k = 0; k < G_N_ELEMENTS(families); k++)
        for (guint i = 0; i < aimf_tensors_count(tensors); i++)
            if (g_pattern_match_simple(families[k].pattern, aimf_tensors_at(tensors, i)->name))
                return families[k].what;
    return NULL;
}
