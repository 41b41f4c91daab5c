/* What a step does to whole buckets of parameters or gradients. */
#include "backend/reference/reference.h"

/* torch.optim.SGD without dampening or Nesterov. */
void reference_sgd(const ReferenceCall *call)
{
    float *parameters = call->in[0], *momenta = call->in[2];
    const float *gradients = call->in[1], *learning_rate = call->in[3];
    const AimfSgd *sgd = &call->attributes.sgd;
    gint64 n = aimf_shape_count(&call->in_shape[0]);
    for (gint64 i = 0; i < n; i++) {
        double parameter = (double)parameters[i];
        double gradient = (double)gradients[i] + sgd->weight_decay * parameter;
        double momentum = sgd->momentum * (double)momenta[i] + gradient;
        momenta[i] = (float)momentum;
        parameters[i] = (float)(parameter - (double)*learning_rate * momentum);
    }
}

void reference_accumulate(const ReferenceCall *call)
{
    const float *gradients = call->in[0];
    double *sums = call->in[1];
    gint64 n = aimf_shape_count(&call->in_shape[0]);
    for (gint64 i = 0; i < n; i++)
        sums[i] += (double)gradients[i];
}
