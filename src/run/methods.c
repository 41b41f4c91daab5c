/* The methods that a configuration compares, and the architecture of their models. */
#include "run/job.h"

#include <string.h>

char *aimf_run_architecture(const AimfConfig *config, GError **error)
{
    g_autofree char *path = aimf_config_path(config, AIMF_KEY_TRAIN_MODEL);
    if (!path)
        return g_strdup(aimf_config_text_at(config, AIMF_KEY_TRAIN_ARCHITECTURE));
    g_autoptr(AimfModel) model = aimf_model_open(path, error);
    return model ? g_strdup(model->architecture) : NULL;
}

gboolean aimf_run_count_tensors(const AimfConfig *config, guint *n, GError **error)
{
    enum { ANY_SIZE = 224 };
    g_autofree char *architecture = aimf_run_architecture(config, error);
    AimfArchitectureCost cost;
    if (!architecture || !aimf_architecture_cost(architecture, ANY_SIZE, ANY_SIZE, 1, &cost, error))
        return FALSE;
    *n = cost.tensors;
    return TRUE;
}

static void add_method(GArray *methods, char *name, char *title, guint k)
{
    AimfRunMethod method = { name, title, k };
    g_array_append_val(methods, method);
}

static gboolean add_selections(const AimfConfig *config, guint n_tensors, GArray *methods, GError **error)
{
    guint n = aimf_config_length(config, AIMF_KEY_FINETUNE_TOP_K);
    for (guint i = 0; i < n; i++) {
        double value = aimf_config_number_at(config, AIMF_KEY_FINETUNE_TOP_K, i);
        guint k = value < 1 ? aimf_top_k(n_tensors, value) : (guint)value;
        if (value == 0 || k > n_tensors || (value >= 1 && value != k)) {
            aimf_config_error(config, AIMF_KEY_FINETUNE_TOP_K, error,
                              "%g is neither a share below 1 nor a number of the model's %u tensors", value, n_tensors);
            return FALSE;
        }
        for (guint m = 0; m < methods->len; m++) {
            if (g_array_index(methods, AimfRunMethod, m).k != k)
                continue;
            aimf_config_error(config, AIMF_KEY_FINETUNE_TOP_K, error, "k = %u is there twice", k);
            return FALSE;
        }
        add_method(methods, n == 1 ? g_strdup("aim-fair") : g_strdup_printf("aim-fair-k%u", k),
                   g_strdup_printf("AIM-Fair, k = %u", k), k);
    }
    return TRUE;
}

void aimf_run_method_clear(AimfRunMethod *method)
{
    g_free(method->name);
    g_free(method->title);
}

AimfRunMethod *aimf_run_methods(const AimfConfig *config, guint n_tensors, guint *n, GError **error)
{
    static const char *const titles[] = { NULL, "full fine-tuning", "last layer" };
    GArray *methods = g_array_new(FALSE, TRUE, sizeof(AimfRunMethod));
    g_array_set_clear_func(methods, (GDestroyNotify)aimf_run_method_clear);
    add_method(methods, g_strdup("biased"), g_strdup("biased"), 0);
    gboolean seen[G_N_ELEMENTS(titles)] = { FALSE };
    gboolean good = TRUE;
    for (guint i = 0; good && i < aimf_config_length(config, AIMF_KEY_FINETUNE_METHODS); i++) {
        guint kind = (guint)aimf_config_integer_at(config, AIMF_KEY_FINETUNE_METHODS, i);
        const char *name = aimf_config_list(config, AIMF_KEY_FINETUNE_METHODS)[i];
        if (seen[kind]) {
            aimf_config_error(config, AIMF_KEY_FINETUNE_METHODS, error, "%s is there twice", name);
            good = FALSE;
        } else if (kind == 0) {
            good = add_selections(config, n_tensors, methods, error);
        } else {
            add_method(methods, g_strdup(name), g_strdup(titles[kind]), 0);
        }
        seen[kind] = TRUE;
    }
    if (!good) {
        g_array_unref(methods);
        return NULL;
    }
    *n = methods->len;
    g_array_set_clear_func(methods, NULL);
    return (AimfRunMethod *)(void *)g_array_free(methods, FALSE);
}
