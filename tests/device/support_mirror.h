/*
 * A device for tests, "mirror": the CPU's kernels in a memory apart from the host's. Its addresses lie in a reservation
 * that nobody may touch, so whoever takes them for the host's memory faults; kernels are bound to a second mapping.
 * Work is queued and done by another thread, and only once somebody waits for it: whoever takes it for done sees old
 * numbers.
 */
#pragma once

#include "graph/device.h"

extern const AimfDeviceClass mirror_class;

typedef enum { MIRROR_ALLOCATION, MIRROR_COPY, MIRROR_KERNEL, MIRROR_WAIT, MIRROR_N_CALLS } MirrorCall;

/** mirror_calls: how often such a call was made on @device since it was opened or mirror_fail was called. */
guint mirror_calls(AimfDevice *device, MirrorCall call);
/** mirror_fail: the @nth such call from now on, from 1, fails with MEMORY or FAILED, "no luck"; 0: none does. */
void mirror_fail(AimfDevice *device, MirrorCall call, guint nth);
/** mirror_live_bytes: of memory that is allocated and not released. */
gsize mirror_live_bytes(AimfDevice *device);
