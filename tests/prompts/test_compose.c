/*
 * Composed prompts of every built-in task: enough of them, accepted by the checks, repeatable, and the same but for
 * the attributes.
 */
#include "prompts/prompt_words.h"

#include <aimfair/prompts.h>
#include <glib/gstdio.h>
#include <string.h>

static AimfTask *find_task(const char *name)
{
    g_autoptr(GError) error = NULL;
    AimfTask *task = aimf_task_find(name, &error);
    g_assert_no_error(error);
    return task;
}

static AimfPrompts *compose(const AimfTask *task, guint count, guint64 seed)
{
    g_autoptr(GError) error = NULL;
    AimfPrompts *prompts = aimf_prompts_compose(task, &(AimfComposeOptions){ .count = count, .seed = seed }, &error);
    g_assert_no_error(error);
    return prompts;
}

static void assert_all_accepted(const AimfPrompts *prompts, const AimfTask *task)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) refused = aimf_prompts_check(prompts, task, NULL, &error);
    g_assert_no_error(error);
    if (refused->len) {
        const AimfRefused *first = &g_array_index(refused, AimfRefused, 0);
        g_error("%s: %s: %s", task->name, first->reason, prompts->groups[first->group].prompts[first->index].text);
    }
}

static void test_every_task(void)
{
    static const guint GROUPS[] = { 4, 4, 4, 4, 4, 4, 4, 8, 4 };
    guint n = 0;
    for (const char *const *name = aimf_task_names(); *name; name++, n++) {
        g_autoptr(AimfTask) task = find_task(*name);
        g_assert_cmpstr(task->name, ==, *name);
        g_assert_nonnull(task->summary);
        g_autoptr(AimfPrompts) prompts = compose(task, 50, 7);
        g_assert_cmpuint(prompts->n_groups, ==, GROUPS[n]);
        for (guint g = 0; g < prompts->n_groups; g++)
            g_assert_cmpuint(prompts->groups[g].n_prompts, ==, 50);
        assert_all_accepted(prompts, task);
    }
    g_assert_cmpuint(n, ==, G_N_ELEMENTS(GROUPS));
}

static void test_hundreds(void)
{
    g_autoptr(AimfTask) task = find_task("Dog_Light"); /* the smallest vocabulary */
    g_autoptr(AimfPrompts) prompts = compose(task, 250, 0);
    assert_all_accepted(prompts, task);
}

static char *bytes_of(const AimfPrompts *prompts)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("aimfair-compose-XXXXXX", &error);
    g_autofree char *path = g_build_filename(folder, "prompts.json", NULL);
    char *text = NULL;
    g_assert_true(aimf_prompts_save(prompts, path, &error));
    g_assert_true(g_file_get_contents(path, &text, NULL, &error));
    g_unlink(path);
    g_rmdir(folder);
    return text;
}

static void test_repeatable(void)
{
    for (const char *const *name = aimf_task_names(); *name; name++) {
        g_autoptr(AimfTask) task = find_task(*name);
        g_autoptr(AimfPrompts) first = compose(task, 50, 3);
        g_autoptr(AimfPrompts) second = compose(task, 50, 3);
        g_autoptr(AimfPrompts) other = compose(task, 50, 4);
        g_autofree char *a = bytes_of(first), *b = bytes_of(second), *c = bytes_of(other);
        g_assert_cmpstr(a, ==, b);
        g_assert_cmpstr(a, !=, c);
    }
}

static void test_longer_begins_with_shorter(void)
{
    g_autoptr(AimfTask) task = find_task("Smiling_Male");
    g_autoptr(AimfPrompts) brief = compose(task, 30, 9);
    g_autoptr(AimfPrompts) more = compose(task, 90, 9);
    for (guint i = 0; i < 30; i++)
        g_assert_cmpstr(brief->groups[2].prompts[i].text, ==, more->groups[2].prompts[i].text);
}

/* Prompt @row without the attributes' words, each taken in its turn, and the article that goes with them. */
static char *without_attributes(const AimfTask *task, guint group, guint row, const char *text)
{
    g_autofree char *rest = g_strdup(text);
    for (guint a = 0; a < task->n_attributes; a++) {
        char **list = task->attributes[a].values[aimf_task_group_value(task, group, a)].words;
        guint n = g_strv_length(list);
        g_auto(GStrv) parts = g_strsplit(rest, list[row % n], 2);
        row /= n;
        g_assert_cmpuint(g_strv_length(parts), ==, 2); /* it was said */
        g_free(rest);
        rest = g_strjoinv("", parts);
    }
    g_autoptr(AimfWords) words = aimf_words_new(rest);
    GString *left = g_string_new(NULL);
    for (guint i = 0; i < words->words->len; i++)
        if (strcmp(aimf_words_at(words, i), "a") != 0 && strcmp(aimf_words_at(words, i), "an") != 0)
            g_string_append_printf(left, " %s", aimf_words_at(words, i));
    return g_string_free(left, FALSE);
}

