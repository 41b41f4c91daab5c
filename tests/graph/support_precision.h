/* Whether a test may be skipped because the processor lacks its precision. */
#pragma once

#include <aimfair/graph.h>

/**
 * precision_is_missing: whether @error (nullable) says that this processor computes no bf16; the test is then marked
 * as skipped. On a processor that has it the same error fails the test.
 */
gboolean precision_is_missing(AimfPrecision precision, const GError *error);
