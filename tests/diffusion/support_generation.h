/*
 * What the tests of generation jobs share: prompts, a maker of pictures that costs nothing, and a look at what a job
 * left.
 */
#pragma once

#include "diffusion/generation.h"

/**
 * TestMaker: draws a picture from prompt and seed. A prompt with "FAIL" never has finite numbers; one with "RETRY"
 * was retried; one with "LONG" loses 3 tokens.
 * @stop_after: (0: never) pictures after which *@stop becomes 1; @delay_us: per batch; @largest: most pictures in a
 * call so far
 * @inside: (nullable) called at every batch, with @inside_data
 */
typedef struct {
    guint made;
    guint calls;
    guint largest;
    guint stop_after;
    volatile int stop;
    gulong delay_us;
    void (*inside)(gpointer data);
    gpointer inside_data;
    const char *model; /* its hash; NULL for "model" */
} TestMaker;

/** test_prompts: (owned) groups 0_0, 0_1 and 1_1 with 3, 2 and 1 prompts, which begin with @words. */
AimfPrompts *test_prompts(const char *words);

/** test_generate: runs the job @generation with settings of its own; messages go to @messages (nullable). */
gboolean test_generate(TestMaker *maker, const AimfGeneration *generation, AimfGenerationResult *result,
                       GString *messages, GError **error);

/**
 * test_tree: (owned) one line for every file below @path: its name and SHA-256, sorted; temporary files and dot files
 * too.
 */
char *test_tree(const char *path);
/** test_remove: @path with everything below it. */
void test_remove(const char *path);

/** TestJob: a fixture: a folder to work in, prompts, a maker and the last result. */
typedef struct {
    char *folder;
    AimfPrompts *prompts;
    TestMaker maker;
    AimfGenerationResult result;
} TestJob;

void test_job_set_up(TestJob *f, gconstpointer data);
void test_job_tear_down(TestJob *f, gconstpointer data);
/** test_below: (owned) a path in the fixture's folder. */
char *test_below(const TestJob *f, const char *name);
/** test_job: a job of @per_group pictures of 16 pixels for each group into @folder, two at a time. */
AimfGeneration test_job(const TestJob *f, guint per_group, const char *folder);
/** test_job_run: which must succeed. */
void test_job_run(TestJob *f, const AimfGeneration *generation);
/** test_job_undisturbed: (owned) the tree that such a job leaves. */
char *test_job_undisturbed(TestJob *f, guint per_group);
void test_assert_tree(const char *folder, const char *expected);
