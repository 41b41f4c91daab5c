/* What an architecture must fill in: its row in the registry, and the walk over its layers. */
#pragma once

#include "model/layer_builder.h"

/** AIMF_USUAL_SIDE: pixels of the images that published weights are for. */
enum { AIMF_USUAL_SIDE = 224 };

/**
 * AimfArchitectureRecipe: what an architecture's own training has in place of the paper's settings; see
 * aimf_pretrain_defaults.
 * @optimizer: AIMF_OPTIMIZER_ADAMW has the rate of @learning_rate along a cosine, in training and in fine-tuning;
 *   AIMF_OPTIMIZER_SGD the paper's rates, milestones and momentum
 * @weight_decay, @decay_weights_only, @clip_norm, @label_smoothing: as in AimfOptimizer and AimfTrainOptions
 * @warmup_epochs: of training alone: what is fine-tuned has no fresh tensors
 */
typedef struct {
    AimfOptimizerKind optimizer;
    double learning_rate;
    double weight_decay;
    gboolean decay_weights_only;
    guint warmup_epochs;
    double clip_norm;
    double label_smoothing;
} AimfArchitectureRecipe;

/** Of src/model/recipes.c, which has the sources. */
extern const AimfArchitectureRecipe AIMF_RECIPE_MOBILENET_V2;
extern const AimfArchitectureRecipe AIMF_RECIPE_MOBILENET_V3;
extern const AimfArchitectureRecipe AIMF_RECIPE_EFFICIENTNET;
extern const AimfArchitectureRecipe AIMF_RECIPE_VIT;
extern const AimfArchitectureRecipe AIMF_RECIPE_CONVNEXT;

/**
 * AimfArchitecture: a registry row.
 * @min_image_size, @max_image_size: side of the input in pixels
 * @patch: of which both sides are multiples; 0 for any
 * @head: name of the final layer, whose number of outputs may differ from a weight file's
 * @places: (nullable) the parameter (1, 1 + places, C) that has a row per patch of the input behind that of the class
 * @old_name: (nullable) (owned, nullable) what upstream's earlier versions called the tensor @name, where that differs
 * @recipe: (nullable) how it is trained by default; NULL: as the paper's networks
 * @children: (NULL-terminated) the modules in the order of upstream's children(): their numbers in an nn.Sequential
 * @logits: the walk: images (N, 3, H, W) -> (N, outputs)
 */
typedef struct {
    const char *name;
    int min_image_size;
    int max_image_size;
    int patch;
    const char *head;
    const char *places;
    char *(*old_name)(const char *name);
    const AimfArchitectureRecipe *recipe;
    const char *const *children;
    AimfValue (*logits)(AimfBuilder *b, AimfValue images, int outputs);
} AimfArchitecture;

AimfValue aimf_resnet18_logits(AimfBuilder *b, AimfValue images, int outputs);
AimfValue aimf_resnet34_logits(AimfBuilder *b, AimfValue images, int outputs);
AimfValue aimf_resnet50_logits(AimfBuilder *b, AimfValue images, int outputs);
AimfValue aimf_resnet101_logits(AimfBuilder *b, AimfValue images, int outputs);
AimfValue aimf_resnet152_logits(AimfBuilder *b, AimfValue images, int outputs);
AimfValue aimf_mobilenet_v2_logits(AimfBuilder *b, AimfValue images, int outputs);
AimfValue aimf_mobilenet_v3_large_logits(AimfBuilder *b, AimfValue images, int outputs);
AimfValue aimf_mobilenet_v3_small_logits(AimfBuilder *b, AimfValue images, int outputs);
AimfValue aimf_efficientnet_b0_logits(AimfBuilder *b, AimfValue images, int outputs);
AimfValue aimf_efficientnet_lite0_logits(AimfBuilder *b, AimfValue images, int outputs);
AimfValue aimf_vit_small_patch32_logits(AimfBuilder *b, AimfValue images, int outputs);
AimfValue aimf_vit_small_patch16_logits(AimfBuilder *b, AimfValue images, int outputs);
AimfValue aimf_vit_base_patch16_logits(AimfBuilder *b, AimfValue images, int outputs);
AimfValue aimf_convnext_tiny_logits(AimfBuilder *b, AimfValue images, int outputs);
AimfValue aimf_densenet121_logits(AimfBuilder *b, AimfValue images, int outputs);
AimfValue aimf_vgg16_bn_logits(AimfBuilder *b, AimfValue images, int outputs);

/** aimf_densenet_old_name: @old_name of DenseNets. */
char *aimf_densenet_old_name(const char *name);

/** aimf_architecture_find: (borrowed) NULL with NOT_FOUND that lists what there is. */
const AimfArchitecture *aimf_architecture_find(const char *name, GError **error);
/** aimf_is_of_head: whether the tensor @name is one of the final layer's. */
gboolean aimf_is_of_head(const AimfArchitecture *architecture, const char *name);
