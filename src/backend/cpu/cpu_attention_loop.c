/*
 * First every head's keys and values are packed, then blocks of queries are worked on, each by one thread: it takes
 * the keys in blocks that stay in its second cache, and the queries in tiles whose scores stay in the first.
 */
#include "backend/cpu/cpu_attention_loop.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum {
    LINE = 16, /* words in a cache line */
    MOST_QUERIES = 192,
    FEWEST_KEYS = 64, /* with fewer, scaling the sums costs too much */
    MOST_KEYS = 512,
    BLOCK_WORDS = 1 << 16, /* of keys and values together */
};

static gint64 round_up(gint64 n, gint64 step)
{
    return (n + step - 1) / step * step;
}

static gint64 count_blocks(gint64 n, gint64 block)
{
    return (n + block - 1) / block;
}

/* A block of queries in a thread's scratch. */
typedef struct {
    gint64 q, sums, largest, weight, scores, end; /* offsets in words */
} QueryBlock;

/*
 * Rows of scores lie a line further apart than they are long: 2048 bytes would make them meet in few sets of the
 * first cache.
 */
static gint64 score_stride(const AttentionWork *work)
{
    return work->block_keys + LINE;
}

static QueryBlock query_block(const AttentionWork *work)
{
    QueryBlock block = { .q = 0 };
    block.sums = round_up(work->block_queries * work->depth, LINE);
    block.largest = block.sums + round_up(work->block_queries * work->channels, LINE);
    block.weight = block.largest + round_up(work->block_queries, LINE);
    block.scores = block.weight + round_up(work->block_queries, LINE);
    block.end = block.scores + round_up(work->kernels->rows * score_stride(work), LINE);
    return block;
}

AttentionWork cpu_attention_work(const AttentionKernels *kernels, const AttentionShape *shape, int n_threads)
{
    AttentionWork work = { .kernels = kernels, .shape = *shape, .n_threads = n_threads };
    work.depth = count_blocks(shape->head_size, kernels->pair);
    work.channels = round_up(shape->head_size, kernels->lanes);
    work.n_query_blocks = count_blocks(shape->queries, MOST_QUERIES);
    work.block_queries = round_up(count_blocks(shape->queries, work.n_query_blocks), kernels->rows);
    gint64 words = work.depth + work.channels / kernels->pair; /* of a key and its value */
    work.padded_keys = round_up(shape->keys, kernels->lanes);
    work.block_keys = MIN(work.padded_keys, CLAMP(BLOCK_WORDS / words / LINE * LINE, FEWEST_KEYS, MOST_KEYS));
    work.n_key_blocks = count_blocks(shape->keys, work.block_keys);
    work.head_words = (gsize)round_up(work.padded_keys * words, LINE);
    work.thread_words = (gsize)query_block(&work).end;
    return work;
}

gsize cpu_attention_scratch_bytes(const AttentionWork *work)
{
    gsize heads = (gsize)(work->shape.n * work->shape.heads);
    return (heads * work->head_words + (gsize)work->n_threads * work->thread_words) * sizeof(guint32);
}

/* At most @rows rows of one head of a tensor (n, length, heads * head_size), from row @first on. */
static AttentionRows head_rows(const AttentionWork *work, const void *data, gint64 head, gint64 length, gint64 first,
                               gint64 rows)
{
    gint64 heads = work->shape.heads, head_size = work->shape.head_size, stride = heads * head_size;
    gint64 offset = (head / heads * length + first) * stride + head % heads * head_size;
    gsize element_bytes = sizeof(guint32) / (gsize)work->kernels->pair;
    return (AttentionRows){ (char *)data + (gsize)offset * element_bytes, MIN(rows, length - first), stride,
                            head_size };
}

static guint32 *packed_keys(const AttentionWork *work, gint64 head, gint64 first, guint32 *scratch)
{
    return scratch + (gsize)head * work->head_words + first * work->depth;
}

static guint32 *packed_values(const AttentionWork *work, gint64 head, gint64 first, guint32 *scratch)
{
    return packed_keys(work, head, work->padded_keys, scratch) + first / work->kernels->pair * work->channels;
}

