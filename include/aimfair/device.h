/*
 * Where things compute: a device has memory, and streams on which work is done in the order in which it was given.
 * Options that compute have a member @device; NULL there means aimf_device_open("auto").
 *
 * Several devices may be open at once. A device may be used by several threads at the same time; a plan, a store and
 * what was made of them by one thread at a time.
 *
 * Example:
 *     gboolean name_device(GError **error)
 *     {
 *         g_autoptr(AimfDevice) device = aimf_device_open("auto", error);
 *         if (!device)
 *             return FALSE;
 *         g_print("computing on %s\n", aimf_device_name(device));
 *         return TRUE;
 *     }
 */
#pragma once

#include <aimfair/error.h>

G_BEGIN_DECLS

typedef struct AimfDevice AimfDevice;

/**
 * aimf_device_open: @name: "cpu", "reference" (plain loops in f64, to compare with), or "auto", also when NULL: the
 * best one that works here.
 * Returns: (owned) or NULL with NOT_FOUND (there is none of this name; the message lists those that there are) or
 * UNSUPPORTED (it cannot be used here, and why; the message lists those that can).
 */
AimfDevice *aimf_device_open(const char *name, GError **error);
AimfDevice *aimf_device_ref(AimfDevice *device);
/** aimf_device_free: lets go of one reference; plans and stores hold one of their own. */
void aimf_device_free(AimfDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfDevice, aimf_device_free)

/** aimf_device_name: (borrowed) what aimf_device_open knows it by. */
const char *aimf_device_name(const AimfDevice *device);

/**
 * AimfDeviceInfo:
 * @name: for aimf_device_open; @engine: what computes there, with its version and instruction set
 * @memory_bytes, @memory_left_bytes: of all memory, and what of it can be had now; 0 where that is not known
 * @threads: that compute there when the caller does not say how many
 * @bf16: whether AIMF_PRECISION_BF16 can be had; AIMF_PRECISION_F32 always can
 * @unusable: (nullable) why it cannot be used
 */
typedef struct {
    const char *name;
    char *engine;
    guint64 memory_bytes;
    guint64 memory_left_bytes;
    int threads;
    gboolean bf16;
    char *unusable;
} AimfDeviceInfo;

/** aimf_devices: (owned) array of AimfDeviceInfo: every device that this library knows, the best one first. */
GArray *aimf_devices(void);
/** aimf_device_engine: (owned) what computes on @device (NULL: "auto"), for instance "oneDNN 2.6.3, AVX-512 BF16". */
char *aimf_device_engine(const AimfDevice *device);

/**
 * aimf_set_threads: how many threads work that this thread of the caller's begins has from now on, where its options
 * do not say; 0: what OpenMP began with, which is OMP_NUM_THREADS, or if that is not set one per processor that this
 * process may use.
 */
void aimf_set_threads(int threads);

G_END_DECLS
