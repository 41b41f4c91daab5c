/*
 * How architectures are trained whose own papers and programs do otherwise than AIM-Fair's with ResNet-18 and with
 * ViT-S/32. Rates are for batches of 128. docs/architectures.md has the table.
 */
#include "model/architecture.h"

/* torchvision's references/classification/README.md: SGD, momentum 0.9, this decay. */
const AimfArchitectureRecipe AIMF_RECIPE_MOBILENET_V2 = { .weight_decay = 4e-5 };

/* The decay: Howard et al., ICCV 2019, section 6.1. They have RMSProp with momentum, of which SGD is the nearest. */
const AimfArchitectureRecipe AIMF_RECIPE_MOBILENET_V3 = { .weight_decay = 1e-5 };

/*
 * The decay: Tan and Le, ICML 2019, section 5.2, not of norms (tensorflow/tpu, models/official/efficientnet/main.py).
 * SGD: section 5.3 takes other data's settings from Kornblith et al., CVPR 2019.
 */
const AimfArchitectureRecipe AIMF_RECIPE_EFFICIENTNET = { .weight_decay = 1e-5, .decay_weights_only = TRUE };

/*
 * Rate and decay: Touvron et al., "Training data-efficient image transformers", ICML 2021, table 9: 0.0005 for 512
 * pictures, in proportion to the batch. The norm of gradients, and labels as they are: Steiner et al., "How to train
 * your ViT?", 2021, section 3.
 */
const AimfArchitectureRecipe AIMF_RECIPE_VIT = {
    .optimizer = AIMF_OPTIMIZER_ADAMW,
    .learning_rate = 0.0005 * 128 / 512,
    .weight_decay = 0.05,
    .decay_weights_only = TRUE,
    .warmup_epochs = 1,
    .clip_norm = 1,
};

/* Liu et al., "A ConvNet for the 2020s", CVPR 2022, table 5: 0.004 for 4096 pictures. */
const AimfArchitectureRecipe AIMF_RECIPE_CONVNEXT = {
    .optimizer = AIMF_OPTIMIZER_ADAMW,
    .learning_rate = 0.004 * 128 / 4096,
    .weight_decay = 0.05,
    .decay_weights_only = TRUE,
    .warmup_epochs = 1,
    .label_smoothing = 0.1,
};
