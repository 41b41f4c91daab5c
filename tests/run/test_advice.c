/* Options of commands in the library's advice, as keys of a configuration. */
#include "run/advice.h"

#include <aimfair/error.h>

static void test_words(void)
{
    static const char *const cases[][2] = {
        { "'x.csv', line 2: there is no value; --missing drop leaves such rows out",
          "'x.csv', line 2: there is no value; data.missing: drop leaves such rows out" },
        { "tolerated are 0: --skip-bad N leaves out up to N of them",
          "tolerated are 0: data.skip_bad: N leaves out up to N of them" },
        { "(if that is meant: --allow overlap,same-set)", "(if that is meant: data.allow: overlap,same-set)" },
        { "--target and --protected-column, --target-map: none",
          "data.target and data.protected, data.target_map: none" },
        { "it is in the folder above, which --root should name: x",
          "it is in the folder above, which data.root should name: x" },
        { "'aimfair data csv --target-map' makes numbers of words; 'x' is none: --merge-labels joins them",
          "'aimfair data csv --target-map' makes numbers of words; 'x' is none: data.merge_labels: true joins them" },
        { "let 'data csv --protected-map' do it", "let 'data csv --protected-map' do it" },
        { "'a--root/--target-maps' --roots --root-x --files", "'a--root/--target-maps' --roots --root-x --files" },
        { "", "" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = aimf_run_advice(cases[i][0]);
        g_assert_cmpstr(text, ==, cases[i][1]);
    }
}

static void test_error(void)
{
    GError *error = NULL;
    aimf_run_advise(NULL, &error);
    g_assert_no_error(error);
    aimf_run_advise(g_error_new_literal(AIMF_ERROR, AIMF_ERROR_FORMAT, "--missing drop"), &error);
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
    g_assert_cmpstr(error->message, ==, "data.missing: drop");
    g_error_free(error);
}

static void test_findings(void)
{
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    aimf_findings_add(findings, "spellings", FALSE, "these; --merge-labels joins them");
    aimf_findings_add(findings, "overlap", TRUE, "'my/run/shared/data/val.csv' and 'my/runs/x' in 'my/run'");
    g_autoptr(AimfFindings) copies = aimf_run_advise_findings(findings, "my/run/");
    g_autoptr(AimfFindings) same = aimf_run_advise_findings(findings, "my/run");
    g_autofree char *text = aimf_findings_json(copies), *other = aimf_findings_json(same);
    g_assert_cmpstr(text, ==, other);
    g_assert_cmpstr(aimf_findings_at(copies, 1)->text, ==, "'shared/data/val.csv' and 'my/runs/x' in 'my/run'");
    g_assert_cmpuint(aimf_findings_count(copies), ==, 2);
    g_assert_cmpstr(aimf_findings_at(copies, 0)->text, ==, "these; data.merge_labels: true joins them");
    g_assert_cmpstr(aimf_findings_at(copies, 1)->name, ==, "overlap");
    g_assert_true(aimf_findings_at(copies, 1)->certain);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/advice/words", test_words);
    g_test_add_func("/advice/error", test_error);
    g_test_add_func("/advice/findings", test_findings);
    return g_test_run();
}
