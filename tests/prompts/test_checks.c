/* What the checks accept and refuse, and the reasons they give. */
#include <aimfair/prompts.h>
#include <string.h>

typedef struct {
    const char *task;
    const char *group;
    const char *prompt;
    int refusal; /* -1: accepted */
    const char *names;
} Case;

enum { GOOD = -1 };

static const Case CASES[] = {
    /* Its own values, in other people's words too. */
    { "Smiling_Male", "1_0", "A smiling woman with short hair.", GOOD, NULL },
    { "Smiling_Male", "1_0", "Portrait of a grinning lady in a green coat", GOOD, NULL },
    { "Smiling_Male", "1_1", "The MAN'S SMILE lights up his face.", GOOD, NULL },
    { "Smiling_Male", "0_1", "A man who is not smiling, in a grey coat.", GOOD, NULL },
    { "Smiling_Male", "0_1", "A man without any trace of a smile on a bench.", GOOD, NULL },
    { "Smiling_Male", "0_1", "A gentleman with a neutral expression in a park.", GOOD, NULL },
    { "Smiling_Male", "0_0", "A non-smiling woman with brown hair.", GOOD, NULL },
    { "Smiling_Male", "1_0", "A woman without a hat, smiling in a park.", GOOD, NULL },
    { "Smiling_Male", "0_0", "A woman in a park with short hair.", AIMF_REFUSED_UNSAID, "Smiling is 0" },
    { "Smiling_Male", "1_0", "A smiling person in a park.", AIMF_REFUSED_UNSAID, "Male is 0" },
    { "Smiling_Male", "1_0", "A woman who is not smiling at all.", AIMF_REFUSED_OPPOSITE, "'smiling'" },
    { "Smiling_Male", "0_0", "A serious woman with a faint smile.", AIMF_REFUSED_OPPOSITE, "'smile'" },
    { "Smiling_Male", "0_0", "A serious woman, not without a smile.", AIMF_REFUSED_OPPOSITE, "'smile'" },
    { "Smiling_Male", "0_0", "A serious woman who smiled a moment ago.", AIMF_REFUSED_OPPOSITE, "'smiled'" },
    { "Smiling_Male", "1_1", "A smiling man beside his wife.", AIMF_REFUSED_OPPOSITE, "'wife'" },
    /* Words, not parts of words. */
    { "Smiling_Male", "1_0", "A smiling woman at a human scale in Manhattan.", GOOD, NULL },
    { "Smiling_Male", "1_1", "A smiling man in a womanless room.", GOOD, NULL },
    { "Smiling_Male", "1_0", "A smiling woman and two men in a park.", AIMF_REFUSED_OPPOSITE, "'men'" },
    /* What gives a value away. */
    { "Smiling_Male", "1_1", "A smiling man with a short beard.", AIMF_REFUSED_TELLING, "'beard' gives Male" },
    { "Smiling_Male", "1_1", "A smiling man with five o'clock shadow.", AIMF_REFUSED_TELLING, "gives Male" },
    { "Smiling_Male", "1_0", "A smiling woman with pearls.", AIMF_REFUSED_TELLING, "'pearls'" },
    { "Smiling_Male", "1_0", "A smiling woman without lipstick.", AIMF_REFUSED_TELLING, "'lipstick'" },
    { "Smiling_Male", "0_0", "A serious woman, a little sad.", AIMF_REFUSED_TELLING, "'sad' gives Smiling" },
    { "Young_Male", "0_0", "An elderly woman with short grey curly hair.", AIMF_REFUSED_TELLING, "Young" },
    { "Smiling_Male", "1_0", "A smiling woman with short grey curly hair.", GOOD, NULL },
    { "Smiling_Male", "1_0", "A smiling woman with long eyelashes.", AIMF_REFUSED_TELLING, "'eyelashes'" },
    { "Smiling_Male", "1_1", "A smiling man with a strong jawline.", AIMF_REFUSED_TELLING, "'strong jawline'" },
    { "Smiling_Male", "1_0", "A smiling woman with a small mole above the lip.", GOOD, NULL },
    { "Smiling_Male", "0_1", "A serious man chuckling on a bench.", AIMF_REFUSED_OPPOSITE, "'chuckling'" },
    { "Smiling_Male", "0_1", "A serious man with his mouth open.", AIMF_REFUSED_TELLING, "'mouth'" },
    { "Female_White", "0_0", "A Black man with golden brown skin.", AIMF_REFUSED_TELLING, "'golden brown skin'" },
    { "BlondHair_Male", "1_0", "A woman with blond hair and dark roots.", AIMF_REFUSED_TELLING, "'roots'" },
    { "Dog_Light", "0_0", "A black cat with white paws.", AIMF_REFUSED_OPPOSITE, "'white'" },
    /* Disguises. */
    { "Smiling_Male", "1_0", "A smiling woman and a \xEF\xBC\xAD\xEF\xBC\xA1\xEF\xBC\xAE.", AIMF_REFUSED_OPPOSITE,
      "'man'" },
    { "Smiling_Male", "1_0",
      "A smiling woman and a m\xE2\x80\x8B"
      "an.",
      AIMF_REFUSED_OPPOSITE, "'man'" },
    { "Smiling_Male", "1_0", "A smiling woman and a m\xC3\xA1n.", AIMF_REFUSED_OPPOSITE, "'man'" },
    { "Smiling_Male", "1_0", "A smiling woman and a m\xD0\xB0n.", AIMF_REFUSED_TEXT, "alphabets" },
    /* Age in other words. */
    { "Young_Male", "0_1", "A middle-aged man on a train.", GOOD, NULL },
    { "Young_Male", "0_1", "A man, younger than he looks, aged.", AIMF_REFUSED_OPPOSITE, "'younger'" },
    { "Young_Male", "0_0", "An elderly woman in her twenties.", AIMF_REFUSED_OPPOSITE, "'twenties'" },
    { "Young_Male", "1_0", "A young woman in her 60s.", AIMF_REFUSED_OPPOSITE, "'60s'" },
    { "Young_Male", "0_0", "A 25-year-old woman in a park.", AIMF_REFUSED_TELLING, "'year old' gives Young" },
    { "Young_Male", "1_1", "A young man in an old town.", AIMF_REFUSED_OPPOSITE, "'old'" },
    /* Colours count where they describe what they should. */
    { "Female_White", "1_1", "A white woman in front of a black wall.", GOOD, NULL },
    { "Female_White", "1_0", "A Black woman in a white shirt.", GOOD, NULL },
    { "Female_White", "1_0", "A smiling Black and elderly woman.", GOOD, NULL },
    { "Female_White", "1_0", "A non-white woman in a coat.", GOOD, NULL },
    { "Female_White", "1_0", "A South Asian woman in a coat.", GOOD, NULL },
    { "Female_White", "1_1", "A woman in a white shirt.", AIMF_REFUSED_UNSAID, "White is 1" },
    { "Female_White", "1_1", "A white woman near a Black woman.", AIMF_REFUSED_OPPOSITE, "'black'" },
    { "Female_White", "1_1", "A white woman with blue eyes.", AIMF_REFUSED_TELLING, "'blue eyes'" },
    { "BlondHair_Male", "1_0", "A woman with long blond hair in a brown coat.", GOOD, NULL },
    { "BlondHair_Male", "0_0", "A woman with short brown wavy hair.", GOOD, NULL },
    { "BlondHair_Male", "1_0", "A woman with brown hair.", AIMF_REFUSED_OPPOSITE, "'brown'" },
    { "BlondHair_Male", "1_0", "A woman in a golden coat.", AIMF_REFUSED_UNSAID, "BlondHair is 1" },
    { "Dog_Light", "1_0", "A dark brown dog in bright light.", GOOD, NULL },
    { "Dog_Light", "0_1", "A cat with light fur on a dark sofa.", GOOD, NULL },
    { "Dog_Light", "1_0", "A dark dog beside a light dog.", AIMF_REFUSED_OPPOSITE, "'light'" },
    { "Dog_Light", "1_0", "A dark dog with two puppies and kittens.", AIMF_REFUSED_OPPOSITE, "'kittens'" },
    /* One sentence of sane length. */
    { "Smiling_Male", "1_0", "A smiling woman. She wears a hat.", AIMF_REFUSED_SENTENCE, "'She wears" },
    { "Smiling_Male", "1_0", "A smiling woman in St. Tropez, shot at f/1.8.", GOOD, NULL },
    { "Smiling_Male", "1_0", "A smiling woman\nin a hat.", AIMF_REFUSED_SENTENCE, "lines" },
    { "Smiling_Male", "1_0", "Smiling woman.", AIMF_REFUSED_LENGTH, "2 words" },
    { "Smiling_Male", "1_0", "", AIMF_REFUSED_LENGTH, "0 words" },
    { "Smiling_Male", "1_0", "A smiling woman \x1b[31m in red.", AIMF_REFUSED_TEXT, "U+001B" },
    { "Smiling_Male", "1_0", "A smiling woman \xff in red.", AIMF_REFUSED_TEXT, "UTF-8" },
};

