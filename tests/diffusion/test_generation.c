/* What a generation job leaves: pictures, lists, the same bytes however it was divided and interrupted. */
#include "diffusion/support_generation.h"
#include "image/support_image.h"

#include <aimfair/data.h>
#include <glib/gstdio.h>
#include <string.h>

static void test_seeds(TestJob *f, gconstpointer data)
{
    (void)f, (void)data;
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (guint n = 0; n < 20000; n++) {
        guint64 seed = aimf_picture_seed(42, n);
        g_assert_cmpuint(seed, <, G_GUINT64_CONSTANT(1) << 53);
        g_assert_true(g_hash_table_add(seen, GSIZE_TO_POINTER((gsize)seed)));
    }
    /* From a Philox 4x32-10 written in Python for this test: old jobs must stay repeatable. */
    g_assert_cmpuint(aimf_picture_seed(42, 7), ==, G_GUINT64_CONSTANT(6473315349436446));
    g_assert_cmpuint(aimf_picture_seed(G_MAXUINT64, 123456), ==, G_GUINT64_CONSTANT(6181207052142585));
}

static void check_picture(const TestJob *f, const AimfManifest *manifest, guint index)
{
    guint n_groups = f->prompts->n_groups, number = index / n_groups;
    const AimfPromptGroup *group = &f->prompts->groups[index % n_groups];
    AimfSample sample = aimf_manifest_at(manifest, index);
    g_autofree char *name = g_strdup_printf("all/%s/%06u.png", group->name, number);
    g_autofree char *path = test_below(f, name);
    g_assert_cmpstr(sample.path, ==, path);
    g_assert_cmpint(sample.target, ==, group->target);
    g_assert_cmpstr(sample.protected_label, ==, group->protected_group);
    g_assert_cmpstr(aimf_manifest_get(manifest, index, "source"), ==, "synthetic");
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfImage) image = aimf_image_open(path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(image->width, ==, 16);
    g_assert_cmpint(image->height, ==, 16);
    g_autofree char *bytes = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, aimf_picture_seed(0, number));
    const char *prompt = group->prompts[number % group->n_prompts].text;
    g_assert_nonnull(memmem(bytes, size, prompt, strlen(prompt)));
    g_assert_nonnull(memmem(bytes, size, "guidance\0009.0", 12));
    g_assert_nonnull(memmem(bytes, size, seed, strlen(seed)));
}

static void test_plain(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *folder = test_below(f, "all"), *list = test_below(f, "all/manifest.csv"),
                    *lines = test_below(f, "all/generation.jsonl");
    const AimfGeneration generation = test_job(f, 5, folder);
    test_job_run(f, &generation);
    g_assert_cmpuint(f->result.made, ==, 15);
    g_assert_cmpuint(f->result.there_before + f->result.failed + f->result.retried, ==, 0);
    g_assert_cmpfloat(f->result.images_per_minute, >, 0);
    g_assert_cmpuint(f->maker.largest, ==, 2);
    g_assert_cmpuint(f->maker.calls, ==, 8);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfManifest) manifest = aimf_manifest_open(list, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(aimf_manifest_count(manifest), ==, 15);
    for (guint i = 0; i < 15; i++)
        check_picture(f, manifest, i);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(lines, &text, NULL, NULL));
    g_auto(GStrv) split = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(split), ==, 16);
    /* Picture 4 of group 0_1, which has two prompts, shares its seed with picture 4 of the others. */
    g_autoptr(JsonNode) node = json_from_string(split[13], &error);
    g_assert_no_error(error);
    JsonObject *line = json_node_get_object(node);
    g_assert_cmpstr(json_object_get_string_member(line, "path"), ==, "0_1/000004.png");
    g_assert_cmpint(json_object_get_int_member(line, "prompt_number"), ==, 0);
    g_assert_cmpint(json_object_get_int_member(line, "seed"), ==, (gint64)aimf_picture_seed(0, 4));
    g_assert_cmpstr(json_object_get_string_member(line, "prompt"), ==, f->prompts->groups[1].prompts[0].text);
    g_assert_cmpint(json_object_get_int_member(json_object_get_object_member(line, "settings"), "steps"), ==, 50);
    g_autofree char *tree = test_tree(folder);
    g_autofree char *listed = g_strdup_printf("0_1/000004.png %s\n", json_object_get_string_member(line, "sha256"));
    g_assert_nonnull(strstr(tree, listed));
}

