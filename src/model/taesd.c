/* Source: madebyollin/taesd, taesd.py; names as in diffusers' AutoencoderTiny. */
#include "model/taesd.h"

enum { LEVELS = 4, FULL_BLOCKS = 3 /* of a level; the one next to the picture has one */ };

/* Numbers the layers as the modules of a Sequential, in which activations and upsamplings count too. */
typedef struct {
    AimfBuilder *b;
    AimfValue x;
    int channels;
    int index;
} Walk;

static void conv(Walk *walk, AimfConvLayer options)
{
    g_autofree char *name = g_strdup_printf("%d", walk->index++);
    options.kernel = 3;
    walk->x = aimf_build_conv2d(walk->b, name, walk->x, options);
}

static void blocks(Walk *walk, int n)
{
    AimfConvLayer options = { .channels = walk->channels, .kernel = 3 };
    for (int i = 0; i < n; i++) {
        AIMF_SCOPE(walk->b, "%d.conv", walk->index++);
        AimfValue h = aimf_build_conv2d(walk->b, "0", walk->x, options);
        h = aimf_build_conv2d(walk->b, "2", aimf_relu(walk->b->graph, h), options);
        h = aimf_build_conv2d(walk->b, "4", aimf_relu(walk->b->graph, h), options);
        walk->x = aimf_add_relu(walk->b->graph, h, walk->x);
    }
}

AimfValue aimf_taesd_decoder(AimfBuilder *b, const AimfVaeConfig *config, AimfValue latents)
{
    AIMF_SCOPE(b, "decoder.layers");
    Walk walk = { b, latents, config->channels[0], 0 };
    conv(&walk, (AimfConvLayer){ .channels = walk.channels });
    walk.x = aimf_relu(b->graph, walk.x);
    walk.index++;
    for (int level = 1; level < LEVELS; level++) {
        blocks(&walk, FULL_BLOCKS);
        walk.index++; /* the upsampling */
        conv(&walk, (AimfConvLayer){ .channels = walk.channels, .no_bias = TRUE, .upsample = TRUE });
    }
    blocks(&walk, 1);
    conv(&walk, (AimfConvLayer){ .channels = 3 });
    return walk.x;
}

AimfValue aimf_taesd_encoder(AimfBuilder *b, const AimfVaeConfig *config, AimfValue planes)
{
    AIMF_SCOPE(b, "encoder.layers");
    Walk walk = { b, planes, config->channels[0], 0 };
    conv(&walk, (AimfConvLayer){ .channels = walk.channels });
    blocks(&walk, 1);
    for (int level = 1; level < LEVELS; level++) {
        conv(&walk, (AimfConvLayer){ .channels = walk.channels, .stride = 2, .no_bias = TRUE });
        blocks(&walk, FULL_BLOCKS);
    }
    conv(&walk, (AimfConvLayer){ .channels = config->latent_channels });
    return walk.x;
}
