/* Many pictures share a prompt, and all of them the empty one: states are kept. */
#include "diffusion/text_states.h"

#include <string.h>

/*
 * About 80 MB of a full-size model's states; beyond it the store begins anew, which costs a fifth of a second per
 * prompt.
 */
enum { MAX_KEPT = 256 };

GHashTable *aimf_text_states_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

gsize aimf_text_states_values(const AimfDiffusion *diffusion)
{
    const AimfClipTextConfig *text = &diffusion->networks.model->text;
    return (gsize)text->positions * (gsize)text->hidden;
}

/*
 * One prompt at a time: kernels may round differently in another batch, and the states must depend on the prompt
 * alone.
 */
static AimfTextStates *work_out(AimfDiffusion *diffusion, const char *prompt, AimfPrecision precision, GError **error)
{
    AimfNetworkForm form = { .precision = precision, .batch = 1 };
    AimfNetwork *network = aimf_networks_need(&diffusion->networks, AIMF_NETWORK_TEXT, &form, error);
    if (!network)
        return NULL;
    gint32 ids[AIMF_PROMPT_TOKENS];
    const AimfClipTextConfig *config = &diffusion->networks.model->text;
    /* The last token stands for the end, behind which tokens may have been added. */
    gboolean with_end = config->pad_token == config->vocabulary - 1;
    gint32 pad = with_end ? aimf_tokenizer_end(diffusion->tokenizer) : config->pad_token;
    guint cut = aimf_tokenizer_prompt(diffusion->tokenizer, prompt, pad, ids);
    float tokens[AIMF_PROMPT_TOKENS]; /* (1, 77) */
    for (int i = 0; i < AIMF_PROMPT_TOKENS; i++)
        tokens[i] = (float)ids[i];
    gsize values = aimf_text_states_values(diffusion);
    g_autofree AimfTextStates *found = g_malloc(sizeof(AimfTextStates) + values * sizeof(float));
    found->tokens_cut = cut;
    if (!aimf_networks_give(network, AIMF_NETWORK_TEXT, network->values.input, tokens, AIMF_PROMPT_TOKENS, error) ||
        !aimf_networks_run(network, AIMF_NETWORK_TEXT, found->states, values, error))
        return NULL;
    return g_steal_pointer(&found);
}

const AimfTextStates *aimf_text_states_get(AimfDiffusion *diffusion, const char *prompt, AimfPrecision precision,
                                           GError **error)
{
    g_autofree char *key = g_strdup_printf("%d %s", precision, prompt);
    AimfTextStates *known = g_hash_table_lookup(diffusion->text_states, key);
    if (known)
        return known;
    AimfTextStates *found = work_out(diffusion, prompt, precision, error);
    if (!found)
        return NULL;
    if (g_hash_table_size(diffusion->text_states) >= MAX_KEPT)
        g_hash_table_remove_all(diffusion->text_states);
    g_hash_table_insert(diffusion->text_states, g_steal_pointer(&key), found);
    return found;
}
