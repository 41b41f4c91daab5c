/* What a step does to whole buckets of parameters or gradients. */
#include "backend/reference/reference.h"

#include <math.h>

/* torch.optim.SGD without dampening or Nesterov. */
void reference_sgd(const ReferenceCall *call)
{
    float *parameters = call->in[0], *momenta = call->in[2];
    const float *gradients = call->in[1], *learning_rate = call->in[3];
    const AimfOptimizer *sgd = &call->attributes.optimizer;
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

void reference_squares(const ReferenceCall *call)
{
    const float *gradients = call->in[0];
    double *sums = call->in[1], sum = 0;
    gint64 n = aimf_shape_count(&call->in_shape[0]);
    for (gint64 i = 0; i < n; i++)
        sum += (double)gradients[i] * (double)gradients[i];
    sums[call->attributes.index] = sum;
}

/* torch.nn.utils.clip_grad_norm_ */
void reference_clip_norm(const ReferenceCall *call)
{
    float *gradients = call->in[0];
    const double *sums = call->in[1];
    gint64 n = aimf_shape_count(&call->in_shape[0]), n_sums = aimf_shape_count(&call->in_shape[1]);
    double squares = 0;
    for (gint64 i = 0; i < n_sums; i++)
        squares += sums[i];
    double factor = call->attributes.number / (sqrt(squares) + 1e-6);
    for (gint64 i = 0; i < n && !(factor >= 1); i++)
        gradients[i] = (float)((double)gradients[i] * factor);
}

void reference_count_step(const ReferenceCall *call)
{
    double *steps = call->in[0];
    *steps += 1;
}

/* torch.optim.AdamW without amsgrad. */
void reference_adamw(const ReferenceCall *call)
{
    float *parameters = call->in[0], *means = call->in[2], *squares = call->in[3];
    const float *gradients = call->in[1];
    const AimfOptimizer *adamw = &call->attributes.optimizer;
    double rate = (double)*(const float *)call->in[4], steps = *(const double *)call->in[5];
    const double *betas = adamw->betas;
    double correction = 1 - pow(betas[0], steps), square_correction = 1 - pow(betas[1], steps);
    gint64 n = aimf_shape_count(&call->in_shape[0]);
    for (gint64 i = 0; i < n; i++) {
        double gradient = (double)gradients[i];
        double mean = betas[0] * (double)means[i] + (1 - betas[0]) * gradient;
        double square = betas[1] * (double)squares[i] + (1 - betas[1]) * gradient * gradient;
        double step = mean / correction / (sqrt(square / square_correction) + adamw->epsilon);
        means[i] = (float)mean;
        squares[i] = (float)square;
        parameters[i] = (float)((double)parameters[i] * (1 - rate * adamw->weight_decay) - rate * step);
    }
}

/* In this form the average of what does not change stays what it is. */
void reference_average(const ReferenceCall *call)
{
    const float *values = call->in[0];
    float *averages = call->in[1];
    gint64 n = aimf_shape_count(&call->in_shape[0]);
    for (gint64 i = 0; i < n; i++)
        averages[i] = (float)(averages[i] + (1 - call->attributes.number) * ((double)values[i] - averages[i]));
}
