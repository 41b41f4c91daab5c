/*
 * Batches decoded ahead. The unit of work is one image, written straight into its place in one of a few batch
 * buffers, so that a small batch keeps all threads busy too.
 */
#include <aimfair/data.h>

#include "base/file.h"
#include "base/monitor.h"
#include "base/random.h"
#include "base/trace.h"
#include "image/image.h"
#include <omp.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The batch in the caller's hands and two ahead of it. */
enum { N_SLOTS = 3, MAX_THREADS = 256, STOP_POLL_US = 50000, DECODER_NICENESS = 10 };

/* A batch buffer. While a batch is being made, each place is written by the one thread that took it. */
typedef struct {
    float *images;     /* (batch, 3, height, width) */
    float *targets;    /* (batch) */
    guint32 *samples;  /* (batch) */
    gboolean *skipped; /* (batch) */
    GError **failures; /* (batch) */
    guint n;           /* places in use */
    guint done;        /* of them, finished; under the lock */
} Slot;

struct AimfLoader {
    const AimfManifest *manifest;
    const AimfMonitor *monitor;
    AimfLoaderOptions options;
    AimfAugment augment;
    gsize image_floats;
    guint n_batches;
    guint n_items; /* images of an epoch */
    guint epoch;
    guint32 *order;    /* (count) rows of the manifest in the order of this epoch */
    guint8 *bad;       /* (count) known to be unreadable */
    AimfImage **cache; /* (count) decoded pictures, or NULL */
    AimfStamp *stamps; /* (count) of their files when they were first read; 0 before */
    guint n_bad;
    AimfDecodeBudget budget;
    Slot slots[N_SLOTS]; /* batch b is made in slot b mod N_SLOTS */

    GMutex lock; /* of what follows, and of Slot.done */
    GCond work;  /* items may have become available, or quit */
    GCond done;  /* a batch is complete, or nothing is active any more */
    gsize cache_used;
    guint next_item;   /* to be taken */
    guint first_batch; /* whose slot is in use */
    guint next_batch;  /* to be handed out */
    guint active;      /* items being worked on */
    gboolean quit;
    guint n_workers;
    GThread *workers[MAX_THREADS];
};

/* --- One image --- */

/* Keeps @image for the next epoch where there is room; FALSE: it is still the caller's. */
static gboolean keep(AimfLoader *loader, guint32 sample, AimfImage *image)
{
    gsize bytes = (gsize)image->width * (gsize)image->height * 3;
    g_mutex_lock(&loader->lock);
    gboolean room = bytes <= loader->options.cache_bytes - loader->cache_used;
    if (room)
        loader->cache_used += bytes;
    g_mutex_unlock(&loader->lock);
    if (room)
        loader->cache[sample] = image;
    return room;
}

static gboolean make_planes(const AimfLoader *loader, guint32 sample, const AimfImage *image, float *planes,
                            GError **error)
{
    const AimfLoaderOptions *o = &loader->options;
    AimfBox box;
    gboolean flip = FALSE;
    if (o->augment)
        aimf_augment_draw(o->augment, o->seed, loader->epoch, sample, image->width, image->height, &box, &flip);
    return aimf_image_to_planes(image, o->augment ? &box : NULL, flip, &o->preprocess, planes, error);
}

/* A picture that is another one than in an earlier epoch makes a training that nobody could repeat. */
static AimfImage *open_picture(AimfLoader *loader, guint32 sample, const char *path, GError **error)
{
    AimfStamp now, *first = &loader->stamps[sample];
    gboolean seen = aimf_file_stamp(path, &now, NULL); /* or opening it tells why not */
    if (seen && !first->inode)
        *first = now;
    if (!seen || aimf_stamp_equal(&now, first))
        return aimf_image_open_within(&loader->budget, path, error);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_IO, "'%s' was replaced or written to since an earlier epoch read it",
                path);
    return NULL;
}

