/* What `evaluate --json` printed; an average of two is written again. */
#include "fuzz/support_fuzz.h"

#include <aimfair/fair.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    g_autoptr(AimfEvaluation) evaluation = aimf_evaluation_open(fuzz_write("evaluation.json", data, size), &error);
    if (!fuzz_check(evaluation != NULL, &error))
        return 0;
    g_autofree char *json = aimf_evaluation_json(evaluation);
    g_assert_true(g_utf8_validate(json, -1, NULL));
    const AimfEvaluation *both[] = { evaluation, evaluation };
    g_autoptr(AimfEvaluation) average = aimf_evaluations_average(both, 2, &error);
    fuzz_check(average != NULL, &error);
    return 0;
}
