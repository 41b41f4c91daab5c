#include "model/architecture.h"

#include <aimfair/model.h>
#include <aimfair/names.h>
#include <string.h>

static const char *const resnet_children[] = { "conv1",  "bn1",    "relu",    "maxpool", "layer1", "layer2",
                                               "layer3", "layer4", "avgpool", "fc",      NULL };

static const char *const mobilenet_v2_children[] = { "features", "classifier", NULL };
static const char *const features_children[] = { "features", "avgpool", "classifier", NULL };
static const char *const densenet_children[] = { "features", "classifier", NULL };
static const char *const lite_children[] = { "conv_stem", "bn1",         "blocks",     "conv_head",
                                             "bn2",       "global_pool", "classifier", NULL };
static const char *const vit_children[] = { "patch_embed", "pos_drop", "patch_drop", "norm_pre", "blocks",
                                            "norm",        "fc_norm",  "head_drop",  "head",     NULL };

/* Strides multiply to 32: the smallest side that leaves the last layer a pixel of its own. */
static const AimfArchitecture architectures[] = {
    { "resnet18", 32, 4096, 0, "fc", NULL, NULL, NULL, resnet_children, aimf_resnet18_logits },
    { "resnet34", 32, 4096, 0, "fc", NULL, NULL, NULL, resnet_children, aimf_resnet34_logits },
    { "resnet50", 32, 4096, 0, "fc", NULL, NULL, NULL, resnet_children, aimf_resnet50_logits },
    { "resnet101", 32, 4096, 0, "fc", NULL, NULL, NULL, resnet_children, aimf_resnet101_logits },
    { "resnet152", 32, 4096, 0, "fc", NULL, NULL, NULL, resnet_children, aimf_resnet152_logits },
    { "mobilenet_v2", 32, 4096, 0, "classifier.1", NULL, NULL, &AIMF_RECIPE_MOBILENET_V2, mobilenet_v2_children,
      aimf_mobilenet_v2_logits },
    { "mobilenet_v3_large", 32, 4096, 0, "classifier.3", NULL, NULL, &AIMF_RECIPE_MOBILENET_V3, features_children,
      aimf_mobilenet_v3_large_logits },
    { "mobilenet_v3_small", 32, 4096, 0, "classifier.3", NULL, NULL, &AIMF_RECIPE_MOBILENET_V3, features_children,
      aimf_mobilenet_v3_small_logits },
    { "efficientnet_b0", 32, 4096, 0, "classifier.1", NULL, NULL, &AIMF_RECIPE_EFFICIENTNET, features_children,
      aimf_efficientnet_b0_logits },
    { "tf_efficientnet_lite0", 32, 4096, 0, "classifier", NULL, NULL, &AIMF_RECIPE_EFFICIENTNET, lite_children,
      aimf_efficientnet_lite0_logits },
    { "vit_small_patch32_224", 32, 4096, 32, "head", "pos_embed", NULL, NULL, vit_children,
      aimf_vit_small_patch32_logits },
    { "vit_small_patch16_224", 16, 2048, 16, "head", "pos_embed", NULL, &AIMF_RECIPE_VIT, vit_children,
      aimf_vit_small_patch16_logits },
    { "vit_base_patch16_224", 16, 2048, 16, "head", "pos_embed", NULL, &AIMF_RECIPE_VIT, vit_children,
      aimf_vit_base_patch16_logits },
    { "convnext_tiny", 32, 4096, 0, "classifier.2", NULL, NULL, &AIMF_RECIPE_CONVNEXT, features_children,
      aimf_convnext_tiny_logits },
    { "densenet121", 32, 4096, 0, "classifier", NULL, aimf_densenet_old_name, NULL, densenet_children,
      aimf_densenet121_logits },
    { "vgg16_bn", 32, 4096, 0, "classifier.6", NULL, NULL, NULL, features_children, aimf_vgg16_bn_logits },
};

const char *const *aimf_architectures(void)
{
    static const char *names[G_N_ELEMENTS(architectures) + 1];
    static gsize once;
    if (g_once_init_enter(&once)) {
        for (gsize i = 0; i < G_N_ELEMENTS(architectures); i++)
            names[i] = architectures[i].name;
        g_once_init_leave(&once, 1);
    }
    return names;
}

const AimfArchitecture *aimf_architecture_find(const char *name, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(architectures); i++)
        if (g_str_equal(architectures[i].name, name))
            return &architectures[i];
    g_autofree char *known = g_strjoinv(", ", (char **)aimf_architectures());
    g_autofree char *hint = aimf_name_hint(name, aimf_architectures());
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "there is no architecture '%s'%s; there are: %s", name, hint,
                known);
    return NULL;
}

gboolean aimf_is_of_head(const AimfArchitecture *architecture, const char *name)
{
    gsize length = strlen(architecture->head);
    return strncmp(name, architecture->head, length) == 0 && name[length] == '.';
}
