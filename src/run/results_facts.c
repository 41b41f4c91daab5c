/* What is asked of results again and again, so that all that is written answers it alike. */
#include "run/results.h"

guint aimf_run_first_seed(const AimfRunResults *results, guint method)
{
    guint seed = 0;
    while (seed < results->n_seeds && !aimf_run_cell(results, method, seed)->measures)
        seed++;
    return seed;
}

gboolean aimf_run_any_gates(const AimfRunResults *results)
{
    const AimfConfig *config = results->config;
    gboolean any = config && (aimf_config_length(config, AIMF_KEY_GATES_REQUIRE) ||
                              aimf_config_length(config, AIMF_KEY_GATES_EVIDENCE));
    return any || aimf_run_any_verdicts(results);
}

gboolean aimf_run_any_verdicts(const AimfRunResults *results)
{
    gboolean any = results->verdicts && results->verdicts->n;
    for (guint s = 0; results->seed_verdicts && s < results->n_seeds; s++)
        any = any || (results->seed_verdicts[s] && results->seed_verdicts[s]->n);
    return any;
}
