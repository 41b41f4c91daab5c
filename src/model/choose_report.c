/* What is said about the weights that were found, and about those that were not. */
#include "model/choose_report.h"

#include "base/monitor.h"

#include <string.h>

enum { MAX_LISTED = 8, MAX_COMPONENTS = 4 };

/*
 * What training programs store beside a model's weights, by one component of the name. @inside: also where it stands
 * among them, for what no layer of a network is called.
 */
static const struct {
    const char *pattern;
    gboolean inside;
    const char *kind;
} known[] = {
    { "optim*", TRUE, "of an optimizer" },
    { "*optimizer*", TRUE, "of an optimizer" },
    { "*scheduler*", TRUE, "of a schedule" },
    { "*lr_sched*", TRUE, "of a schedule" },
    { "n_averaged", TRUE, "that count a training's steps" },
    { "num_updates", TRUE, "that count a training's steps" },
    { "initted", TRUE, "that count a training's steps" },
    { "step", TRUE, "that count a training's steps" },
    { "global_step", TRUE, "that count a training's steps" },
    { "epoch", TRUE, "that count a training's steps" },
    { "total_ops", TRUE, "that count operations" },
    { "total_params", TRUE, "that count operations" },
    { "*rng*", TRUE, "of random number generators" },
    { "random_state*", TRUE, "of random number generators" },
    { "*scaler*", TRUE, "of loss scaling" },
    { "criterion*", TRUE, "of a loss" },
    { "loss*", TRUE, "of a loss" },
    { "*_loss", TRUE, "of a loss" },
    { "*ema*", FALSE, "of averaged copies" },
    { "*shadow*", FALSE, "of averaged copies" },
    { "*averag*", FALSE, "of averaged copies" },
    { "*metric*", FALSE, "of measures" },
    { "*accuracy*", FALSE, "of measures" },
    { "*auroc*", FALSE, "of measures" },
    { "callbacks", FALSE, "of callbacks" },
};

static const char *kind_of(const char *component, gboolean inside)
{
    for (guint i = 0; i < G_N_ELEMENTS(known); i++)
        if ((known[i].inside || !inside) && g_pattern_match_simple(known[i].pattern, component))
            return known[i].kind;
    return NULL;
}

const char *aimf_weights_kind(const char *name, gboolean inside)
{
    const char *kind = NULL, *last = strrchr(name, '.');
    for (guint i = 0; !kind && *name && i < (inside ? 1 : MAX_COMPONENTS); i++) {
        gsize bytes = strcspn(name, ".");
        g_autofree char *component = g_ascii_strdown(name, (gssize)bytes);
        kind = kind_of(component, inside);
        name += bytes + (name[bytes] == '.');
    }
    return kind || !last ? kind : kind_of(last + 1, TRUE);
}

static void append_set(GString *text, const AimfWeightSet *set, const AimfTensors *tensors, guint head_weight)
{
    g_string_append_printf(text, "%s'%s' ", text->len ? ", " : "", set->prefix);
    if (set->entry[head_weight] == AIMF_NO_ENTRY) {
        g_string_append(text, "(no final layer)");
        return;
    }
    const AimfTensor *weight = aimf_tensors_at(tensors, (guint)set->entry[head_weight]);
    gint64 n = weight->shape.dim[0];
    g_string_append_printf(text, "(final layer '%.*s': %" G_GINT64_FORMAT " output%s)",
                           (int)(strlen(weight->name) - strlen(".weight")), weight->name, n, AIMF_PLURAL(n));
}

void aimf_weight_sets_ambiguous(const GPtrArray *sets, const AimfTensors *tensors, const char *architecture,
                                guint head_weight, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const char *example = "";
    gboolean has_top = FALSE;
    for (guint i = 0; i < sets->len; i++) {
        const AimfWeightSet *set = sets->pdata[i];
        if (i < MAX_LISTED)
            append_set(text, set, tensors, head_weight);
        has_top |= !*set->prefix;
        if (!*example)
            example = set->prefix;
    }
    if (sets->len > MAX_LISTED)
        g_string_append_printf(text, " and %u more", sets->len - MAX_LISTED);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "there are %u sets of weights of a %s, below %s: choose one with --only, such as --only %.*s%s",
                sets->len, architecture, text->str, (int)MAX(strlen(example), 1) - 1, example,
                has_top ? " (--only . for the one without a prefix)" : "");
}

/* What is passed over: known kinds by number, others by name. */
static void report_passed(const AimfWeightChoice *choice, const AimfMonitor *monitor)
{
    const AimfTensors *tensors = choice->tensors;
    g_autofree gboolean *left = g_memdup2(choice->allowed, sizeof(gboolean) * MAX(aimf_tensors_count(tensors), 1));
    for (guint i = 0; i < choice->n; i++)
        if (choice->set->entry[i] != AIMF_NO_ENTRY)
            left[choice->set->entry[i]] = FALSE;
    g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) kinds = g_ptr_array_new(), unknown = g_ptr_array_new();
    for (guint i = 0; i < aimf_tensors_count(tensors); i++) {
        const char *name = aimf_tensors_at(tensors, i)->name;
        const char *kind = left[i] ? aimf_weights_kind(name, FALSE) : NULL;
        if (!left[i])
            continue;
        if (!kind) {
            g_ptr_array_add(unknown, (char *)name);
            continue;
        }
        guint before = GPOINTER_TO_UINT(g_hash_table_lookup(counts, kind));
        if (!before)
            g_ptr_array_add(kinds, (char *)kind);
        g_hash_table_insert(counts, (char *)kind, GUINT_TO_POINTER(before + 1));
    }
    for (guint i = 0; i < kinds->len; i++)
        aimf_message(monitor, AIMF_LOG_INFO, "passed over (%u): tensors %s",
                     GPOINTER_TO_UINT(g_hash_table_lookup(counts, kinds->pdata[i])), (const char *)kinds->pdata[i]);
    g_autoptr(GString) text = g_string_new(NULL);
    aimf_misfits_append(text, "passed over, tensors of no known use", unknown);
    if (unknown->len)
        aimf_message(monitor, AIMF_LOG_WARNING, "%s", text->str);
}

void aimf_weight_choice_report(const AimfWeightChoice *choice, const char *architecture, const AimfMonitor *monitor)
{
    const AimfWeightSet *set = choice->set;
    guint taken = 0;
    for (guint i = 0; i < choice->n; i++)
        taken += set->entry[i] != AIMF_NO_ENTRY;
    if (*set->prefix)
        aimf_message(monitor, AIMF_LOG_INFO, "the weights of the %s are the %u tensors below '%s'", architecture, taken,
                     set->prefix);
    if (set->head)
        aimf_message(monitor, AIMF_LOG_INFO, "the final layer of the %s is '%s'", architecture, set->head);
    report_passed(choice, monitor);
}
