/* What a search for one model's weights among a file's tensors, see choose.c, finds, and what is said of it. */
#pragma once

#include "model/architecture.h"
#include "model/misfits.h"

#include <aimfair/weights.h>

enum {
    AIMF_NO_ENTRY = -1,
    AIMF_MAX_ARCHITECTURE_NAME = 255, /* bytes of a tensor's name */
};

/**
 * AimfWeightSet: tensors below one prefix that have names of the architecture.
 * @prefix: (owned) as the file has it, with its dot; "" for the file's top
 * @hits: how many of the tensors that make the architecture what it is are there
 * @entry: (owned, nullable) per tensor of the architecture, the file's or AIMF_NO_ENTRY
 * @head: (owned, nullable) the final layer's name in the file, whole, where it is not the architecture's
 * @several_heads: more than one layer may be it, as @misfits says
 * @misfits: why it does not fit
 */
typedef struct {
    char *prefix;
    guint hits;
    int *entry;
    char *head;
    gboolean several_heads;
    AimfMisfits misfits;
} AimfWeightSet;

/**
 * aimf_weights_kind: (static, nullable) what training programs store under such a name; @inside: among a model's own
 * tensors.
 */
const char *aimf_weights_kind(const char *name, gboolean inside);

/**
 * aimf_weight_sets_ambiguous: sets INVALID that lists @sets (AimfWeightSet *), which all fit, the outputs by entry
 * @head_weight where there is one, and how to choose.
 */
void aimf_weight_sets_ambiguous(const GPtrArray *sets, const AimfTensors *tensors, const char *architecture,
                                guint head_weight, GError **error);
/** AimfWeightChoice: @set of @n entries was taken from those of @tensors that @allowed says, one gboolean each. */
typedef struct {
    const AimfWeightSet *set;
    guint n;
    const AimfTensors *tensors;
    const gboolean *allowed;
} AimfWeightChoice;

/** aimf_weight_choice_report: tells @monitor which set is taken, where its head is, and what is passed over. */
void aimf_weight_choice_report(const AimfWeightChoice *choice, const char *architecture, const AimfMonitor *monitor);
