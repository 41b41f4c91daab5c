#include "backend/host_device.h"

#include "base/memory_left.h"

#include <omp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What oneDNN's kernels, threads and decoders take beside a plan. */
enum { MARGIN_BYTES = 16 << 20 };

AimfDevice *host_device_open(GError **error)
{
    (void)error;
    return g_new0(AimfDevice, 1);
}

void host_device_close(AimfDevice *device)
{
    g_free(device);
}

void host_device_describe(AimfDeviceInfo *info)
{
    AimfMemoryLeft left = aimf_memory_left("");
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    info->memory_bytes = pages > 0 && page_bytes > 0 ? (guint64)pages * (guint64)page_bytes : 0;
    info->memory_left_bytes = left.bytes == G_MAXUINT64 ? 0 : MIN(left.bytes, info->memory_bytes); /* no swap */
    info->threads = omp_get_max_threads();
}

void *host_device_allocate(AimfDevice *device, gsize bytes, const char *what, GError **error)
{
    (void)device;
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
gboolean host_device_check_room(AimfDevice *device, gsize bytes, GError **error)
{
    (void)device;
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

void host_device_release(AimfDevice *device, void *memory, gsize bytes)
{
    (void)device;
    if (memory)
        munmap(memory, MAX(bytes, 1));
}

/* --- A stream whose work is done as soon as it is given --- */

typedef struct {
    AimfStream base;
    int depth; /* of begin */
    int usual; /* threads that work on this thread's behalf outside */
} HostStream;

AimfStream *host_stream_open(AimfDevice *device, GError **error)
{
    (void)device, (void)error;
    HostStream *stream = g_new0(HostStream, 1);
    return &stream->base;
}

void host_stream_close(AimfStream *stream)
{
    g_free(stream);
}

void host_stream_begin(AimfStream *stream)
{
    HostStream *host = (HostStream *)stream;
    if (host->depth++ > 0)
        return;
    host->usual = omp_get_max_threads();
    if (host->usual != stream->threads)
        omp_set_num_threads(stream->threads);
}

void host_stream_end(AimfStream *stream)
{
    HostStream *host = (HostStream *)stream;
    if (--host->depth == 0 && host->usual != stream->threads)
        omp_set_num_threads(host->usual);
}

gboolean host_stream_clear(AimfStream *stream, void *memory, gsize bytes, GError **error)
{
    (void)stream, (void)error;
    memset(memory, 0, bytes);
    return TRUE;
}

gboolean host_stream_copy(AimfStream *stream, void *to, const void *from, gsize bytes, GError **error)
{
    (void)stream, (void)error;
    memcpy(to, from, bytes);
    return TRUE;
}

guint64 host_stream_mark(AimfStream *stream)
{
    (void)stream;
    return 0;
}

gboolean host_stream_is_reached(AimfStream *stream, guint64 mark)
{
    (void)stream, (void)mark;
    return TRUE;
}

gboolean host_stream_wait(AimfStream *stream, guint64 mark, GError **error)
{
    (void)stream, (void)mark, (void)error;
    return TRUE;
}

void host_stream_drain(AimfStream *stream)
{
    (void)stream;
}
