/* Chi-square against scipy, and the report of balance. */
#include "prompts/chi_square.h"

#include <aimfair/prompts.h>
#include <math.h>
#include <string.h>

/* Far more than a p value needs; both sides lose digits where a and x are large, in exp(a log x - x - lgamma a). */
static const double RELATIVE = 1e-11;

static void assert_close(double found, double expected, const char *line)
{
    if (!(fabs(found - expected) <= RELATIVE * fabs(expected) + 1e-300))
        g_error("%s: found %.17g, expected %.17g", line, found, expected);
}

static double number(char **words, guint index)
{
    return g_ascii_strtod(words[index], NULL);
}

static void check_table(char **words, const char *line)
{
    guint rows = (guint)number(words, 1), columns = (guint)number(words, 2);
    g_autofree guint *counts = g_new(guint, rows * columns);
    for (guint i = 0; i < rows * columns; i++)
        counts[i] = (guint)number(words, 7 + i);
    AimfChiSquare test = aimf_chi_square(counts, rows, columns);
    assert_close(test.statistic, number(words, 3), line);
    g_assert_cmpuint(test.degrees, ==, (guint)number(words, 4));
    assert_close(test.p_value, number(words, 5), line);
    assert_close(test.cramers_v, number(words, 6), line);
}

static void test_scipy(void)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(GOLDEN_DIR "/prompts/chi_square.txt", &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint n = 0;
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", -1);
        if (!words[0] || *words[0] == '#')
            continue;
        n++;
        if (strcmp(words[0], "gamma") == 0)
            assert_close(aimf_gamma_q(number(words, 1), number(words, 2)), number(words, 3), *line);
        else if (strcmp(words[0], "tail") == 0)
            assert_close(aimf_chi_square_tail(number(words, 1), (guint)number(words, 2)), number(words, 3), *line);
        else
            check_table(words, *line);
    }
    g_assert_cmpuint(n, >, 150);
}

/* Snedecor and Cochran's kind of textbook values: the 5 % points of chi-square. */
static void test_published(void)
{
    static const struct {
        guint degrees;
        double point;
    } POINTS[] = { { 1, 3.841 }, { 2, 5.991 }, { 3, 7.815 }, { 5, 11.070 }, { 10, 18.307 }, { 30, 43.773 } };
    for (gsize i = 0; i < G_N_ELEMENTS(POINTS); i++)
        g_assert_cmpfloat_with_epsilon(aimf_chi_square_tail(POINTS[i].point, POINTS[i].degrees), 0.05, 5e-5);
}

/* Two groups: @n prompts each, of which @glasses[g] wear some. */
static AimfPrompts *two_groups(guint n, const guint glasses[2], gboolean labels)
{
    AimfPrompts *prompts = g_new0(AimfPrompts, 1);
    prompts->task = g_strdup("test");
    prompts->n_groups = 2;
    prompts->groups = g_new0(AimfPromptGroup, 2);
    for (guint g = 0; g < 2; g++) {
        prompts->groups[g].name = g_strdup_printf("0_%u", g);
        prompts->groups[g].protected_group = g_strdup_printf("%u", g);
        prompts->groups[g].words = g_strdup("woman");
        for (guint i = 0; i < n; i++) {
            gboolean wears = i < glasses[g];
            char *dimension = (char[]){ "mood of the sky" }, *context = wears ? (char[]){ "calm" } : (char[]){ "wild" };
            AimfPrompt prompt = {
                .text = wears && !labels ? (char[]){ "A woman wearing round spectacles in a park." }
                                         : (char[]){ "A woman in a park." },
                .n_contexts = labels ? 1 : 0,
                .dimensions = &dimension,
                .contexts = &context,
            };
            aimf_prompt_group_add(&prompts->groups[g], &prompt);
        }
    }
    return prompts;
}

static const AimfBalanceDimension *find(const AimfBalance *balance, const char *name, guint *index)
{
    for (guint d = 0; d < balance->n_dimensions; d++)
        if (strcmp(balance->dimensions[d].name, name) == 0) {
            *index = d;
            return &balance->dimensions[d];
        }
    g_error("no dimension %s", name);
}

