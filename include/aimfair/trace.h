/*
 * What was done when: steps of plans, copies, the input pipeline; as a file that Perfetto and chrome://tracing open.
 *
 * Example:
 *     #include <aimfair/graph.h>
 *
 *     // Each step of a plan's run, and each copy.
 *     gboolean trace_run(const AimfGraph *graph, const AimfTensors *weights, const char *path, GError **error)
 *     {
 *         g_autoptr(AimfTrace) trace = aimf_trace_new();
 *         AimfCompileOptions options = { .trace = trace };
 *         g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, error);
 *         return plan && aimf_plan_load(plan, weights, error) && aimf_plan_run(plan, error) &&
 *                aimf_plan_wait(plan, error) && aimf_trace_save(trace, path, error);
 *     }
 */
#pragma once

#include <aimfair/error.h>

G_BEGIN_DECLS

/** AimfTrace: may be handed to several options; what is recorded may come from any thread. */
typedef struct AimfTrace AimfTrace;

/** aimf_trace_new: (owned) empty. It keeps half a million events, and counts those that come after them. */
AimfTrace *aimf_trace_new(void);
void aimf_trace_free(AimfTrace *trace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfTrace, aimf_trace_free)

/**
 * aimf_trace_save: writes @path, atomically, in Chrome's Trace Event Format, JSON: complete events ("ph": "X") with
 * "cat" step, copy or input, microseconds, and a lane per thread; "otherData" has how many events were left out.
 * Returns: FALSE with IO. Source: the format's description by the Chromium authors, 2016.
 */
gboolean aimf_trace_save(AimfTrace *trace, const char *path, GError **error);

G_END_DECLS
