/* The host's own memory, for every backend that computes in it. */
#include "graph/backend.h"

#include <string.h>
#include <sys/mman.h>

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
    .allocate = allocate,
    .release = release,
    .clear = clear,
    .upload = copy,
    .download = copy,
};
