#include "device/support_mirror.h"

#include "backend/onednn/onednn.h"
#include "base/trace.h"

#include <omp.h>
#include <string.h>
#include <sys/mman.h>

/* More than a test takes, and little enough for an emulator that keeps books of every page. */
static const gsize RESERVED_BYTES = (gsize)1 << 34;
enum { PAGE_BYTES = 4096 };

typedef struct {
    AimfDevice base;
    char *reserved; /* what the addresses look like: no access */
    char *backing;  /* where the bytes are */
    GMutex lock;
    gsize used, live;
    guint calls[MIRROR_N_CALLS], fail_at[MIRROR_N_CALLS];
} Mirror;

typedef struct {
    AimfKernel *kernel; /* or NULL: a copy, or a clear if there is no source either */
    void *to;
    const void *from;
    guint8 *owned; /* what was uploaded */
    gsize bytes;
    const char *step;
} Job;

typedef struct {
    AimfStream base;
    GThread *thread;
    GMutex lock;
    GCond changed;
    GQueue jobs;
    guint64 given, done, wanted, passed_over;
    gboolean closing;
    int depth, usual; /* threads, around what is given at one go */
    GError *failure;
    guint64 failed_at;
} MirrorStream;

/* --- Failures on demand --- */

guint mirror_calls(AimfDevice *device, MirrorCall call)
{
    return ((Mirror *)device)->calls[call];
}

void mirror_fail(AimfDevice *device, MirrorCall call, guint nth)
{
    Mirror *mirror = (Mirror *)device;
    memset(mirror->calls, 0, sizeof mirror->calls);
    memset(mirror->fail_at, 0, sizeof mirror->fail_at);
    mirror->fail_at[call] = nth;
}

gsize mirror_live_bytes(AimfDevice *device)
{
    return ((Mirror *)device)->live;
}

static gboolean count(AimfDevice *device, MirrorCall call, GError **error)
{
    Mirror *mirror = (Mirror *)device;
    g_mutex_lock(&mirror->lock);
    gboolean fails = ++mirror->calls[call] == mirror->fail_at[call];
    g_mutex_unlock(&mirror->lock);
    if (fails)
        g_set_error(error, AIMF_ERROR, call == MIRROR_ALLOCATION ? AIMF_ERROR_MEMORY : AIMF_ERROR_FAILED, "%s",
                    call == MIRROR_WAIT ? "the mirror does not answer: no luck" : "no luck");
    return !fails;
}

/* --- Memory --- */

