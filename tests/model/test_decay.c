/* Which parameters have no weight decay where only weights have it: those that timm leaves out (make_decay.py). */
#include "fair/support_golden.h"
#include "graph/graph.h"
#include "model/architecture.h"

static void check(const char *name, JsonArray *expected)
{
    enum { SIDE = 64 };
    g_autoptr(GError) error = NULL;
    const AimfArchitecture *architecture = aimf_architecture_find(name, &error);
    g_assert_no_error(error);
    g_auto(AimfBuilder) b;
    aimf_builder_init(&b, TRUE);
    AimfValue images = aimf_graph_input(b.graph, "images", AIMF_SHAPE(1, 3, SIDE, SIDE));
    g_assert_cmpint(architecture->logits(&b, images, 1), !=, AIMF_NONE);
    guint found = 0;
    for (guint i = 0; i < aimf_graph_n_parameters(b.graph); i++) {
        AimfValue parameter = aimf_graph_parameter_at(b.graph, i);
        if (aimf_graph_decays(b.graph, parameter))
            continue;
        g_assert_cmpuint(found, <, json_array_get_length(expected));
        g_assert_cmpstr(aimf_graph_name(b.graph, parameter), ==, json_array_get_string_element(expected, found++));
    }
    g_assert_cmpuint(found, ==, json_array_get_length(expected));
}

static void test_timm(void)
{
    g_autoptr(JsonParser) golden = golden_open_file("decay.json");
    JsonObject *root = json_node_get_object(json_parser_get_root(golden));
    JsonObject *networks = json_object_get_object_member(root, "undecayed");
    g_autoptr(GList) names = json_object_get_members(networks);
    g_assert_cmpuint(g_list_length(names), ==, 6);
    for (GList *name = names; name; name = name->next)
        check(name->data, json_object_get_array_member(networks, name->data));
}

/* A graph's own: only where it has a weight's shape, and a mistake before does no harm. */
static void test_exempt(void)
{
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    AimfValue weight = aimf_graph_parameter(graph, "weight", AIMF_SHAPE(2, 3));
    AimfValue other = aimf_graph_parameter(graph, "other", AIMF_SHAPE(2, 3));
    g_assert_true(aimf_graph_decays(graph, weight));
    aimf_graph_exempt_from_decay(graph, weight);
    aimf_graph_exempt_from_decay(graph, aimf_graph_parameter(graph, "other", AIMF_SHAPE(1)));
    g_assert_false(aimf_graph_decays(graph, weight));
    g_assert_true(aimf_graph_decays(graph, other));
    g_assert_false(aimf_graph_decays(graph, aimf_graph_parameter(graph, "bias", AIMF_SHAPE(3))));
    g_assert_false(aimf_graph_decays(graph, aimf_graph_parameter(graph, "of.bias", AIMF_SHAPE(3, 3))));
    g_autoptr(AimfGraph) copy = aimf_graph_copy(graph);
    g_assert_false(aimf_graph_decays(copy, weight));
    g_assert_true(aimf_graph_decays(copy, other));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/decay/timm", test_timm);
    g_test_add_func("/decay/exempt", test_exempt);
    return g_test_run();
}
