/* What is written of a run's results: JSON, CSV, card, events, JUnit. */
#include "run/support_results.h"

#include <math.h>
#include <string.h>

static void test_made_up(void)
{
    static const SupportResultsOptions cases[] = { { 0 },
                                                   { .n_seeds = 5, .n_k = 3, .failed_cell = TRUE },
                                                   { .n_targets = 3, .no_sensitivities = TRUE },
                                                   { .n_seeds = 1, .failed_cell = TRUE, .hostile = "<a>" } };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(AimfRunResults) results = support_results_new(&cases[i]);
        const AimfMeasures *biased = results->averages[0].measures, *fair = results->averages[1].measures;
        if (fair)
            g_assert_cmpfloat(fair->scalars.worst_group_accuracy, >, biased->scalars.worst_group_accuracy + 0.1);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/run/results_files/made_up", test_made_up);
    return g_test_run();
}