/* Within an epoch a sample is one item only, so its entries in bad and cache belong to the thread that took it. */
static void make_item(AimfLoader *loader, guint item)
{
    guint place = item % loader->options.batch;
    Slot *slot = &loader->slots[item / loader->options.batch % N_SLOTS];
    guint32 sample = loader->order[item];
    AimfSample row = aimf_manifest_at(loader->manifest, sample);
    slot->samples[place] = sample;
    slot->targets[place] = (float)row.target;
    slot->skipped[place] = loader->bad[sample];
    if (slot->skipped[place])
        return;
    gint64 begin = aimf_trace_now(loader->options.trace);
    AimfImage *kept = loader->cache[sample];
    AimfImage *opened = kept ? NULL : open_picture(loader, sample, row.path, &slot->failures[place]);
    const AimfImage *image = kept ? kept : opened;
    gboolean made = image && make_planes(loader, sample, image, slot->images + place * loader->image_floats,
                                         &slot->failures[place]);
    if (made && opened && keep(loader, sample, opened))
        aimf_image_keep_within(&loader->budget, opened);
    else
        aimf_image_free_within(&loader->budget, opened);
    aimf_trace_add(loader->options.trace, "input", kept ? "prepare" : "decode", row.path, begin);
}

/* --- The queue; the lock is held on entry and on return --- */

static gboolean item_available(const AimfLoader *loader)
{
    return loader->next_item < loader->n_items &&
           loader->next_item / loader->options.batch < loader->first_batch + N_SLOTS;
}

static void take_item(AimfLoader *loader)
{
    guint item = loader->next_item++;
    loader->active++;
    g_mutex_unlock(&loader->lock);
    make_item(loader, item);
    g_mutex_lock(&loader->lock);
    loader->active--;
    Slot *slot = &loader->slots[item / loader->options.batch % N_SLOTS];
    if (++slot->done == slot->n || loader->active == 0)
        g_cond_signal(&loader->done);
}

static void prepare_slot(AimfLoader *loader, guint batch)
{
    Slot *slot = &loader->slots[batch % N_SLOTS];
    for (guint i = 0; i < slot->n; i++)
        g_clear_error(&slot->failures[i]);
    guint first = batch * loader->options.batch;
    slot->n = batch < loader->n_batches ? MIN(loader->options.batch, loader->n_items - first) : 0;
    slot->done = 0;
}

/* --- The decoders --- */

/*
 * Compute threads meet at barriers, and one of them held up holds up all. So decoders step back and get most of their
 * time while the caller waits for a batch, or where there are more cores than it uses. Not as idle threads: on a
 * machine that is busy with other work those get nothing at all, and the caller would wait for the picture that one
 * of them has begun.
 */
static void yield_to_compute(void)
{
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), DECODER_NICENESS);
}

static gpointer decode_items(gpointer data)
{
    AimfLoader *loader = data;
    yield_to_compute();
    g_mutex_lock(&loader->lock);
    while (!loader->quit) {
        if (item_available(loader))
            take_item(loader);
        else
            g_cond_wait(&loader->work, &loader->lock);
    }
    g_mutex_unlock(&loader->lock);
    return NULL;
}

/* --- The caller's side --- */

static gboolean check_options(const AimfLoaderOptions *o, guint count, GError **error)
{
    if (!aimf_preprocess_check(&o->preprocess, error))
        return FALSE;
    if (count == 0)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the manifest names no images");
    else if (o->batch == 0 || o->threads < 0)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "batch %u, threads %d: expected at least 1, at least 0",
                    o->batch, o->threads);
    else if (o->drop_last && count < o->batch)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "%u image%s not fill one batch of %u and incomplete batches are left out; make the batch smaller",
                    count, count == 1 ? " does" : "s do", o->batch);
    else
        return TRUE;
    return FALSE;
}

static gboolean allocate_lists(AimfLoader *loader, guint count, GError **error)
{
    loader->order = g_try_new(guint32, count);
    loader->bad = g_try_new0(guint8, count);
    loader->cache = g_try_new0(AimfImage *, count);
    loader->stamps = g_try_new0(AimfStamp, count);
    if (loader->order && loader->bad && loader->cache && loader->stamps)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for a set of %u images", count);
    return FALSE;
}

