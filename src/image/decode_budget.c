#include "image/decode_budget.h"

/*
 * Of pixels: ten of the largest pictures that a file of any size may ask for (image/pixels.c), hundreds of ordinary
 * ones.
 */
static const gsize LIMIT_BYTES = (gsize)1 << 30;

void aimf_decode_budget_init(AimfDecodeBudget *budget)
{
    g_mutex_init(&budget->lock);
    g_cond_init(&budget->room);
    budget->used = 0;
    budget->limit = LIMIT_BYTES;
}

void aimf_decode_budget_clear(AimfDecodeBudget *budget)
{
    g_mutex_clear(&budget->lock);
    g_cond_clear(&budget->room);
}

void aimf_decode_budget_take(AimfDecodeBudget *budget, gsize bytes)
{
    g_mutex_lock(&budget->lock);
    while (budget->used && (bytes > budget->limit || budget->used > budget->limit - bytes))
        g_cond_wait(&budget->room, &budget->lock);
    budget->used += bytes;
    g_mutex_unlock(&budget->lock);
}

void aimf_decode_budget_give(AimfDecodeBudget *budget, gsize bytes)
{
    g_mutex_lock(&budget->lock);
    budget->used -= bytes;
    g_cond_broadcast(&budget->room);
    g_mutex_unlock(&budget->lock);
}
