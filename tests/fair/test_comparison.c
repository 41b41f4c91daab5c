/* Before against after: pairs by hand, and intervals that an independent computation gives on the same counts. */
#include "data/support_data.h"
#include "fair/intervals.h"
#include "fair/support_golden.h"

#include <math.h>
#include <string.h>

static char *folder;

static AimfOutcomes *read_text(const char *name, const char *text)
{
    g_autofree char *path = data_write(folder, name, text);
    g_autoptr(GError) error = NULL;
    AimfOutcomes *outcomes = aimf_outcomes_open(path, -1, NULL, NULL, &error);
    g_assert_no_error(error);
    return outcomes;
}

static AimfComparison *compare_texts(const char *before, const char *after, guint resamples)
{
    g_autoptr(AimfOutcomes) one = read_text("before.csv", before), two = read_text("after.csv", after);
    g_autoptr(GError) error = NULL;
    AimfComparison *comparison = aimf_compare_outcomes(one, two, resamples, 1, NULL, &error);
    g_assert_no_error(error);
    return comparison;
}

#define HEAD "path,target,protected,prediction,probability\n"
static const char BEFORE[] = HEAD "a.png,0,x,0,0.1\nb.png,0,y,1,0.6\nc.png,1,x,1,0.9\nd.png,1,y,0,0.4\n"
                                  "e.png,1,y,1,0.8\nf.png,0,x,0,0.3\ng.png,0,y,0,0.2\nh.png,1,x,1,0.7\n";
/* In another order: b is won, c lost. */
static const char AFTER[] = HEAD "h.png,1,x,1,0.7\nc.png,1,x,0,0.45\na.png,0,x,0,0.1\nb.png,0,y,0,0.3\n"
                                 "d.png,1,y,0,0.4\nf.png,0,x,0,0.3\ng.png,0,y,0,0.2\ne.png,1,y,1,0.8\n";

static void test_pairs(void)
{
    g_autoptr(AimfComparison) c = compare_texts(BEFORE, AFTER, 200);
    g_assert_cmpuint(c->lost, ==, 1);
    g_assert_cmpuint(c->won, ==, 1);
    g_assert_cmpfloat(c->mcnemar_exact, ==, 1);
    g_assert_cmpfloat(c->changes[0], ==, 0);
    static const guint expected[4][5] = { { 2, 2, 2, 0, 0 }, { 2, 1, 2, 0, 1 }, { 2, 2, 1, 1, 0 }, { 2, 1, 1, 0, 0 } };
    for (int i = 0; i < 4; i++) {
        const AimfGroupPairs *group = &c->groups[i];
        const guint found[] = { group->n, group->right_before, group->right_after, group->lost, group->won };
        for (int k = 0; k < 5; k++)
            g_assert_cmpuint(found[k], ==, expected[i][k]);
        guint both = group->right_before - group->lost;
        AimfInterval tango =
            aimf_tango((AimfPairs){ both, group->lost, group->won, group->n - both - group->lost - group->won }, 0.05);
        g_assert_cmpfloat(group->change.low, ==, tango.low);
        g_assert_cmpfloat(group->change.high, ==, tango.high);
    }
    AimfInterval all = aimf_tango((AimfPairs){ 5, 1, 1, 1 }, 0.05);
    g_assert_cmpfloat(c->intervals[0].low, ==, all.low);
    g_assert_cmpstr(c->methods[0], ==, "Tango");
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        g_assert_true(isnan(c->intervals[i].low) == (c->methods[i] == NULL));
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    aimf_comparison_check(c, findings);
    g_assert_cmpuint(aimf_findings_count(findings), ==, 1);
    g_assert_nonnull(strstr(aimf_findings_at(findings, 0)->text, "group 1_x lost 50.00 points"));
    g_autofree char *path = g_build_filename(folder, "changes.csv", NULL), *changes = NULL;
    g_assert_true(aimf_comparison_save_changes(c, path, NULL));
    g_assert_true(g_file_get_contents(path, &changes, NULL, NULL));
    g_assert_cmpstr(changes, ==, "path,target,protected,before,after,change\nb.png,0,y,1,0,won\nc.png,1,x,1,0,lost\n");
}

/* The same answers: nothing changes, and what rests on pairs knows it. */
static void test_same(void)
{
    g_autoptr(AimfComparison) c = compare_texts(BEFORE, BEFORE, 200);
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    aimf_comparison_check(c, findings);
    g_assert_true(aimf_findings_has(findings, "same-set"));
    g_assert_false(aimf_findings_has(findings, "levelling-down"));
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        g_assert_true(isnan(c->changes[i]) || c->changes[i] == 0);
    for (guint i = 0; i < AIMF_N_SCALARS; i++) /* the ends of one interval away from itself, but for its lopsidedness */
        g_assert_true(isnan(c->intervals[i].low) || (c->intervals[i].low <= 0 && c->intervals[i].high >= 0));
    g_assert_true(c->mcnemar_mid == 1);
}

