#include "graph/support_precision.h"

#include "base/instruction_set.h"

gboolean precision_is_missing(AimfPrecision precision, const GError *error)
{
    if (precision != AIMF_PRECISION_BF16 || !g_error_matches(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED))
        return FALSE;
    g_assert_cmpint(aimf_instruction_set(), <, AIMF_ISA_AVX512_BF16);
    g_test_skip(error->message);
    return TRUE;
}
