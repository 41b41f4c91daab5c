/*
 * The demonstration: the whole method on portraits that are drawn on the spot. No data, no download.
 *
 * Example:
 *     gboolean demonstrate(const char *folder, GError **error)
 *     {
 *         const AimfDemoOptions options = { .directory = folder, .seed = 1 };
 *         AimfDemoResult result;
 *         if (!aimf_demo(&options, NULL, &result, error))
 *             return FALSE;
 *         const AimfDemoModel *fair = &result.models[AIMF_DEMO_SELECTIVE];
 *         g_print("%s: worst group %.3f\n", fair->name, fair->measures->scalars.worst_group_accuracy);
 *         aimf_demo_result_clear(&result);
 *         return TRUE;
 *     }
 */
#pragma once

#include <aimfair/fair.h>

G_BEGIN_DECLS

/**
 * AimfDemoOptions:
 * @directory: where pictures, manifests, models, sensitivities and charts are put; made if missing
 * @seed: of the drawings, the weights and the order of training
 * @device: (nullable) where it computes, NULL for "auto"; @precision: of computing; @threads: 0: see aimf_set_threads
 */
typedef struct {
    const char *directory;
    guint64 seed;
    AimfDevice *device;
    AimfPrecision precision;
    int threads;
} AimfDemoOptions;

/**
 * AimfDemoModel: one row of the result. @trained: parameter tensors that were trained; @measures: on the test
 * photographs, owned.
 */
typedef struct {
    const char *name; /* static: "biased", "full fine-tuning", "AIM-Fair" */
    guint trained;
    double seconds; /* of training it */
    AimfMeasures *measures;
} AimfDemoModel;

enum { AIMF_DEMO_BIASED, AIMF_DEMO_FULL, AIMF_DEMO_SELECTIVE, AIMF_DEMO_N_MODELS };

/**
 * AimfDemoResult: @top_k: of the selection, out of @n_tensors; @portraits, @chart: (owned) paths of the two pictures
 * drawn.
 */
typedef struct {
    AimfDemoModel models[AIMF_DEMO_N_MODELS];
    guint top_k;
    guint n_tensors;
    guint n_pictures;
    double seconds; /* all in all */
    char *portraits;
    char *chart;
} AimfDemoResult;

void aimf_demo_result_clear(AimfDemoResult *result);

/**
 * aimf_demo:
 * Draws portraits in two looks, photographs and synthetic pictures, and takes them through the method by the same
 * calls that the commands make: biased training on photographs in which smiles go with long hair (9 to 1),
 * sensitivities, selection, and fine-tuning on balanced synthetic pictures, once of all tensors and once of the
 * selected ones; every model is measured on the same balanced test photographs. The same options on the same machine
 * give the same bytes.
 * Returns: FALSE with what the steps give: IO (no space left, no permission), UNSUPPORTED (bf16), INTERRUPTED,
 * MEMORY, FAILED.
 */
gboolean aimf_demo(const AimfDemoOptions *options, const AimfMonitor *monitor, AimfDemoResult *result, GError **error);

/** aimf_demo_group_name: (borrowed) "smiling, bearded" and the like, for target and group in {0, 1}. */
const char *aimf_demo_group_name(int target, int group);

G_END_DECLS
