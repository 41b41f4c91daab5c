#include <aimfair/error.h>

GQuark aimf_error_quark(void)
{
    return g_quark_from_static_string("aimf-error");
}
