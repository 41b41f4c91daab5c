/* Architectures and saved models. */
#pragma once

#include <aimfair/data.h>
#include <aimfair/graph.h>
#include <aimfair/weights.h>

G_BEGIN_DECLS

/**
 * AimfModel: a classifier: its weights, and all that is needed to use them, so that a saved model needs no flags.
 * @architecture: registry name, "resnet18"
 * @image_size: side of the input in pixels; @mean, @std: its normalisation
 * @outputs: logits per image: 1 (sigmoid, two classes) or the number of classes (softmax)
 * @target: (nullable) what is predicted, "Smiling"; @classes: (nullable) NULL-terminated names of the classes
 * @threshold: a sigmoid output of at least this is class 1
 * @tensors: f32, in memory, in the architecture's order, torchvision's names; its metadata is free for provenance
 */
typedef struct {
    char *architecture;
    int image_size;
    int outputs;
    float mean[3];
    float std[3];
    char *target;
    char **classes;
    double threshold;
    AimfTensors *tensors;
} AimfModel;

void aimf_model_free(AimfModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfModel, aimf_model_free)

/** aimf_architectures: (borrowed) NULL-terminated names of the architectures there are. */
const char *const *aimf_architectures(void);

/**
 * aimf_model_new:
 * A model with fresh weights from torchvision's initialisation scheme (convolutions: Kaiming normal, fan out; linear: PyTorch's
 * default uniform; batch norm: 1 and 0), drawn from @seed. Returns: (owned) or NULL with NOT_FOUND (no such architecture) or INVALID.
 */
AimfModel *aimf_model_new(const char *architecture, int image_size, int outputs, guint64 seed, GError **error);

/**
 * aimf_model_select_weights:
 * @only: (nullable) prefixes with commas between them: only tensors below these keys of the file are looked at; "." for the set that
 *   has no prefix
 * Finds the one set of tensors in a file of others that are the weights of @architecture: below any chain of prefixes ("module.",
 * "state_dict.model.backbone."), with the modules left out that torch.compile and others put between, beside optimizers, schedules,
 * averaged copies and other models, the final layer under its own name, or one linear layer that takes as many features, below the
 * prefix or beside it. What is taken and what is passed over is told to @monitor: as a warning where its use is not known.
 * Returns: (owned) a view of @tensors, which must not change any more, under the architecture's own names, of the file's types, the final
 * layer with as many outputs as it has there. NULL with NOT_FOUND (no such architecture; nothing below @only, says what there is) or
 * INVALID: no set fits, listing what is missing, surplus or of a wrong shape in the nearest; several fit, listing them; several layers
 * may be the final one.
 */
AimfTensors *aimf_model_select_weights(AimfTensors *tensors, const char *architecture, const char *only,
                                       const AimfMonitor *monitor, GError **error);
/**
 * aimf_model_take_weights:
 * Replaces the model's weights by those in @tensors, as aimf_model_select_weights finds them. A final layer for another number of
 * classes (ImageNet's 1000) is left fresh, with a warning to @monitor.
 * Returns: FALSE as aimf_model_select_weights, or with INVALID for values that are not finite.
 */
gboolean aimf_model_take_weights(AimfModel *model, const AimfTensors *tensors, const AimfMonitor *monitor,
                                 GError **error);

/** aimf_model_open: a model saved by aimf_model_save. NULL also with FORMAT when the file is a plain weight file; says the mend. */
AimfModel *aimf_model_open(const char *path, GError **error);
/** aimf_model_save: safetensors, atomically. Its own metadata are set in @model->tensors. FALSE with IO. */
gboolean aimf_model_save(const AimfModel *model, const char *path, GError **error);
/** aimf_model_copy: (owned) with its own tensors; NULL with MEMORY. */
AimfModel *aimf_model_copy(const AimfModel *model, GError **error);
/** aimf_model_hash: (owned) SHA-256 over names, shapes and values of all tensors. */
char *aimf_model_hash(const AimfModel *model);

/**
 * AimfModelGraph: the model as a graph. @images (N, 3, S, S) and @targets (N, or N x 1 for one output) are inputs; @logits
 * (N, outputs); @loss a scalar.
 */
typedef struct {
    AimfGraph *graph; /* owned */
    AimfValue images;
    AimfValue targets;
    AimfValue logits;
    AimfValue loss;
} AimfModelGraph;

/**
 * aimf_model_build:
 * @training: batch norm uses batch statistics and updates the running ones
 * Builds the graph for batches of @batch: sigmoid cross-entropy for one output, softmax cross-entropy for more.
 * Returns: FALSE with INVALID (a batch out of range, or too small for batch statistics) or NOT_FOUND (no such architecture).
 */
gboolean aimf_model_build(const AimfModel *model, guint batch, gboolean training, AimfModelGraph *built,
                          GError **error);

/** aimf_model_loader_options: the loader options that fit the model: size and normalisation; everything else zero. */
AimfLoaderOptions aimf_model_loader_options(const AimfModel *model);

/**
 * AimfPredictions: one entry per row of a manifest, in its order. Rows whose image was skipped have NaN logits.
 * @classes: (nullable) NULL-terminated names of the model's classes; @threshold: of two classes, the model's
 */
typedef struct {
    guint n;
    int outputs;
    float *logits;      /* (n, outputs), owned */
    float *probability; /* (n) of class 1, or of the predicted class with more than two, owned */
    int *prediction;    /* (n) class, -1 where skipped, owned */
    char **classes;     /* owned */
    double threshold;
} AimfPredictions;

void aimf_predictions_free(AimfPredictions *predictions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfPredictions, aimf_predictions_free)

/**
 * aimf_predictions_save: as CSV, atomically: path,logit,probability,prediction with a row per row of @manifest;
 * logit_0,logit_1,… in place of logit where there are several. Then, with more than two classes,
 * probability_0,probability_1,…, and class, the name of the predicted class, if classes have names. Images that were
 * skipped leave the figures empty.
 */
gboolean aimf_predictions_save(const AimfPredictions *predictions, const AimfManifest *manifest, const char *path,
                               GError **error);

/** AimfPredictOptions: @batch 0 means 128; @threads 0 means all; @skip_bad: see AimfLoaderOptions. */
typedef struct {
    guint batch;
    AimfPrecision precision;
    int threads;
    guint skip_bad;
} AimfPredictOptions;

/**
 * aimf_model_predict: the model in evaluation mode on every row of @manifest; targets are not looked at.
 * Returns: (owned) or NULL with FAILED (an output is not finite; names the image), INTERRUPTED, or what loading and
 * aimf_plan_run give.
 */
AimfPredictions *aimf_model_predict(const AimfModel *model, const AimfManifest *manifest,
                                    const AimfPredictOptions *options, const AimfMonitor *monitor, GError **error);

G_END_DECLS