static void test_cases(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const Case *c = &CASES[i];
        g_autoptr(AimfTask) task = aimf_task_find(c->task, NULL);
        g_autoptr(AimfPromptChecker) checker = aimf_prompt_checker_new(task, aimf_task_groups(task), NULL);
        g_autofree char *reason = NULL;
        AimfRefusal refusal = AIMF_N_REFUSALS;
        guint group = (guint)aimf_task_find_group(task, c->group);
        gboolean accepted = aimf_prompt_checker_look(checker, group, c->prompt, &refusal, &reason);
        if (accepted != (c->refusal == GOOD) || (!accepted && (int)refusal != c->refusal))
            g_error("%s %s: %s: %s", c->task, c->group, c->prompt, accepted ? "accepted" : reason);
        if (c->names && !strstr(reason, c->names))
            g_error("%s: expected '%s' in: %s", c->prompt, c->names, reason);
    }
}

static void test_lengths(void)
{
    g_autoptr(AimfPromptChecker) checker = aimf_prompt_checker_new(NULL, 1, NULL);
    AimfRefusal refusal;
    g_autoptr(GString) words = g_string_new("a");
    for (int i = 1; i < AIMF_MAX_PROMPT_WORDS; i++)
        g_string_append(words, " b");
    g_assert_true(aimf_prompt_checker_look(checker, 0, words->str, NULL, NULL));
    g_string_append(words, " b");
    g_assert_false(aimf_prompt_checker_look(checker, 0, words->str, &refusal, NULL));
    g_assert_cmpint(refusal, ==, AIMF_REFUSED_LENGTH);

    /* 76 tokens by the estimate: 15 words of 21 letters are 15 times 5, and one more. */
    g_autoptr(GString) letters = g_string_new(NULL);
    for (int i = 0; i < 15; i++)
        g_string_append(letters, "abcdefghijklmnopqrstu ");
    g_assert_cmpuint(aimf_prompt_tokens_estimate(letters->str), ==, 75);
    g_assert_true(aimf_prompt_checker_look(checker, 0, letters->str, NULL, NULL));
    g_string_append(letters, "a");
    g_autofree char *reason = NULL;
    g_assert_false(aimf_prompt_checker_look(checker, 0, letters->str, &refusal, &reason));
    g_assert_cmpint(refusal, ==, AIMF_REFUSED_TOKENS);
    g_assert_nonnull(strstr(reason, "76 tokens (estimated"));

    g_autofree char *huge = g_strnfill(1 << 20, 'a');
    g_assert_false(aimf_prompt_checker_look(checker, 0, huge, &refusal, NULL));
    g_assert_cmpint(refusal, ==, AIMF_REFUSED_TEXT);
}

