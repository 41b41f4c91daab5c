/*
 * How accurate a saved model is in each group of a set of pictures: measure_groups MODEL.safetensors MANIFEST.csv
 * A program of your own may do the same; it needs no more than libaimfair and its headers.
 */
#include <aimfair/fair.h>
#include <aimfair/model.h>
#include <stdio.h>

/* Messages and progress are the caller's affair; the library prints nothing. */
static void show_message(AimfLogLevel level, const char *text, gpointer user_data)
{
    (void)user_data;
    if (level == AIMF_LOG_WARNING)
        fprintf(stderr, "warning: %s\n", text);
}

static void print(const AimfMeasures *measures, const AimfOutcomes *outcomes)
{
    for (int i = 0; i < measures->n_targets * measures->n_protected; i++) {
        const AimfGroupMeasure *group = &measures->groups[i];
        printf("class %d, protected label %s: ", group->target, outcomes->labels[group->group]);
        if (group->n)
            printf("%.1f %% of %u right\n", 100 * group->accuracy, group->n);
        else
            printf("no pictures\n");
    }
    printf("all: %.1f %%, worst group %.1f %%\n", 100 * measures->scalars.accuracy,
           100 * measures->scalars.worst_group_accuracy);
}

static gboolean measure(const char *model_path, const char *manifest_path, GError **error)
{
    const AimfMonitor monitor = { .message = show_message };
    const AimfPredictOptions options = { .batch = 64 };
    g_autoptr(AimfModel) model = aimf_model_open(model_path, error);
    g_autoptr(AimfManifest) manifest = model ? aimf_manifest_open(manifest_path, error) : NULL;
    g_autoptr(AimfPredictions) predictions =
        manifest ? aimf_model_predict(model, manifest, &options, &monitor, error) : NULL;
    g_autoptr(AimfOutcomes) outcomes =
        predictions ? aimf_outcomes_from_predictions(manifest, predictions, error) : NULL;
    /* no bootstrap: 0 resamples */
    g_autoptr(AimfMeasures) measures = outcomes ? aimf_outcomes_measure(outcomes, 0, 0, &monitor, error) : NULL;
    if (measures)
        print(measures, outcomes);
    return measures != NULL;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s MODEL.safetensors MANIFEST.csv\n", argv[0]);
        return 2;
    }
    g_autoptr(GError) error = NULL;
    if (measure(argv[1], argv[2], &error))
        return 0;
    fprintf(stderr, "%s\n", error->message); /* names the file, what is wrong with it, and the mend */
    return 1;
}
