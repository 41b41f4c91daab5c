/* Recording events of a trace. Each function does nothing where the trace is NULL. */
#pragma once

#include <aimfair/trace.h>

/** aimf_trace_now: a time for aimf_trace_add, in nanoseconds. */
gint64 aimf_trace_now(const AimfTrace *trace);
/**
 * aimf_trace_add: that this thread did @name from @begin until now. @category: static; @name, @detail (nullable):
 * copied.
 */
void aimf_trace_add(AimfTrace *trace, const char *category, const char *name, const char *detail, gint64 begin);
