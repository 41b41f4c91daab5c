/*
 * Architectures and saved models.
 *
 * Example:
 *     gboolean predict(const char *saved, const char *pictures, const char *to, GError **error)
 *     {
 *         const AimfPredictOptions options = { .batch = 64 };
 *         g_autoptr(AimfModel) model = aimf_model_open(saved, error);
 *         g_autoptr(AimfManifest) manifest = model ? aimf_manifest_open(pictures, error) : NULL;
 *         g_autoptr(AimfPredictions) predictions =
 *             manifest ? aimf_model_predict(model, manifest, &options, NULL, error) : NULL;
 *         return predictions && aimf_predictions_save(predictions, manifest, to, error);
 *     }
 */
#pragma once

#include <aimfair/data.h>
#include <aimfair/graph.h>
#include <aimfair/weights.h>

G_BEGIN_DECLS

/**
 * AimfModel: a classifier: its weights, and all that is needed to use them, so that a saved model needs no flags.
 * @architecture: registry name, "resnet18"
 * @preprocess: how a picture becomes its input
 * @outputs: logits per image: 1 (sigmoid, two classes) or the number of classes (softmax)
 * @target: (nullable) what is predicted, "Smiling"; @classes: (nullable) NULL-terminated names of the classes
 * @threshold: a sigmoid output of at least this is class 1
 * @tensors: f32, in memory, in the architecture's order, torchvision's names; its metadata is free for provenance
 */
