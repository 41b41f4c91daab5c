/* Element types of weight files and exact conversions between the floating ones. */
#pragma once

#include <aimfair/tensor.h>

#if G_BYTE_ORDER != G_LITTLE_ENDIAN
#error "weight files are little-endian and are used in place"
#endif

gboolean aimf_dtype_is_float(AimfDtype dtype);

/**
 * aimf_elements_convert:
 * @n floating-point elements, rounded once, to nearest even. Overflow gives infinity, or NaN in a type that has none;
 * NaN stays NaN, its sign and leading bits kept. @from may be unaligned; @to may not overlap it.
 */
void aimf_elements_convert(gsize n, AimfDtype from_dtype, const void *from, AimfDtype to_dtype, void *to);
