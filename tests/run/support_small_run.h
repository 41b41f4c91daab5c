/* Drawn pictures and a folder for a small run of them. */
#pragma once

#include <glib.h>

/**
 * SupportSmallRun: @home: a folder of its own, with all the others; manifests with 16 drawn faces each, 48 @synthetic
 */
typedef struct {
    char *home;
    char *folder; /* of the run, not made */
    char *train, *val, *test, *synthetic;
} SupportSmallRun;

/** support_small_run_set_up, support_small_run_tear_down: of a test; @data is not used */
void support_small_run_set_up(SupportSmallRun *f, gconstpointer data);
void support_small_run_tear_down(SupportSmallRun *f, gconstpointer data);
