/* Locks between processes, as files beside what they are for. They end with their process, however it ends. */
#pragma once

#include <aimfair/error.h>

typedef struct AimfLock AimfLock;

/**
 * aimf_lock_take: the lock whose file is @path, without waiting. Returns: (owned) NULL with an error (IO, NOT_FOUND),
 * or without when another process has it. Where file systems have no locks everyone gets it.
 */
AimfLock *aimf_lock_take(const char *path, GError **error);
/** aimf_lock_free: lets go, and removes the file. */
void aimf_lock_free(AimfLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfLock, aimf_lock_free)
