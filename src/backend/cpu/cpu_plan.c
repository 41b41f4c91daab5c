/* What planners ask for again and again. */
#include "backend/cpu/cpu.h"

const char *cpu_form_name(void)
{
    static const char *const names[AIMF_N_ISAS] = { "aimfair:baseline", "aimfair:avx2", "aimfair:avx512",
                                                    "aimfair:avx512" };
    return names[aimf_instruction_set()];
}

gboolean cpu_lies_plain(const AimfNodePlan *plan, int i)
{
    return !plan->in[i].detail && plan->in[i].dtype == AIMF_F32;
}

void cpu_want_row_major(AimfNodePlan *plan, int i, AimfDtype dtype)
{
    const AimfShape *shape = cpu_input_shape(plan, i);
    if (shape)
        plan->in[i] = aimf_layout_row_major(shape, dtype);
}

void cpu_give_row_major(AimfNodePlan *plan, int i, AimfDtype dtype)
{
    const AimfShape *shape = cpu_output_shape(plan, i);
    if (shape)
        plan->out[i] = aimf_layout_row_major(shape, dtype);
}

void cpu_want_viewable(AimfNodePlan *plan, int i)
{
    const AimfShape *shape = cpu_input_shape(plan, i);
    if (!cpu_layout_channel_block(&plan->in[i], shape))
        plan->in[i] = aimf_layout_row_major(shape, plan->in[i].dtype);
}

void cpu_want_activation(gpointer state, AimfNodePlan *plan, int i)
{
    plan->in[i] = cpu_layout_cast(state, &plan->in[i], cpu_input_shape(plan, i), cpu_compute_dtype(plan));
}

void cpu_want_blocked(gpointer state, AimfNodePlan *plan, int i, gint64 block)
{
    const AimfShape *shape = cpu_input_shape(plan, i);
    if (plan->in[i].dtype != AIMF_F32 || cpu_layout_channel_block(&plan->in[i], shape) != block)
        plan->in[i] = cpu_layout_activation(state, shape, AIMF_F32);
}
