/*
 * How long work reports to its caller and is asked to stop. The library itself never prints and never exits.
 *
 * Example:
 *     #include <aimfair/data.h>
 *     #include <stdio.h>
 *     static volatile int stop; // a handler of SIGINT sets it to 1
 *     static void show(AimfLogLevel level, const char *text, gpointer file)
 *     {
 *         fprintf(file, "%s%s\n", level == AIMF_LOG_WARNING ? "warning: " : "", text);
 *     }
 *     AimfDataCheck *check(const AimfManifest *manifest, GError **error)
 *     {
 *         const AimfMonitor monitor = { .message = show, .stop = &stop, .user_data = stderr };
 *         return aimf_data_check(&manifest, 1, TRUE, 0, &monitor, error); // NULL with AIMF_ERROR_INTERRUPTED
 *     }
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** AIMF_PLURAL: behind a noun that @n counts: "1 picture", "2 pictures". */
#define AIMF_PLURAL(n) ((n) == 1 ? "" : "s")

typedef enum { AIMF_LOG_DEBUG, AIMF_LOG_INFO, AIMF_LOG_WARNING } AimfLogLevel;

/**
 * AimfProgress:
 * @stage: (borrowed) what is being done, for instance "epoch 3/15"
 * @unit: (borrowed) what is counted, plural: "images", "batches"
 * @done: how many are done; @total: how many there are, 0 if unknown
 * @rate: units per second since the stage began, 0 at its start
 * @seconds_left: for the whole stage at that rate, negative if unknown
 * @note: (borrowed, nullable) a figure worth showing, for instance "loss 0.412"
 * @whole_seconds_left: for this stage and all that follow it, negative if unknown
 */
typedef struct {
    const char *stage;
    const char *unit;
    guint64 done;
    guint64 total;
    double rate;
    double seconds_left;
    const char *note;
    double whole_seconds_left;
} AimfProgress;

/**
 * AimfMonitor:
 * @progress: (nullable) called now and then, from the thread that called the library
 * @message: (nullable) called with one line of text without a newline
 * @stop: (nullable, borrowed) long work ends at its next safe point with AIMF_ERROR_INTERRUPTED once this is not 0; a
 *   signal handler may set it
 * @user_data: passed to the callbacks
 * A NULL monitor everywhere means: silent, never stopped.
 */
typedef struct {
    void (*progress)(const AimfProgress *progress, gpointer user_data);
    void (*message)(AimfLogLevel level, const char *text, gpointer user_data);
    const volatile int *stop;
    gpointer user_data;
} AimfMonitor;

G_END_DECLS
