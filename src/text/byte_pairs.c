/*
 * Of all neighbours in the word that have a merge, the one of lowest rank merges first, the leftmost of equals. A
 * heap keeps that n log n for words of any length. Source: Sennrich et al. 2016, section 3.2.
 */
#include "text/byte_pairs.h"

typedef struct {
    gint32 id; /* -1: merged into the one before */
    int before, after;
} Symbol;

typedef struct {
    guint32 rank;
    int left; /* the symbol that merges with the one after it */
    gint32 id;
} Candidate;

AimfBytePairs aimf_byte_pairs_new(void)
{
    return (AimfBytePairs){ g_array_new(FALSE, FALSE, sizeof(Symbol)), g_array_new(FALSE, FALSE, sizeof(Candidate)) };
}

void aimf_byte_pairs_clear(AimfBytePairs *pairs)
{
    g_array_unref(pairs->symbols);
    g_array_unref(pairs->heap);
}

static gboolean sooner(const Candidate *a, const Candidate *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->left < b->left;
}

static void heap_push(GArray *heap, Candidate candidate)
{
    guint at = heap->len;
    g_array_append_val(heap, candidate);
    Candidate *all = (Candidate *)(void *)heap->data;
    for (; at && sooner(&candidate, &all[(at - 1) / 2]); at = (at - 1) / 2)
        all[at] = all[(at - 1) / 2];
    all[at] = candidate;
}

static Candidate heap_pop(GArray *heap)
{
    Candidate *all = (Candidate *)(void *)heap->data;
    Candidate first = all[0], last = all[heap->len - 1];
    g_array_set_size(heap, heap->len - 1);
    guint at = 0;
    for (guint child; (child = 2 * at + 1) < heap->len; at = child) {
        if (child + 1 < heap->len && sooner(&all[child + 1], &all[child]))
            child++;
        if (!sooner(&all[child], &last))
            break;
        all[at] = all[child];
    }
    if (heap->len)
        all[at] = last;
    return first;
}

static void consider(AimfBytePairs *pairs, const AimfVocabulary *vocabulary, int left)
{
    const Symbol *symbols = (const Symbol *)(const void *)pairs->symbols->data;
    if (left < 0 || symbols[left].after < 0)
        return;
    const AimfMerge *merge = aimf_vocabulary_pair(vocabulary, symbols[left].id, symbols[symbols[left].after].id);
    if (merge)
        heap_push(pairs->heap, (Candidate){ merge->rank, left, merge->id });
}

/* A candidate is stale once one of its two symbols has merged otherwise. */
static gboolean still_holds(const AimfVocabulary *vocabulary, const Symbol *symbols, const Candidate *candidate)
{
    const Symbol *left = &symbols[candidate->left];
    if (left->id < 0 || left->after < 0)
        return FALSE;
    const AimfMerge *merge = aimf_vocabulary_pair(vocabulary, left->id, symbols[left->after].id);
    return merge && merge->id == candidate->id;
}

void aimf_byte_pairs_encode(AimfBytePairs *pairs, const AimfVocabulary *vocabulary, const char *word, gsize length,
                            GArray *ids)
{
    int n = (int)MIN(length, G_MAXINT);
    g_array_set_size(pairs->symbols, (guint)n);
    g_array_set_size(pairs->heap, 0);
    Symbol *symbols = (Symbol *)(void *)pairs->symbols->data;
    for (int i = 0; i < n; i++)
        symbols[i] = (Symbol){ vocabulary->bytes[i == n - 1][(guchar)word[i]], i - 1, i < n - 1 ? i + 1 : -1 };
    for (int i = 0; i < n; i++)
        consider(pairs, vocabulary, i);
    while (pairs->heap->len) {
        Candidate candidate = heap_pop(pairs->heap);
        if (!still_holds(vocabulary, symbols, &candidate))
            continue;
        Symbol *left = &symbols[candidate.left], *right = &symbols[left->after];
        left->id = candidate.id;
        left->after = right->after;
        right->id = -1;
        if (left->after >= 0)
            symbols[left->after].before = candidate.left;
        consider(pairs, vocabulary, left->before);
        consider(pairs, vocabulary, candidate.left);
    }
    for (int i = 0; i >= 0; i = symbols[i].after)
        g_array_append_val(ids, symbols[i].id);
}
