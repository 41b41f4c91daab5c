/* The architectures that test_architectures.c leaves out: deeper and wider ones of the same kinds. */
#include "model/support_networks.h"

int main(int argc, char **argv)
{
    static const char *const names[] = {
        "resnet34", "resnet101", "resnet152", "mobilenet_v3_large", "vit_small_patch16_224", "vit_base_patch16_224",
        "vgg16_bn"
    };
    g_test_init(&argc, &argv, NULL);
    network_add_tests(names, G_N_ELEMENTS(names));
    return g_test_run();
}
