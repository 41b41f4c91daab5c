/* Devices and streams of any class. */
#include "graph/device.h"

#include "base/trace.h"

#include <omp.h>

void aimf_set_threads(int threads)
{
    static gsize usual; /* what OpenMP began with: OMP_NUM_THREADS, or the processors that this process may use */
    if (g_once_init_enter(&usual))
        g_once_init_leave(&usual, (gsize)omp_get_max_threads());
    omp_set_num_threads(threads > 0 ? threads : (int)usual);
}

int aimf_threads(int threads)
{
    return threads > 0 ? threads : omp_get_max_threads();
}

AimfDevice *aimf_device_open_class(const AimfDeviceClass *class, GError **error)
{
    AimfDevice *device = class->open(error);
    if (!device)
        return NULL;
    device->class = class;
    g_atomic_ref_count_init(&device->references);
    return device;
}

AimfDevice *aimf_device_ref(AimfDevice *device)
{
    g_atomic_ref_count_inc(&device->references);
    return device;
}

void aimf_device_free(AimfDevice *device)
{
    if (device && g_atomic_ref_count_dec(&device->references))
        device->class->close(device);
}

const char *aimf_device_name(const AimfDevice *device)
{
    return device->class->name;
}

/* --- Streams --- */

AimfStream *aimf_stream_open(AimfDevice *device, int threads, GError **error)
{
    AimfStream *stream = device->class->stream_open(device, error);
    if (!stream)
        return NULL;
    stream->device = aimf_device_ref(device);
    stream->threads = aimf_threads(threads);
    return stream;
}

void aimf_stream_close(AimfStream *stream)
{
    if (!stream)
        return;
    AimfDevice *device = stream->device;
    device->class->stream_close(stream);
    aimf_device_free(device);
}

void aimf_stream_begin(AimfStream *stream)
{
    if (stream->device->class->begin)
        stream->device->class->begin(stream);
}

void aimf_stream_end(AimfStream *stream)
{
    if (stream->device->class->end)
        stream->device->class->end(stream);
}

gboolean aimf_stream_wait_for(AimfStream *stream, guint64 mark, GError **error)
{
    gboolean good = stream->device->class->wait(stream, mark, error);
    if (!good)
        stream->n_failures++;
    return good;
}

gboolean aimf_stream_wait(AimfStream *stream, GError **error)
{
    return aimf_stream_wait_for(stream, stream->device->class->mark(stream), error);
}

void aimf_stream_drain(AimfStream *stream)
{
    stream->device->class->drain(stream);
}

/* Around a copy given to a stream: its name for errors that come later, and its time where it is done at once. */

static gint64 begin_copy(AimfStream *stream, const char *what)
{
    stream->step = what;
    return aimf_trace_now(stream->trace);
}

static gboolean end_copy(AimfStream *stream, gint64 begin, gboolean good, GError **error)
{
    const char *what = stream->step;
    stream->step = NULL;
    if (!good)
        aimf_step_failed(what, error);
    else if (stream->device->class->on_host)
        aimf_trace_add(stream->trace, "copy", what, NULL, begin);
    return good;
}

gboolean aimf_stream_clear(AimfStream *stream, const char *what, void *memory, gsize bytes, GError **error)
{
    gint64 begin = begin_copy(stream, what);
    return end_copy(stream, begin, stream->device->class->clear(stream, memory, bytes, error), error);
}

gboolean aimf_stream_copy(AimfStream *stream, const char *what, void *to, const void *from, gsize bytes, GError **error)
{
    gint64 begin = begin_copy(stream, what);
    return end_copy(stream, begin, stream->device->class->copy(stream, to, from, bytes, error), error);
}

gboolean aimf_stream_upload(AimfStream *stream, const char *what, void *memory, const void *host, gsize bytes,
                            GError **error)
{
    gint64 begin = begin_copy(stream, what);
    return end_copy(stream, begin, stream->device->class->upload(stream, memory, host, bytes, error), error);
}

gboolean aimf_stream_download(AimfStream *stream, const char *what, void *host, const void *memory, gsize bytes,
                              GError **error)
{
    gint64 begin = begin_copy(stream, what);
    return end_copy(stream, begin, stream->device->class->download(stream, host, memory, bytes, error), error);
}

gboolean aimf_stream_read(AimfStream *stream, const char *what, void *host, const void *memory, gsize bytes,
                          GError **error)
{
    /* Waits after a failed download too: one given before it may still be on its way to the host. */
    gboolean good = aimf_stream_download(stream, what, host, memory, bytes, error);
    return aimf_stream_wait(stream, good ? error : NULL) && good;
}

void aimf_step_failed(const char *step, GError **error)
{
    if (step)
        g_prefix_error(error, "%s: ", step);
}
