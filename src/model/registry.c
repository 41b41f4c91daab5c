#include "model/architecture.h"

#include <aimfair/model.h>
#include <aimfair/names.h>
#include <string.h>

static const char *const resnet_children[] = { "conv1",  "bn1",    "relu",    "maxpool", "layer1", "layer2",
                                               "layer3", "layer4", "avgpool", "fc",      NULL };

/* Strides multiply to 32: the smallest side that leaves the last layer a pixel of its own. */
static const AimfArchitecture architectures[] = {
    { "resnet18", 32, 4096, 0, "fc", NULL, resnet_children, aimf_resnet18_logits },
    { "resnet34", 32, 4096, 0, "fc", NULL, resnet_children, aimf_resnet34_logits },
    { "resnet50", 32, 4096, 0, "fc", NULL, resnet_children, aimf_resnet50_logits },
    { "resnet101", 32, 4096, 0, "fc", NULL, resnet_children, aimf_resnet101_logits },
    { "resnet152", 32, 4096, 0, "fc", NULL, resnet_children, aimf_resnet152_logits },
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
