/* The tiny autoencoder TAESD: convolutions and ReLU, trained to do what the KL autoencoder does. */
#pragma once

#include "model/layer_builder.h"
#include "model/stable_diffusion.h"

/**
 * aimf_taesd_decoder: latents (N, C, h, w), bounded -> (N, 3, 8 h, 8 w); aimf_taesd_encoder: back. Pictures are in
 * [0, 1].
 */
AimfValue aimf_taesd_decoder(AimfBuilder *b, const AimfVaeConfig *config, AimfValue latents);
AimfValue aimf_taesd_encoder(AimfBuilder *b, const AimfVaeConfig *config, AimfValue planes);