static void test_batches(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *expected = test_job_undisturbed(f, 5);
    static const guint sizes[] = { 0, 1, 7, 100 };
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *name = g_strdup_printf("batch %u", sizes[i]);
        g_autofree char *folder = test_below(f, name);
        AimfGeneration generation = test_job(f, 5, folder);
        generation.batch = sizes[i];
        f->maker.largest = 0;
        test_job_run(f, &generation);
        g_assert_cmpuint(f->maker.largest, ==, CLAMP(sizes[i], 1, 15));
        test_assert_tree(folder, expected);
    }
}

static void test_image_size(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *folder = test_below(f, "whole"), *path = test_below(f, "whole/1_1/000000.png");
    AimfGeneration generation = test_job(f, 1, folder);
    generation.image_size = 0;
    test_job_run(f, &generation);
    g_autoptr(AimfImage) image = aimf_image_open(path, NULL);
    g_assert_cmpint(image->width, ==, 64);
}

/* A stop between any two batches; what is there then is listed, and the end is the same. */
static void test_stop(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *expected = test_job_undisturbed(f, 4);
    for (guint after = 1; after < 12; after += 3) {
        g_autofree char *name = g_strdup_printf("stopped %u", after);
        g_autofree char *folder = test_below(f, name), *list = g_build_filename(folder, "manifest.csv", NULL);
        AimfGeneration generation = test_job(f, 4, folder);
        f->maker = (TestMaker){ .stop_after = after };
        g_autoptr(GError) error = NULL;
        g_assert_false(test_generate(&f->maker, &generation, &f->result, NULL, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INTERRUPTED);
        guint there = f->maker.made;
        g_assert_cmpuint(f->result.made, ==, there);
        g_autoptr(AimfManifest) manifest = aimf_manifest_open(list, NULL);
        g_assert_cmpuint(aimf_manifest_count(manifest), ==, there);
        generation.resume = TRUE;
        f->maker = (TestMaker){ 0 };
        test_job_run(f, &generation);
        g_assert_cmpuint(f->result.there_before, ==, there);
        g_assert_cmpuint(f->maker.made, ==, 12 - there);
        test_assert_tree(folder, expected);
        test_job_run(f, &generation); /* and once more, with nothing to do */
        g_assert_cmpuint(f->result.there_before, ==, 12);
        test_assert_tree(folder, expected);
    }
}

static void test_enlarge(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *expected = test_job_undisturbed(f, 7), *folder = test_below(f, "grows");
    AimfGeneration generation = test_job(f, 3, folder);
    test_job_run(f, &generation);
    generation.per_group = 7;
    generation.resume = TRUE;
    test_job_run(f, &generation);
    g_assert_cmpuint(f->result.made, ==, 12);
    g_assert_cmpuint(f->result.there_before, ==, 9);
    test_assert_tree(folder, expected);
}

/* Shards in one folder, in any order, one of them stopped and gone on with. */
static void test_shards(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *expected = test_job_undisturbed(f, 8), *folder = test_below(f, "shared");
    static const guint order[] = { 2, 0, 1 };
    AimfGeneration generation = test_job(f, 8, folder);
    generation.shards = 3;
    for (guint i = 0; i < 3; i++) {
        generation.shard = order[i];
        generation.resume = FALSE;
        f->maker = (TestMaker){ .stop_after = i == 1 ? 4 : 0 };
        g_autoptr(GError) error = NULL;
        gboolean done = test_generate(&f->maker, &generation, &f->result, NULL, &error);
        g_assert_true(done == (i != 1));
        generation.resume = TRUE;
        f->maker = (TestMaker){ 0 };
        test_job_run(f, &generation);
        g_assert_cmpuint(f->result.made + f->result.there_before, ==, order[i] < 2 ? 9 : 6);
    }
    test_assert_tree(folder, expected);
}

static void copy_pictures(const TestJob *f, const char *from, const char *to)
{
    for (guint g = 0; g < f->prompts->n_groups; g++) {
        g_autofree char *source = g_build_filename(from, f->prompts->groups[g].name, NULL);
        g_autofree char *target = g_build_filename(to, f->prompts->groups[g].name, NULL);
        g_autoptr(GDir) names = g_dir_open(source, 0, NULL);
        for (const char *name; (name = g_dir_read_name(names));) {
            g_autofree char *old_path = g_build_filename(source, name, NULL),
                            *path = g_build_filename(target, name, NULL);
            g_assert_cmpint(g_rename(old_path, path), ==, 0);
        }
    }
}

/* Shards in folders of their own: put together, and resumed as a whole, nothing is made again. */
static void test_shards_apart(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *expected = test_job_undisturbed(f, 5), *folder = test_below(f, "shard 0"),
                    *other = test_below(f, "shard 1");
    AimfGeneration generation = test_job(f, 5, folder);
    generation.shards = 2;
    test_job_run(f, &generation);
    generation.shard = 1;
    generation.folder = other;
    test_job_run(f, &generation);
    copy_pictures(f, other, folder);
    f->maker = (TestMaker){ 0 };
    generation = test_job(f, 5, folder);
    generation.resume = TRUE;
    test_job_run(f, &generation);
    g_assert_cmpuint(f->maker.made, ==, 0);
    g_assert_cmpuint(f->result.there_before, ==, 15);
    test_assert_tree(folder, expected);
}

typedef struct {
    AimfGeneration generation;
    const char *refusal; /* NULL: it works */
} Second;

/* While a job is at work on the folder. */
static void try_second(gpointer data)
{
    const Second *second = data;
    TestMaker maker = { 0 };
    g_autoptr(GError) error = NULL;
    gboolean done = test_generate(&maker, &second->generation, NULL, NULL, &error);
    if (!second->refusal) {
        g_assert_no_error(error);
        g_assert_true(done);
        return;
    }
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    if (!strstr(error->message, second->refusal))
        g_error("expected '%s' in: %s", second->refusal, error->message);
    g_assert_cmpuint(maker.made, ==, 0);
}

static void test_second_process(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *expected = test_job_undisturbed(f, 4);
    static const struct {
        guint shard, shards, other_shard, other_shards;
        gboolean overlap;
    } cases[] = { { 0, 0, 0, 0, TRUE }, { 0, 2, 0, 2, TRUE },  { 0, 2, 1, 2, FALSE }, { 0, 1, 3, 4, TRUE },
                  { 1, 2, 3, 4, TRUE }, { 1, 2, 2, 4, FALSE }, { 0, 2, 1, 3, TRUE } };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_strdup_printf("busy %u", (guint)i);
        g_autofree char *folder = test_below(f, name);
        AimfGeneration generation = test_job(f, 4, folder);
        generation.resume = TRUE; /* the second one comes at every batch, and finds its own pictures */
        Second second = { generation, cases[i].overlap ? "another process" : NULL };
        second.generation.shard = cases[i].other_shard;
        second.generation.shards = cases[i].other_shards;
        generation.shard = cases[i].shard;
        generation.shards = cases[i].shards;
        f->maker = (TestMaker){ .inside = try_second, .inside_data = &second };
        test_job_run(f, &generation);
        f->maker = (TestMaker){ 0 };
        generation = test_job(f, 4, folder);
        generation.resume = TRUE;
        test_job_run(f, &generation);
        test_assert_tree(folder, expected);
    }
}

