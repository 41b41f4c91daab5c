/* Selecting the tensors to fine-tune: arXiv 2503.05665 section 3.3, as its code does it. */
#include <aimfair/fair.h>
#include <math.h>

static gboolean selected(const AimfSensitivity *tensor, guint k)
{
    return tensor->domain_rank <= k && tensor->bias_rank <= k;
}

static guint smallest_selecting_k(const AimfSensitivities *sensitivities)
{
    guint smallest = G_MAXUINT;
    for (guint i = 0; i < sensitivities->n; i++) {
        const AimfSensitivity *tensor = &sensitivities->tensors[i];
        smallest = MIN(smallest, MAX(tensor->domain_rank, tensor->bias_rank));
    }
    return smallest;
}

guint aimf_top_k(guint n, double share)
{
    return (guint)CLAMP(floor(share * n + 0.5), 1, MAX(n, 1));
}

char **aimf_select_top_k(const AimfSensitivities *sensitivities, guint k, GError **error)
{
    guint n = sensitivities->n;
    if (k < 1 || k > n) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--top-k is %u; with %u tensors it must be from 1 to %u", k,
                    n, n);
        return NULL;
    }
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < n; i++)
        if (selected(&sensitivities->tensors[i], k))
            g_ptr_array_add(names, g_strdup(sensitivities->tensors[i].name));
    if (!names->len) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "--top-k %u selects nothing: no tensor is both among the %u least sensitive to the domain and "
                    "among the %u most sensitive to the bias; the smallest --top-k that selects something is %u",
                    k, k, k, smallest_selecting_k(sensitivities));
        return NULL;
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}
