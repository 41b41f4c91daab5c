/* A task described in YAML, and prompts composed of it. */
#include "fuzz/support_fuzz.h"

#include <aimfair/prompts.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    g_autoptr(AimfTask) task = aimf_task_open(fuzz_write("task.yaml", data, size), &error);
    if (!fuzz_check(task != NULL, &error))
        return 0;
    if (aimf_task_groups(task) > 16)
        return 0;
    const AimfComposeOptions options = { .count = 2, .seed = 1 };
    g_autoptr(AimfPrompts) prompts = aimf_prompts_compose(task, &options, &error);
    if (fuzz_check(prompts != NULL, &error))
        g_assert_cmpuint(prompts->n_groups, ==, aimf_task_groups(task));
    return 0;
}
