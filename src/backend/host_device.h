/* What devices have in common that compute in the process's own memory, at once, on the thread that asks for it. */
#pragma once

#include "graph/device.h"

AimfDevice *host_device_open(GError **error);
void host_device_close(AimfDevice *device);
/** host_device_describe: memory and threads; the rest is the class's. */
void host_device_describe(AimfDeviceInfo *info);
void *host_device_allocate(AimfDevice *device, gsize bytes, const char *what, GError **error);
void host_device_release(AimfDevice *device, void *memory, gsize bytes);
gboolean host_device_check_room(AimfDevice *device, gsize bytes, GError **error);
AimfStream *host_stream_open(AimfDevice *device, GError **error);
void host_stream_close(AimfStream *stream);
void host_stream_begin(AimfStream *stream);
void host_stream_end(AimfStream *stream);
gboolean host_stream_clear(AimfStream *stream, void *memory, gsize bytes, GError **error);
gboolean host_stream_copy(AimfStream *stream, void *to, const void *from, gsize bytes, GError **error);
guint64 host_stream_mark(AimfStream *stream);
gboolean host_stream_is_reached(AimfStream *stream, guint64 mark);
gboolean host_stream_wait(AimfStream *stream, guint64 mark, GError **error);
void host_stream_drain(AimfStream *stream);

/* The members of an AimfDeviceClass that they share. */
#define HOST_DEVICE_CLASS                                                                                              \
    .on_host = TRUE, .open = host_device_open, .close = host_device_close, .allocate = host_device_allocate,           \
    .release = host_device_release, .check_room = host_device_check_room, .stream_open = host_stream_open,             \
    .stream_close = host_stream_close, .begin = host_stream_begin, .end = host_stream_end, .clear = host_stream_clear, \
    .copy = host_stream_copy, .upload = host_stream_copy, .download = host_stream_copy, .mark = host_stream_mark,      \
    .is_reached = host_stream_is_reached, .wait = host_stream_wait, .drain = host_stream_drain
