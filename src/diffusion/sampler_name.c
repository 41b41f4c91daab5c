/* What samplers are called, on the command line and in files. */
#include <aimfair/diffusion.h>

const char *aimf_sampler_name(AimfSamplerKind sampler)
{
    static const char *const names[AIMF_N_SAMPLERS] = {
        [AIMF_SAMPLER_DDIM] = "ddim",
        [AIMF_SAMPLER_PLMS] = "plms",
        [AIMF_SAMPLER_DPM_SOLVER] = "dpm-solver++",
        [AIMF_SAMPLER_EULER] = "euler",
        [AIMF_SAMPLER_EULER_ANCESTRAL] = "euler-a",
    };
    g_assert(sampler < AIMF_N_SAMPLERS);
    return names[sampler];
}