/* DeLong's paired variance, written out over all pairs of one positive and one negative. */
static void test_auc(void)
{
    static const double one[] = { 0.1, 0.6, 0.9, 0.4, 0.8, 0.3, 0.2, 0.7 };
    static const double two[] = { 0.1, 0.3, 0.45, 0.4, 0.8, 0.3, 0.2, 0.7 };
    static const int target[] = { 0, 0, 1, 1, 1, 0, 0, 1 };
    double placements[8] = { 0 }, means[2] = { 0 }, sums[2] = { 0 };
    for (int i = 0; i < 8; i++) {
        for (int k = 0; k < 8; k++) {
            double sign = target[i] ? 1 : -1;
            if (target[i] == target[k])
                continue;
            double win_one = sign * (one[i] - one[k]) > 0 ? 1 : one[i] == one[k] ? 0.5 : 0;
            double win_two = sign * (two[i] - two[k]) > 0 ? 1 : two[i] == two[k] ? 0.5 : 0;
            placements[i] += (win_two - win_one) / 4;
        }
        means[target[i]] += placements[i] / 4;
    }
    for (int i = 0; i < 8; i++)
        sums[target[i]] += (placements[i] - means[target[i]]) * (placements[i] - means[target[i]]) / 3 / 4;
    double deviation = sqrt(sums[0] + sums[1]);
    g_autoptr(AimfComparison) c = compare_texts(BEFORE, AFTER, 0);
    guint auc = 0;
    while (!g_str_equal(aimf_scalar_name(auc), "auc"))
        auc++;
    assert_close(c->changes[auc], means[1], 1e-12, "change of the AUC");
    assert_close(c->intervals[auc].low, fmax(means[1] - 1.959963984540054 * deviation, -1), 1e-12, "AUC");
    assert_close(c->intervals[auc].high, fmin(means[1] + 1.959963984540054 * deviation, 1), 1e-12, "AUC");
    g_assert_cmpstr(c->methods[auc], ==, "DeLong, paired");
}

static void test_other_sets(void)
{
    static const struct {
        const char *after, *says;
    } cases[] = {
        { HEAD "a.png,0,x,0,0.1\n", "8 samples and 1" },
        { HEAD "a.png,0,x,0,0.1\nb.png,0,y,1,0.6\nc.png,1,x,1,0.9\nd.png,1,y,0,0.4\ne.png,1,y,1,0.8\nf.png,0,x,0,0.3\n"
               "g.png,0,y,0,0.2\nz.png,1,x,1,0.7\n",
          "'h.png' is missing after" },
        { HEAD "a.png,1,x,0,0.1\nb.png,0,y,1,0.6\nc.png,1,x,1,0.9\nd.png,1,y,0,0.4\ne.png,1,y,1,0.8\nf.png,0,x,0,0.3\n"
               "g.png,0,y,0,0.2\nh.png,1,x,1,0.7\n",
          "'a.png' has the target 0 before and 1 after" },
        { HEAD "a.png,0,y,0,0.1\nb.png,0,y,1,0.6\nc.png,1,x,1,0.9\nd.png,1,y,0,0.4\ne.png,1,y,1,0.8\nf.png,0,x,0,0.3\n"
               "g.png,0,y,0,0.2\nh.png,1,x,1,0.7\n",
          "'a.png' has the protected label 'x' before and 'y' after" },
        { HEAD "a.png,0,x,0,0.1\nb.png,0,z,1,0.6\nc.png,1,x,1,0.9\nd.png,1,z,0,0.4\ne.png,1,z,1,0.8\nf.png,0,x,0,0.3\n"
               "g.png,0,z,0,0.2\nh.png,1,x,1,0.7\n",
          "the protected labels are x, y and x, z" },
    };
    g_autoptr(AimfOutcomes) before = read_text("before.csv", BEFORE);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(AimfOutcomes) after = read_text("after.csv", cases[i].after);
        g_autoptr(GError) error = NULL;
        g_assert_null(aimf_compare_outcomes(before, after, 0, 0, NULL, &error));
        data_expect_error(&error, AIMF_ERROR_INVALID, "not of the same test set", cases[i].says, NULL);
    }
}

/* Without paths rows are pairs in their order; with more than two classes macro and worst are compared, too. */
static void test_without_paths(void)
{
    static const char before[] = "target,protected,prediction\n0,a,0\n1,a,1\n2,b,2\n0,b,1\n1,b,1\n2,a,2\n";
    static const char after[] = "target,protected,prediction\n0,a,0\n1,a,2\n2,b,2\n0,b,0\n1,b,1\n2,a,1\n";
    g_autoptr(AimfComparison) c = compare_texts(before, after, 100);
    g_assert_cmpuint(c->lost, ==, 2);
    g_assert_cmpuint(c->won, ==, 1);
    g_assert_cmpint(c->predicted_after[1], ==, 2);
    g_autofree char *json = aimf_comparison_json(c);
    g_autoptr(JsonNode) root = json_from_string(json, NULL);
    JsonArray *measures = json_object_get_array_member(json_node_get_object(root), "measures");
    g_assert_cmpuint(json_array_get_length(measures), ==, AIMF_N_SCALARS);
    g_assert_cmpfloat(
        json_object_get_double_member(json_object_get_object_member(json_node_get_object(root), "mcnemar"), "exact"),
        ==, 1);
    g_assert_nonnull(strstr(json, "\"macro.equalized_odds.mean\""));
    g_autofree char *path = g_build_filename(folder, "changes.csv", NULL), *changes = NULL;
    g_assert_true(aimf_comparison_save_changes(c, path, NULL));
    g_assert_true(g_file_get_contents(path, &changes, NULL, NULL));
    g_assert_true(g_str_has_prefix(changes, "row,target,protected,before,after,change\n2,1,a,1,2,lost\n"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = data_folder_new();
    g_test_add_func("/comparison/pairs", test_pairs);
    g_test_add_func("/comparison/same", test_same);
    g_test_add_func("/comparison/auc", test_auc);
    g_test_add_func("/comparison/other-sets", test_other_sets);
    g_test_add_func("/comparison/without-paths", test_without_paths);
    int status = g_test_run();
    data_folder_free(folder);
    return status;
}
