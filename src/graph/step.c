/* One step: what it works on, and giving it to the stream. */
#include "graph/plan.h"

#include "base/trace.h"

void aimf_step_bind(const AimfPlan *plan, const AimfStep *step)
{
    void *addresses[MAX_OPERANDS] = { 0 }; /* reorders have no scratch, but their kernels may ask for it */
    for (int i = 0; i < step->n_operands; i++)
        addresses[i] = step->operands[i] == NO_BUFFER ? NULL : aimf_buffer(plan, step->operands[i])->address;
    step->kernel->bind(step->kernel, addresses);
}

gboolean aimf_step_run(const AimfPlan *plan, const AimfStep *step, GError **error)
{
    AimfStream *stream = plan->store->stream;
    stream->step = step->label;
    gint64 begin = aimf_trace_now(stream->trace);
    gboolean given = step->kernel->run(step->kernel, stream, error);
    stream->step = NULL;
    if (!given)
        aimf_step_failed(step->label, error);
    else if (stream->device->class->on_host)
        aimf_trace_add(stream->trace, "step", step->label, step->kernel->implementation, begin);
    return given;
}
