/* A diffusion model's inside: its networks, its tokenizer and the text states it has worked out already. */
#pragma once

#include "diffusion/network.h"

#include <aimfair/diffusion.h>
#include <aimfair/text.h>

struct AimfDiffusion {
    AimfNetworks networks;
    AimfTokenizer *tokenizer;
    char *hash;              /* of the model and the vocabulary */
    GHashTable *text_states; /* see text_states.c */
};
