/* Lists of prompts: prompts.json, which is saved and read again, or a CSV, or a text; all are checked and counted. */
#include "fuzz/support_fuzz.h"

#include <aimfair/prompts.h>
#include <string.h>

static void look_at(const AimfPrompts *prompts, const AimfTask *task)
{
    GError *error = NULL;
    g_autoptr(GArray) refused = aimf_prompts_check(prompts, task, NULL, &error);
    if (fuzz_check(refused != NULL, &error))
        for (guint i = 0; i < refused->len; i++)
            g_assert_true(g_utf8_validate(g_array_index(refused, AimfRefused, i).reason, -1, NULL));
    g_autoptr(AimfBalance) balance = aimf_prompts_balance(prompts, task);
    g_assert_cmpuint(balance->n_groups, ==, prompts->n_groups);
}

static void save_and_read(const AimfPrompts *prompts)
{
    GError *error = NULL;
    const char *path = fuzz_path("again.json");
    g_autofree char *first = NULL, *second = NULL;
    if (!fuzz_check(aimf_prompts_save(prompts, path, &error), &error))
        return; /* what was imported need not be fit for prompts.json */
    g_assert_true(g_file_get_contents(path, &first, NULL, NULL));
    g_autoptr(AimfPrompts) again = aimf_prompts_open_partial(path, &error);
    if (!fuzz_check(again != NULL, &error))
        g_error("what was written cannot be read: %s", first);
    fuzz_check(aimf_prompts_save(again, path, &error), &error);
    g_assert_true(g_file_get_contents(path, &second, NULL, NULL));
    g_assert_cmpstr(first, ==, second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static AimfTask *task;
    if (!task)
        task = aimf_task_make("celeba", "Smiling", "Male", NULL);
    GError *error = NULL;
    gboolean json = size && *data == '{', csv = size > 5 && memmem(data, size, "group", 5);
    const char *path = fuzz_write(json ? "prompts.json" : csv ? "prompts.csv" : "1_0.txt", data, size);
    g_autoptr(AimfPrompts) prompts = aimf_prompts_import(path, &error);
    if (!fuzz_check(prompts != NULL, &error))
        return 0;
    look_at(prompts, NULL);
    look_at(prompts, task);
    save_and_read(prompts);
    return 0;
}
