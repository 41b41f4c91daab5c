/* What planners and oneDNN's descriptors say of a tensor. */
#pragma once

#include "backend/cpu/cpu.h"

/** OnednnState: one plan's stream and the layouts that it uses. */
typedef struct OnednnState OnednnState;

/**
 * OnednnOperand: a tensor as a primitive is told of it. @shape NULL: not there; @layout NULL: the primitive chooses.
 */
typedef struct {
    const AimfShape *shape;
    AimfDtype dtype;
    const AimfLayout *layout;
} OnednnOperand;

typedef enum { ONEDNN_FORWARD, ONEDNN_BACKWARD_DATA, ONEDNN_BACKWARD_WEIGHT } OnednnDirection;
