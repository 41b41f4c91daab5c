#include "model/sd_names.h"

#include <string.h>

char *aimf_sd_file_name(const AimfSdNaming *naming, const char *ours, int *part)
{
    g_autoptr(GString) theirs = g_string_new(NULL);
    *part = AIMF_SD_WHOLE;
    if (!naming->rename(naming, ours, theirs, part))
        return NULL;
    if (naming->without_dots)
        g_string_replace(theirs, ".", "", 0);
    return g_strconcat(naming->prefix, theirs->str, NULL);
}

/* --- Tables of beginnings --- */

typedef struct {
    const char *ours;
    const char *theirs;
} Beginning;

/* Appends @name with its beginning exchanged; FALSE if none of the table fits. */
static gboolean exchange(const Beginning *table, guint n, const char *name, GString *theirs)
{
    for (guint i = 0; i < n; i++)
        if (g_str_has_prefix(name, table[i].ours)) {
            g_string_append(theirs, table[i].theirs);
            g_string_append(theirs, name + strlen(table[i].ours));
            return TRUE;
        }
    return FALSE;
}

/* Reads a number and the dot behind it at *@text. */
static gboolean take_number(const char **text, int *number)
{
    char *end;
    gint64 value = g_ascii_strtoll(*text, &end, 10);
    if (end == *text || *end != '.' || value < 0 || value > G_MAXINT16)
        return FALSE;
    *number = (int)value;
    *text = end + 1;
    return TRUE;
}

static gboolean take_text(const char **text, const char *expected)
{
    if (!g_str_has_prefix(*text, expected))
        return FALSE;
    *text += strlen(expected);
    return TRUE;
}

/* --- The text encoders --- */

gboolean aimf_sd_same_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part)
{
    (void)naming;
    (void)part;
    g_string_append(theirs, ours);
    return TRUE;
}

gboolean aimf_sd_bare_text_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part)
{
    if (!take_text(&ours, "text_model."))
        return FALSE;
    return aimf_sd_same_name(naming, ours, theirs, part);
}

static const Beginning open_clip_outside[] = {
    { "text_model.embeddings.token_embedding.weight", "token_embedding.weight" },
    { "text_model.embeddings.position_embedding.weight", "positional_embedding" },
    { "text_model.final_layer_norm.", "ln_final." },
};

static const Beginning open_clip_layer[] = {
    { "layer_norm1.", "ln_1." },   { "layer_norm2.", "ln_2." }, { "mlp.fc1.", "mlp.c_fc." },
    { "mlp.fc2.", "mlp.c_proj." }, { "self_attn.", "attn." }, /* its out_proj; q, k and v are one */
};

gboolean aimf_sd_open_clip_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part)
{
    static const char *const projections[AIMF_SD_FUSED_PARTS] = { "self_attn.q_proj.", "self_attn.k_proj.",
                                                                  "self_attn.v_proj." };
    (void)naming;
    if (exchange(open_clip_outside, G_N_ELEMENTS(open_clip_outside), ours, theirs))
        return TRUE;
    int layer;
    if (!take_text(&ours, "text_model.encoder.layers.") || !take_number(&ours, &layer))
        return FALSE;
    g_string_append_printf(theirs, "transformer.resblocks.%d.", layer);
    for (int i = 0; i < AIMF_SD_FUSED_PARTS; i++)
        if (take_text(&ours, projections[i])) {
            g_string_append_printf(theirs, "attn.in_proj_%s", ours); /* weight or bias */
            *part = i;
            return TRUE;
        }
    return exchange(open_clip_layer, G_N_ELEMENTS(open_clip_layer), ours, theirs);
}

/* --- The UNet --- */

static const Beginning unet_outside[] = {
    { "time_embedding.linear_1.", "time_embed.0." },
    { "time_embedding.linear_2.", "time_embed.2." },
    { "conv_in.", "input_blocks.0.0." },
    { "conv_norm_out.", "out.0." },
    { "conv_out.", "out.2." },
    { "mid_block.attentions.0.", "middle_block.1." },
};

static const Beginning unet_resnet[] = {
    { "norm1.", "in_layers.0." },  { "conv1.", "in_layers.2." },  { "time_emb_proj.", "emb_layers.1." },
    { "norm2.", "out_layers.0." }, { "conv2.", "out_layers.3." }, { "conv_shortcut.", "skip_connection." },
};

