/* Predictions of whatever program, measured, saved and read again; and reference logits. */
#include "fuzz/support_fuzz.h"

#include <aimfair/fair.h>

static void note(AimfLogLevel level, const char *text, gpointer user_data)
{
    (void)level, (void)user_data;
    fuzz_check_text(text);
}

static void measure(AimfOutcomes *outcomes)
{
    GError *error = NULL;
    g_autoptr(AimfImpact) impact =
        outcomes->impact ? aimf_impact_measure(outcomes->impact, outcomes->n_targets - 1, &error) : NULL;
    fuzz_check(impact || !outcomes->impact, &error);
    g_autoptr(AimfMeasures) measures = aimf_outcomes_measure(outcomes, 10, 1, NULL, &error);
    fuzz_check(measures != NULL, &error);
    const char *path = fuzz_path("again.csv");
    if (!fuzz_check(aimf_outcomes_save(outcomes, path, &error), &error))
        return;
    const AimfLabelRules rules = { .missing = AIMF_MISSING_KEEP };
    g_autoptr(AimfOutcomes) again = aimf_outcomes_open(path, -1, &rules, NULL, &error);
    if (!fuzz_check(again != NULL, &error))
        g_error("what was written cannot be read");
    g_assert_cmpuint(again->n, ==, outcomes->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    const char *path = fuzz_write("predictions.csv", data + 1, size - 1);
    const AimfMonitor monitor = { .message = note };
    const AimfLabelRules rules = { .missing = (AimfMissing)((*data >> 1 & 3) % 3), .merge_spellings = *data >> 3 & 1 };
    static const char *const columns[] = { "protected", "target", NULL };
    const AimfOutcomesOptions options = {
        .threshold = *data & 1 ? 0.5 : -1,
        .rules = &rules,
        .impact = *data >> 4 & 1 ? columns : NULL,
    };
    GError *error = NULL;
    g_autoptr(AimfOutcomes) outcomes = aimf_outcomes_open_with(path, &options, &monitor, &error);
    if (fuzz_check(outcomes != NULL, &error))
        measure(outcomes);
    g_autoptr(AimfReferences) references = aimf_references_open(path, 2, &error);
    fuzz_check(references != NULL, &error);
    return 0;
}