/* 30 of 40 against 10 of 40: chi-square 20 with 1 degree, V 1/2. */
static void check_skew(gboolean labels, const char *dimension_name)
{
    g_autoptr(AimfPrompts) prompts = two_groups(40, (guint[]){ 30, 10 }, labels);
    g_autoptr(AimfBalance) balance = aimf_prompts_balance(prompts, NULL);
    guint index;
    const AimfBalanceDimension *dimension = find(balance, dimension_name, &index);
    g_assert_cmpuint(dimension->n_values, ==, 2);
    g_assert_cmpfloat_with_epsilon(dimension->chi_square, 20, 1e-9);
    g_assert_cmpuint(dimension->degrees, ==, 1);
    g_assert_cmpfloat_with_epsilon(dimension->cramers_v, 0.5, 1e-9);
    g_assert_true(dimension->tested);
    g_assert_true(aimf_balance_beyond_chance(balance, index));
    g_assert_cmpint(balance->most, ==, (int)index);
}

static void test_skew(void)
{
    check_skew(FALSE, "eyewear");
    check_skew(TRUE, "mood of the sky");
}

static void test_even(void)
{
    g_autoptr(AimfPrompts) prompts = two_groups(40, (guint[]){ 21, 19 }, FALSE);
    g_autoptr(AimfBalance) balance = aimf_prompts_balance(prompts, NULL);
    for (guint d = 0; d < balance->n_dimensions; d++)
        g_assert_false(aimf_balance_beyond_chance(balance, d));
    g_assert_cmpfloat(balance->level, <=, 0.05);
}

/* Where a cell expects less than five no p value is believed, however crooked the table. */
static void test_few(void)
{
    g_autoptr(AimfPrompts) prompts = two_groups(4, (guint[]){ 4, 0 }, FALSE);
    g_autoptr(AimfBalance) balance = aimf_prompts_balance(prompts, NULL);
    guint index;
    const AimfBalanceDimension *dimension = find(balance, "eyewear", &index);
    g_assert_cmpfloat_with_epsilon(dimension->cramers_v, 1, 1e-9);
    g_assert_false(dimension->tested);
    g_assert_false(aimf_balance_beyond_chance(balance, index));
}

static void test_nothing(void)
{
    g_autoptr(AimfPrompts) prompts = two_groups(0, (guint[]){ 0, 0 }, FALSE);
    g_autoptr(AimfBalance) balance = aimf_prompts_balance(prompts, NULL);
    g_assert_cmpuint(balance->n_dimensions, ==, 0);
    g_assert_cmpint(balance->most, ==, -1);
}

/* Composed prompts are counterfactual pairs, so nothing can differ; hair's colour is the task's own and no context. */
static void test_composed(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTask) task = aimf_task_find("BlondHair_Male", &error);
    g_assert_no_error(error);
    g_autoptr(AimfPrompts) prompts = aimf_prompts_compose(task, &(AimfComposeOptions){ .count = 50 }, &error);
    g_assert_no_error(error);
    g_autoptr(AimfBalance) balance = aimf_prompts_balance(prompts, task);
    g_assert_cmpuint(balance->n_dimensions, >=, 8);
    for (guint d = 0; d < balance->n_dimensions; d++) {
        g_assert_cmpstr(balance->dimensions[d].name, !=, "hair colour");
        g_assert_cmpfloat_with_epsilon(balance->dimensions[d].cramers_v, 0, 1e-12);
    }
    g_assert_cmpint(balance->most, ==, -1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/balance/scipy", test_scipy);
    g_test_add_func("/balance/published", test_published);
    g_test_add_func("/balance/skew", test_skew);
    g_test_add_func("/balance/even", test_even);
    g_test_add_func("/balance/few", test_few);
    g_test_add_func("/balance/nothing", test_nothing);
    g_test_add_func("/balance/composed", test_composed);
    return g_test_run();
}
