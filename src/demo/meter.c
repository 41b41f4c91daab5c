#include "demo/meter.h"

static void on_progress(const AimfProgress *progress, gpointer user_data)
{
    Meter *meter = user_data;
    AimfProgress whole = *progress;
    if (progress->done < meter->last || progress->done == 0) { /* another stage */
        meter->units += meter->last;
        meter->last = 0;
    }
    meter->last = progress->done;
    double done = meter->before + MIN((double)(meter->units + meter->last) * meter->cost, meter->step);
    double seconds = (double)(g_get_monotonic_time() - meter->started_us) / G_USEC_PER_SEC;
    whole.whole_seconds_left = done > 0 ? seconds / done * MAX(meter->total - done, 0) : -1;
    meter->outer->progress(&whole, meter->outer->user_data);
}

static void on_message(AimfLogLevel level, const char *text, gpointer user_data)
{
    const Meter *meter = user_data;
    meter->outer->message(level, text, meter->outer->user_data);
}

void meter_begin(Meter *meter, const AimfMonitor *outer, double total)
{
    *meter = (Meter){ .outer = outer, .total = total, .started_us = g_get_monotonic_time() };
    meter->inner = (AimfMonitor){
        .progress = outer && outer->progress ? on_progress : NULL,
        .message = outer && outer->message ? on_message : NULL,
        .stop = outer ? outer->stop : NULL,
        .user_data = meter,
    };
}

void meter_next(Meter *meter, double units, double cost)
{
    meter->before += meter->step;
    meter->step = units * cost;
    meter->cost = cost;
    meter->units = meter->last = 0;
}
