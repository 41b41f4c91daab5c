/*
 * The training loop: pre-training and selective fine-tuning are the same loop with other defaults.
 *
 * Example:
 *     gboolean train(const AimfManifest *pictures, const AimfManifest *validation, const char *to, GError **error)
 *     {
 *         AimfTrainOptions options;
 *         if (!aimf_pretrain_defaults("convnext_tiny", &options, error))
 *             return FALSE;
 *         options.epochs = 5;
 *         AimfTrainResult result;
 *         g_autoptr(AimfModel) model = aimf_model_new("convnext_tiny", 224, 1, options.seed, error);
 *         if (!model || !aimf_train(model, pictures, validation, &options, NULL, &result, error))
 *             return FALSE;
 *         g_print("epoch %u: %.3f\n", result.best_epoch + 1, result.best_accuracy);
 *         aimf_train_result_clear(&result);
 *         return aimf_model_save(model, to, error);
 *     }
 */
#pragma once

#include <aimfair/model.h>

G_BEGIN_DECLS

/** AimfKeepBestOf: whether the weights that a training begins with can be the ones that it keeps. */
typedef enum { AIMF_KEEP_BEST_OF_EPOCHS, AIMF_KEEP_BEST_OF_START } AimfKeepBestOf;

/**
 * AimfSelect: which epoch is the best one, by the validation set: that of the highest accuracy, of the highest accuracy
 * of the worst (target, protected) group, or of the smallest gap of equalized odds. The latter two need protected
 * labels.
 */
typedef enum { AIMF_SELECT_ACCURACY, AIMF_SELECT_WORST_GROUP, AIMF_SELECT_EQUALIZED_ODDS } AimfSelect;

/**
 * AimfSchedule: how the learning rate goes on, by epochs from 0.
 * AIMF_SCHEDULE_STEPS: torch.optim.lr_scheduler.MultiStepLR
 * AIMF_SCHEDULE_COSINE: torch.optim.lr_scheduler.CosineAnnealingLR: (1 + cos(pi e / E)) / 2 of it, e and E without the
 *   epochs of warming up; a run cannot be made longer later
 */
typedef enum { AIMF_SCHEDULE_STEPS, AIMF_SCHEDULE_COSINE } AimfSchedule;

/**
 * AimfTrainOptions:
 * @epochs, @batch: passes over the training set, and images per step
 * @learning_rate: of every epoch, as @schedule has it; @warmup_epochs: it rises in them, from a hundredth in the
 *   first, in equal steps
 * @optimizer: what a step does with the gradients. With averages the model that is measured after every epoch, and
 *   kept, is the averaged one
 * @milestones: (n_milestones) of AIMF_SCHEDULE_STEPS: epochs after which the learning rate is multiplied by @gamma (0
 *   means 0.1): with milestone 10, the epochs 0 … 9 have the full rate
 * @label_smoothing: of the loss, in [0, 1): see aimf_smooth_softmax_cross_entropy
 * @batch_norm: whether batch norm uses and updates batch statistics
 * @augment: (nullable) none; @shuffle: a new order every epoch
 * @trainable: (nullable) NULL-terminated names of the tensors to train; NULL for all. Frozen tensors keep their bits;
 *   batch norm keeps updating its running statistics also where its weight and bias are frozen, see @batch_norm
 * @select: what makes an epoch the best
 * @later_tie_wins: which of two epochs that are equally good is kept: the later (pre-training, >=) or the earlier
 *   (fine-tuning, >)
 * @device: (nullable) where it computes, NULL for "auto"
 * @seed: of order and augmentation; @threads: 0: see aimf_set_threads; @skip_bad: see AimfLoaderOptions
 * @cache_bytes: decoded pictures of both sets together kept from epoch to epoch, at most
 * @state_path: (nullable) where the state for resuming is kept after every epoch; it stays there at the end, for the
 *   caller to remove once the result is saved
 * @resume: continue from @state_path if it is there; the result has the same bytes as an undisturbed run. The state
 *   of a run with fewer epochs is continued to @epochs
 * @log_path: (nullable) a line per epoch, counted from 1: CSV if it ends in .csv, JSON lines otherwise
 * @measure_start: measure the weights it begins with on the validation set: epoch 0 of the log
 * @keep_best_of: AIMF_KEEP_BEST_OF_START keeps them where no epoch is better by the rule of @later_tie_wins; needs
 *   @measure_start
 * @trace: (nullable) receives what is done when, see aimf_trace_save; must live longer
 * @ready: (nullable) called with @ready_data when everything is checked and compiled, before the first epoch
 */