static gboolean allocate_slots(AimfLoader *loader, GError **error)
{
    gsize batch = loader->options.batch;
    for (int i = 0; i < N_SLOTS; i++) {
        Slot *slot = &loader->slots[i];
        slot->images = g_try_malloc_n(batch, loader->image_floats * sizeof(float));
        slot->targets = g_try_new(float, batch);
        slot->samples = g_try_new(guint32, batch);
        slot->skipped = g_try_new(gboolean, batch);
        slot->failures = g_try_new0(GError *, batch);
        if (!slot->images || !slot->targets || !slot->samples || !slot->skipped || !slot->failures) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY,
                        "no memory for batches of %u images of %d x %d pixels; make the batch smaller",
                        loader->options.batch, loader->options.preprocess.width, loader->options.preprocess.height);
            return FALSE;
        }
    }
    return TRUE;
}

AimfLoader *aimf_loader_new(const AimfManifest *manifest, const AimfLoaderOptions *options, const AimfMonitor *monitor,
                            GError **error)
{
    guint count = aimf_manifest_count(manifest);
    if (!check_options(options, count, error))
        return NULL;
    g_autoptr(AimfLoader) loader = g_new0(AimfLoader, 1);
    g_mutex_init(&loader->lock);
    g_cond_init(&loader->work);
    g_cond_init(&loader->done);
    aimf_decode_budget_init(&loader->budget);
    loader->manifest = manifest;
    loader->monitor = monitor;
    loader->options = *options;
    if (options->augment) {
        loader->augment = *options->augment;
        loader->options.augment = &loader->augment;
    }
    loader->options.batch = MIN(options->batch, count);
    guint batch = loader->options.batch;
    loader->n_items = options->drop_last ? count / batch * batch : count;
    loader->n_batches = loader->n_items / batch + (loader->n_items % batch != 0);
    loader->next_item = loader->n_items;
    loader->first_batch = loader->next_batch = loader->n_batches;
    loader->image_floats = 3 * (gsize)options->preprocess.width * (gsize)options->preprocess.height;
    if (!allocate_lists(loader, count, error) || !allocate_slots(loader, error))
        return NULL;
    guint threads = (guint)(options->threads ? options->threads : omp_get_max_threads());
    for (threads = MIN(threads, MAX_THREADS); loader->n_workers < threads; loader->n_workers++) {
        loader->workers[loader->n_workers] = g_thread_try_new("aimf-decode", decode_items, loader, NULL);
        if (!loader->workers[loader->n_workers])
            break; /* the caller decodes along, so fewer threads are slower, not wrong */
    }
    return g_steal_pointer(&loader);
}

/* Lets no further item begin and waits for those that have; the lock is held. */
static void drain(AimfLoader *loader)
{
    loader->next_item = loader->n_items;
    while (loader->active)
        g_cond_wait(&loader->done, &loader->lock);
}

void aimf_loader_free(AimfLoader *loader)
{
    if (!loader)
        return;
    g_mutex_lock(&loader->lock);
    drain(loader);
    loader->quit = TRUE;
    g_cond_broadcast(&loader->work);
    g_mutex_unlock(&loader->lock);
    for (guint i = 0; i < loader->n_workers; i++)
        g_thread_join(loader->workers[i]);
    for (int i = 0; i < N_SLOTS; i++) {
        Slot *slot = &loader->slots[i];
        for (guint k = 0; k < slot->n; k++)
            g_clear_error(&slot->failures[k]);
        g_free(slot->images);
        g_free(slot->targets);
        g_free(slot->samples);
        g_free(slot->skipped);
        g_free(slot->failures);
    }
    for (guint i = 0; loader->cache && i < aimf_manifest_count(loader->manifest); i++)
        aimf_image_free(loader->cache[i]);
    g_free(loader->stamps);
    g_free(loader->cache);
    g_free(loader->bad);
    g_free(loader->order);
    g_mutex_clear(&loader->lock);
    g_cond_clear(&loader->work);
    g_cond_clear(&loader->done);
    aimf_decode_budget_clear(&loader->budget);
    g_free(loader);
}

guint aimf_loader_batches(const AimfLoader *loader)
{
    return loader->n_batches;
}

