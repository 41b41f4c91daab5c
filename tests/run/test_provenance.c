/* provenance.json: its key by hand, what it is read back as, and what is refused. */
#include "base/file.h"
#include "run/stage_provenance.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *folder;
    char *path;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void)data;
    f->folder = g_dir_make_tmp("aimfair-provenance-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, AIMF_PROVENANCE, NULL);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    g_unlink(f->path);
    g_rmdir(f->folder);
    g_free(f->path);
    g_free(f->folder);
}

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Members in an order that is not sorted. */
static AimfProvenance *example(void)
{
    AimfProvenance *p = aimf_provenance_new("cells/aim-fair-0/model", "f32", 2);
    g_free(p->program);
    p->program = g_strdup("0.1.0");
    json_object_set_string_member(p->settings, "seeds", "0");
    json_object_set_string_member(p->settings, "finetune.epochs", "10");
    json_object_set_string_member(p->settings, "data.classes", "");
    json_object_set_string_member(p->inputs, "shared/data/train.csv", HASH_B);
    json_object_set_string_member(p->inputs, "pictures of shared/data/train.csv", HASH_A);
    json_object_set_string_member(p->outputs, "model.safetensors", HASH_A);
    p->engine = g_strdup("oneDNN 2.6.3, AVX2");
    p->instruction_set = g_strdup("AVX2");
    return p;
}

static void test_key(void)
{
    g_autoptr(AimfProvenance) p = example();
    static const char text[] =
        "{\"inputs\":{\"pictures of shared/data/train.csv\":\"" HASH_A "\",\"shared/data/train.csv\":\"" HASH_B
        "\"},\"precision\":\"f32\",\"program\":\"0.1.0\","
        "\"settings\":{\"data.classes\":\"\",\"finetune.epochs\":\"10\",\"seeds\":\"0\"},"
        "\"stage\":\"cells/aim-fair-0/model\",\"threads\":2}";
    g_autofree char *expected = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    g_autofree char *key = aimf_provenance_key(p);
    g_assert_cmpstr(key, ==, expected);
    /* What came out, and on what, changes no key; what went in does. */
    json_object_set_string_member(p->outputs, "more", HASH_B);
    g_free(p->engine);
    p->engine = NULL;
    p->failure = g_strdup("the loss is not finite");
    g_autofree char *same = aimf_provenance_key(p);
    g_assert_cmpstr(same, ==, expected);
    p->threads = 3;
    g_autofree char *other = aimf_provenance_key(p);
    g_assert_cmpstr(other, !=, expected);
}

static void assert_same_object(JsonObject *a, JsonObject *b)
{
    g_autoptr(JsonNode) x = json_node_init_object(json_node_alloc(), a);
    g_autoptr(JsonNode) y = json_node_init_object(json_node_alloc(), b);
    g_assert_true(json_node_equal(x, y));
}