static void test_failures(TestJob *f, gconstpointer data)
{
    (void)data;
    g_free(f->prompts->groups[0].prompts[1].text); /* of pictures 1 and 4 */
    f->prompts->groups[0].prompts[1].text = g_strdup("FAIL");
    g_free(f->prompts->groups[1].prompts[0].text); /* of pictures 0, 2 and 4 */
    f->prompts->groups[1].prompts[0].text = g_strdup("RETRY LONG");
    g_autofree char *expected = test_job_undisturbed(f, 5), *folder = test_below(f, "fails"),
                    *list = test_below(f, "fails/manifest.csv");
    AimfGeneration generation = test_job(f, 5, folder);
    g_autoptr(GString) messages = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    f->maker.stop_after = 8;
    g_assert_false(test_generate(&f->maker, &generation, &f->result, messages, &error));
    g_assert_nonnull(strstr(messages->str, "warning: picture 1 of group '0_0' failed"));
    const char *cut = strstr(messages->str, "warning: prompt 0 of group '0_1' is too long: its last 3 tokens");
    g_assert_nonnull(cut);
    g_assert_null(strstr(strchr(cut, '\n'), "too long")); /* once is enough */
    f->maker = (TestMaker){ 0 };
    generation.resume = TRUE;
    test_job_run(f, &generation);
    g_assert_cmpuint(f->result.failed, ==, 2);
    g_assert_cmpuint(f->result.retried, ==, 3);
    g_assert_cmpuint(f->result.made + f->result.there_before, ==, 13);
    test_assert_tree(folder, expected);
    g_autoptr(AimfManifest) manifest = aimf_manifest_open(list, NULL);
    g_assert_cmpuint(aimf_manifest_count(manifest), ==, 13);
    /* Without its line, a retried picture is known by its text; a failed one is tried again. */
    g_autofree char *lines = test_below(f, "fails/generation.jsonl");
    g_assert_cmpint(g_unlink(lines), ==, 0);
    f->maker = (TestMaker){ 0 };
    test_job_run(f, &generation);
    g_assert_cmpuint(f->maker.made, ==, 2);
    test_assert_tree(folder, expected);
}