static void *map(int access)
{
    void *memory = mmap(NULL, RESERVED_BYTES, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        g_error("the mirror's memory cannot be reserved");
    return memory;
}

static AimfDevice *mirror_open(GError **error)
{
    (void)error;
    Mirror *mirror = g_new0(Mirror, 1);
    g_mutex_init(&mirror->lock);
    mirror->reserved = map(PROT_NONE);
    mirror->backing = map(PROT_READ | PROT_WRITE);
    return &mirror->base;
}

static void mirror_close(AimfDevice *device)
{
    Mirror *mirror = (Mirror *)device;
    if (mirror->live)
        g_error("%" G_GSIZE_FORMAT " bytes of the mirror's memory were not released", mirror->live);
    munmap(mirror->reserved, RESERVED_BYTES);
    munmap(mirror->backing, RESERVED_BYTES);
    g_mutex_clear(&mirror->lock);
    g_free(mirror);
}

static void *translate(AimfDevice *device, const void *address)
{
    const Mirror *mirror = (const Mirror *)device;
    if (!address)
        return NULL;
    gsize offset = (gsize)((const char *)address - mirror->reserved);
    if ((const char *)address < mirror->reserved || offset >= RESERVED_BYTES)
        g_error("%p is not an address of the mirror's memory", address);
    return mirror->backing + offset;
}

static void *mirror_allocate(AimfDevice *device, gsize bytes, const char *what, GError **error)
{
    Mirror *mirror = (Mirror *)device;
    if (!count(device, MIRROR_ALLOCATION, error)) {
        g_prefix_error(error, "no memory for %s: ", what);
        return NULL;
    }
    g_mutex_lock(&mirror->lock);
    void *address = mirror->reserved + mirror->used;
    mirror->used += (MAX(bytes, 1) + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    mirror->live += MAX(bytes, 1);
    if (mirror->used > RESERVED_BYTES)
        g_error("the mirror's memory is used up");
    g_mutex_unlock(&mirror->lock);
    return address;
}

static void mirror_release(AimfDevice *device, void *memory, gsize bytes)
{
    Mirror *mirror = (Mirror *)device;
    if (!memory)
        return;
    g_mutex_lock(&mirror->lock);
    mirror->live -= MAX(bytes, 1);
    g_mutex_unlock(&mirror->lock);
    madvise(translate(device, memory), (MAX(bytes, 1) + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES, MADV_DONTNEED);
}

static void mirror_describe(AimfDeviceInfo *info)
{
    aimf_device_classes[0]->describe(info);
}

/* --- Work, later and elsewhere --- */

static gboolean work(MirrorStream *stream, const Job *job, GError **error)
{
    AimfDevice *device = stream->base.device;
    if (!count(device, job->kernel ? MIRROR_KERNEL : MIRROR_COPY, error))
        return FALSE;
    gint64 begin = aimf_trace_now(stream->base.trace);
    if (job->kernel && !job->kernel->run(job->kernel, &stream->base, error))
        return FALSE;
    if (!job->kernel && job->from)
        memcpy(job->to, job->from, job->bytes);
    else if (!job->kernel)
        memset(job->to, 0, job->bytes);
    aimf_trace_add(stream->base.trace, job->kernel ? "step" : "copy", job->step, NULL, begin);
    return TRUE;
}

static void job_free(Job *job)
{
    g_free(job->owned);
    g_free(job);
}

static gpointer run(gpointer data)
{
    MirrorStream *stream = data;
    omp_set_num_threads(stream->base.threads);
    g_mutex_lock(&stream->lock);
    for (;;) {
        while (!stream->closing && stream->done >= stream->wanted)
            g_cond_wait(&stream->changed, &stream->lock);
        if (stream->done >= stream->wanted)
            break;
        Job *job = g_queue_pop_head(&stream->jobs);
        gboolean passes_over = stream->failure || stream->done < stream->passed_over;
        g_mutex_unlock(&stream->lock);
        GError *failure = NULL;
        if (!passes_over && !work(stream, job, &failure))
            aimf_step_failed(job->step, &failure);
        job_free(job);
        g_mutex_lock(&stream->lock);
        stream->done++;
        if (failure) {
            stream->failure = failure;
            stream->failed_at = stream->done;
        }
        g_cond_broadcast(&stream->changed);
    }
    g_mutex_unlock(&stream->lock);
    return NULL;
}

static gboolean give(AimfStream *base, Job job)
{
    MirrorStream *stream = (MirrorStream *)base;
    job.step = base->step;
    g_mutex_lock(&stream->lock);
    /* Begun here, because the stream's threads and device are not known when it is opened. */
    if (!stream->thread)
        stream->thread = g_thread_new("mirror", run, stream);
    g_queue_push_tail(&stream->jobs, g_memdup2(&job, sizeof job));
    stream->given++;
    g_mutex_unlock(&stream->lock);
    return TRUE;
}

static AimfStream *mirror_stream_open(AimfDevice *device, GError **error)
{
    (void)device, (void)error;
    MirrorStream *stream = g_new0(MirrorStream, 1);
    g_mutex_init(&stream->lock);
    g_cond_init(&stream->changed);
    g_queue_init(&stream->jobs);
    return &stream->base;
}

static guint64 mirror_mark(AimfStream *base)
{
    return ((MirrorStream *)base)->given;
}

static gboolean mirror_is_reached(AimfStream *base, guint64 mark)
{
    MirrorStream *stream = (MirrorStream *)base;
    g_mutex_lock(&stream->lock);
    gboolean reached = stream->done >= mark;
    g_mutex_unlock(&stream->lock);
    return reached;
}

static gboolean mirror_wait(AimfStream *base, guint64 mark, GError **error)
{
    MirrorStream *stream = (MirrorStream *)base;
    g_mutex_lock(&stream->lock);
    stream->wanted = MAX(stream->wanted, mark);
    g_cond_broadcast(&stream->changed);
    while (stream->done < mark)
        g_cond_wait(&stream->changed, &stream->lock);
    GError *failure = stream->failure && stream->failed_at <= mark ? g_steal_pointer(&stream->failure) : NULL;
    if (failure)
        stream->passed_over = stream->given;
    g_mutex_unlock(&stream->lock);
    if (failure)
        g_propagate_error(error, failure);
    return !failure && count(base->device, MIRROR_WAIT, error);
}

static void mirror_drain(AimfStream *base)
{
    MirrorStream *stream = (MirrorStream *)base;
    g_mutex_lock(&stream->lock);
    stream->wanted = stream->given;
    g_cond_broadcast(&stream->changed);
    while (stream->done < stream->given)
        g_cond_wait(&stream->changed, &stream->lock);
    g_mutex_unlock(&stream->lock);
}

static void mirror_stream_close(AimfStream *base)
{
    MirrorStream *stream = (MirrorStream *)base;
    mirror_drain(base);
    g_mutex_lock(&stream->lock);
    stream->closing = TRUE;
    g_cond_broadcast(&stream->changed);
    g_mutex_unlock(&stream->lock);
    if (stream->thread)
        g_thread_join(stream->thread);
    g_clear_error(&stream->failure);
    g_mutex_clear(&stream->lock);
    g_cond_clear(&stream->changed);
    g_free(stream);
}

static gboolean mirror_clear(AimfStream *stream, void *memory, gsize bytes, GError **error)
{
    (void)error;
    return give(stream, (Job){ .to = translate(stream->device, memory), .bytes = bytes });
}

static gboolean mirror_copy(AimfStream *stream, void *to, const void *from, gsize bytes, GError **error)
{
    (void)error;
    return give(stream,
                (Job){ .to = translate(stream->device, to), .from = translate(stream->device, from), .bytes = bytes });
}

static gboolean mirror_upload(AimfStream *stream, void *memory, const void *host, gsize bytes, GError **error)
{
    (void)error;
    guint8 *owned = g_memdup2(host, MAX(bytes, 1));
    return give(stream,
                (Job){ .to = translate(stream->device, memory), .from = owned, .owned = owned, .bytes = bytes });
}

static gboolean mirror_download(AimfStream *stream, void *host, const void *memory, gsize bytes, GError **error)
{
    (void)error;
    return give(stream, (Job){ .to = host, .from = translate(stream->device, memory), .bytes = bytes });
}

/* --- The CPU's kernels, bound elsewhere and run later --- */

typedef struct {
    AimfKernel base;
    AimfKernel *inner;
    AimfDevice *device; /* of the stream that opened the plan */
    int n_operands;
} MirrorKernel;

/* The device for which this thread compiles: kernels are planned without being told. */
static _Thread_local AimfDevice *compiling;

static void mirror_begin(AimfStream *stream)
{
    MirrorStream *mirror = (MirrorStream *)stream;
    compiling = stream->device;
    if (mirror->depth++ == 0)
        mirror->usual = omp_get_max_threads();
    omp_set_num_threads(stream->threads);
}

static void mirror_end(AimfStream *stream)
{
    MirrorStream *mirror = (MirrorStream *)stream;
    if (--mirror->depth == 0)
        omp_set_num_threads(mirror->usual);
}

static void kernel_bind(AimfKernel *base, void *const *addresses)
{
    MirrorKernel *kernel = (MirrorKernel *)base;
    g_autofree void **translated = g_new0(void *, kernel->n_operands);
    for (int i = 0; i < kernel->n_operands; i++)
        translated[i] = translate(kernel->device, addresses[i]);
    kernel->inner->bind(kernel->inner, translated);
}

static gboolean kernel_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)error;
    return give(stream, (Job){ .kernel = ((MirrorKernel *)base)->inner });
}

static void kernel_free(AimfKernel *base)
{
    MirrorKernel *kernel = (MirrorKernel *)base;
    kernel->inner->free(kernel->inner);
    g_free(kernel);
}

static AimfKernel *wrap(AimfKernel *inner, int n_operands)
{
    if (!inner)
        return NULL;
    MirrorKernel *kernel = g_new(MirrorKernel, 1);
    *kernel =
        (MirrorKernel){ { inner->implementation, kernel_bind, kernel_run, kernel_free }, inner, compiling, n_operands };
    return &kernel->base;
}

static AimfKernel *plan_node(gpointer state, AimfNodePlan *plan, GError **error)
{
    return wrap(aimf_backend_onednn.plan[plan->node->op](state, plan, error),
                plan->node->n_inputs + plan->node->n_outputs + 1);
}

static AimfKernel *plan_reorder(gpointer state, const AimfLayout *from, const AimfLayout *to, const AimfShape *shape,
                                GError **error)
{
    return wrap(aimf_backend_onednn.plan_reorder(state, from, to, shape, error), 3);
}

static gpointer state_open(AimfPrecision precision, GError **error)
{
    return aimf_backend_onednn.open(precision, error);
}

static void state_close(gpointer state)
{
    aimf_backend_onednn.close(state);
}

static char *version(void)
{
    return g_strdup("mirror");
}

static gboolean layout_equal(const AimfLayout *a, const AimfLayout *b)
{
    return aimf_backend_onednn.layout_equal(a, b);
}

static char *layout_text(const AimfLayout *layout, const AimfShape *shape)
{
    return aimf_backend_onednn.layout_text(layout, shape);
}

#define PLANNER(kind, name, gradient, flops) [AIMF_OP_##kind] = plan_node,
static const AimfBackend mirror_backend = {
    .name = "mirror",
    .open = state_open,
    .close = state_close,
    .version = version,
    .layout_equal = layout_equal,
    .layout_text = layout_text,
    .plan_reorder = plan_reorder,
    .plan = { AIMF_OPS(PLANNER) },
};

const AimfDeviceClass mirror_class = {
    .name = "mirror",
    .backend = &mirror_backend,
    .open = mirror_open,
    .close = mirror_close,
    .describe = mirror_describe,
    .allocate = mirror_allocate,
    .release = mirror_release,
    .stream_open = mirror_stream_open,
    .stream_close = mirror_stream_close,
    .begin = mirror_begin,
    .end = mirror_end,
    .clear = mirror_clear,
    .copy = mirror_copy,
    .upload = mirror_upload,
    .download = mirror_download,
    .mark = mirror_mark,
    .is_reached = mirror_is_reached,
    .wait = mirror_wait,
    .drain = mirror_drain,
};