static void pack(const AttentionWork *work, gint64 head, gint64 block, const void *k, const void *v, guint32 *scratch)
{
    gint64 first = block * work->block_keys, padded = MIN(work->block_keys, work->padded_keys - first);
    AttentionRows keys = head_rows(work, k, head, work->shape.keys, first, padded);
    work->kernels->pack_keys(&keys, padded, packed_keys(work, head, first, scratch));
    AttentionRows values = head_rows(work, v, head, work->shape.keys, first, padded);
    work->kernels->pack_values(&values, padded, packed_values(work, head, first, scratch));
}

/* Row after row as words; what no query fills is 0. */
static void pack_queries(const AttentionRows *from, gint64 depth, gint64 padded, gint64 pair, guint32 *to)
{
    gsize element_bytes = sizeof *to / (gsize)pair, stride = (gsize)from->stride * element_bytes;
    memset(to, 0, (gsize)(padded * depth) * sizeof *to);
    for (gint64 r = 0; r < from->rows; r++)
        memcpy(to + r * depth, (const char *)from->data + (gsize)r * stride, (gsize)from->head_size * element_bytes);
}

/* All keys for a block of @queries that is prepared in @memory. */
static void attend_keys(const AttentionWork *work, gint64 head, gint64 first_query, gint64 queries, float *memory,
                        guint32 *scratch)
{
    const QueryBlock block = query_block(work);
    AttentionTile tile = { .depth = work->depth,
                           .channels = work->channels,
                           .scores = memory + block.scores,
                           .score_stride = score_stride(work),
                           .scale = (float)(1 / (G_LN2 * sqrt((double)work->shape.head_size))) };
    for (gint64 first = 0; first < work->shape.keys; first += work->block_keys) {
        tile.keys = MIN(work->block_keys, work->shape.keys - first);
        tile.value_depth = MIN(work->block_keys, work->padded_keys - first) / work->kernels->pair;
        tile.k = packed_keys(work, head, first, scratch);
        tile.v = packed_values(work, head, first, scratch);
        for (gint64 r = 0; r < queries; r += work->kernels->rows) {
            tile.diagonal = work->shape.causal ? first_query + r + 1 - first : work->shape.keys;
            tile.q = (const guint32 *)memory + block.q + r * work->depth;
            tile.sums = memory + block.sums + r * work->channels;
            tile.largest = memory + block.largest + r;
            tile.weight = memory + block.weight + r;
            work->kernels->attend(&tile);
        }
    }
}

static void attend(const AttentionWork *work, gint64 head, gint64 index, const void *q, void *out, guint32 *scratch)
{
    gsize shared = (gsize)(work->shape.n * work->shape.heads) * work->head_words;
    float *memory = (float *)scratch + shared + (gsize)omp_get_thread_num() * work->thread_words;
    const QueryBlock block = query_block(work);
    gint64 first = index * work->block_queries;
    AttentionRows from = head_rows(work, q, head, work->shape.queries, first, work->block_queries);
    gint64 queries = round_up(from.rows, work->kernels->rows);
    pack_queries(&from, work->depth, queries, work->kernels->pair, (guint32 *)memory + block.q);
    memset(memory + block.sums, 0, (gsize)(queries * work->channels) * sizeof *memory);
    for (gint64 r = 0; r < queries; r++) {
        memory[block.largest + r] = -INFINITY;
        memory[block.weight + r] = 0;
    }
    attend_keys(work, head, first, queries, memory, scratch);
    AttentionRows to = head_rows(work, out, head, work->shape.queries, first, work->block_queries);
    work->kernels->finish(memory + block.sums, work->channels, memory + block.weight, &to);
}

void cpu_attention_run(const AttentionWork *work, const void *q, const void *k, const void *v, void *out, void *scratch)
{
    gint64 heads = work->shape.n * work->shape.heads;
#pragma omp parallel num_threads(work->n_threads)
    {
#pragma omp for schedule(dynamic)
        for (gint64 i = 0; i < heads * work->n_key_blocks; i++)
            pack(work, i / work->n_key_blocks, i % work->n_key_blocks, k, v, scratch);
#pragma omp for schedule(dynamic)
        for (gint64 i = 0; i < heads * work->n_query_blocks; i++)
            attend(work, i / work->n_query_blocks, i % work->n_query_blocks, q, out, scratch);
    }
}
