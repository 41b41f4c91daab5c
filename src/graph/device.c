/* Devices by name, and streams of any class. */
#include "graph/device.h"

#include "base/trace.h"
#include "graph/backend.h"

#include <aimfair/names.h>
#include <omp.h>
#include <string.h>

void aimf_set_threads(int threads)
{
    static gsize usual; /* what OpenMP began with: OMP_NUM_THREADS, or the processors that this process may use */
    if (g_once_init_enter(&usual))
        g_once_init_leave(&usual, (gsize)omp_get_max_threads());
    omp_set_num_threads(threads > 0 ? threads : (int)usual);
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

static AimfDevice *open_best(GError **error)
{
    g_clear_error(error);
    for (guint i = 0; aimf_device_classes[i]; i++) {
        g_clear_error(error);
        AimfDevice *device = aimf_device_open_class(aimf_device_classes[i], error);
        if (device)
            return device;
    }
    return NULL;
}

static const AimfDeviceClass *find_class(const char *name)
{
    for (guint i = 0; aimf_device_classes[i]; i++)
        if (strcmp(aimf_device_classes[i]->name, name) == 0)
            return aimf_device_classes[i];
    return NULL;
}

/* (owned) NULL-terminated, of static names; with @usable only those that can be opened. */
static GPtrArray *names_of_devices(gboolean usable)
{
    GPtrArray *names = g_ptr_array_new();
    for (guint i = 0; aimf_device_classes[i]; i++) {
        g_autoptr(AimfDevice) device = usable ? aimf_device_open_class(aimf_device_classes[i], NULL) : NULL;
        if (!usable || device)
            g_ptr_array_add(names, (gpointer)aimf_device_classes[i]->name);
    }
    g_ptr_array_add(names, (gpointer) "auto");
    g_ptr_array_add(names, NULL);
    return names;
}

AimfDevice *aimf_device_open(const char *name, GError **error)
{
    GError *failure = NULL;
    AimfDevice *device = NULL;
    gboolean best = !name || strcmp(name, "auto") == 0;
    const AimfDeviceClass *class = best ? NULL : find_class(name);
    if (best || class)
        device = class ? aimf_device_open_class(class, &failure) : open_best(&failure);
    if (device)
        return device;
    g_autoptr(GPtrArray) names = names_of_devices(failure != NULL);
    g_autofree char *list = g_strjoinv(", ", (char **)names->pdata);
    if (failure) {
        g_set_error(error, failure->domain, failure->code, "the device '%s' cannot be used: %s; there are: %s",
                    best ? "auto" : name, failure->message, list);
        g_error_free(failure);
        return NULL;
    }
    g_autofree char *hint = aimf_name_hint(name, (const char *const *)names->pdata);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "there is no device '%s'%s; there are: %s", name, hint, list);
    return NULL;
}

AimfDevice *aimf_device_or_auto(AimfDevice *device, GError **error)
{
    return device ? aimf_device_ref(device) : aimf_device_open(NULL, error);
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

static void info_clear(gpointer data)
{
    AimfDeviceInfo *info = data;
    g_free(info->engine);
    g_free(info->unusable);
}

GArray *aimf_devices(void)
{
    GArray *infos = g_array_new(FALSE, TRUE, sizeof(AimfDeviceInfo));
    g_array_set_clear_func(infos, info_clear);
    for (guint i = 0; aimf_device_classes[i]; i++) {
        g_autoptr(GError) failure = NULL;
        AimfDeviceInfo info = { .name = aimf_device_classes[i]->name };
        g_autoptr(AimfDevice) device = aimf_device_open_class(aimf_device_classes[i], &failure);
        aimf_device_classes[i]->describe(&info);
        if (!device)
            info.unusable = g_strdup(failure->message);
        g_array_append_val(infos, info);
    }
    return infos;
}

char *aimf_device_engine(const AimfDevice *device)
{
    const AimfDeviceClass *class = device ? device->class : aimf_device_classes[0];
    return class->backend->version();
}

/* --- Streams --- */

AimfStream *aimf_stream_open(AimfDevice *device, int threads, GError **error)
{
    AimfStream *stream = device->class->stream_open(device, error);
    if (!stream)
        return NULL;
    stream->device = aimf_device_ref(device);
    stream->threads = threads > 0 ? threads : omp_get_max_threads();
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

gboolean aimf_stream_wait(AimfStream *stream, GError **error)
{
    const AimfDeviceClass *class = stream->device->class;
    return class->wait(stream, class->mark(stream), error);
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
