/* Source: madebyollin/taesd, taesd.py; names as in diffusers' AutoencoderTiny. */
#include "model/taesd.h"

#include "model/sd_blocks.h"

enum { LEVELS = 4, FULL_BLOCKS = 3 /* of a level; the one next to the picture has one */ };

/* Numbers the layers as the modules of a Sequential, in which activations count too. */
typedef struct {
    AimfGraph *graph;
    const char *half;
    AimfValue x;
    int channels;
    int index;
} Walk;

static void conv(Walk *walk, AimfSdConv options)
{
    g_autofree char *at = aimf_sd_path(walk->half, "layers.%d", walk->index++);
    options.kernel = 3;
    options.options.padding = 1;
    walk->x = aimf_sd_conv2d(walk->graph, at, walk->x, options);
}

static void block(Walk *walk)
{
    g_autofree char *at = aimf_sd_path(walk->half, "layers.%d", walk->index++);
    AimfSdConv options = { .channels = walk->channels, .kernel = 3, .options.padding = 1 };
    AimfValue h = walk->x;
    for (int i = 0; i < 3; i++) {
        g_autofree char *name = aimf_sd_path(at, "conv.%d", 2 * i);
        if (i > 0)
            h = aimf_relu(walk->graph, h);
        h = aimf_sd_conv2d(walk->graph, name, h, options);
    }
    walk->x = aimf_add_relu(walk->graph, h, walk->x);
}

static void blocks(Walk *walk, int n)
{
    for (int i = 0; i < n; i++)
        block(walk);
}

AimfValue aimf_taesd_decoder(AimfGraph *graph, const AimfVaeConfig *config, AimfValue latents)
{
    Walk walk = { graph, "decoder", latents, config->channels[0], 0 };
    conv(&walk, (AimfSdConv){ .channels = walk.channels });
    walk.x = aimf_relu(graph, walk.x);
    walk.index++;
    for (int level = 1; level < LEVELS; level++) {
        blocks(&walk, FULL_BLOCKS);
        walk.index++; /* the upsampling */
        g_autofree char *at = aimf_sd_path(walk.half, "layers.%d", walk.index++);
        walk.x = aimf_sd_upsample(graph, at, walk.x, TRUE);
    }
    blocks(&walk, 1);
    conv(&walk, (AimfSdConv){ .channels = 3 });
    return walk.x;
}

AimfValue aimf_taesd_encoder(AimfGraph *graph, const AimfVaeConfig *config, AimfValue planes)
{
    Walk walk = { graph, "encoder", planes, config->channels[0], 0 };
    conv(&walk, (AimfSdConv){ .channels = walk.channels });
    blocks(&walk, 1);
    for (int level = 1; level < LEVELS; level++) {
        conv(&walk, (AimfSdConv){ .channels = walk.channels, .no_bias = TRUE, .options.stride = 2 });
        blocks(&walk, FULL_BLOCKS);
    }
    conv(&walk, (AimfSdConv){ .channels = config->latent_channels });
    return walk.x;
}
