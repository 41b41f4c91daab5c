/* Generation jobs in folders that people, disks and other jobs have been at. */
#include "diffusion/support_generation.h"

#include "base/file.h"

#include <aimfair/data.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static void assert_refused(TestJob *f, const AimfGeneration *generation, int code, const char *part)
{
    g_autoptr(GError) error = NULL;
    guint made = f->maker.made;
    g_assert_false(test_generate(&f->maker, generation, &f->result, NULL, &error));
    g_assert_error(error, AIMF_ERROR, code);
    if (!strstr(error->message, part))
        g_error("expected '%s' in: %s", part, error->message);
    g_assert_cmpuint(f->maker.made, ==, made);
}

static void write_file(const char *path, const char *text)
{
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static char *read_file(const char *path)
{
    char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static void cut_file(const char *path, gsize bytes)
{
    g_autofree char *data = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &data, &size, NULL));
    g_assert_cmpuint(size, >, bytes);
    g_assert_true(g_file_set_contents(path, data, (gssize)(size - bytes), NULL));
}

/* Of another job the folder takes nothing; what differs is named. */
static void test_another_job(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *folder = test_below(f, "job");
    AimfGeneration generation = test_job(f, 2, folder);
    test_job_run(f, &generation);
    g_autofree char *before = test_tree(folder);
    assert_refused(f, &generation, AIMF_ERROR_INVALID, "has 6 pictures of this job already; resume it");
    generation.resume = TRUE;
    generation.seed = 5;
    assert_refused(f, &generation, AIMF_ERROR_INVALID, "holds another job: seed is \"0\" there and \"5\" here");
    generation.seed = 0;
    generation.image_size = 32;
    assert_refused(f, &generation, AIMF_ERROR_INVALID, "image_size is 16 there and 32 here");
    generation.image_size = 16;
    f->maker.model = "another";
    assert_refused(f, &generation, AIMF_ERROR_INVALID, "model is \"model\" there and \"another\" here");
    f->maker.model = NULL;
    generation.per_group = 1;
    assert_refused(f, &generation, AIMF_ERROR_INVALID, "of 2 pictures per group, and 1 is asked for");
    generation.per_group = 3;
    g_autoptr(AimfPrompts) prompts = test_prompts("another portrait");
    generation.prompts = prompts;
    assert_refused(f, &generation, AIMF_ERROR_INVALID, "group '0_1' has other prompts");
    prompts->n_groups = 2;
    assert_refused(f, &generation, AIMF_ERROR_INVALID, "there are 3 groups there and 2 here");
    prompts->n_groups = 3;
    test_assert_tree(folder, before);
}

/* A job that never made a picture, for a mistaken option say, stands in nobody's way. */
static void test_job_of_nothing(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *expected = test_job_undisturbed(f, 2), *folder = test_below(f, "job");
    AimfGeneration generation = test_job(f, 9, folder);
    generation.seed = 77;
    f->maker.stop = 1;
    g_autoptr(GError) error = NULL;
    g_assert_false(test_generate(&f->maker, &generation, &f->result, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INTERRUPTED);
    f->maker.stop = 0;
    generation = test_job(f, 2, folder);
    test_job_run(f, &generation);
    test_assert_tree(folder, expected);
}

static void test_job_file(TestJob *f, gconstpointer data)
{
    (void)data;
    static const char *const broken[] = { "",
                                          "{",
                                          "[]",
                                          "{\"version\":3}",
                                          "{\"version\":1,\"per_group\":-1}",
                                          "{\"version\":1,\"per_group\":4,\"settings\":[],\"groups\":3}",
                                          "{\"version\":1,\"per_group\":2,\"settings\":{},\"groups\":[1,null,[]]}" };
    g_autofree char *folder = test_below(f, "job"), *path = test_below(f, "job/job.json");
    AimfGeneration generation = test_job(f, 2, folder);
    test_job_run(f, &generation);
    g_autofree char *good = read_file(path), *before = test_tree(folder);
    generation.resume = TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(broken); i++) {
        write_file(path, broken[i]);
        assert_refused(f, &generation, AIMF_ERROR_INVALID, "holds another job");
    }
    g_assert_cmpint(g_unlink(path), ==, 0);
    assert_refused(f, &generation, AIMF_ERROR_INVALID, "has pictures, but no job.json");
    g_assert_cmpint(g_mkdir(path, 0777), ==, 0);
    assert_refused(f, &generation, AIMF_ERROR_NOT_FOUND, "job.json");
    g_rmdir(path);
    write_file(path, good);
    test_job_run(f, &generation);
    test_assert_tree(folder, before);
}

