/* What the mobile networks of torchvision share, module by module (torchvision/ops/misc.py, models/_utils.py). */
#pragma once

#include "model/layer_builder.h"

/** aimf_build_conv_norm: Conv2dNormActivation: "<name>.0", a convolution without bias, "<name>.1", its batch norm. */
AimfValue aimf_build_conv_norm(AimfBuilder *b, const char *name, AimfValue x, AimfConvLayer conv,
                               AimfActivation activation);
/** aimf_build_depthwise_norm: the same with a filter per channel. */
AimfValue aimf_build_depthwise_norm(AimfBuilder *b, const char *name, AimfValue x, int kernel, int stride,
                                    AimfActivation activation);
/**
 * aimf_build_excitation: SqueezeExcitation: channels times what two layers, "fc1" to @squeezed channels and "fc2",
 * make of their means. Source: Hu et al., "Squeeze-and-excitation networks", CVPR 2018.
 * @gate: the last activation, aimf_sigmoid for instance
 */
AimfValue aimf_build_excitation(AimfBuilder *b, const char *name, AimfValue x, int squeezed, AimfActivation activation,
                                AimfValue (*gate)(AimfGraph *graph, AimfValue x));
