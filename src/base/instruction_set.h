/*
 * What this processor can compute with. Every table of kernels of our own has a column for each level, and
 * aimf_instruction_set says which one may run. Kernels are compiled for their level by a target attribute; nothing is
 * built for one processor only.
 */
#pragma once

#include <glib.h>

/** AimfInstructionSet: each level has what the ones before it have. */
typedef enum {
    AIMF_ISA_BASELINE,    /* what every x86-64 has (SSE2); on other processors what the compiler takes for granted */
    AIMF_ISA_AVX2,        /* with FMA */
    AIMF_ISA_AVX512,      /* F, BW, VL and DQ */
    AIMF_ISA_AVX512_BF16, /* its products of pairs of bf16 */
    AIMF_N_ISAS,
} AimfInstructionSet;

/**
 * AIMF_ISA_TABLE: what a table [AimfInstructionSet] is initialized with; the levels above the baseline are x86-64's,
 * elsewhere their kernels need not exist.
 */
#if defined(__x86_64__)
#define AIMF_ISA_TABLE(baseline, ...)                                                                                  \
    {                                                                                                                  \
        baseline, __VA_ARGS__                                                                                          \
    }
#else
#define AIMF_ISA_TABLE(baseline, ...)                                                                                  \
    {                                                                                                                  \
        baseline                                                                                                       \
    }
#endif

/**
 * aimf_instruction_set: the processor's level, or the one that the environment caps it to: oneDNN's
 * ONEDNN_MAX_CPU_ISA, or if that is not set DNNL_MAX_CPU_ISA, means the same here, so that the whole program is held
 * to one level. Found once. Source of the caps: oneDNN's documentation, "CPU Dispatcher Control".
 */
AimfInstructionSet aimf_instruction_set(void);

/** aimf_instruction_set_name: (borrowed) "baseline", "AVX2", "AVX-512" or "AVX-512 with bf16". */
const char *aimf_instruction_set_name(AimfInstructionSet level);

/**
 * aimf_instruction_set_cap: the most that a cap of oneDNN's named @cap allows; every level for NULL or a name that is
 * none.
 */
AimfInstructionSet aimf_instruction_set_cap(const char *cap);
