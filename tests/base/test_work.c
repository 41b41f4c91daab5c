/* The time left of work with several stages. */
#include "base/monitor.h"
#include "base/work.h"

#include <string.h>

typedef struct {
    AimfProgress progress;
    char *message;
} Seen;

static void see(const AimfProgress *progress, gpointer data)
{
    ((Seen *)data)->progress = *progress;
}

static void hear(AimfLogLevel level, const char *text, gpointer data)
{
    g_assert_cmpint(level, ==, AIMF_LOG_WARNING);
    ((Seen *)data)->message = g_strdup(text);
}

/*
 * What is left, in units of the time that had gone when it was said, between @before_us and now: 10 of 40 done leaves
 * three times that, whatever the stage says of itself. The products are rounded.
 */
static void expect_ratio(const AimfWork *work, const Seen *seen, gint64 before_us, double ratio)
{
    double least = (double)(before_us - work->started_us) / G_USEC_PER_SEC;
    double most = (double)(g_get_monotonic_time() - work->started_us) / G_USEC_PER_SEC;
    g_assert_cmpfloat(seen->progress.whole_seconds_left, >=, ratio * least * (1 - 1e-9));
    g_assert_cmpfloat(seen->progress.whole_seconds_left, <=, ratio * most * (1 + 1e-9));
}

static void test_stages(void)
{
    Seen seen = { 0 };
    const int stop = 0;
    const AimfMonitor outer = { see, hear, &stop, &seen };
    AimfWork work;
    AimfStage stage;
    aimf_work_begin(&work, &outer, 40);
    g_assert_true(work.inner.stop == &stop);
    aimf_work_next(&work, 10, 1);
    aimf_stage_begin(&stage, &work.inner, "first", "units", 10);
    g_assert_cmpfloat(seen.progress.whole_seconds_left, <, 0); /* nothing is known yet */
    g_usleep(G_USEC_PER_SEC / 2);
    gint64 before_us = g_get_monotonic_time();
    aimf_stage_step(&stage, 10, NULL);
    expect_ratio(&work, &seen, before_us, 3);
    g_assert_cmpfloat(seen.progress.seconds_left, ==, 0);
    aimf_work_next(&work, 10, 3);
    before_us = g_get_monotonic_time();
    aimf_stage_begin(&stage, &work.inner, "second", "units", 10);
    expect_ratio(&work, &seen, before_us, 3);
    aimf_stage_step(&stage, 10, NULL);
    g_assert_cmpfloat(seen.progress.whole_seconds_left, ==, 0);
    aimf_message(&work.inner, AIMF_LOG_WARNING, "%s", "heard");
    g_assert_cmpstr(seen.message, ==, "heard");
    g_free(seen.message);
}

static void expect_left(AimfWork *work, const Seen *seen, double seconds, guint64 done, double left)
{
    work->started_us = g_get_monotonic_time() - (gint64)(seconds * G_USEC_PER_SEC);
    AimfProgress progress = { .stage = "stage", .unit = "pictures", .done = done, .total = done };
    work->inner.progress(&progress, work->inner.user_data);
    g_assert_cmpfloat_with_epsilon(seen->progress.whole_seconds_left, left, 0.05 * left + 0.01);
}

/* A step's stages each count from 0; a stage that begins is known by that it has done less than the last said. */
static void test_steps_of_several_stages(void)
{
    Seen seen = { 0 };
    const AimfMonitor outer = { .progress = see, .user_data = &seen };
    AimfWork work;
    aimf_work_begin(&work, &outer, 140);
    aimf_work_next(&work, 10, 2);
    expect_left(&work, &seen, 10, 5, 130);
    expect_left(&work, &seen, 20, 10, 120);
    aimf_work_next(&work, 30, 4);
    expect_left(&work, &seen, 60, 10, 80);  /* 20 + 40 of 140 */
    expect_left(&work, &seen, 80, 5, 60);   /* the next stage: fewer are done, so 10 are over */
    expect_left(&work, &seen, 120, 15, 20); /* the same stage goes on */
    expect_left(&work, &seen, 140, 99, 0);  /* more than was foreseen is no more than the step */
    aimf_work_next(&work, 1, 1);
    expect_left(&work, &seen, 140, 1, 0);
}

static void test_silence(void)
{
    AimfWork work;
    AimfStage stage;
    aimf_work_begin(&work, NULL, 1);
    aimf_stage_begin(&stage, &work.inner, "silent", "units", 1);
    aimf_stage_step(&stage, 1, NULL);
    aimf_message(&work.inner, AIMF_LOG_WARNING, "silent");
    g_assert_true(aimf_check_stop(&work.inner, "silence", NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/work/stages", test_stages);
    g_test_add_func("/work/steps-of-several-stages", test_steps_of_several_stages);
    g_test_add_func("/work/silence", test_silence);
    return g_test_run();
}