typedef struct {
    guint epochs;
    guint batch;
    double learning_rate;
    AimfSchedule schedule;
    const guint *milestones;
    guint n_milestones;
    double gamma;
    guint warmup_epochs;
    AimfOptimizer optimizer;
    double label_smoothing;
    AimfBatchNormMode batch_norm;
    const AimfAugment *augment;
    gboolean shuffle;
    const char *const *trainable;
    AimfSelect select;
    gboolean later_tie_wins;
    AimfDevice *device;
    AimfPrecision precision;
    guint64 seed;
    int threads;
    guint skip_bad;
    gsize cache_bytes;
    const char *state_path;
    gboolean resume;
    const char *log_path;
    gboolean measure_start;
    AimfKeepBestOf keep_best_of;
    AimfTrace *trace;
    void (*ready)(gpointer ready_data);
    gpointer ready_data;
} AimfTrainOptions;

/**
 * AIMF_PRETRAIN_DEFAULTS, AIMF_FINETUNE_DEFAULTS: the paper's settings (arXiv 2503.05665 and its run script); the
 * latter measures the start.
 */
extern const AimfTrainOptions AIMF_PRETRAIN_DEFAULTS;
extern const AimfTrainOptions AIMF_FINETUNE_DEFAULTS;
/**
 * AIMF_ADAMW_DEFAULTS, AIMF_ADAMW_LEARNING_RATE: torch.optim.AdamW's: betas 0.9 and 0.999, epsilon 1e-8, weight decay
 * 0.01; 0.001.
 */
extern const AimfOptimizer AIMF_ADAMW_DEFAULTS;
#define AIMF_ADAMW_LEARNING_RATE 0.001

/**
 * aimf_pretrain_defaults, aimf_finetune_defaults:
 * AIMF_PRETRAIN_DEFAULTS or AIMF_FINETUNE_DEFAULTS with what the architecture's own training has in their place: the
 * optimizer, its rate, schedule, warm-up and decay, clipping, smoothed labels. Epochs and batch are the paper's, and
 * rates are for that batch. For ResNets, vit_small_patch32_224, DenseNet and VGG nothing differs.
 * Returns: FALSE with NOT_FOUND: no such architecture; @options is then as it was.
 * Source: those that src/model/recipes.c names.
 */
gboolean aimf_pretrain_defaults(const char *architecture, AimfTrainOptions *options, GError **error);
gboolean aimf_finetune_defaults(const char *architecture, AimfTrainOptions *options, GError **error);

/** AIMF_NOT_GIVEN: of the whole numbers of AimfRecipe, that the default holds; of the others it is NaN. */
enum { AIMF_NOT_GIVEN = -1 };

/**
 * AimfRecipe: what is given of an optimizer, its learning rate and what goes with them; the rest is as the
 * architecture has it. Begin with aimf_recipe_init.
 * @epochs: always given
 * @optimizer: an AimfOptimizerKind; @schedule: an AimfSchedule
 * @learning_rate … @betas, @warmup_epochs: as in AimfTrainOptions and AimfOptimizer; a beta may be given alone
 * @average: as in AimfOptimizer; 0, which no architecture changes, is none
 * @decay_weights_only: TRUE or FALSE
 * @milestones: (n_milestones, borrowed) where @milestones_given; 0 of them: the rate never falls
 */
typedef struct {
    guint epochs;
    int optimizer;
    double learning_rate;
    double momentum;
    double epsilon;
    double weight_decay;
    double clip_norm;
    double label_smoothing;
    double betas[2];
    double average;
    int decay_weights_only;
    int schedule;
    const guint *milestones;
    guint n_milestones;
    gboolean milestones_given;
    int warmup_epochs;
} AimfRecipe;

/** aimf_recipe_init: nothing is given but @epochs. */
void aimf_recipe_init(AimfRecipe *recipe, guint epochs);
/**
 * aimf_recipe_settle:
 * The defaults of @architecture (aimf_pretrain_defaults, or aimf_finetune_defaults if @finetuning), and over them what
 * is given, become epochs, learning rate, schedule, milestones, warm-up, optimizer and smoothing of @options; the rest
 * of @options stays. Where another optimizer than the architecture's is given, its other defaults do not hold: those
 * of SGD are the paper's, those of AdamW PyTorch's and for the rest the paper's. Milestones that are given make the
 * schedule AIMF_SCHEDULE_STEPS unless one is given, and options->milestones points to them. A default warm-up becomes
 * shorter where it would be all epochs.
 * Returns: FALSE with NOT_FOUND (no such architecture) or INVALID: no epochs, a warm-up that is not shorter than the
 * epochs, what is of another optimizer or of another schedule. @options is then as it was. Ranges are for aimf_train.
 */
