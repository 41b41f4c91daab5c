/* Why tensors are not the weights of an architecture. */
#pragma once

#include <aimfair/weights.h>

/**
 * AimfMisfits: nothing in the lists (element-type char *, owned) where the tensors fit.
 * @missing, @surplus: names; @wrong: what is of another shape or type, and what it should be
 */
typedef struct {
    GPtrArray *missing, *surplus, *wrong;
} AimfMisfits;

void aimf_misfits_init(AimfMisfits *misfits);
void aimf_misfits_clear(AimfMisfits *misfits);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfMisfits, aimf_misfits_clear)

guint aimf_misfits_count(const AimfMisfits *misfits);
void aimf_misfits_add(GPtrArray *list, const char *name);

/**
 * aimf_misfits_compare: notes where @found (nullable) is not the tensor @name of @dtype and @shape. A missing batch
 * counter is none: PyTorch before 0.4.1 did not count batches, and its files' counters begin at 0.
 */
void aimf_misfits_compare(AimfMisfits *misfits, const char *name, AimfDtype dtype, const AimfShape *shape,
                          const AimfTensor *found);

/** aimf_misfits_complain: sets INVALID that lists them. @prefix: what the names begin with, "" for nothing */
void aimf_misfits_complain(const AimfMisfits *misfits, const char *prefix, const char *architecture, GError **error);
/** aimf_misfits_append: "@title (2): a, b" to @text, after "; " unless it is empty; nothing for no @names. */
void aimf_misfits_append(GString *text, const char *title, const GPtrArray *names);
