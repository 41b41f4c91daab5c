/* A program of somebody else's: it knows the installed headers and pkg-config, nothing of the source tree. */
#include <aimfair/tensor.h>
#include <aimfair/version.h>
#include <stdio.h>

int main(void)
{
    AimfShape shape = AIMF_SHAPE(64, 3, 7, 7);
    g_autofree char *text = aimf_shape_text(&shape);
    printf("aimfair %s: %s\n", aimf_version(), text);
    return aimf_shape_count(&shape) == 64 * 3 * 7 * 7 ? 0 : 1;
}