gboolean aimf_recipe_settle(const AimfRecipe *recipe, const char *architecture, gboolean finetuning,
                            AimfTrainOptions *options, GError **error);
/**
 * aimf_recipe_text: (owned) for people: "sgd, learning rate 0.01, to a tenth after epoch 10, momentum 0.9,
 * weight decay 0.0001"; the same in every locale
 */
char *aimf_recipe_text(const AimfTrainOptions *options);

/**
 * AimfEpoch: what one epoch gave. What is unknown is NaN: training's figures of a start, what protected labels tell
 * where the validation set has none, and what older programs did not note.
 * @epoch: from 0; @loss: mean over batches; @train_accuracy: of the pictures as they were trained on, augmented and
 *   under weights that moved meanwhile
 * @val_loss: mean cross-entropy, without smoothed labels; @val_accuracy: overall
 * @val_equalized_odds: the paper's, see AimfScalars: the mean over classes of the gap of their groups' accuracies
 * @images_per_second: of training alone; @seconds: of training and validation; @best: so far
 */
typedef struct {
    guint epoch;
    double learning_rate;
    double loss;
    double train_accuracy;
    double val_loss;
    double val_accuracy;
    double val_worst_group_accuracy;
    double val_equalized_odds;
    double images_per_second;
    double seconds;
    gboolean best;
} AimfEpoch;

/**
 * AimfGroupChange: a (target, protected) group of the validation set: its pictures, and those that were right at
 * the start and now.
 */
typedef struct {
    int target;
    int group; /* index into the manifest's protected labels */
    guint n;
    guint right_before;
    guint right_after;
} AimfGroupChange;

/**
 * AimfTrainResult:
 * @history: of AimfEpoch, owned; @best_epoch: the one whose weights the model now has, unless @kept_start;
 *   @best_accuracy: theirs
 * @group_names: (owned) of the validation set's groups, target-major: "1 female", or "1" where it has no labels
 * @group_accuracy: (owned) of double, for each epoch of @history that of each group; NaN where a group is empty or an
 *   older program did not note it
 * @start: only accuracies and seconds; @groups: (nullable) of AimfGroupChange, target-major, owned; both with
 *   measure_start alone
 * @kept_start: no epoch was better, and the model has the weights that it began with
 */
typedef struct {
    GArray *history;
    char **group_names;
    GArray *group_accuracy;
    guint best_epoch;
    double best_accuracy;
    AimfEpoch start;
    GArray *groups;
    gboolean kept_start;
} AimfTrainResult;

void aimf_train_result_clear(AimfTrainResult *result);
/**
 * aimf_train_result_json: (owned) the epochs, counted from 1, as an array on one line; the start as epoch 0 if it
 * was measured.
 */
char *aimf_train_result_json(const AimfTrainResult *result);

/** AimfTrainingLock: that no other process trains with the same state; it ends with its process. */
typedef struct AimfLock AimfTrainingLock;

/**
 * aimf_training_lock: to be held from before aimf_train until the state file is done with. Makes the file
 * @state_path.lock.
 * Returns: (owned) or NULL with INVALID (another process has it) or IO.
 */
AimfTrainingLock *aimf_training_lock(const char *state_path, GError **error);
/** aimf_training_unlock: @lock: (nullable) */
void aimf_training_unlock(AimfTrainingLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfTrainingLock, aimf_training_unlock)

/**
 * aimf_train:
 * Trains @model in place on @train and leaves in it the weights of the epoch that is the best one on @validation by
 * @select of the options. An incomplete last batch is dropped; a batch that skipped images left short is filled up
 * with its own first ones. What was done (options, hashes of data and initial weights, best epoch) is appended to the
 * model's metadata.
 * Returns: FALSE with INVALID (an option, fewer images than a batch, an unknown or no trainable tensor, a target that
 * is no class of the model, a state file of another run: names what differs), INTERRUPTED (the state file then has
 * the last finished epoch), FAILED (the loss is not finite; names epoch and batch), or what loading, aimf_plan_run
 * and saving give. @model then has the best weights of the finished epochs, @result is cleared.
 */
gboolean aimf_train(AimfModel *model, const AimfManifest *train, const AimfManifest *validation,
                    const AimfTrainOptions *options, const AimfMonitor *monitor, AimfTrainResult *result,
                    GError **error);

G_END_DECLS
