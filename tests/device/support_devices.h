/* The devices that tests of the engine run on, and whole values in and out of plans. */
#pragma once

#include <aimfair/graph.h>

/**
 * support_devices: NULL-terminated names of those under test: cpu and reference; with AIMFAIR_TEST_DEVICE in the
 * environment that one alone, which may be mirror too.
 */
const char *const *support_devices(void);
/** support_device: (owned) by name; fails the test if it cannot be opened. */
AimfDevice *support_device(const char *name);
/**
 * support_device_under_test: (borrowed, nullable) for tests of what computes on one device: NULL, for "auto", or the
 * one that AIMFAIR_TEST_DEVICE names.
 */
AimfDevice *support_device_under_test(void);

/** support_write, support_read: all numbers of a value; fail the test on errors. Read: (owned). */
void support_write(AimfPlan *plan, AimfValue value, const float *from);
float *support_read(AimfPlan *plan, AimfValue value);
/** support_read_one: the first number. */
float support_read_one(AimfPlan *plan, AimfValue value);
/** support_read_gradients: (owned) of all trainable parameters of @graph, one after another; @n: how many. */
float *support_read_gradients(AimfPlan *plan, const AimfGraph *graph, gsize *n);
