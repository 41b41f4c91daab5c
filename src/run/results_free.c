/* What a finished run says, let go. */
#include "run/results.h"

static void clear_set(AimfRunSet *set)
{
    g_free(set->path);
    aimf_manifest_free(set->manifest);
    g_free(set->sha256);
    g_free(set->pictures_sha256);
}

static void clear_cell(AimfRunCell *cell)
{
    g_free(cell->folder);
    g_free(cell->failure);
    aimf_outcomes_free(cell->outcomes);
    aimf_measures_free(cell->measures);
    aimf_comparison_free(cell->comparison);
    g_clear_pointer(&cell->history, g_array_unref);
    g_free(cell->start);
    g_strfreev(cell->group_names);
    g_clear_pointer(&cell->group_accuracy, g_array_unref);
    g_strfreev(cell->trained);
    g_free(cell->model_sha256);
    g_free(cell->weights_sha256);
    g_free(cell->engine);
    g_free(cell->instruction_set);
    g_free(cell->test_engine);
    g_free(cell->test_instruction_set);
}

static void clear_method(AimfRunMethod *method, AimfRunAverage *average, AimfImpact *impact)
{
    g_free(method->name);
    g_free(method->title);
    if (average) {
        aimf_measures_free(average->measures);
        aimf_seeds_free(average->spread);
        aimf_seeds_free(average->changes);
    }
    aimf_impact_free(impact);
}

/* A results structure may have been left half made: its arrays may be NULL. */
void aimf_run_results_free(AimfRunResults *results)
{
    if (!results)
        return;
    for (guint s = 0; s < AIMF_N_SETS; s++)
        clear_set(&results->sets[s]);
    for (guint i = 0; results->cells && i < results->n_methods * results->n_seeds; i++)
        clear_cell(&results->cells[i]);
    for (guint m = 0; results->methods && m < results->n_methods; m++)
        clear_method(&results->methods[m], results->averages ? &results->averages[m] : NULL,
                     results->impact ? results->impact[m] : NULL);
    for (guint s = 0; s < results->n_seeds; s++) {
        aimf_sensitivities_free(results->sensitivities ? results->sensitivities[s] : NULL);
        aimf_verdicts_free(results->seed_verdicts ? results->seed_verdicts[s] : NULL);
    }
    aimf_verdicts_free(results->verdicts);
    g_clear_pointer(&results->config, aimf_config_free);
    g_free(results->cells);
    g_free(results->methods);
    g_free(results->averages);
    g_free(results->impact);
    g_free(results->sensitivities);
    g_free(results->seed_verdicts);
    g_free(results->seeds);
    g_free(results->folder);
    g_free(results->title);
    g_free(results->architecture);
    g_free(results->target);
    g_strfreev(results->labels);
    g_strfreev(results->label_names);
    g_strfreev(results->classes);
    g_free(results->program);
    g_free(results->precision);
    g_free(results);
}
