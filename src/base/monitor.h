/* Reporting to the caller's AimfMonitor; every function takes NULL. */
#pragma once

#include <aimfair/error.h>
#include <aimfair/monitor.h>

/** aimf_message: formats one line and hands it to the monitor. */
void aimf_message(const AimfMonitor *monitor, AimfLogLevel level, const char *format, ...) G_GNUC_PRINTF(3, 4);

/** aimf_check_stop: FALSE with AIMF_ERROR_INTERRUPTED once the caller asked to stop; @doing names the work. */
gboolean aimf_check_stop(const AimfMonitor *monitor, const char *doing, GError **error);

/**
 * AimfStage:
 * One counted stretch of work. aimf_stage_begin, then aimf_stage_step after every unit; at most five reports a second
 * reach the monitor, and always the last one. @stage and @unit are borrowed for the whole stage.
 */
typedef struct {
    const AimfMonitor *monitor;
    AimfProgress progress;
    gint64 started_us;
    gint64 reported_us;
} AimfStage;

void aimf_stage_begin(AimfStage *stage, const AimfMonitor *monitor, const char *name, const char *unit, guint64 total);
void aimf_stage_step(AimfStage *stage, guint64 n, const char *note);
