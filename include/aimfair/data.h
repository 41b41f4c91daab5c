/* Manifests, dataset readers, splits and batches. */
#pragma once

#include <aimfair/error.h>
#include <aimfair/image.h>
#include <aimfair/monitor.h>

G_BEGIN_DECLS

/**
 * AimfManifest:
 * A list of images with labels, the one data interface: CSV (RFC 4180) with a header and the columns path, target and
 * protected (text; further columns whose name begins with "protected" are joined by '_' to the group); other columns are kept.
 * Paths are absolute or relative to the manifest's own folder.
 */
typedef struct AimfManifest AimfManifest;

/** AimfSample: one row, borrowed from the manifest. @group: index into the manifest's sorted list of protected labels. */
typedef struct {
    const char *path; /* as a path that can be opened from here */
    int target;       /* 0, 1, … */
    int group;
    const char *protected_label;
} AimfSample;

/** aimf_manifest_open: (owned); NULL with NOT_FOUND, IO or FORMAT naming file, line and column. No image is touched. */
AimfManifest *aimf_manifest_open(const char *path, GError **error);
/** aimf_manifest_new: (owned) empty, for readers. */
AimfManifest *aimf_manifest_new(void);
void aimf_manifest_free(AimfManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfManifest, aimf_manifest_free)

/** aimf_manifest_add: appends a row; @protected_label is copied. */
void aimf_manifest_add(AimfManifest *manifest, const char *path, int target, const char *protected_label);
guint aimf_manifest_count(const AimfManifest *manifest);
AimfSample aimf_manifest_at(const AimfManifest *manifest, guint index);
/** aimf_manifest_groups: (borrowed) the sorted distinct protected labels; their number in @n. */
const char *const *aimf_manifest_groups(const AimfManifest *manifest, guint *n);
/** aimf_manifest_classes: largest target + 1, at least 2; 0 for an empty manifest. */
int aimf_manifest_classes(const AimfManifest *manifest);
/** aimf_manifest_path: (borrowed, nullable) the file it was read from. */
const char *aimf_manifest_path(const AimfManifest *manifest);
/** aimf_manifest_hash: (owned) SHA-256 over the rows (path, target, protected) in order. */
char *aimf_manifest_hash(const AimfManifest *manifest);
/** aimf_manifest_save: writes CSV atomically; paths become relative to the new file's folder where they lie below it, absolute otherwise. */
gboolean aimf_manifest_save(const AimfManifest *manifest, const char *path, GError **error);

/**
 * AimfLoaderOptions:
 * @image_size: side of the square network input in pixels; @batch: images per batch
 * @augment: (nullable) training augmentation; NULL: plain resize of the whole picture
 * @shuffle: draw a new order each epoch; @drop_last: leave out an incomplete last batch
 * @mean, @std: per channel, after scaling to [0, 1]
 * @seed: of order and augmentation; @threads: decoders, 0 for one per processor
 * @skip_bad: how many unreadable images are tolerated over the loader's life before next fails; each is reported as a warning
 * @cache_bytes: decoded pictures kept from epoch to epoch, at most
 */
typedef struct {
    int image_size;
    guint batch;
    const AimfAugment *augment;
    gboolean shuffle;
    gboolean drop_last;
    float mean[3];
    float std[3];
    guint64 seed;
    int threads;
    guint skip_bad;
    gsize cache_bytes;
} AimfLoaderOptions;

/**
 * AimfBatch: valid until the next call for its loader.
 * @n: images in it; @images: (n, 3, size, size) f32; @targets: (n) f32 of the class numbers; @samples: (n) row in the manifest
 */
typedef struct {
    guint n;
    const float *images;
    const float *targets;
    const guint32 *samples;
} AimfBatch;

/**
 * AimfLoader: decodes batches ahead on threads of its own. Sample i of epoch e has the same pixels whatever the number of threads.
 * An image skipped as unreadable leaves its batch shorter by one; it is never replaced.
 */
typedef struct AimfLoader AimfLoader;

/** aimf_loader_new: @manifest is borrowed for the loader's life. NULL with INVALID when no batch can be made. */
AimfLoader *aimf_loader_new(const AimfManifest *manifest, const AimfLoaderOptions *options, const AimfMonitor *monitor,
                            GError **error);
void aimf_loader_free(AimfLoader *loader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfLoader, aimf_loader_free)
/** aimf_loader_batches: per epoch. */
guint aimf_loader_batches(const AimfLoader *loader);
/** aimf_loader_begin: starts epoch @epoch (from 0) at its first batch. */
void aimf_loader_begin(AimfLoader *loader, guint epoch);
/** aimf_loader_next: the next batch. FALSE with @error set on failure, FALSE without at the epoch's end. */
gboolean aimf_loader_next(AimfLoader *loader, AimfBatch *batch, GError **error);

G_END_DECLS
