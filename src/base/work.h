/* The time left of work that has several stages. */
#pragma once

#include <aimfair/monitor.h>

/**
 * AimfWork:
 * Stands between stages and the caller's monitor and adds to each report how long all of the work will take, from
 * what is done of it. Units of a stage weigh what they cost beside those of the others. @inner is the monitor for
 * the stages; it is valid with the work.
 */
typedef struct {
    const AimfMonitor *outer;
    AimfMonitor inner;
    double total;  /* weight of everything */
    double done;   /* weight of the stages that are over */
    double weight; /* of one unit of the stage that runs */
    double stage;  /* weight of the stage that runs */
    gint64 started_us;
} AimfWork;

/**
 * aimf_work_begin: @outer: (nullable); @total: the sum of units times weight over all stages. @work must not move
 * afterwards.
 */
void aimf_work_begin(AimfWork *work, const AimfMonitor *outer, double total);
/** aimf_work_next: the stage before is over, and one of @units that weigh @weight each begins. */
void aimf_work_next(AimfWork *work, guint64 units, double weight);
