/* The time left of the whole demo, whose steps are calls that each report stages of their own. */
#pragma once

#include <aimfair/monitor.h>

/**
 * Meter: stands between the steps and the caller's monitor. A step is so many units (pictures looked at), each with a
 * cost; its stages together count them.
 */
typedef struct {
    const AimfMonitor *outer;
    AimfMonitor inner; /* for the steps */
    double total;      /* cost of all steps */
    double before;     /* cost of the steps that are over */
    double step;       /* cost of the step that runs */
    double cost;       /* of one of its units */
    guint64 units;     /* of its stages that are over */
    guint64 last;      /* of the stage that runs */
    gint64 started_us;
} Meter;

/**
 * meter_begin: @outer: (nullable); @total: the sum of units times cost over all steps. @meter must not move
 * afterwards.
 */
void meter_begin(Meter *meter, const AimfMonitor *outer, double total);
/** meter_next: the step before is over, and one of @units that cost @cost each begins. */
void meter_next(Meter *meter, double units, double cost);
