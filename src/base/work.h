/* The time left of work that has several steps. */
#pragma once

#include <aimfair/monitor.h>

/**
 * AimfWork:
 * Stands between the steps of a work and the caller's monitor and adds to each report how long all of the work will
 * take, from what is done of it. A step is so many units, which weigh what they cost beside those of other steps; it
 * may report several stages, which together count them. @inner is the monitor for the steps; it is valid with the work.
 */
typedef struct {
    const AimfMonitor *outer;
    AimfMonitor inner;
    double total;      /* weight of everything */
    double before;     /* weight of the steps that are over */
    double weight;     /* of one unit of the step that runs */
    double step;       /* weight of the step that runs */
    guint64 units;     /* of its stages that are over */
    guint64 last;      /* of the stage that runs */
    gint64 started_us; /* monotonic time */
} AimfWork;

/**
 * aimf_work_begin: @outer: (nullable); @total: the sum of units times weight over all steps. @work must not move
 * afterwards.
 */
void aimf_work_begin(AimfWork *work, const AimfMonitor *outer, double total);
/** aimf_work_next: the step before is over, and one of @units that weigh @weight each begins. */
void aimf_work_next(AimfWork *work, double units, double weight);