static void assert_same_contexts(const AimfPrompt *a, const AimfPrompt *b)
{
    g_assert_cmpuint(a->n_contexts, ==, b->n_contexts);
    for (guint c = 0; c < a->n_contexts; c++) {
        g_assert_cmpstr(a->dimensions[c], ==, b->dimensions[c]);
        g_assert_cmpstr(a->contexts[c], ==, b->contexts[c]);
    }
}

/* Prompt i of two groups differs in the attributes' words and in nothing else, and each says its own. */
static void test_counterfactual(void)
{
    for (const char *const *name = aimf_task_names(); *name; name++) {
        g_autoptr(AimfTask) task = find_task(*name);
        g_autoptr(AimfPrompts) prompts = compose(task, 50, 11);
        for (guint i = 0; i < 50; i++) {
            g_autofree char *first = without_attributes(task, 0, i, prompts->groups[0].prompts[i].text);
            for (guint g = 1; g < prompts->n_groups; g++) {
                const AimfPrompt *prompt = &prompts->groups[g].prompts[i];
                g_autofree char *other = without_attributes(task, g, i, prompt->text);
                g_assert_cmpstr(prompt->text, !=, prompts->groups[0].prompts[i].text);
                g_assert_cmpstr(other, ==, first);
                assert_same_contexts(prompt, &prompts->groups[0].prompts[i]);
            }
        }
    }
}

/* The levels of a dimension are used equally often, but for one and for what clashes of contexts cost. */
static void test_even(void)
{
    g_autoptr(AimfTask) task = find_task("Smiling_Male");
    g_autoptr(AimfPrompts) prompts = compose(task, 300, 5);
    for (guint d = 0; d < task->n_dimensions; d++) {
        g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
        for (guint i = 0; i < 300; i++) {
            const AimfPrompt *prompt = &prompts->groups[0].prompts[i];
            const char *level = "";
            for (guint c = 0; c < prompt->n_contexts; c++)
                if (strcmp(prompt->dimensions[c], task->dimensions[d].name) == 0)
                    level = prompt->contexts[c];
            g_hash_table_insert(counts, (gpointer)level,
                                GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(counts, level)) + 1));
        }
        guint n = g_strv_length(task->dimensions[d].phrases);
        g_assert_cmpuint(g_hash_table_size(counts), ==, n);
        GHashTableIter iter;
        gpointer count;
        g_hash_table_iter_init(&iter, counts);
        while (g_hash_table_iter_next(&iter, NULL, &count)) {
            g_assert_cmpuint(GPOINTER_TO_UINT(count) + 3, >=, 300 / n);
            g_assert_cmpuint(GPOINTER_TO_UINT(count), <=, (300 + n - 1) / n + 3);
        }
    }
}

static const char *prompt_of(const AimfPrompts *prompts, const char *group)
{
    for (guint g = 0; g < prompts->n_groups; g++)
        if (strcmp(prompts->groups[g].name, group) == 0)
            return prompts->groups[g].prompts[0].text;
    g_error("no group %s", group);
}

static void test_plain(void)
{
    static const struct {
        const char *task;
        const char *group;
        const char *prompt;
    } CASES[] = {
        { "Smiling_Male", "1_0", "A portrait photo of a smiling woman." },
        { "Smiling_Male_Young", "1_1_1", "A portrait photo of a smiling young man." },
        { "BlackHair_Young", "1_1", "A portrait photo of a young person with black hair." },
        { "Female_White", "1_0", "A portrait photo of a Black woman." },
        { "Dog_Light", "0_1", "A photo of a white cat." },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfTask) task = find_task(CASES[i].task);
        g_autoptr(AimfPrompts) prompts = aimf_prompts_compose(task, &(AimfComposeOptions){ .plain = TRUE }, &error);
        g_assert_no_error(error);
        for (guint g = 0; g < prompts->n_groups; g++)
            g_assert_cmpuint(prompts->groups[g].n_prompts, ==, 1);
        g_assert_cmpstr(prompt_of(prompts, CASES[i].group), ==, CASES[i].prompt);
        assert_all_accepted(prompts, task);
    }
}

