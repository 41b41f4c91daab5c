/*
 * Attention in tiles, after Dao et al. 2022 (FlashAttention, arXiv 2205.14135, algorithm 1): a few queries at a time
 * go over the keys block by block and carry along the largest score seen, the sum of weights and the weighted sum of
 * values, which shrink whenever a larger score turns up.
 *
 * Words are 32 bits: one f32, or two bf16 that are neighbours in the dimension that a product sums over. To
 * everything but the multiplication itself both are the same.
 */
#pragma once

#include <glib.h>

/**
 * AttentionTile: queries of one head (as many as the kernels' rows) and a block of its keys and values.
 * @depth: words of a query; @channels: of a value, rounded up to the kernels' lanes
 * @keys: of the block that exist; @diagonal: how many of them the first query sees, each further query sees one more
 * @scale: of a product to the binary logarithm of a weight
 * @q: (rows, depth); @k: [keys / lanes][depth][lanes]; @v: [channels / lanes][value_depth][lanes]; zero where nothing
 * exists
 * @scores: (rows, score_stride) scratch, becomes the weights; @sums: (rows, channels) of weighted values
 * @largest, @weight: (rows) largest product and sum of the weights so far
 */
typedef struct {
    gint64 depth, channels, keys, diagonal, value_depth, score_stride;
    float scale;
    const guint32 *q, *k, *v;
    float *scores, *sums, *largest, *weight;
} AttentionTile;

/**
 * AttentionRows: (rows, head_size) of one head in a tensor, rows @stride elements apart; f32, or bf16 where a word
 * has two.
 */
typedef struct {
    void *data;
    gint64 rows, stride, head_size;
} AttentionRows;

/**
 * AttentionKernels: for one instruction set. Packing fills up with zeros to @padded rows, a multiple of lanes and of
 * pair.
 * @rows: queries of a tile; @lanes: words of a vector; @pair: elements of a word
 * @is_supported: by this processor
 * @attend: adds a block to a tile
 * @finish: stores sums (rows, channels) divided by weight (rows)
 */
typedef struct {
    const char *name;
    int rows, lanes, pair;
    gboolean (*is_supported)(void);
    void (*attend)(const AttentionTile *tile);
    void (*finish)(const float *sums, gint64 channels, const float *weight, const AttentionRows *to);
    void (*pack_keys)(const AttentionRows *from, gint64 padded, guint32 *to);
    void (*pack_values)(const AttentionRows *from, gint64 padded, guint32 *to);
} AttentionKernels;

extern const AttentionKernels cpu_attention_bf16, cpu_attention_avx512, cpu_attention_avx2, cpu_attention_plain;
/** cpu_attention_kernels: all of them, NULL-terminated, the fastest first; the last f32 ones run everywhere. */
extern const AttentionKernels *const cpu_attention_kernels[];
