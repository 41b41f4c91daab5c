/*
 * The one random generator: counter-based, keyed by (seed, stream, index), so that a result depends on what is drawn
 * for and never on threads, batch size or order. Philox 4x32-10: Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011.
 */
#pragma once

#include <glib.h>

/** What a sequence is drawn for. Values are part of the file formats' reproducibility: never renumber. */
typedef enum {
    AIMF_STREAM_INIT = 1,    /* weight initialisation; index = tensor */
    AIMF_STREAM_SHUFFLE = 2, /* order of an epoch; index = epoch */
    AIMF_STREAM_AUGMENT = 3, /* crop and flip; index = epoch << 32 | sample */
    AIMF_STREAM_SPLIT = 4,   /* drawing splits and subsets; index = which one */
    AIMF_STREAM_BOOTSTRAP = 5,
    AIMF_STREAM_DEMO = 6, /* the demo's pictures; index = picture */
    AIMF_STREAM_TEST = 7,
    AIMF_STREAM_PICTURE = 8, /* seeds of a job's generated pictures; index = picture */
    AIMF_STREAM_PROMPTS = 9, /* the design of composed prompts; index = (dimension + 1) << 32 | block, or the row */
    AIMF_STREAM_NOISE = 10, /* latents of a picture; index = 0 for the initial ones, 1 + call for what a sampler adds */
    AIMF_STREAM_QUESTION = 11, /* hints to a language model; index = question */
    AIMF_STREAM_BACK_OFF = 12, /* jitter of waits; index = request */
    AIMF_STREAM_RUNS = 13,     /* which runs a resample has; index = resample */
    AIMF_STREAM_DROPOUT = 14,  /* what a dropout drops; index = draw[1] << 32 | draw[0], position = element or sample */
    AIMF_STREAM_VERIFY = 15,   /* which predictions are computed again; index = stage */
} AimfStream;

typedef struct {
    guint32 key[2];
    guint32 counter[4];
    guint32 block[4];
    guint used; /* words of block that are spent */
} AimfRandom;

/** aimf_random_at: the sequence for (seed, stream, index), at its start. */
AimfRandom aimf_random_at(guint64 seed, AimfStream stream, guint64 index);
guint32 aimf_random_u32(AimfRandom *random);
guint64 aimf_random_u64(AimfRandom *random);
/** aimf_random_uniform: in [0, 1), 53 bits. */
double aimf_random_uniform(AimfRandom *random);
/** aimf_random_below: unbiased in [0, n), n > 0. */
guint64 aimf_random_below(AimfRandom *random, guint64 n);
/** aimf_random_normal: standard normal, Box-Muller. */
double aimf_random_normal(AimfRandom *random);
/** aimf_random_shuffle: Fisher-Yates over n values. */
void aimf_random_shuffle(AimfRandom *random, guint32 *values, gsize n);