/* A vocabulary that is used up: the error names a number, and that number can be had. */
static void test_maximum(void)
{
    g_autoptr(AimfTask) task = find_task("Smiling_Male");
    for (guint d = 0; d < task->n_dimensions; d++)
        if (g_strv_length(task->dimensions[d].phrases) > 2) {
            for (char **phrase = task->dimensions[d].phrases + 2; *phrase; phrase++)
                g_clear_pointer(phrase, g_free);
        }
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_prompts_compose(task, &(AimfComposeOptions){ .count = 500, .seed = 1 }, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    const char *at = strstr(error->message, "ask for at most ");
    g_assert_nonnull(at);
    guint most = (guint)g_ascii_strtoull(at + strlen("ask for at most "), NULL, 10);
    g_assert_cmpuint(most, >, 5);
    g_autoptr(AimfPrompts) prompts = compose(task, most, 1);
    assert_all_accepted(prompts, task);

    g_autoptr(GError) none = NULL;
    g_assert_null(aimf_prompts_compose(task, &(AimfComposeOptions){ .count = 0 }, &none));
    g_assert_error(none, AIMF_ERROR, AIMF_ERROR_INVALID);
}

static void assert_task(const char *dataset, const char *target, const char *protected_attributes, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTask) task = aimf_task_make(dataset, target, protected_attributes, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(task->name, ==, name);
    g_autoptr(AimfPrompts) prompts = compose(task, 20, 0);
    assert_all_accepted(prompts, task);
}

/* Tasks are named as for manifests, and their labels are those of manifests. */
static void test_names(void)
{
    assert_task(NULL, "Smiling", "Male", "Smiling_Male");
    assert_task(NULL, "smile", "male,young", "Smiling_Male_Young");
    assert_task(NULL, "BlondHair", "Female", "BlondHair_Male:0");
    assert_task(NULL, "gender", "race:0", "Female_White");
    assert_task("utkface", "Female", "White", "Female_White");
    assert_task("utkface", "gender", "race", "Female_Race");

    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTask) turned = aimf_task_make("celeba", "Smiling", "Female", &error);
    g_assert_no_error(error);
    g_autofree char *words = aimf_task_group_words(turned, (guint)aimf_task_find_group(turned, "1_1"));
    g_assert_cmpstr(words, ==, "smiling woman"); /* Male:0 is 1 for women */
    g_autoptr(AimfTask) races = aimf_task_make("utkface", "gender", "race", &error);
    g_autofree char *asian = aimf_task_group_words(races, (guint)aimf_task_find_group(races, "1_2"));
    g_assert_cmpstr(asian, ==, "East Asian woman");
}

static void test_no_names(void)
{
    static const struct {
        const char *target;
        const char *protected_attributes;
        AimfErrorCode code;
        const char *says;
    } CASES[] = {
        { "Smilin", "Male", AIMF_ERROR_NOT_FOUND, "celeba has no attribute 'Smilin'" },
        { "Eyeglasses", "Male", AIMF_ERROR_NOT_FOUND, "no words are known for 'Eyeglasses'" },
        { "Male", "Female", AIMF_ERROR_INVALID, "say the same thing" },
        { "Smiling", "Smiling", AIMF_ERROR_INVALID, "say the same thing" },
        { "Smiling", "", AIMF_ERROR_INVALID, "no protected attribute" },
        { "Smiling", "Male,,Young", AIMF_ERROR_NOT_FOUND, "no attribute ''" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(aimf_task_make("celeba", CASES[i].target, CASES[i].protected_attributes, &error));
        g_assert_error(error, AIMF_ERROR, (int)CASES[i].code);
        if (!strstr(error->message, CASES[i].says))
            g_error("expected '%s' in: %s", CASES[i].says, error->message);
    }
    g_autoptr(GError) unknown = NULL;
    g_assert_null(aimf_task_find("Smiling_Mule", &unknown));
    g_assert_error(unknown, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(unknown->message, "Smiling_Male"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/compose/every-task", test_every_task);
    g_test_add_func("/compose/hundreds", test_hundreds);
    g_test_add_func("/compose/repeatable", test_repeatable);
    g_test_add_func("/compose/longer-begins-with-shorter", test_longer_begins_with_shorter);
    g_test_add_func("/compose/counterfactual", test_counterfactual);
    g_test_add_func("/compose/even", test_even);
    g_test_add_func("/compose/plain", test_plain);
    g_test_add_func("/compose/maximum", test_maximum);
    g_test_add_func("/compose/names", test_names);
    g_test_add_func("/compose/no-names", test_no_names);
    return g_test_run();
}
