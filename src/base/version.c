#include <aimfair/version.h>

const char *aimf_version(void)
{
    return AIMF_VERSION;
}
