/* Prompts as the UNet sees them. */
#pragma once

#include "diffusion/diffusion.h"

/** AimfTextStates: what the UNet is told of one prompt; @states: (77, width) */
typedef struct {
    guint tokens_cut;
    float states[];
} AimfTextStates;

/** aimf_text_states_new: (owned) an empty store. */
GHashTable *aimf_text_states_new(void);
/** aimf_text_states_values: how many numbers the states of one prompt are. */
gsize aimf_text_states_values(const AimfDiffusion *diffusion);
/**
 * aimf_text_states_get: the states of @prompt in @precision, worked out or known already.
 * Returns: (borrowed, until the next call) or NULL with what aimf_networks_need and aimf_networks_run give.
 */
const AimfTextStates *aimf_text_states_get(AimfDiffusion *diffusion, const char *prompt, AimfPrecision precision,
                                           GError **error);
