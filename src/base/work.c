#include "base/work.h"

static void forward_progress(const AimfProgress *progress, gpointer user_data)
{
    AimfWork *work = user_data;
    AimfProgress whole = *progress;
    if (progress->done < work->last || progress->done == 0) { /* another stage */
        work->units += work->last;
        work->last = 0;
    }
    work->last = progress->done;
    double done = work->before + MIN((double)(work->units + work->last) * work->weight, work->step);
    double seconds = (double)(g_get_monotonic_time() - work->started_us) / G_USEC_PER_SEC;
    if (work->total > 0)
        whole.whole_seconds_left = done > 0 ? seconds / done * MAX(work->total - done, 0) : -1;
    work->outer->progress(&whole, work->outer->user_data);
}

static void forward_message(AimfLogLevel level, const char *text, gpointer user_data)
{
    const AimfWork *work = user_data;
    work->outer->message(level, text, work->outer->user_data);
}

void aimf_work_begin(AimfWork *work, const AimfMonitor *outer, double total)
{
    *work = (AimfWork){ .outer = outer, .total = total, .started_us = g_get_monotonic_time() };
    work->inner = (AimfMonitor){
        .progress = outer && outer->progress ? forward_progress : NULL,
        .message = outer && outer->message ? forward_message : NULL,
        .stop = outer ? outer->stop : NULL,
        .user_data = work,
    };
}

void aimf_work_next(AimfWork *work, double units, double weight)
{
    work->before += work->step;
    work->step = units * weight;
    work->weight = weight;
    work->units = work->last = 0;
}