/* With a vocabulary (a small one, of which every byte is a token) the limit is exact, and no estimate is spoken of. */
static void test_exact(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTokenizer) tokenizer = aimf_tokenizer_open(GOLDEN_DIR "/text/small.txt", &error);
    g_assert_no_error(error);
    g_autoptr(AimfPromptChecker) checker = aimf_prompt_checker_new(NULL, 1, tokenizer);
    g_autoptr(GString) text = g_string_new("a b c d");
    guint n = 4;
    while (n < AIMF_PROMPT_TOKENS - 2) {
        g_string_append(text, " ,");
        g_free(aimf_tokenizer_encode(tokenizer, text->str, &n));
    }
    g_assert_cmpuint(n, ==, 75);
    g_assert_true(aimf_prompt_checker_look(checker, 0, text->str, NULL, NULL));
    g_string_append(text, " ,");
    AimfRefusal refusal;
    g_autofree char *reason = NULL;
    g_assert_false(aimf_prompt_checker_look(checker, 0, text->str, &refusal, &reason));
    g_assert_cmpint(refusal, ==, AIMF_REFUSED_TOKENS);
    g_assert_cmpstr(reason, ==, "it has 76 tokens; CLIP sees 75");
}

static void test_estimate(void)
{
    g_assert_cmpuint(aimf_prompt_tokens_estimate(""), ==, 0);
    g_assert_cmpuint(aimf_prompt_tokens_estimate("a smiling woman."), ==, 1 + 2 + 1 + 1);
    g_assert_cmpuint(aimf_prompt_tokens_estimate("42 \xC3\xA9"), ==, 2 + 2);
}