static void test_all_fail(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autoptr(AimfPrompts) prompts = test_prompts("FAIL");
    g_autofree char *folder = test_below(f, "nothing");
    AimfGeneration generation = test_job(f, 100, folder);
    generation.prompts = prompts;
    g_autoptr(GError) error = NULL;
    g_assert_false(test_generate(&f->maker, &generation, &f->result, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FAILED);
    g_assert_cmpuint(f->maker.made, ==, 16); /* and not all 300 */
    g_clear_error(&error);
    g_autofree char *small = test_below(f, "nothing small");
    generation = test_job(f, 1, small);
    generation.prompts = prompts;
    g_assert_false(test_generate(&f->maker, &generation, &f->result, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FAILED);
}

static void test_preview(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *folder = test_below(f, "sheets"), *sheet = test_below(f, "sheets/preview_0_1.png");
    AimfGeneration generation = test_job(f, 5, folder);
    generation.preview = TRUE;
    test_job_run(f, &generation);
    g_autoptr(AimfImage) five = aimf_image_open(sheet, NULL);
    g_assert_cmpint(five->width, ==, 3 * 132 + 4);
    g_assert_cmpint(five->height, ==, 2 * 132 + 4);
    const guint8 *empty = five->data + ((gsize)(five->height - 20) * (gsize)five->width + (gsize)five->width - 20) * 3;
    g_assert_cmpuint(empty[0], ==, 0x80); /* the sixth cell */
    g_autofree char *path = test_below(f, "sheets/0_1/000004.png");
    g_autoptr(AimfImage) last = aimf_image_open(path, NULL);
    g_autoptr(AimfImage) cell = aimf_image_resize(last, NULL, 128, 128, AIMF_LANCZOS, NULL);
    for (int y = 0; y < 128; y++)
        g_assert_cmpint(
            memcmp(five->data + ((gsize)(136 + y) * (gsize)five->width + 136) * 3, cell->data + (gsize)y * 384, 384),
            ==, 0);
    generation.per_group = 40;
    generation.resume = TRUE;
    test_job_run(f, &generation);
    g_autoptr(AimfImage) many = aimf_image_open(sheet, NULL);
    g_assert_cmpint(many->width, ==, 6 * 132 + 4);
    g_assert_cmpint(many->height, ==, 6 * 132 + 4);
}

#define ADD(name, function)                                                                                            \
    g_test_add("/generation/" name, TestJob, NULL, test_job_set_up, function, test_job_tear_down)

/* --- How pictures came to be --- */

static const char MARK[] = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

static GBytes *read_bytes(const char *path)
{
    char *bytes;
    gsize size;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    return g_bytes_new_take(bytes, size);
}

static gboolean has_mark(GBytes *png)
{
    gsize size;
    const void *data = g_bytes_get_data(png, &size);
    return memmem(data, size, "iTXtXML:com.adobe.xmp", 21) && memmem(data, size, MARK, strlen(MARK));
}

/* (owned) @png as older programs wrote it: without the chunk of XMP. */
static GBytes *without_mark(GBytes *png)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(png, &size);
    GByteArray *kept = g_byte_array_new();
    g_byte_array_append(kept, data, 8);
    for (gsize at = 8; at < size;) {
        gsize chunk =
            12 + ((gsize)data[at] << 24 | (gsize)data[at + 1] << 16 | (gsize)data[at + 2] << 8 | data[at + 3]);
        if (memcmp(data + at + 4, "iTXtXML:", 8) != 0)
            g_byte_array_append(kept, data + at, (guint)chunk);
        at += chunk;
    }
    return g_byte_array_free_to_bytes(kept);
}

static void write_bytes(const char *path, GBytes *bytes)
{
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    g_assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
}

/* A job that began before pictures said how they came to be goes on as it began, and a new one says it. */
static void test_older_job(TestJob *f, gconstpointer data)
{
    (void)data;
    static const char *const names[] = { "0_0/000000.png", "0_1/000000.png", "1_1/000000.png",
                                         "0_0/000001.png", "0_1/000001.png", "1_1/000001.png" };
    g_autofree char *new = test_below(f, "new"), *old = test_below(f, "old"), *group = test_below(f, "old/0_0");
    AimfGeneration generation = test_job(f, 2, new);
    test_job_run(f, &generation);

    g_autofree char *new_job = test_below(f, "new/job.json"), *old_job = test_below(f, "old/job.json"), *text = NULL;
    g_assert_true(g_file_get_contents(new_job, &text, NULL, NULL));
    char *version = strstr(text, "\"version\" : 2");
    g_assert_nonnull(version);
    version[strlen("\"version\" : ")] = '1';
    g_assert_cmpint(g_mkdir_with_parents(group, 0777), ==, 0);
    g_assert_true(g_file_set_contents(old_job, text, -1, NULL));
    g_autofree char *first_new = g_build_filename(new, names[0], NULL), *first = g_build_filename(old, names[0], NULL);
    g_autoptr(GBytes) marked = read_bytes(first_new), plain = without_mark(marked);
    write_bytes(first, plain);

    generation = test_job(f, 2, old);
    generation.resume = TRUE;
    test_job_run(f, &generation);
    g_assert_cmpuint(f->result.there_before, ==, 1);
    g_assert_cmpuint(f->result.made, ==, 5);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *there = g_build_filename(new, names[i], NULL), *here = g_build_filename(old, names[i], NULL);
        g_autoptr(GBytes) one = read_bytes(there), other = read_bytes(here), expected = without_mark(one);
        g_assert_true(has_mark(one));
        g_assert_false(has_mark(other));
        g_assert_true(g_bytes_equal(other, expected));
    }
    g_autofree char *after = NULL;
    g_assert_true(g_file_get_contents(old_job, &after, NULL, NULL));
    g_assert_cmpstr(after, ==, text);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("seeds", test_seeds);
    ADD("plain", test_plain);
    ADD("batches", test_batches);
    ADD("image-size", test_image_size);
    ADD("stop", test_stop);
    ADD("enlarge", test_enlarge);
    ADD("shards", test_shards);
    ADD("shards-apart", test_shards_apart);
    ADD("second-process", test_second_process);
    ADD("failures", test_failures);
    ADD("all-fail", test_all_fail);
    ADD("preview", test_preview);
    ADD("older-job", test_older_job);
    return g_test_run();
}
