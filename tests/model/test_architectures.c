/* Each kind of architecture, the smallest of its kind; the others are in test_slow_architectures.c. */
#include "model/support_networks.h"

int main(int argc, char **argv)
{
    static const char *const names[] = { "resnet50",
                                         "mobilenet_v2",
                                         "mobilenet_v3_small",
                                         "efficientnet_b0",
                                         "tf_efficientnet_lite0",
                                         "vit_small_patch32_224",
                                         "convnext_tiny",
                                         "densenet121" };
    g_test_init(&argc, &argv, NULL);
    network_add_tests(names, G_N_ELEMENTS(names));
    return g_test_run();
}
