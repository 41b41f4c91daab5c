/* What became of a run's demands, as JUnit's XML: a suite for the average, and one for each seed. */
#include "fair/verdict_files.h"
#include "run/results.h"

/* Seeds that came to nothing are skipped, not failed: the decision is on the others. */
char *aimf_results_junit(const AimfRunResults *results)
{
    guint judged = results->n_methods > 1 ? 1 : 0, n = 0;
    gboolean any = aimf_run_any_gates(results);
    g_autofree AimfVerdictSuite *suites = g_new0(AimfVerdictSuite, results->n_seeds + 1);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *title = results->title ? results->title : "run", *method = results->methods[judged].name;
    if (results->verdicts && results->verdicts->n) {
        suites[n++] = (AimfVerdictSuite){
            .name = g_strdup_printf("%s, %s, average", title, method),
            .verdicts = results->verdicts,
        };
        g_ptr_array_add(names, (gpointer)suites[n - 1].name);
    }
    for (guint s = 0; any && s < results->n_seeds; s++) {
        const AimfVerdicts *verdicts = results->seed_verdicts ? results->seed_verdicts[s] : NULL;
        const char *failure = aimf_run_cell(results, judged, s)->failure;
        if (!failure && (!verdicts || !verdicts->n))
            continue;
        suites[n++] = (AimfVerdictSuite){
            .name = g_strdup_printf("%s, %s, seed %" G_GUINT64_FORMAT, title, method, results->seeds[s]),
            .verdicts = verdicts,
            .skipped = failure,
        };
        g_ptr_array_add(names, (gpointer)suites[n - 1].name);
    }
    return aimf_verdict_suites_junit(suites, n);
}
