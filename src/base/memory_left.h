/* How much memory this process may still take, by what the system says. */
#pragma once

#include <glib.h>

/**
 * AimfMemoryLeft: G_MAXUINT64 where nothing is known.
 * @addresses: what RLIMIT_AS leaves; @bytes: memory itself; @limit: (static) what sets @bytes: "the machine's free
 * memory"
 */
typedef struct {
    guint64 addresses;
    guint64 bytes;
    const char *limit;
} AimfMemoryLeft;

/**
 * aimf_memory_left: of memory, the least that the limits of the control group and of those above it (cgroup v2 and
 * v1) and the machine's free memory and swap leave. What the system can take back from files counts as free.
 * @root: "" or, for tests, a folder in which proc/ and sys/ are looked for
 */
AimfMemoryLeft aimf_memory_left(const char *root);
