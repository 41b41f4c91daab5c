/* The epochs of every training, and what came of it, for TensorBoard. */
#include "base/file.h"
#include "base/shown.h"
#include "run/results.h"
#include "run/tensorboard_events.h"

#include <math.h>
#include <string.h>

/* TensorBoard takes what has "tfevents" in its name; the number, elsewhere a time, is always the same. */
#define EVENTS_NAME "events.out.tfevents.1.aimfair"

/* "validation_groups/1 female": TensorBoard makes a section of what stands before the first slash. */
static void add_group(AimfEventFile *file, const char *section, const char *name, double value)
{
    g_autofree char *shown = aimf_message_text(g_strdup(name));
    g_autofree char *tag = g_strconcat(section, "/", shown, NULL);
    aimf_event_file_add(file, tag, value);
}

/* What TensorBoard would call steps are epochs, from 1; 0 is the start. */
static void add_epochs(AimfEventFile *file, const AimfRunCell *cell)
{
    guint n_groups = cell->group_names ? g_strv_length(cell->group_names) : 0;
    for (guint e = 0; cell->history && e < cell->history->len; e++) {
        const AimfEpoch *epoch = &g_array_index(cell->history, AimfEpoch, e);
        aimf_event_file_add(file, "train/loss", epoch->loss);
        aimf_event_file_add(file, "train/accuracy", epoch->train_accuracy);
        aimf_event_file_add(file, "train/learning_rate", epoch->learning_rate);
        aimf_event_file_add(file, "validation/loss", epoch->val_loss);
        aimf_event_file_add(file, "validation/accuracy", epoch->val_accuracy);
        aimf_event_file_add(file, "validation/worst_group_accuracy", epoch->val_worst_group_accuracy);
        aimf_event_file_add(file, "validation/equalized_odds", epoch->val_equalized_odds);
        for (guint g = 0; g < n_groups && cell->group_accuracy; g++) {
            guint index = e * n_groups + g;
            if (index < cell->group_accuracy->len)
                add_group(file, "validation_groups", cell->group_names[g],
                          g_array_index(cell->group_accuracy, double, index));
        }
        aimf_event_file_step(file, epoch->epoch + 1);
    }
}

static void add_start(AimfEventFile *file, const AimfEpoch *start)
{
    if (!start)
        return;
    aimf_event_file_add(file, "validation/loss", start->val_loss);
    aimf_event_file_add(file, "validation/accuracy", start->val_accuracy);
    aimf_event_file_add(file, "validation/worst_group_accuracy", start->val_worst_group_accuracy);
    aimf_event_file_add(file, "validation/equalized_odds", start->val_equalized_odds);
    aimf_event_file_step(file, 0);
}

/* The test set's, at the last epoch's step. */
static void add_measures(AimfEventFile *file, const AimfRunResults *results, const AimfRunCell *cell)
{
    const AimfMeasures *measures = cell->measures;
    guint n = cell->history ? cell->history->len : 0;
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        g_autofree char *tag = g_strconcat("test/", aimf_scalar_name(i), NULL);
        if (!aimf_scalar_of_classes(i) || measures->n_targets > 2)
            aimf_event_file_add(file, tag, aimf_scalar_at(&measures->scalars, i));
    }
    for (int i = 0; i < measures->n_targets * measures->n_protected; i++) {
        const AimfGroupMeasure *group = &measures->groups[i];
        g_autofree char *name = g_strdup_printf("%d %s", group->target, results->labels[group->group]);
        add_group(file, "test_groups", name, group->accuracy);
    }
    aimf_event_file_step(file, n ? g_array_index(cell->history, AimfEpoch, n - 1).epoch + 1 : 0);
}

/* (owned) of the method and its seed; a name's characters that could lead elsewhere become '_'. */
static char *folder_of(const AimfRunResults *results, const char *folder, guint method, guint seed)
{
    g_autofree char *name =
        g_strdup_printf("%s-%" G_GUINT64_FORMAT, results->methods[method].name, results->seeds[seed]);
    g_strcanon(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_", '_');
    return g_build_filename(folder, name, NULL);
}

gboolean aimf_results_save_events(const AimfRunResults *results, const char *folder, GError **error)
{
    for (guint i = 0; i < results->n_methods * results->n_seeds; i++) {
        const AimfRunCell *cell = &results->cells[i];
        if (!cell->measures)
            continue;
        g_autofree char *of_cell = folder_of(results, folder, i / results->n_seeds, i % results->n_seeds);
        g_autofree char *path = g_build_filename(of_cell, EVENTS_NAME, NULL);
        g_autoptr(AimfEventFile) file = aimf_event_file_new();
        add_start(file, cell->start);
        add_epochs(file, cell);
        add_measures(file, results, cell);
        if (!aimf_directory_make(of_cell, error) || !aimf_event_file_save(file, path, error))
            return FALSE;
    }
    return TRUE;
}
