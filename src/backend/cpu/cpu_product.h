/* Matrix products in f32 for the instruction set at hand. */
#pragma once

#include "backend/cpu/cpu_product_kernels.h"

/** cpu_product_kernels: (borrowed) those of this processor's level. */
const CpuProductKernels *cpu_product_kernels(void);
