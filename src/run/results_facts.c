/* What is asked of results again and again, so that all that is written answers it alike. */
#include "run/results.h"

guint aimf_run_first_seed(const AimfRunResults *results, guint method)
{
    guint seed = 0;
    while (seed < results->n_seeds && !aimf_run_cell(results, method, seed)->measures)
        seed++;
    return seed;
}
