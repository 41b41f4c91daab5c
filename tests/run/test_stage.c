/* Stages in their folders: what is damaged, what only cannot be read now, and what killed writers left. */
#include "base/file.h"
#include "run/stage.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>

typedef struct {
    char *run;
    AimfProvenance *wanted;
} Fixture;

static char *file_of(const Fixture *f, const char *name)
{
    return g_build_filename(f->run, name, NULL);
}

static void write_file(const Fixture *f, const char *name)
{
    g_autofree char *path = file_of(f, name);
    g_assert_true(g_file_set_contents(path, name, -1, NULL));
}

static gboolean is_there(const Fixture *f, const char *name)
{
    g_autofree char *path = file_of(f, name);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* The stage "shared/sets" with one file, in its place. */
static void set_up(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    f->run = g_dir_make_tmp("aimfair-stage-XXXXXX", NULL);
    f->wanted = aimf_provenance_new("shared/sets", "f32", 1);
    g_autoptr(AimfProvenance) made = aimf_provenance_new("shared/sets", "f32", 1);
    g_autofree char *part = aimf_stage_prepare(f->run, made, &error);
    g_assert_nonnull(part);
    write_file(f, "shared/sets.part/balanced.csv");
    aimf_stage_commit(f->run, made, &error);
    g_assert_no_error(error);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_true(aimf_folder_remove(f->run, NULL));
    g_free(f->run);
    aimf_provenance_free(f->wanted);
}

static AimfStageState state_of(const Fixture *f)
{
    g_autoptr(GError) error = NULL;
    AimfStageState state;
    aimf_stage_look(f->run, f->wanted, NULL, NULL, &state, NULL, &error);
    g_assert_no_error(error);
    return state;
}

static struct rlimit table; /* of files, as it was */

static void fill_table(void)
{
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &table), ==, 0);
    const struct rlimit full = { 0, table.rlim_max };
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &full), ==, 0);
}

static void empty_table(void)
{
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &table), ==, 0);
}

static void test_state(Fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmpint(state_of(f), ==, AIMF_STAGE_DONE);
    write_file(f, "shared/sets/provenance.json");
    g_assert_cmpint(state_of(f), ==, AIMF_STAGE_DAMAGED);
}

static void test_outputs(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *path = file_of(f, "shared/sets/balanced.csv");
    g_assert_true(g_file_set_contents(path, "other", -1, NULL));
    g_assert_cmpint(state_of(f), ==, AIMF_STAGE_DAMAGED);
    g_assert_cmpint(g_unlink(path) + g_mkdir(path, 0777), ==, 0);
    g_assert_cmpint(state_of(f), ==, AIMF_STAGE_DAMAGED);
    g_assert_cmpint(g_rmdir(path), ==, 0);
    g_assert_cmpint(state_of(f), ==, AIMF_STAGE_DAMAGED);
    f->wanted->threads = 2;
    g_assert_cmpint(state_of(f), ==, AIMF_STAGE_STALE);
}

/* A full table of files says nothing about a stage, and costs none. */
static void test_fault(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) of_look = NULL, of_prepare = NULL;
    AimfStageState state;
    g_autoptr(AimfProvenance) begun = aimf_provenance_new("shared/sets", "f32", 1);
    g_free(aimf_stage_prepare(f->run, begun, NULL));
    write_file(f, "shared/sets.part/state");
    fill_table();
    gboolean seen = aimf_stage_look(f->run, f->wanted, NULL, NULL, &state, NULL, &of_look);
    g_autofree char *part = aimf_stage_prepare(f->run, begun, &of_prepare);
    empty_table();
    g_assert_false(seen);
    g_assert_error(of_look, AIMF_ERROR, AIMF_ERROR_IO);
    g_assert_null(part);
    g_assert_error(of_prepare, AIMF_ERROR, AIMF_ERROR_IO);
    g_assert_true(is_there(f, "shared/sets.part/state"));
    g_assert_cmpint(state_of(f), ==, AIMF_STAGE_DONE);
}

/* What a writer that was killed left half written is no file of the stage that goes on there. */
static void test_parts(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfProvenance) again = aimf_provenance_new("shared/sets", "f32", 1);
    for (int i = 0; i < 2; i++) {
        g_autofree char *part = aimf_stage_prepare(f->run, again, &error);
        g_assert_nonnull(part);
        if (i == 0) {
            write_file(f, "shared/sets.part/biased.csv.aB3dE6.aimfair-part");
            write_file(f, "shared/sets.part/state");
        }
    }
    g_assert_false(is_there(f, "shared/sets.part/biased.csv.aB3dE6.aimfair-part"));
    g_assert_true(is_there(f, "shared/sets.part/state"));
    aimf_stage_commit(f->run, again, &error);
    g_assert_no_error(error);
    g_assert_cmpint((int)json_object_get_size(again->outputs), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/stage/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("state", test_state);
    ADD("outputs", test_outputs);
    ADD("fault", test_fault);
    ADD("parts", test_parts);
    return g_test_run();
}
