/*
 * VGG-16 with batch normalisation: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image
 * recognition", ICLR 2015, configuration D of table 1, with torchvision's names (torchvision/models/vgg.py).
 */
#include "model/architecture.h"

AimfValue aimf_vgg16_bn_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    enum { POOL = 0 };
    static const int layers[] = { 64,   64,  POOL, 128, 128,  POOL, 256, 256, 256,
                                  POOL, 512, 512,  512, POOL, 512,  512, 512, POOL };
    b->scheme = (AimfScheme){ AIMF_DRAW_FAN_OUT, AIMF_DRAW_ZERO, AIMF_DRAW_NORMAL, AIMF_DRAW_ZERO, 0.01 };
    AimfValue x = images;
    int module = 0; /* of the sequence: each convolution is followed by its norm and a ReLU */
    for (gsize i = 0; i < G_N_ELEMENTS(layers); i++) {
        if (layers[i] == POOL) {
            x = aimf_max_pool(b->graph, x, aimf_pool_square(2, 2, 0));
            module++;
            continue;
        }
        AIMF_SCOPE(b, "features");
        x = aimf_build_conv2d(b, aimf_module_name(module), x, (AimfConvLayer){ .channels = layers[i], .kernel = 3 });
        x = aimf_build_batch_norm(b, aimf_module_name(module + 1), x, TRUE);
        module += 3;
    }
    x = aimf_adaptive_average_pool(b->graph, x, 7, 7);
    x = aimf_flatten(b->graph, x, 1); /* (N, 25088) */
    AIMF_SCOPE(b, "classifier");
    x = aimf_relu(b->graph, aimf_build_linear(b, "0", x, 4096));
    x = aimf_build_dropout(b, x, 0.5);
    x = aimf_relu(b->graph, aimf_build_linear(b, "3", x, 4096));
    x = aimf_build_dropout(b, x, 0.5);
    return aimf_build_linear(b, "6", x, outputs);
}