static void test_arguments(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *folder = test_below(f, "job");
    AimfGeneration generation = test_job(f, 0, folder);
    assert_refused(f, &generation, AIMF_ERROR_INVALID, "0 pictures per group");
    generation = test_job(f, 2, folder);
    generation.shard = generation.shards = 2;
    assert_refused(f, &generation, AIMF_ERROR_INVALID, "shard 2 of 2");
    generation = test_job(f, 2, folder);
    generation.image_size = -1;
    assert_refused(f, &generation, AIMF_ERROR_INVALID, "image size -1");
    generation = test_job(f, 2, folder);
    AimfPromptGroup *group = &f->prompts->groups[1];
    guint n = group->n_prompts;
    group->n_prompts = 0;
    assert_refused(f, &generation, AIMF_ERROR_INVALID, "prompt group '0_1' has no prompts");
    group->n_prompts = n;
    static const char *const names[] = { "", ".", "..", "../up", "a/b", "0_0", ".lock", "manifest.csv" };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_free(group->name);
        group->name = g_strdup(names[i]);
        assert_refused(f, &generation, AIMF_ERROR_INVALID, names[i]);
    }
    g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
}

/*
 * Whatever became of pictures and lists: after resuming it is as if nothing had. @remade: pictures that are made once
 * more
 */
typedef struct {
    const char *what;
    void (*damage)(TestJob *f);
    guint remade;
    const char *message; /* (nullable) that must be given */
} Damage;

static void truncate_picture(TestJob *f)
{
    g_autofree char *path = test_below(f, "job/0_1/000002.png");
    cut_file(path, 1); /* of the closing chunk, which decoders do not look at */
}

static void truncate_unlisted_picture(TestJob *f)
{
    truncate_picture(f);
    g_autofree char *lines = test_below(f, "job/generation.jsonl");
    g_assert_cmpint(g_unlink(lines), ==, 0);
}

static void swap_pictures(TestJob *f)
{
    g_autofree char *a = test_below(f, "job/0_1/000002.png"), *b = test_below(f, "job/0_1/000003.png");
    g_autofree char *c = test_below(f, "job/c");
    g_assert_true(g_rename(a, c) == 0 && g_rename(b, a) == 0 && g_rename(c, b) == 0);
}

static void swap_unlisted_pictures(TestJob *f)
{
    swap_pictures(f);
    g_autofree char *lines = test_below(f, "job/generation.jsonl");
    g_assert_cmpint(g_unlink(lines), ==, 0);
}

static void foreign_picture(TestJob *f)
{
    g_autoptr(AimfImage) image = aimf_image_new(16, 16, NULL);
    memset(image->data, 7, 16 * 16 * 3);
    g_autofree char *path = test_below(f, "job/0_0/000000.png");
    g_assert_true(aimf_image_save(image, path, NULL));
}

static void remove_picture(TestJob *f)
{
    g_autofree char *path = test_below(f, "job/1_1/000001.png");
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void remove_group(TestJob *f)
{
    g_autofree char *path = test_below(f, "job/1_1");
    test_remove(path);
}

static void remove_lists(TestJob *f)
{
    g_autofree char *lines = test_below(f, "job/generation.jsonl"), *list = test_below(f, "job/manifest.csv");
    g_assert_true(g_unlink(lines) == 0 && g_unlink(list) == 0);
}

static void cut_line(TestJob *f)
{
    g_autofree char *lines = test_below(f, "job/generation.jsonl");
    cut_file(lines, 40);
}

/* As a power cut may leave a journal, with brackets, nulls and a lie. */
static void garbage_journal(TestJob *f)
{
    static const char text[] =
        "{\"group\":\"0_0\",\"number\":999999,\"sha256\":null}\n"
        "{\"group\":\"nobody\",\"number\":-1}\n[[[[[[\n\0\0\0\0\0\0\n\n\"text\"\n{\"group\":{}}\n"
        "{\"group\":\"0_0\",\"number\":1,\"sha256\":\"abc\"}\n{\"grou";
    g_autofree char *path = test_below(f, "job/generation.0-of-1.jsonl");
    g_assert_true(g_file_set_contents(path, text, sizeof text - 1, NULL));
    g_autofree char *other = test_below(f, "job/generation.3-of-7.jsonl");
    g_assert_true(g_file_set_contents(other, text, sizeof text - 1, NULL));
}

static void garbage_lines(TestJob *f)
{
    g_autofree char *path = test_below(f, "job/generation.jsonl"), *text = read_file(path);
    g_autofree char *changed = g_strconcat("garbage\n", text, "{\"path\":\"0_0/000000.png\"}\n\377\376", NULL);
    write_file(path, changed);
}

static void leftovers(TestJob *f)
{
    static const char *const names[] = {
        "job/0_0/000001.png.AbC123.aimfair-part", "job/1_1/000003.png.zzzzzz.aimfair-part",
        "job/manifest.csv.AbC123.aimfair-part",   "job/generation.jsonl.AbC123.aimfair-part",
        "job/job.json.000000.aimfair-part",       "job/preview_0_0.png.AbC123.aimfair-part"
    };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = test_below(f, names[i]);
        write_file(path, "half");
    }
}

