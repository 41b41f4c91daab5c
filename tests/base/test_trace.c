/* Traces: what is recorded is in the file, from whatever thread, and nothing else is needed to read it. */
#include "base/trace.h"
#include "weights/support_weights.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

static JsonNode *save(AimfTrace *trace)
{
    GError *error = NULL;
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "aimfair-trace-XXXXXX.json", NULL);
    g_close(g_mkstemp(path), NULL);
    g_assert_true(aimf_trace_save(trace, path, &error));
    g_autoptr(JsonParser) parser = json_parser_new();
    g_assert_true(json_parser_load_from_file(parser, path, &error));
    g_unlink(path);
    return json_parser_steal_root(parser);
}

/* (nullable) the complete event @name */
static JsonObject *find(JsonNode *root, const char *name)
{
    JsonArray *events = json_object_get_array_member(json_node_get_object(root), "traceEvents");
    for (guint i = 0; i < json_array_get_length(events); i++) {
        JsonObject *event = json_array_get_object_element(events, i);
        if (strcmp(json_object_get_string_member(event, "ph"), "X") == 0 &&
            strcmp(json_object_get_string_member(event, "name"), name) == 0)
            return event;
    }
    return NULL;
}

static gpointer work(gpointer data)
{
    AimfTrace *trace = data;
    aimf_trace_add(trace, "input", "elsewhere", NULL, aimf_trace_now(trace));
    return NULL;
}

static void test_events(void)
{
    g_autoptr(AimfTrace) trace = aimf_trace_new();
    gint64 begin = aimf_trace_now(trace);
    g_usleep(2000);
    aimf_trace_add(trace, "step", "a \"step\"\n\xff", "kernel", begin);
    g_thread_join(g_thread_new("decoder", work, trace));
    g_autoptr(JsonNode) root = save(trace);
    JsonObject *step = find(root, "a \"step\"\n\xef\xbf\xbd"), *elsewhere = find(root, "elsewhere");
    g_assert_nonnull(step);
    g_assert_nonnull(elsewhere);
    g_assert_cmpfloat(json_object_get_double_member(step, "dur"), >=, 2000);
    g_assert_cmpfloat(json_object_get_double_member(step, "ts"), >=, 0);
    g_assert_cmpfloat(json_object_get_double_member(elsewhere, "ts"), >=,
                      json_object_get_double_member(step, "ts") + json_object_get_double_member(step, "dur"));
    g_assert_cmpint(json_object_get_int_member(step, "tid"), !=, json_object_get_int_member(elsewhere, "tid"));
    g_assert_cmpstr(json_object_get_string_member(step, "cat"), ==, "step");
    g_assert_cmpstr(json_object_get_string_member(json_object_get_object_member(step, "args"), "detail"), ==, "kernel");
}

/* No more is kept than half a million events; the others are counted. */
static void test_limit(void)
{
    enum { MOST = 1 << 19, MORE = 7 };
    g_autoptr(AimfTrace) trace = aimf_trace_new();
    for (int i = 0; i < MOST + MORE; i++)
        aimf_trace_add(trace, "step", i < MOST ? "kept" : "left out", NULL, 0);
    g_autoptr(JsonNode) root = save(trace);
    JsonObject *other = json_object_get_object_member(json_node_get_object(root), "otherData");
    g_assert_cmpint(json_object_get_int_member(other, "left_out"), ==, MORE);
    g_assert_null(find(root, "left out"));
}

static void test_nothing(void)
{
    GError *error = NULL;
    aimf_trace_add(NULL, "step", "nothing", NULL, aimf_trace_now(NULL));
    g_autoptr(AimfTrace) trace = aimf_trace_new();
    g_autoptr(JsonNode) root = save(trace);
    g_assert_null(find(root, "nothing"));
    g_assert_false(aimf_trace_save(trace, "/nowhere/trace.json", &error));
    support_assert_error(&error, AIMF_ERROR_NOT_FOUND, "/nowhere");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/events", test_events);
    g_test_add_func("/trace/limit", test_limit);
    g_test_add_func("/trace/nothing", test_nothing);
    return g_test_run();
}
