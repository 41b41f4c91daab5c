/* The host's own memory, for every backend that computes in it. */
#include "base/memory_left.h"
#include "graph/backend.h"

#include <string.h>
#include <sys/mman.h>

/* What oneDNN's kernels, threads and decoders take beside a plan. */
enum { MARGIN_BYTES = 16 << 20 };

static void *allocate(gsize bytes, const char *what, GError **error)
{
    void *memory = mmap(NULL, MAX(bytes, 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for %s: %.1f MB; a smaller batch needs less", what,
                    (double)bytes / 1e6);
        return NULL;
    }
    madvise(memory, MAX(bytes, 1), MADV_HUGEPAGE); /* fewer page faults; a wish, not a need */
    return memory;
}

/*
 * Pages are only taken as they are touched: what the kernel lends now it may take back with SIGKILL in the middle of
 * the work.
 */
static gboolean check_room(gsize bytes, GError **error)
{
    AimfMemoryLeft left = aimf_memory_left("");
    gboolean room = left.bytes >= bytes && left.bytes - bytes >= MARGIN_BYTES,
             addresses = left.addresses >= MARGIN_BYTES;
    if (!room)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY,
                    "this needs %.1f MB of memory, and %s leaves %.1f MB; a smaller batch needs less",
                    (double)bytes / 1e6, left.limit, (double)left.bytes / 1e6);
    else if (!addresses)
        g_set_error(
            error, AIMF_ERROR, AIMF_ERROR_MEMORY,
            "with %.1f MB the limit of the address space (ulimit -v) leaves no memory to work with; a smaller batch "
            "needs less",
            (double)bytes / 1e6);
    return room && addresses;
}

static void release(void *memory, gsize bytes)
{
    if (memory)
        munmap(memory, MAX(bytes, 1));
}

static void clear(void *memory, gsize bytes)
{
    memset(memory, 0, bytes);
}

static void copy(void *to, const void *from, gsize bytes)
{
    memcpy(to, from, bytes);
}

const AimfMemory aimf_host_memory = {
    .check_room = check_room,
    .allocate = allocate,
    .release = release,
    .clear = clear,
    .upload = copy,
    .download = copy,
};