typedef struct {
    char *architecture;
    AimfPreprocess preprocess;
    int outputs;
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
 * AimfArchitectureCost: what an architecture takes for images of a size.
 * @tensors, @parameters: that can be trained, and the numbers in them; @bytes: of a saved model's tensors
 * @flops: of one image forward; multiplications and additions of convolutions, products and attention, counted as two
 */
typedef struct {
    guint tensors;
    gint64 parameters;
    gint64 bytes;
    double flops;
} AimfArchitectureCost;

/** aimf_architecture_cost: FALSE as aimf_model_new. */
gboolean aimf_architecture_cost(const char *architecture, int width, int height, int outputs,
                                AimfArchitectureCost *cost, GError **error);

/**
 * aimf_model_new:
 * A model with fresh weights, drawn from @seed by the distributions of the program that the architecture's names come
 * from (ResNets: torchvision's; convolutions Kaiming normal, fan out, linear layers uniform, norms 1 and 0). Its
 * input is square, resized whole, bilinear, with mean and deviation 0.5; see aimf_model_set_preprocess for another.
 * Returns: (owned) or NULL with NOT_FOUND (no such architecture) or INVALID.
 */
AimfModel *aimf_model_new(const char *architecture, int image_size, int outputs, guint64 seed, GError **error);
/** aimf_model_new_for: the same for pictures that are prepared otherwise. */
AimfModel *aimf_model_new_for(const char *architecture, const AimfPreprocess *preprocess, int outputs, guint64 seed,
                              GError **error);
/**
 * aimf_model_set_preprocess:
 * Another way of preparing pictures. Weights do not depend on it, but for a vision transformer's, which have a row for
 * each place of the input: for another size these are resampled, bicubic, as timm does. FALSE with INVALID (a size
 * that the architecture cannot take) or MEMORY; the model is then as it was.
 */
gboolean aimf_model_set_preprocess(AimfModel *model, const AimfPreprocess *preprocess, const AimfMonitor *monitor,
                                   GError **error);

/**
 * AimfWeightSearch: which weights in a file are meant; zero is the default.
 * @only: (nullable) keys of the file with commas between them: only tensors below these are looked at, and a key that
 *   is one layer's is the final layer's; "." is the set that has no prefix
 * @any_head: the final layer will be drawn anew: it may be missing, be several layers, or be one of several, and what
 *   is beside the architecture's other modules is passed over
 * @rename: (nullable) a file of rules that give the tensors other names first, see aimf_tensors_rename
 */
typedef struct {
    const char *only;
    gboolean any_head;
    const char *rename;
} AimfWeightSearch;

/**
 * aimf_model_select_weights:
 * @search: (nullable) the default
 * Finds the one set of tensors in a file of others that are the weights of @architecture: below any chain of prefixes
 * ("module.", "state_dict.model.backbone."), with the modules left out that torch.compile and others put between,
 * beside optimizers, schedules, averaged copies and other models, the final layer under its own name, or one linear
 * layer that takes as many features, below the prefix or beside it. What is taken and what is passed over is told to
 * @monitor: as a warning where its use is not known.
 * Returns: (owned) a view of @tensors, which must not change any more, under the architecture's own names, of the
 * file's types, the final layer, if it is there, with as many outputs as it has there. NULL with NOT_FOUND (no such
 * architecture; nothing below @search->only, says what there is) or INVALID: no set fits, listing what is missing,
 * surplus or of a wrong shape in the nearest; several fit, listing them; several layers may be the final one; or as
 * aimf_tensors_rename.
 */
AimfTensors *aimf_model_select_weights(AimfTensors *tensors, const char *architecture, const AimfWeightSearch *search,
                                       const AimfMonitor *monitor, GError **error);
/**
 * aimf_model_take_weights:
 * @weights: what aimf_model_select_weights gave: tensors under the architecture's own names and no others
 * Replaces the model's weights. A final layer that is missing or for another number of outputs (ImageNet's 1000) is
 * left fresh, and rows for the places of another input size are resampled; both are told to @monitor. FALSE with
 * INVALID: names or shapes that are not the architecture's, listed, or values that are not finite; the model is then
 * as it was.
 */
gboolean aimf_model_take_weights(AimfModel *model, const AimfTensors *weights, const AimfMonitor *monitor,
                                 GError **error);

/**
 * aimf_weights_outputs: the outputs of the final layer of @architecture in @tensors, which aimf_model_select_weights
 * gave; 0 if there is no such layer, or no such architecture.
 */
int aimf_weights_outputs(const char *architecture, const AimfTensors *tensors);
/** aimf_model_renew_head: the final layer as aimf_model_new would draw it with @seed. FALSE as aimf_model_new. */
gboolean aimf_model_renew_head(AimfModel *model, guint64 seed, GError **error);
/**
 * aimf_saved_preprocess: the preprocessing that a saved model's file @tensors asks for. FALSE without @error: it is
 * no saved model; with FORMAT: it is a damaged one. @preprocess is then as it was.
 */
gboolean aimf_saved_preprocess(const AimfTensors *tensors, AimfPreprocess *preprocess, GError **error);

/**
 * aimf_model_open: a model saved by aimf_model_save. NULL also with FORMAT when the file is a plain weight file; says
 * the mend.
 */
AimfModel *aimf_model_open(const char *path, GError **error);
/**
 * aimf_model_save: safetensors, atomically. Its own metadata are set in @model->tensors. FALSE with IO, or INVALID: a
 * model that cannot be.
 */
gboolean aimf_model_save(const AimfModel *model, const char *path, GError **error);
/** aimf_model_copy: (owned) with its own tensors; NULL with MEMORY. */
AimfModel *aimf_model_copy(const AimfModel *model, GError **error);
/** aimf_model_hash: (owned) SHA-256 over names, shapes and values of all tensors. */
char *aimf_model_hash(const AimfModel *model);

/**
 * AimfModelGraph: the model as a graph. @images (N, 3, H, W) and @targets (N, or N x 1 for one output) are inputs;
 * @logits (N, outputs); @loss a scalar. @draw: an input (2) that says which numbers dropout draws, see aimf_dropout, an
 * epoch and a batch for instance; AIMF_NONE where nothing is dropped.
 */
typedef struct {
    AimfGraph *graph; /* owned */
    AimfValue images;
    AimfValue targets;
    AimfValue logits;
    AimfValue loss;
    AimfValue draw;
} AimfModelGraph;

/**
 * AimfBatchNormMode: of a training's passes. AIMF_BATCH_NORM_TRAIN: batch norm uses batch statistics and updates the
 * running ones; AIMF_BATCH_NORM_FROZEN: it uses the running ones and leaves them as they are, as in evaluation, while
 * its weights and biases are trained as all others
 */
typedef enum { AIMF_BATCH_NORM_TRAIN, AIMF_BATCH_NORM_FROZEN } AimfBatchNormMode;

/**
 * AimfBuildOptions:
 * @training: the graph is for training
 * @batch_norm: of a training
 * @dropout: of a training, whether the architecture's dropout and stochastic depth are in force; @seed: of their draws
 * @label_smoothing: of the loss, in [0, 1); see aimf_smooth_softmax_cross_entropy
 */
typedef struct {
    gboolean training;
    AimfBatchNormMode batch_norm;
    gboolean dropout;
    guint64 seed;
    double label_smoothing;
} AimfBuildOptions;

/**
 * aimf_model_build:
 * @options: (nullable) NULL for evaluation
 * Builds the graph for batches of @batch: sigmoid cross-entropy for one output, softmax cross-entropy for more.
 * Returns: FALSE with INVALID (a batch out of range, or too small for batch statistics) or NOT_FOUND (no such
 * architecture).
 */
gboolean aimf_model_build(const AimfModel *model, guint batch, const AimfBuildOptions *options, AimfModelGraph *built,
                          GError **error);

/** aimf_model_loader_options: the loader options that fit the model: its preprocessing; everything else zero. */
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

/**
 * AimfPredictOptions: @batch: 0 means 128; @device: (nullable) where it computes, NULL for "auto"; @threads: 0: see
 * aimf_set_threads; @skip_bad: see AimfLoaderOptions.
 */
typedef struct {
    guint batch;
    AimfDevice *device;
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

/* --- Comparing with another program --- */

/**
 * AimfReferences: logits that another program gave. @pictures: their paths, and no labels; @logits: (n, outputs); all
 * owned.
 */
typedef struct {
    AimfManifest *pictures;
    int outputs;
    double *logits;
} AimfReferences;

void aimf_references_free(AimfReferences *references);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfReferences, aimf_references_free)

/**
 * aimf_references_open:
 * A CSV with the column path (absolute, or from the CSV's own folder) and one per logit: logit0,logit1,… or
 * logit_0,logit_1,…; for one output also logit. Others are not looked at. Returns: (owned) or NULL with NOT_FOUND,
 * IO, or FORMAT naming file, line and column.
 */
AimfReferences *aimf_references_open(const char *path, int outputs, GError **error);

/**
 * AimfDisagreement: @largest: difference between a model's logits and the reference ones, divided by the reference's
 * size where that is above 1; the other members say where that was: @row of the references, @output, and both values
 */
typedef struct {
    double largest;
    guint row;
    int output;
    double found;
    double expected;
} AimfDisagreement;

/**
 * aimf_references_compare: FALSE with what aimf_model_predict gives, or INVALID when the numbers of outputs differ.
 */
gboolean aimf_references_compare(const AimfReferences *references, const AimfModel *model,
                                 const AimfPredictOptions *options, const AimfMonitor *monitor,
                                 AimfDisagreement *disagreement, GError **error);

/**
 * aimf_references_explain:
 * Looks for the way of preprocessing that agrees: every resizer, with and without antialiasing, both interpolations,
 * both orders of channels, means and deviations given in the other order, and both ranges of values; on the first
 * four pictures.
 * Returns: whether one agrees within @tolerance; @preprocess is then the best one, else untouched. FALSE with @error
 * only for what aimf_model_predict gives.
 */
gboolean aimf_references_explain(const AimfReferences *references, const AimfModel *model, double tolerance,
                                 const AimfPredictOptions *options, const AimfMonitor *monitor,
                                 AimfPreprocess *preprocess, GError **error);

G_END_DECLS