static const Damage damages[] = {
    { "truncated", truncate_picture, 1, "warning: '" },
    { "truncated, no lines", truncate_unlisted_picture, 1, "is damaged or not from this job" },
    { "swapped", swap_pictures, 2, "is damaged or not from this job" },
    { "swapped, no lines", swap_unlisted_pictures, 2, "is damaged or not from this job" },
    { "foreign", foreign_picture, 1, "is damaged or not from this job" },
    { "removed", remove_picture, 1, NULL },
    { "group removed", remove_group, 4, NULL },
    { "lists removed", remove_lists, 0, NULL },
    { "line cut", cut_line, 0, "1 line is broken" },
    { "garbage journals", garbage_journal, 0, "8 lines are broken" },
    { "garbage lines", garbage_lines, 0, "3 lines are broken" },
    { "leftovers", leftovers, 0, NULL },
};

static void test_damages(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *expected = test_job_undisturbed(f, 4), *folder = test_below(f, "job");
    AimfGeneration generation = test_job(f, 4, folder);
    test_job_run(f, &generation);
    generation.resume = TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(damages); i++) {
        damages[i].damage(f);
        f->maker = (TestMaker){ 0 };
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) messages = g_string_new(NULL);
        g_assert_true(test_generate(&f->maker, &generation, &f->result, messages, &error));
        if (f->maker.made != damages[i].remade || (damages[i].message && !strstr(messages->str, damages[i].message)))
            g_error("%s: %u remade, messages: %s", damages[i].what, f->maker.made, messages->str);
        test_assert_tree(folder, expected);
    }
}

/* The same number in @path with more digits, as programs wrote it that knew no shorter way. */
static void lengthen_numbers(const char *path)
{
    g_autofree char *text = read_file(path);
    g_auto(GStrv) parts = g_strsplit(text, "9.0", -1);
    g_assert_cmpuint(g_strv_length(parts), >, 1);
    g_autofree char *longer = g_strjoinv("9.0000000000000000", parts);
    write_file(path, longer);
}

/* Numbers count by what they are, not by their digits: such a folder is this job's, and nothing in it is strange. */
static void test_old_numbers(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *folder = test_below(f, "job"), *job = test_below(f, "job/job.json");
    g_autofree char *lines = test_below(f, "job/generation.jsonl"), *path = test_below(f, "job/0_0/000001.png");
    AimfGeneration generation = test_job(f, 4, folder);
    test_job_run(f, &generation);
    g_autofree char *expected = read_file(lines);
    lengthen_numbers(job);
    lengthen_numbers(lines);
    g_assert_cmpint(g_unlink(path), ==, 0);
    generation.resume = TRUE;
    f->maker = (TestMaker){ 0 };
    g_autoptr(GString) messages = g_string_new(NULL);
    g_assert_true(test_generate(&f->maker, &generation, &f->result, messages, NULL));
    g_assert_cmpuint(f->maker.made, ==, 1);
    g_assert_cmpstr(messages->str, ==, "");
    g_autofree char *now = read_file(lines);
    g_assert_cmpstr(now, ==, expected);
}

/* Rows that somebody took out, changed or added are not thrown away. */
static void test_edited_manifest(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *folder = test_below(f, "job"), *list = test_below(f, "job/manifest.csv");
    AimfGeneration generation = test_job(f, 2, folder);
    test_job_run(f, &generation);
    generation.resume = TRUE;
    g_autofree char *good = read_file(list);
    g_auto(GStrv) rows = g_strsplit(good, "\n", -1);
    g_autofree char *shorter = g_strdup_printf("%s\n%s\n", rows[0], rows[2]);
    g_autofree char *longer = g_strdup_printf("%smore.png,1,0,mine,0,0\n", good);
    const char *const edits[] = { shorter, longer, "", "path,target,protected\n" };
    for (guint i = 0; i < G_N_ELEMENTS(edits); i++) {
        write_file(list, edits[i]);
        g_autoptr(GString) messages = g_string_new(NULL);
        g_assert_true(test_generate(&f->maker, &generation, &f->result, messages, NULL));
        g_assert_nonnull(strstr(messages->str, "was edited; what it held is now in"));
        g_autofree char *name =
            i == 0 ? g_strdup("job/manifest.edited.csv") : g_strdup_printf("job/manifest.edited-%u.csv", i + 1);
        g_autofree char *kept = test_below(f, name), *text = read_file(kept), *now = read_file(list);
        g_assert_cmpstr(text, ==, edits[i]);
        g_assert_cmpstr(now, ==, good);
    }
    generation.per_group = 3; /* which makes the manifest longer, and is no edit */
    g_autoptr(GString) messages = g_string_new(NULL);
    g_assert_true(test_generate(&f->maker, &generation, &f->result, messages, NULL));
    g_assert_null(strstr(messages->str, "was edited"));
}