static void test_duplicates(void)
{
    g_autoptr(AimfTask) task = aimf_task_find("Smiling_Male", NULL);
    g_autoptr(AimfPromptChecker) checker = aimf_prompt_checker_new(task, 4, NULL);
    static const char first[] = "A smiling woman with curly brown hair, wearing a denim jacket in a park.";
    AimfRefusal refusal;
    g_assert_true(aimf_prompt_checker_admit(checker, 2, first, NULL, NULL));
    g_assert_false(aimf_prompt_checker_admit(checker, 2,
                                             "a  SMILING woman with curly brown hair wearing a denim jacket, in "
                                             "a park",
                                             &refusal, NULL));
    g_assert_cmpint(refusal, ==, AIMF_REFUSED_DUPLICATE);

    /* Nine content words: with one more 9 of 10 are common, with two exchanged 7 of 11. */
    g_autofree char *reason = NULL;
    g_assert_false(aimf_prompt_checker_admit(
        checker, 2, "A smiling woman with curly brown hair, wearing a denim jacket in a sunny park.", &refusal,
        &reason));
    g_assert_cmpint(refusal, ==, AIMF_REFUSED_SIMILAR);
    g_assert_nonnull(strstr(reason, first));
    g_assert_true(aimf_prompt_checker_admit(
        checker, 2, "A smiling woman with curly brown hair, wearing a linen coat in a park.", NULL, NULL));
    /* Looking remembers nothing; other groups are apart. */
    static const char third[] = "A laughing lady on a long staircase of stone.";
    g_assert_true(aimf_prompt_checker_look(checker, 2, third, NULL, NULL));
    g_assert_true(aimf_prompt_checker_look(checker, 2, third, NULL, NULL));
}

static void test_file(void)
{
    AimfPromptGroup groups[2] = {
        { .name = (char[]){ "1_1" }, .target = 1, .protected_group = (char[]){ "1" }, .words = (char[]){ "man" } },
        { .name = (char[]){ "0_0" }, .protected_group = (char[]){ "0" }, .words = (char[]){ "woman" } },
    };
    AimfPrompts prompts = { .task = (char[]){ "Smiling_Male" }, .n_groups = 2, .groups = groups };
    aimf_prompt_group_add(&groups[0], &(AimfPrompt){ .text = (char[]){ "A smiling man in a park." } });
    aimf_prompt_group_add(&groups[1], &(AimfPrompt){ .text = (char[]){ "A serious woman in a park." } });
    aimf_prompt_group_add(&groups[1], &(AimfPrompt){ .text = (char[]){ "A serious man in a park." } });
    g_autoptr(AimfTask) task = aimf_task_find(prompts.task, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) refused = aimf_prompts_check(&prompts, task, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(refused->len, ==, 1);
    const AimfRefused *one = &g_array_index(refused, AimfRefused, 0);
    g_assert_cmpuint(one->group, ==, 1); /* of the file, not of the task */
    g_assert_cmpuint(one->index, ==, 1);

    groups[1].name[2] = '7';
    g_assert_null(aimf_prompts_check(&prompts, task, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_autoptr(GArray) anyway = aimf_prompts_check(&prompts, NULL, NULL, NULL);
    g_assert_cmpuint(anyway->len, ==, 0);
    for (guint g = 0; g < 2; g++) {
        for (guint i = 0; i < groups[g].n_prompts; i++)
            g_free(groups[g].prompts[i].text);
        g_free(groups[g].prompts);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/checks/cases", test_cases);
    g_test_add_func("/checks/lengths", test_lengths);
    g_test_add_func("/checks/exact", test_exact);
    g_test_add_func("/checks/estimate", test_estimate);
    g_test_add_func("/checks/duplicates", test_duplicates);
    g_test_add_func("/checks/file", test_file);
    return g_test_run();
}