/* LDM numbers the blocks of a half of the UNet through; each level has @per_level of them. */
static gboolean unet_block(const AimfUnetConfig *config, gboolean is_up, const char *rest, GString *theirs)
{
    int level, index, per_level = config->res_blocks + 1;
    if (!take_number(&rest, &level) || level >= config->levels)
        return FALSE;
    const char *half = is_up ? "output_blocks" : "input_blocks";
    int first = level * per_level + (is_up ? 0 : 1);
    if (take_text(&rest, "resnets.") && take_number(&rest, &index)) {
        g_string_append_printf(theirs, "%s.%d.0.", half, first + index);
        return exchange(unet_resnet, G_N_ELEMENTS(unet_resnet), rest, theirs);
    }
    if (take_text(&rest, "attentions.") && take_number(&rest, &index)) {
        g_string_append_printf(theirs, "%s.%d.1.%s", half, first + index, rest);
        return TRUE;
    }
    if (take_text(&rest, "downsamplers.0.conv.")) {
        g_string_append_printf(theirs, "input_blocks.%d.0.op.%s", (level + 1) * per_level, rest);
        return TRUE;
    }
    /* Upsampling is the last module of a level's last block, behind its attention if it has one. */
    if (!take_text(&rest, "upsamplers.0.conv."))
        return FALSE;
    gboolean attends = config->attention[config->levels - 1 - level];
    g_string_append_printf(theirs, "output_blocks.%d.%d.conv.%s", first + config->res_blocks, attends ? 2 : 1, rest);
    return TRUE;
}

gboolean aimf_sd_ldm_unet_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part)
{
    (void)part;
    if (exchange(unet_outside, G_N_ELEMENTS(unet_outside), ours, theirs))
        return TRUE;
    int index;
    if (take_text(&ours, "mid_block.resnets.") && take_number(&ours, &index)) {
        g_string_append_printf(theirs, "middle_block.%d.", 2 * index);
        return exchange(unet_resnet, G_N_ELEMENTS(unet_resnet), ours, theirs);
    }
    gboolean is_up = take_text(&ours, "up_blocks.");
    return (is_up || take_text(&ours, "down_blocks.")) && unet_block(naming->unet, is_up, ours, theirs);
}

/* --- The autoencoder --- */

static const Beginning vae_half[] = {
    { "mid_block.resnets.0.", "mid.block_1." },
    { "mid_block.resnets.1.", "mid.block_2." },
    { "mid_block.attentions.0.group_norm.", "mid.attn_1.norm." },
    { "mid_block.attentions.0.to_q.", "mid.attn_1.q." },
    { "mid_block.attentions.0.to_k.", "mid.attn_1.k." },
    { "mid_block.attentions.0.to_v.", "mid.attn_1.v." },
    { "mid_block.attentions.0.to_out.0.", "mid.attn_1.proj_out." },
    { "conv_norm_out.", "norm_out." },
    { "conv_", "conv_" },
};

static const Beginning vae_resnet[] = { { "conv_shortcut.", "nin_shortcut." }, { "", "" } };

gboolean aimf_sd_ldm_vae_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part)
{
    (void)part;
    gboolean is_encoder = take_text(&ours, "encoder.");
    if (!is_encoder && !take_text(&ours, "decoder.")) {
        g_string_append(theirs, ours); /* quant_conv, post_quant_conv */
        return TRUE;
    }
    g_string_append(theirs, is_encoder ? "encoder." : "decoder.");
    if (exchange(vae_half, G_N_ELEMENTS(vae_half), ours, theirs))
        return TRUE;
    int level, index;
    if (!take_text(&ours, is_encoder ? "down_blocks." : "up_blocks.") || !take_number(&ours, &level))
        return FALSE;
    if (is_encoder)
        g_string_append_printf(theirs, "down.%d.", level);
    else /* LDM counts from the picture, diffusers from the latents */
        g_string_append_printf(theirs, "up.%d.", naming->vae->levels - 1 - level);
    if (take_text(&ours, "resnets.") && take_number(&ours, &index)) {
        g_string_append_printf(theirs, "block.%d.", index);
        return exchange(vae_resnet, G_N_ELEMENTS(vae_resnet), ours, theirs);
    }
    static const Beginning resampling[] = { { "downsamplers.0.", "downsample." }, { "upsamplers.0.", "upsample." } };
    return exchange(resampling, G_N_ELEMENTS(resampling), ours, theirs);
}

gboolean aimf_sd_old_vae_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part)
{
    static const Beginning projections[] = {
        { "to_q.", "query." }, { "to_k.", "key." }, { "to_v.", "value." }, { "to_out.0.", "proj_attn." }
    };
    (void)naming;
    (void)part;
    const char *inside = "mid_block.attentions.0.", *at = strstr(ours, inside);
    if (!at)
        return FALSE;
    at += strlen(inside);
    g_string_append_len(theirs, ours, at - ours);
    return exchange(projections, G_N_ELEMENTS(projections), at, theirs);
}

/* --- TAESD --- */

gboolean aimf_sd_taesd_encoder_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part)
{
    if (!take_text(&ours, "encoder.layers."))
        return FALSE;
    return aimf_sd_same_name(naming, ours, theirs, part);
}

gboolean aimf_sd_taesd_decoder_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part)
{
    int index;
    (void)naming;
    (void)part;
    if (!take_text(&ours, "decoder.layers.") || !take_number(&ours, &index))
        return FALSE;
    g_string_append_printf(theirs, "%d.%s", index + 1, ours); /* its first module bounds the latents */
    return TRUE;
}