/* Folders and files in each other's place. */
static void test_in_the_way(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autofree char *file = test_below(f, "file"), *inside = test_below(f, "file/job"), *folder = test_below(f, "job");
    write_file(file, "mine");
    AimfGeneration generation = test_job(f, 2, file);
    assert_refused(f, &generation, AIMF_ERROR_INVALID, "is a file, and a folder is to be there");
    generation = test_job(f, 2, inside);
    assert_refused(f, &generation, AIMF_ERROR_NOT_FOUND, "file/job");
    generation = test_job(f, 2, folder);
    g_autofree char *group = test_below(f, "job/0_1");
    g_assert_cmpint(g_mkdir(folder, 0777), ==, 0);
    write_file(group, "mine");
    assert_refused(f, &generation, AIMF_ERROR_INVALID, "0_1");
    g_assert_cmpint(g_unlink(group), ==, 0);
    test_job_run(f, &generation);
    g_autofree char *good = test_tree(folder);
    generation.resume = TRUE;
    static const char *const lists[] = { "job/manifest.csv", "job/generation.jsonl", "job/preview_0_1.png" };
    generation.preview = TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autofree char *path = test_below(f, lists[i]);
        g_unlink(path);
        g_assert_cmpint(g_mkdir(path, 0777), ==, 0);
        assert_refused(f, &generation, AIMF_ERROR_INVALID, lists[i]);
        g_rmdir(path);
    }
    generation.preview = FALSE;
    g_autofree char *picture = test_below(f, "job/0_1/000001.png");
    g_assert_true(g_unlink(picture) == 0 && g_mkdir(picture, 0777) == 0);
    assert_refused(f, &generation, AIMF_ERROR_NOT_FOUND, "job/0_1/000001.png");
    g_rmdir(picture);
    test_job_run(f, &generation);
    test_assert_tree(folder, good);
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

static void limit_files(gpointer data)
{
    set_file_limit(GPOINTER_TO_SIZE(data));
}

/* A full disk, as far as one process can have it for itself: at the first picture, in the journal, in the lists. */
static void test_no_space(TestJob *f, gconstpointer data)
{
    (void)data;
    static const gsize limits[] = { 10, 600, 1500, 3000 };
    signal(SIGXFSZ, SIG_IGN);
    g_autofree char *expected = test_job_undisturbed(f, 4), *folder = test_below(f, "job");
    for (gsize i = 0; i < G_N_ELEMENTS(limits); i++) {
        test_remove(folder);
        AimfGeneration generation = test_job(f, 4, folder);
        f->maker = (TestMaker){ .inside = limit_files, .inside_data = GSIZE_TO_POINTER(limits[i]) };
        g_autoptr(GError) error = NULL;
        gboolean done = test_generate(&f->maker, &generation, &f->result, NULL, &error);
        set_file_limit(RLIM_INFINITY);
        g_assert_false(done);
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_IO);
        g_assert_nonnull(strstr(error->message, folder));
        g_autofree char *left = test_tree(folder);
        g_assert_null(strstr(left, "-part"));
        f->maker = (TestMaker){ 0 };
        generation.resume = TRUE;
        test_job_run(f, &generation);
        test_assert_tree(folder, expected);
    }
}

#define ADD(name, function)                                                                                            \
    g_test_add("/generation/damage/" name, TestJob, NULL, test_job_set_up, function, test_job_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("another-job", test_another_job);
    ADD("job-of-nothing", test_job_of_nothing);
    ADD("job-file", test_job_file);
    ADD("arguments", test_arguments);
    ADD("damages", test_damages);
    ADD("old-numbers", test_old_numbers);
    ADD("edited-manifest", test_edited_manifest);
    ADD("in-the-way", test_in_the_way);
    ADD("no-space", test_no_space);
    return g_test_run();
}
