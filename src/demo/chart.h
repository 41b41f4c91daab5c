/* The demo's two pictures: the sheet of example portraits and the chart of measures before and after. */
#pragma once

#include "portraits/portrait_set.h"

#include <aimfair/demo.h>

/**
 * aimf_demo_draw_sheet:
 * Some portraits of every group in both looks, read back from disk, with each group's share of the biased training set.
 */
gboolean aimf_demo_draw_sheet(const char *directory, const AimfPortraitSet *photographs,
                              const AimfPortraitSet *synthetic, const char *path, GError **error);

/** aimf_demo_draw_chart: accuracy of every group and the summary measures, one bar per model. */
gboolean aimf_demo_draw_chart(const AimfDemoResult *result, const char *path, GError **error);
