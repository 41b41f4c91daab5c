/*
 * A whole diffusion model in diffusers' layout, small enough to make pictures in a blink: random weights, the real
 * structure.
 */
#pragma once

#include <aimfair/diffusion.h>

enum { TINY_SIDE = 32, TINY_LATENTS = 16 }; /* pixels of its pictures and of their latents */

/** TinyFault: what is wrong with the model's weights. */
typedef enum {
    TINY_SOUND,
    TINY_NAN_IN_UNET,            /* in f32 too */
    TINY_BF16_OVERFLOWS_IN_UNET, /* a weight that is finite in f32 and meets zeros only; bf16 rounds it to infinity */
    TINY_BF16_OVERFLOWS_IN_DECODER,
} TinyFault;

/** tiny_diffusion_write: (owned) the path of a new temporary folder with the model. */
char *tiny_diffusion_write(TinyFault fault);
/** tiny_diffusion_remove: the folder with everything below it. */
void tiny_diffusion_remove(const char *folder);
/** tiny_diffusion_options: for opening it, with the tests' vocabulary. */
AimfDiffusionOptions tiny_diffusion_options(const char *folder);
