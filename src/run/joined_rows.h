/* Which picture of the test set each row of predictions is of. */
#pragma once

#include <aimfair/fair.h>

/**
 * aimf_run_join_rows: (owned) of each row of @outcomes its row of @manifest, the test set. Both are in one order, and
 * pictures that could not be read have no outcome. A row has the target and the label; folders depend on where a run
 * was started from and lies now, so that of paths those decide that are alike in most of their last parts. NULL where
 * there is none for one, which @failed (nullable) receives.
 */
guint32 *aimf_run_join_rows(const AimfOutcomes *outcomes, const AimfManifest *manifest, guint *failed);