static void test_round_trip(Fixture *f, gconstpointer data)
{
    (void)data;
    for (int failed = 0; failed < 2; failed++) {
        g_autoptr(AimfProvenance) p = example();
        g_autoptr(GError) error = NULL;
        p->failure = failed ? g_strdup("the loss is not finite") : NULL;
        if (failed)
            g_clear_pointer(&p->engine, g_free);
        g_assert_true(aimf_provenance_save(p, f->folder, &error));
        g_autoptr(AimfProvenance) read = aimf_provenance_open(f->folder, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(read->name, ==, p->name);
        g_assert_cmpstr(read->program, ==, "0.1.0");
        g_assert_cmpstr(read->precision, ==, "f32");
        g_assert_cmpint(read->threads, ==, 2);
        g_assert_cmpstr(read->engine, ==, p->engine);
        g_assert_cmpstr(read->instruction_set, ==, "AVX2");
        g_assert_cmpstr(read->failure, ==, p->failure);
        assert_same_object(read->settings, p->settings);
        assert_same_object(read->inputs, p->inputs);
        assert_same_object(read->outputs, p->outputs);
        g_autofree char *key = aimf_provenance_key(read);
        g_assert_cmpstr(read->key, ==, key);
    }
}

/* The longest list that a configuration can have. */
static void test_long(Fixture *f, gconstpointer data)
{
    (void)data;
    enum { ITEMS = 1000, BYTES = 4096 };
    g_autoptr(AimfProvenance) p = example();
    g_autoptr(GError) error = NULL;
    g_autofree char *item = g_strnfill(BYTES, '"');
    char *items[ITEMS + 1] = { NULL };
    for (int i = 0; i < ITEMS; i++)
        items[i] = item;
    g_autofree char *list = g_strjoinv(", ", items);
    json_object_set_string_member(p->settings, "data.classes", list);
    g_assert_true(aimf_provenance_save(p, f->folder, NULL));
    g_autoptr(AimfProvenance) read = aimf_provenance_open(f->folder, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(json_object_get_string_member(read->settings, "data.classes"), ==, list);
}

/* The same object gives the same bytes, whatever the order in which its members came. */
static void test_bytes(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(AimfProvenance) p = example();
    g_autofree char *first = NULL, *second = NULL;
    g_assert_true(aimf_provenance_save(p, f->folder, NULL));
    g_assert_true(g_file_get_contents(f->path, &first, NULL, NULL));
    json_object_remove_member(p->settings, "seeds");
    json_object_remove_member(p->settings, "data.classes");
    json_object_set_string_member(p->settings, "data.classes", "");
    json_object_set_string_member(p->settings, "seeds", "0");
    g_assert_true(aimf_provenance_save(p, f->folder, NULL));
    g_assert_true(g_file_get_contents(f->path, &second, NULL, NULL));
    g_assert_cmpstr(first, ==, second);
    g_assert_true(g_str_has_suffix(first, "}\n"));
}

static void test_refused(Fixture *f, gconstpointer data)
{
    (void)data;
    static const struct {
        const char *what, *by, *message;
    } cases[] = {
        { "\"aimfair stage\"", "\"aimfair results\"", "aimfair results" },
        { "\"version\" : 1", "\"version\" : 2", "version 2" },
        { "\"version\" : 1", "\"version\" : \"1\"", "version" },
        { "\"threads\" : 2", "\"threads\" : 2.0", "threads" },
        { "\"threads\" : 2", "\"threads\" : -1", "threads" },
        { "\"threads\" : 2", "\"thread\" : 2", "'thread' is not known" },
        { "\"finetune.epochs\" : \"10\"", "\"finetune.epochs\" : 10", "finetune.epochs" },
        { "\"program\" : \"0.1.0\"", "\"program\" : \"\"", "program" },
        { "\"stage\" : \"cells/", "\"stage\" : \"/cells/", "stage" },
        { "\"stage\" : \"cells/", "\"stage\" : \"cells/../", "stage" },
        { "\"model.safetensors\"", "\"../model.safetensors\"", "../model.safetensors" },
        { "\"model.safetensors\"", "\"/model.safetensors\"", "/model.safetensors" },
        { "\"model.safetensors\" : \"aaaa", "\"model.safetensors\" : \"Aaaa", "SHA-256" },
        { "\"model.safetensors\" : \"aaaa", "\"model.safetensors\" : \"aaa", "SHA-256" },
        { "\"shared/data/train.csv\" : \"0", "\"shared/data/train.csv\" : \"0 ", "SHA-256" },
        { "\"key\" : \"", "\"key\" : \"z", "key" },
        { "\"engine\" : \"oneDNN 2.6.3, AVX2\"", "\"engine\" : 3", "engine" },
        { "\"outputs\" : {", "\"outputs\" : [], \"x\" : {", "" },
        { "}\n", "", "not JSON" },
    };
    g_autoptr(AimfProvenance) p = example();
    g_assert_true(aimf_provenance_save(p, f->folder, NULL));
    g_autofree char *good = NULL;
    g_assert_true(g_file_get_contents(f->path, &good, NULL, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *at = i + 1 < G_N_ELEMENTS(cases) ? strstr(good, cases[i].what) : strrchr(good, '}');
        g_assert_nonnull(at);
        g_autofree char *before = g_strndup(good, (gsize)(at - good));
        g_autofree char *bad = g_strconcat(before, cases[i].by, at + strlen(cases[i].what), NULL);
        g_assert_true(g_file_set_contents(f->path, bad, -1, NULL));
        g_autoptr(GError) error = NULL;
        g_assert_null(aimf_provenance_open(f->folder, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
        g_assert_nonnull(strstr(error->message, cases[i].message));
        g_assert_nonnull(strstr(error->message, AIMF_PROVENANCE));
    }
    g_unlink(f->path);
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_provenance_open(f->folder, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
}

/* Cut anywhere, it is refused; nothing of it is believed. */
static void test_truncated(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(AimfProvenance) p = example();
    g_assert_true(aimf_provenance_save(p, f->folder, NULL));
    g_autofree char *good = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(f->path, &good, &length, NULL));
    for (gsize n = 0; n + 2 < length; n++) {
        g_autoptr(GError) error = NULL;
        g_assert_true(g_file_set_contents(f->path, good, (gssize)n, NULL));
        g_assert_null(aimf_provenance_open(f->folder, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/provenance/key", test_key);
#define ADD(name, function) g_test_add("/provenance/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("round_trip", test_round_trip);
    ADD("long", test_long);
    ADD("bytes", test_bytes);
    ADD("refused", test_refused);
    ADD("truncated", test_truncated);
    return g_test_run();
}
