/* What the fuzz targets of weight files share. */
#pragma once

#include <aimfair/weights.h>

/** fuzz_read_tensors: reads all that is not large, as its own type and, of floating ones, as doubles. */
void fuzz_read_tensors(const AimfTensors *tensors);
/** fuzz_same_tensors: that both sets have the same names, types, shapes, bytes and metadata. */
void fuzz_same_tensors(const AimfTensors *one, const AimfTensors *other);
