#include "backend/cpu/cpu_product.h"

#include "base/instruction_set.h"

const CpuProductKernels *cpu_product_kernels(void)
{
    static const CpuProductKernels *const kernels[AIMF_N_ISAS] =
        AIMF_ISA_TABLE(&cpu_product_plain, &cpu_product_avx2, &cpu_product_avx512, &cpu_product_avx512);
    return kernels[aimf_instruction_set()];
}
