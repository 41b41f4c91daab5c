#include "base/monitor.h"

#include "base/format.h"
#include "base/shown.h"

enum { REPORT_INTERVAL_US = 200000 };

void aimf_message(const AimfMonitor *monitor, AimfLogLevel level, const char *format, ...)
{
    if (!monitor || !monitor->message)
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *text = aimf_message_text(aimf_format_list(format, args));
    va_end(args);
    monitor->message(level, text, monitor->user_data);
}

gboolean aimf_check_stop(const AimfMonitor *monitor, const char *doing, GError **error)
{
    if (!monitor || !monitor->stop || !*monitor->stop)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INTERRUPTED, "interrupted during %s", doing);
    return FALSE;
}

/* The rate is worked out also where nobody watches: training logs it. */
static void report(AimfStage *stage, gint64 now)
{
    const AimfMonitor *monitor = stage->monitor;
    AimfProgress *p = &stage->progress;
    double seconds = (double)(now - stage->started_us) / G_USEC_PER_SEC;
    p->rate = seconds > 0 ? (double)p->done / seconds : 0;
    p->seconds_left = p->total && p->rate > 0 ? (double)(p->total - p->done) / p->rate : -1;
    stage->reported_us = now;
    if (monitor && monitor->progress)
        monitor->progress(p, monitor->user_data);
}

void aimf_stage_begin(AimfStage *stage, const AimfMonitor *monitor, const char *name, const char *unit, guint64 total)
{
    gint64 now = g_get_monotonic_time();
    *stage = (AimfStage){
        .monitor = monitor,
        .progress = { .stage = name, .unit = unit, .total = total, .whole_seconds_left = -1 },
        .started_us = now,
    };
    report(stage, now);
}

void aimf_stage_step(AimfStage *stage, guint64 n, const char *note)
{
    AimfProgress *p = &stage->progress;
    p->done = p->total ? MIN(p->done + n, p->total) : p->done + n;
    p->note = note;
    gint64 now = g_get_monotonic_time();
    if (now - stage->reported_us >= REPORT_INTERVAL_US || p->done == p->total)
        report(stage, now);
}
