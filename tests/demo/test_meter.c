#include "demo/meter.h"

typedef struct {
    double left; /* of the last report */
    guint n;
} Watcher;

static void watch(const AimfProgress *progress, gpointer user_data)
{
    Watcher *watcher = user_data;
    watcher->left = progress->whole_seconds_left;
    watcher->n++;
}

static void report(const Meter *meter, guint64 done, guint64 total)
{
    const AimfProgress progress = { .stage = "s", .unit = "u", .done = done, .total = total, .whole_seconds_left = -1 };
    meter->inner.progress(&progress, meter->inner.user_data);
}

/* Time is moved by hand: what is done took so many seconds, and what is left is that over the share done. */
static void assert_left(Meter *meter, const Watcher *watcher, double seconds, guint64 done, guint64 total, double left)
{
    meter->started_us = g_get_monotonic_time() - (gint64)(seconds * G_USEC_PER_SEC);
    report(meter, done, total);
    g_assert_cmpfloat_with_epsilon(watcher->left, left, 0.05 * left + 0.01);
}

/*
 * Ten pictures to draw at a cost of 2, then two epochs of ten at 4 with a look at five in between each: 20 and 120
 * in all.
 */
static void test_stages(void)
{
    Watcher watcher = { 0 };
    const AimfMonitor outer = { .progress = watch, .user_data = &watcher };
    Meter meter;
    meter_begin(&meter, &outer, 140);
    meter_next(&meter, 10, 2);
    report(&meter, 0, 10);
    g_assert_cmpfloat(watcher.left, <, 0);
    assert_left(&meter, &watcher, 10, 5, 10, 130);
    assert_left(&meter, &watcher, 20, 10, 10, 120);
    meter_next(&meter, 30, 4);
    report(&meter, 0, 10);
    assert_left(&meter, &watcher, 60, 10, 10, 80);  /* 20 + 40 of 140 */
    assert_left(&meter, &watcher, 80, 5, 5, 60);    /* the next stage: fewer are done, so 10 are over */
    assert_left(&meter, &watcher, 120, 15, 15, 20); /* the same stage goes on */
    assert_left(&meter, &watcher, 140, 99, 99, 0);  /* more than was foreseen is no more than the step */
    meter_next(&meter, 1, 1);
    assert_left(&meter, &watcher, 140, 1, 1, 0);
    g_assert_cmpuint(watcher.n, ==, 9);
}

/* Who watches nothing is told nothing, and the question whether to stop is passed on. */
static void test_silent(void)
{
    volatile int stop = 0;
    const AimfMonitor outer = { .stop = &stop };
    Meter meter;
    meter_begin(&meter, &outer, 1);
    g_assert_true(meter.inner.progress == NULL && meter.inner.message == NULL && meter.inner.stop == &stop);
    meter_begin(&meter, NULL, 1);
    g_assert_true(meter.inner.progress == NULL && meter.inner.stop == NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/demo/meter/stages", test_stages);
    g_test_add_func("/demo/meter/silent", test_silent);
    return g_test_run();
}
