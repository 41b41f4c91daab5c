/*
 * What a device must fill in: memory, and streams of work. The graph gives all work to a stream, in order, and never
 * looks at a device's memory itself.
 *
 * A stream may do work at once or later, on another thread or another machine. Work that fails later is told by the
 * next aimf_stream_wait; until then the stream passes over all that was given to it after that.
 */
#pragma once

#include <aimfair/device.h>
#include <aimfair/graph.h>
#include <aimfair/trace.h>

typedef struct AimfBackend AimfBackend;
typedef struct AimfDeviceClass AimfDeviceClass;

/** AimfDevice: devices with more to them embed it as their first member. */
struct AimfDevice {
    const AimfDeviceClass *class;
    gatomicrefcount references;
};

/**
 * AimfStream: where one store's plans give their work; classes embed it as their first member.
 * @threads: that compute
 * @step: (borrowed, nullable) what the work given next is a step of, for errors and traces; kept as long as that work
 * @trace: (nullable, borrowed) receives what is done; the graph itself records what a device on the host does
 * @n_failures: that waits have told: what was given before the last of them may never have been done
 */
typedef struct {
    AimfDevice *device;
    int threads;
    const char *step;
    AimfTrace *trace;
    guint n_failures;
} AimfStream;

/**
 * AimfDeviceClass: one kind of device.
 * @backend: whose kernels run there
 * @on_host: its memory is the process's own, and a stream's work is done when the call returns
 * @open: (owned) a device, references and class not yet set; NULL with UNSUPPORTED
 * @describe: fills in all but name and unusable
 * @allocate: (owned) zeroed, aligned to 64 bytes or more; NULL with MEMORY that says for @what
 * @release: with the @bytes that it was allocated with; nothing for NULL; no work that uses it may be left
 * @check_room: (nullable) whether all of the @bytes that were allocated will be there when they are used; FALSE with
 * MEMORY
 * @stream_open: the base's members are filled in by the caller; NULL with MEMORY or FAILED
 * @stream_close: waits, and forgets errors that nobody asked for
 * @begin, @end: (nullable) around what one thread gives to a stream at one go; they nest
 * @clear, @copy: work on memory of the device; @upload: @host may change once it returns; @download: @host must stay
 * until a mark set after it is reached. FALSE with MEMORY or FAILED
 * @mark: what has been given so far, for wait and is_reached
 * @wait: until @mark is reached, also where it fails; FALSE with the error of the first work up to it that failed,
 *   which is then forgotten, and with it all work that was given up to now and not done
 * @drain: until all is done or passed over; the next wait still tells of a failure
 */
struct AimfDeviceClass {
    const char *name;
    const AimfBackend *backend;
    gboolean on_host;
    AimfDevice *(*open)(GError **error);
    void (*close)(AimfDevice *device);
    void (*describe)(AimfDeviceInfo *info);
    void *(*allocate)(AimfDevice *device, gsize bytes, const char *what, GError **error);
    void (*release)(AimfDevice *device, void *memory, gsize bytes);
    gboolean (*check_room)(AimfDevice *device, gsize bytes, GError **error);
    AimfStream *(*stream_open)(AimfDevice *device, GError **error);
    void (*stream_close)(AimfStream *stream);
    void (*begin)(AimfStream *stream);
    void (*end)(AimfStream *stream);
    gboolean (*clear)(AimfStream *stream, void *memory, gsize bytes, GError **error);
    gboolean (*copy)(AimfStream *stream, void *to, const void *from, gsize bytes, GError **error);
    gboolean (*upload)(AimfStream *stream, void *memory, const void *host, gsize bytes, GError **error);
    gboolean (*download)(AimfStream *stream, void *host, const void *memory, gsize bytes, GError **error);
    guint64 (*mark)(AimfStream *stream);
    gboolean (*is_reached)(AimfStream *stream, guint64 mark);
    gboolean (*wait)(AimfStream *stream, guint64 mark, GError **error);
    void (*drain)(AimfStream *stream);
};

/** aimf_device_classes: NULL-terminated, the best first; in backend/device_classes.c. */
extern const AimfDeviceClass *const aimf_device_classes[];

/** aimf_device_open_class: as aimf_device_open, of a class that need not be in the table. */
AimfDevice *aimf_device_open_class(const AimfDeviceClass *class, GError **error);
/** aimf_device_or_auto: (owned) @device once more, or "auto" for NULL. */
AimfDevice *aimf_device_or_auto(AimfDevice *device, GError **error);

/** aimf_threads: how many threads @threads means: 0 as many as aimf_set_threads says. */
int aimf_threads(int threads);

/** aimf_stream_open: (owned) @threads: see aimf_threads */
AimfStream *aimf_stream_open(AimfDevice *device, int threads, GError **error);
void aimf_stream_close(AimfStream *stream);
/** aimf_stream_begin, aimf_stream_end: around work given at one go, compiling included. */
void aimf_stream_begin(AimfStream *stream);
void aimf_stream_end(AimfStream *stream);
/** aimf_stream_wait: until all work given is done; FALSE with the first error since the last wait. */
gboolean aimf_stream_wait(AimfStream *stream, GError **error);
/** aimf_stream_wait_for: the same of the work up to @mark. */
gboolean aimf_stream_wait_for(AimfStream *stream, guint64 mark, GError **error);
/** aimf_stream_drain: for who will free what the work uses, and has nobody to tell of failures. */
void aimf_stream_drain(AimfStream *stream);
/*
 * Memory in and out, as AimfDeviceClass has it. @what: (static, interned or kept as long as the work) whose bytes they
 * are, for errors.
 */
gboolean aimf_stream_clear(AimfStream *stream, const char *what, void *memory, gsize bytes, GError **error);
gboolean aimf_stream_copy(AimfStream *stream, const char *what, void *to, const void *from, gsize bytes,
                          GError **error);
gboolean aimf_stream_upload(AimfStream *stream, const char *what, void *memory, const void *host, gsize bytes,
                            GError **error);
gboolean aimf_stream_download(AimfStream *stream, const char *what, void *host, const void *memory, gsize bytes,
                              GError **error);
/** aimf_stream_read: downloads and waits. */
gboolean aimf_stream_read(AimfStream *stream, const char *what, void *host, const void *memory, gsize bytes,
                          GError **error);
/** aimf_step_failed: puts the name of a step before an error of its work. */
void aimf_step_failed(const char *step, GError **error);
