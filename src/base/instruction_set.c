#include "base/instruction_set.h"

static AimfInstructionSet of_processor(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return AIMF_ISA_BASELINE;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq"))
        return AIMF_ISA_AVX2;
    return __builtin_cpu_supports("avx512bf16") ? AIMF_ISA_AVX512_BF16 : AIMF_ISA_AVX512;
#else
    return AIMF_ISA_BASELINE;
#endif
}

AimfInstructionSet aimf_instruction_set_cap(const char *cap)
{
    static const struct {
        const char *name;
        AimfInstructionSet level;
    } caps[] = {
        { "SSE41", AIMF_ISA_BASELINE },          { "AVX", AIMF_ISA_BASELINE },     { "AVX2", AIMF_ISA_AVX2 },
        { "AVX2_VNNI", AIMF_ISA_AVX2 },          { "AVX2_VNNI_2", AIMF_ISA_AVX2 }, { "AVX512_CORE", AIMF_ISA_AVX512 },
        { "AVX512_CORE_VNNI", AIMF_ISA_AVX512 },
    };
    for (guint i = 0; cap && i < G_N_ELEMENTS(caps); i++)
        if (g_ascii_strcasecmp(cap, caps[i].name) == 0)
            return caps[i].level;
    return AIMF_N_ISAS - 1;
}

AimfInstructionSet aimf_instruction_set(void)
{
    static gsize found; /* the level + 1 */
    if (g_once_init_enter(&found)) {
        const char *cap = g_getenv("ONEDNN_MAX_CPU_ISA");
        AimfInstructionSet most = aimf_instruction_set_cap(cap ? cap : g_getenv("DNNL_MAX_CPU_ISA"));
        g_once_init_leave(&found, (gsize)MIN(of_processor(), most) + 1);
    }
    return (AimfInstructionSet)(found - 1);
}

const char *aimf_instruction_set_name(AimfInstructionSet level)
{
    static const char *const names[AIMF_N_ISAS] = { "baseline", "AVX2", "AVX-512", "AVX-512 with bf16" };
    return names[level];
}
