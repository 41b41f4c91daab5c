/*
 * The demo as a user starts it: what it prints, and whether the method does what it is for. Minutes, so for check-all.
 */
#include "cli/support_program.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

static double figure(JsonArray *models, guint which, const char *member)
{
    double value = json_object_get_double_member(json_array_get_object_element(models, which), member);
    g_assert_cmpfloat(value, >=, 0);
    g_assert_cmpfloat(value, <=, 1);
    return value;
}

static void check_groups(JsonArray *models, guint which)
{
    JsonObject *model = json_array_get_object_element(models, which);
    JsonArray *groups = json_object_get_array_member(model, "groups");
    double sum = 0;
    g_assert_cmpuint(json_array_get_length(groups), ==, 4);
    for (guint g = 0; g < 4; g++) {
        JsonObject *group = json_array_get_object_element(groups, g);
        g_assert_cmpint(json_object_get_int_member(group, "n"), ==, 200);
        sum += json_object_get_double_member(group, "accuracy");
    }
    g_assert_cmpfloat_with_epsilon(sum / 4, figure(models, which, "accuracy"), 1e-9);
}

/* The page is there, whole. */
static void check_report(JsonObject *root)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(json_object_get_string_member(root, "report"), &text, NULL, NULL));
    g_assert_true(g_str_has_prefix(text, "<!DOCTYPE html>"));
    g_assert_nonnull(strstr(text, "</html>"));
}

static void test_demo(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *directory = g_dir_make_tmp("aimfair-demo-XXXXXX", &error);
    g_assert_no_error(error);
    g_auto(ProgramRun) run = RUN("demo", "--json", "--quiet", "--seed", "1", "-o", directory);
    g_assert_cmpstr(run.err, ==, "");
    g_assert_cmpint(run.status, ==, 0);

    g_autoptr(JsonParser) parser = json_parser_new();
    json_parser_load_from_data(parser, run.out, -1, &error);
    g_assert_no_error(error);
    JsonObject *root = json_node_get_object(json_parser_get_root(parser));
    JsonArray *models = json_object_get_array_member(root, "methods");
    g_assert_cmpuint(json_array_get_length(models), ==, 3);
    for (guint which = 0; which < 3; which++)
        check_groups(models, which);
    check_report(root);

    /* The margins are far inside of what five seeds gave, since another processor rounds otherwise. */
    g_assert_cmpfloat(figure(models, 0, "equalized_odds_mean"), >, 0.15);
    g_assert_cmpfloat(figure(models, 1, "equalized_odds_mean"), <, figure(models, 0, "equalized_odds_mean"));
    g_assert_cmpfloat(figure(models, 1, "worst_group_accuracy"), >, figure(models, 0, "worst_group_accuracy"));

    /* It is a run like any other: it can be verified, and done again it has nothing to do and is the same. */
    g_auto(ProgramRun) verified = RUN("verify", "--quiet", directory);
    g_assert_cmpint(verified.status, ==, 0);
    g_auto(ProgramRun) again = RUN("demo", "--json", "--quiet", "--seed", "1", "-o", directory);
    g_assert_cmpint(again.status, ==, 0);
    g_autoptr(JsonNode) node = json_from_string(again.out, NULL);
    JsonObject *other = json_node_get_object(node);
    g_assert_true(json_node_equal(json_object_get_member(root, "methods"), json_object_get_member(other, "methods")));

    g_autofree char *command = g_strdup_printf("rm -r '%s'", directory);
    g_auto(ProgramRun) removed = run_shell(command);
    g_assert_cmpint(removed.status, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/demo/whole", test_demo);
    return g_test_run();
}
