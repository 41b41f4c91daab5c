/* Attention over whole tensors: which tile is worked on when, and where its memory lies. */
#pragma once

#include "backend/cpu/cpu_attention_kernels.h"

/** AttentionShape: q and out (n, queries, heads * head_size), k and v (n, keys, heads * head_size), all row-major. */
typedef struct {
    gint64 n, heads, head_size, queries, keys;
    gboolean causal; /* query t sees keys up to t only */
} AttentionShape;

/**
 * AttentionWork: a shape cut into pieces. Where the cuts are depends on the lengths and the head's size alone, so
 * that a sample's result depends neither on the others nor on the threads.
 * @depth, @channels: of AttentionTile; @block_queries, @block_keys: the most that are worked on at once
 */
typedef struct {
    const AttentionKernels *kernels;
    AttentionShape shape;
    gint64 depth, channels;
    gint64 block_queries, n_query_blocks;
    gint64 block_keys, n_key_blocks;
    gint64 padded_keys;
    gsize head_words, thread_words; /* of scratch */
    int n_threads;
} AttentionWork;

AttentionWork cpu_attention_work(const AttentionKernels *kernels, const AttentionShape *shape, int n_threads);
gsize cpu_attention_scratch_bytes(const AttentionWork *work);
/**
 * cpu_attention_run: tensors are f32, or bf16 for kernels whose pair is 2; @out may be @q. @scratch: aligned to 64
 * bytes.
 */
void cpu_attention_run(const AttentionWork *work, const void *q, const void *k, const void *v, void *out,
                       void *scratch);