void aimf_loader_begin(AimfLoader *loader, guint epoch)
{
    guint count = aimf_manifest_count(loader->manifest);
    g_mutex_lock(&loader->lock);
    drain(loader);
    loader->epoch = epoch;
    for (guint32 i = 0; i < count; i++)
        loader->order[i] = i;
    if (loader->options.shuffle) {
        AimfRandom random = aimf_random_at(loader->options.seed, AIMF_STREAM_SHUFFLE, epoch);
        aimf_random_shuffle(&random, loader->order, count);
    }
    for (guint b = 0; b < N_SLOTS; b++)
        prepare_slot(loader, b);
    loader->first_batch = loader->next_batch = loader->next_item = 0;
    g_cond_broadcast(&loader->work);
    g_mutex_unlock(&loader->lock);
}

/* Waits until the next batch is complete, decoding along; the lock is held. */
static gboolean await_batch(AimfLoader *loader, GError **error)
{
    const Slot *slot = &loader->slots[loader->next_batch % N_SLOTS];
    while (slot->done < slot->n) {
        if (!aimf_check_stop(loader->monitor, "loading images", error))
            return FALSE;
        if (item_available(loader) && loader->next_item / loader->options.batch == loader->next_batch)
            take_item(loader);
        else
            g_cond_wait_until(&loader->done, &loader->lock, g_get_monotonic_time() + STOP_POLL_US);
    }
    return aimf_check_stop(loader->monitor, "loading images", error);
}

/* Counts the unreadable images of a complete batch; FALSE with the error of the first that is not tolerated. */
static gboolean skip_failures(AimfLoader *loader, Slot *slot, GError **error)
{
    for (guint i = 0; i < slot->n; i++) {
        GError *failure = slot->failures[i];
        if (!failure)
            continue;
        /* A full table of files or a broken disk says nothing about the picture. */
        gboolean fatal = aimf_is_fault(failure);
        if (fatal || loader->n_bad >= loader->options.skip_bad) {
            g_autofree char *hint = g_strdup_printf(
                "; it is unreadable image %u, tolerated are %u: --skip-bad N leaves out up to N of them",
                loader->n_bad + 1, loader->options.skip_bad);
            g_set_error(error, failure->domain, failure->code, "%s%s", failure->message, fatal ? "" : hint);
            return FALSE;
        }
        loader->n_bad++;
        loader->bad[slot->samples[i]] = 1;
        slot->skipped[i] = TRUE;
        aimf_message(loader->monitor, AIMF_LOG_WARNING, "skipped unreadable image %u of at most %u: %s", loader->n_bad,
                     loader->options.skip_bad, failure->message);
        g_clear_error(&slot->failures[i]);
    }
    return TRUE;
}

static guint close_gaps(const AimfLoader *loader, Slot *slot)
{
    guint n = 0;
    for (guint i = 0; i < slot->n; i++) {
        if (slot->skipped[i])
            continue;
        if (n != i) {
            memcpy(slot->images + n * loader->image_floats, slot->images + i * loader->image_floats,
                   loader->image_floats * sizeof(float));
            slot->targets[n] = slot->targets[i];
            slot->samples[n] = slot->samples[i];
        }
        n++;
    }
    return n;
}

gboolean aimf_loader_next(AimfLoader *loader, AimfBatch *batch, GError **error)
{
    guint n = 0;
    while (n == 0) {
        gint64 begin = aimf_trace_now(loader->options.trace);
        g_mutex_lock(&loader->lock);
        for (; loader->first_batch < loader->next_batch; loader->first_batch++)
            prepare_slot(loader, loader->first_batch + N_SLOTS);
        g_cond_broadcast(&loader->work);
        gboolean end = loader->next_batch == loader->n_batches;
        gboolean ready = !end && await_batch(loader, error);
        g_mutex_unlock(&loader->lock);
        if (!ready)
            return FALSE;
        aimf_trace_add(loader->options.trace, "input", "wait for a batch", NULL, begin);
        Slot *slot = &loader->slots[loader->next_batch % N_SLOTS];
        if (!skip_failures(loader, slot, error))
            return FALSE;
        n = close_gaps(loader, slot);
        *batch = (AimfBatch){ n, slot->images, slot->targets, slot->samples };
        g_mutex_lock(&loader->lock);
        loader->next_batch++;
        g_mutex_unlock(&loader->lock);
    }
    return TRUE;
}
