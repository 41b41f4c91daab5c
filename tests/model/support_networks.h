/*
 * A training step of an architecture beside PyTorch's in f64: tests/golden/make_architectures.py has weights and
 * images by the same formula, and says what is compared, and how far rounding may go.
 */
#pragma once

#include <aimfair/model.h>

/** network_check: in training and evaluation mode, on the device under test. Does nothing where there is no bf16. */
void network_check(const char *architecture, AimfPrecision precision);
/** network_check_initial: fresh weights against the moments of PyTorch's. */
void network_check_initial(const char *architecture);
/** network_add_tests: both of each, "/<name>/step" and "/<name>/initial". */
void network_add_tests(const char *const *names, guint n);
