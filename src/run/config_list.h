/*
 * Every key of a configuration, in the order in which it is written. Reading, defaults, --init, --set, the schema and
 * the manual are made of this list alone.
 *
 * AIMF_SECTION(NAME, "name", "what it is about")
 * AIMF_KEY(NAME, "section.key", KIND, low, high, "choices", "default", "what it says")
 *
 * KIND: TEXT; PATH, where relative ones begin at the configuration's own folder and ${NAME} is a variable of the
 * environment; INTEGER and REAL within [low, high], a REAL also as 1/9; CHOICE of the choices; BOOLEAN; TEXTS,
 * INTEGERS, REALS and CHOICES, lists of them. An empty default is none: what is then done is said in parentheses. What a key says
 * begins with "csv: " where it is for that data.kind alone: --init of other kinds leaves it out.
 */

/* clang-format off */

/* What pre-training and fine-tuning have alike. Where nothing is said, it is the architecture's. */
#define AIMF_TRAINING_KEYS(SECTION, section, epochs) \
    AIMF_KEY(SECTION##_EPOCHS, section ".epochs", INTEGER, 1, 100000, "", epochs, \
             "passes over the training set") \
    AIMF_KEY(SECTION##_BATCH, section ".batch", INTEGER, 1, 65536, "", "128", "pictures per step") \
    AIMF_KEY(SECTION##_OPTIMIZER, section ".optimizer", CHOICE, 0, 0, "sgd adamw", "", "(the architecture's)") \
    AIMF_KEY(SECTION##_LEARNING_RATE, section ".learning_rate", REAL, 1e-12, 1e6, "", "", \
             "(the architecture's)") \
    AIMF_KEY(SECTION##_SCHEDULE, section ".schedule", CHOICE, 0, 0, "steps cosine", "", \
             "of the learning rate (the architecture's)") \
    AIMF_KEY(SECTION##_MILESTONES, section ".milestones", INTEGERS, 1, 100000, "", "", \
             "epochs after which the rate falls to a tenth (10)") \
    AIMF_KEY(SECTION##_WARMUP, section ".warmup", INTEGER, 0, 100000, "", "", \
             "epochs in which the rate rises (the architecture's)") \
    AIMF_KEY(SECTION##_MOMENTUM, section ".momentum", REAL, 0, 0.999999, "", "", "of SGD (0.9)") \
    AIMF_KEY(SECTION##_BETAS, section ".betas", REALS, 0, 0.9999999, "", "", "two, of AdamW (0.9, 0.999)") \
    AIMF_KEY(SECTION##_EPSILON, section ".epsilon", REAL, 1e-30, 1, "", "", "of AdamW (1e-08)") \
    AIMF_KEY(SECTION##_WEIGHT_DECAY, section ".weight_decay", REAL, 0, 1000, "", "", "(the architecture's)") \
    AIMF_KEY(SECTION##_DECAY, section ".decay", CHOICE, 0, 0, "all weights", "", \
             "of all tensors, or none of norms and biases (the architecture's)") \
    AIMF_KEY(SECTION##_CLIP_NORM, section ".clip_norm", REAL, 0, 1e12, "", "", \
             "norm that gradients are scaled down to; 0: none (the architecture's)") \
    AIMF_KEY(SECTION##_LABEL_SMOOTHING, section ".label_smoothing", REAL, 0, 0.999999, "", "", \
             "share of a label for all classes (the architecture's)") \
    AIMF_KEY(SECTION##_EMA, section ".ema", REAL, 0, 0.9999999, "", "0", "decay of averaged weights; 0: none") \
    AIMF_KEY(SECTION##_BATCH_NORM, section ".batch_norm", CHOICE, 0, 0, "train frozen", "train", \
             "by batch statistics, or by the running ones as they are") \
    AIMF_KEY(SECTION##_CROP_SCALE, section ".crop_scale", REALS, 1e-6, 1, "", "0.08, 1", \
             "smallest and largest share of a picture's area that is cut out; empty: whole pictures") \
    AIMF_KEY(SECTION##_SELECT, section ".select", CHOICE, 0, 0, "accuracy worst-group equalized-odds", \
             "accuracy", "what makes an epoch the best on the validation set") \
    AIMF_KEY(SECTION##_CACHE, section ".cache_mib", INTEGER, 0, 1073741824, "", "0", \
             "MiB of decoded pictures that are kept from epoch to epoch")

AIMF_SECTION(RUN, "", "the run")
AIMF_KEY(TITLE, "title", TEXT, 0, 0, "", "",
         "what the report calls it (the target and the protected attribute)")
AIMF_KEY(SEEDS, "seeds", INTEGERS, 0, 9007199254740991, "", "0",
         "a chain of training, sensitivities and fine-tuning for each")
AIMF_KEY(DEVICE, "device", TEXT, 0, 0, "", "auto", "that computes, as 'aimfair devices' lists them")
AIMF_KEY(PRECISION, "precision", CHOICE, 0, 0, "f32 bf16", "f32", "of computing")
AIMF_KEY(THREADS, "threads", INTEGER, 0, 1024, "", "0",
         "that compute; 0: OMP_NUM_THREADS, or one per processor")

AIMF_SECTION(DATA, "data", "photographs and their labels")
AIMF_KEY(DATA_KIND, "data.kind", CHOICE, 0, 0, "manifests celeba utkface groups csv portraits", "manifests",
         "the layout: three manifests, a dataset, a table, or portraits that are drawn on the spot")
AIMF_KEY(DATA_TRAIN, "data.train", PATH, 0, 0, "", "", "manifests: the biased set to train on")
AIMF_KEY(DATA_VAL, "data.val", PATH, 0, 0, "", "", "manifests: the set that chooses epochs")
AIMF_KEY(DATA_TEST, "data.test", PATH, 0, 0, "", "", "manifests: the set that everything is measured on")
AIMF_KEY(DATA_ROOT, "data.root", PATH, 0, 0, "", "",
         "the dataset's folder; of a table where its relative paths begin (the table's own folder)")
AIMF_KEY(DATA_TARGET, "data.target", TEXT, 0, 0, "", "", "what is predicted: Smiling, gender, a table's column")
AIMF_KEY(DATA_PROTECTED, "data.protected", TEXT, 0, 0, "", "",
         "the attribute, or several with commas between, that makes the groups")
AIMF_KEY(DATA_CLASSES, "data.classes", TEXTS, 0, 0, "", "", "names of the classes (the data's, if it has any)")
AIMF_KEY(DATA_FILE, "data.file", PATH, 0, 0, "", "", "csv: the table")
AIMF_KEY(DATA_PATH_COLUMN, "data.path_column", TEXT, 0, 0, "", "path", "csv: the column of pictures")
AIMF_KEY(DATA_SPLIT_COLUMN, "data.split_column", TEXT, 0, 0, "", "",
         "csv: the column that says train, val or test (a drawn split)")
AIMF_KEY(DATA_TARGET_MAP, "data.target_map", TEXT, 0, 0, "", "",
         "csv: VALUE=CLASS,… with * for all other values")
AIMF_KEY(DATA_PROTECTED_MAPS, "data.protected_maps", TEXTS, 0, 0, "", "",
         "csv: VALUE=LABEL,… for each protected column")
AIMF_KEY(DATA_MISSING, "data.missing", CHOICE, 0, 0, "error drop keep", "error",
         "what is done with rows without target or label")
AIMF_KEY(DATA_MERGE_LABELS, "data.merge_labels", BOOLEAN, 0, 0, "", "false",
         "labels that differ only in spelling are one")
AIMF_KEY(DATA_SPLIT, "data.split", CHOICE, 0, 0, "official drawn", "official",
         "celeba: whether validation and test are the dataset's own, or drawn by data.seed as where there are none")
AIMF_KEY(DATA_BIAS, "data.bias", REAL, 0, 1000000, "", "",
         "minority to majority of the training set, as 1/9 (all pictures that are left)")
AIMF_KEY(DATA_COUNT, "data.count", INTEGER, 1, 100000000, "", "20000", "pictures of a training set with a bias")
AIMF_KEY(DATA_VAL_PER_GROUP, "data.val_per_group", INTEGER, 1, 100000000, "", "500",
         "pictures of a drawn validation set, for each group")
AIMF_KEY(DATA_TEST_PER_GROUP, "data.test_per_group", INTEGER, 1, 100000000, "", "500",
         "pictures of a drawn test set, for each group")
AIMF_KEY(DATA_SEED, "data.seed", INTEGER, 0, 9007199254740991, "", "0", "of a drawn split, and of portraits")
AIMF_KEY(DATA_SKIP_BAD, "data.skip_bad", INTEGER, 0, 2147483647, "", "0",
         "unreadable pictures of a set that are tolerated")
AIMF_KEY(DATA_ALLOW, "data.allow", TEXTS, 0, 0, "", "",
         "names of what may be wrong with sets: overlap, same-set, …")

AIMF_SECTION(TASK, "task", "what prompts say of the groups")
AIMF_KEY(TASK_NAME, "task.name", TEXT, 0, 0, "", "",
         "a built-in task, as 'aimfair prompts tasks' lists them (of data's target and protected)")
AIMF_KEY(TASK_FILE, "task.file", PATH, 0, 0, "", "", "a task of your own, in YAML")

AIMF_SECTION(PROMPTS, "prompts", "what pictures are asked for with")
AIMF_KEY(PROMPTS_FILE, "prompts.file", PATH, 0, 0, "", "", "ready prompts in place of what follows")
AIMF_KEY(PROMPTS_COUNT, "prompts.count", INTEGER, 1, 2000, "", "50", "prompts of each group")
AIMF_KEY(PROMPTS_PLAIN, "prompts.plain", BOOLEAN, 0, 0, "", "false",
         "one prompt per group without contexts, the baseline")
AIMF_KEY(PROMPTS_LLM, "prompts.llm", TEXT, 0, 0, "", "",
         "address of a language model's server; its key comes from AIMFAIR_LLM_API_KEY (our own vocabulary)")
AIMF_KEY(PROMPTS_LLM_MODEL, "prompts.llm_model", TEXT, 0, 0, "", "", "the model's name there")
AIMF_KEY(PROMPTS_SEED, "prompts.seed", INTEGER, 0, 9007199254740991, "", "0", "of their design")

AIMF_SECTION(GENERATE, "generate", "synthetic pictures")
AIMF_KEY(GENERATE_BALANCED, "generate.balanced", PATH, 0, 0, "", "",
         "ready synthetic pictures in place of what follows: a manifest, or a folder with a folder for each group, "
         "<target>_<protected>; both sets are drawn from it")
AIMF_KEY(GENERATE_MODEL, "generate.model", PATH, 0, 0, "", "",
         "Stable Diffusion: a checkpoint or a folder in diffusers' layout")
AIMF_KEY(GENERATE_VAE, "generate.vae", PATH, 0, 0, "", "", "another autoencoder (the model's)")
AIMF_KEY(GENERATE_TOKENIZER, "generate.tokenizer", PATH, 0, 0, "", "", "CLIP's vocabulary (beside the model)")
AIMF_KEY(GENERATE_PREDICTION, "generate.prediction", CHOICE, 0, 0, "epsilon v", "",
         "what the UNet predicts (as the files say)")
AIMF_KEY(GENERATE_PER_GROUP, "generate.per_group", INTEGER, 1, 1000000, "", "10500",
         "pictures that are made for each group")
AIMF_KEY(GENERATE_SAMPLER, "generate.sampler", CHOICE, 0, 0, "ddim plms dpm-solver++ euler euler-a", "ddim",
         "of diffusion")
AIMF_KEY(GENERATE_STEPS, "generate.steps", INTEGER, 1, 999, "", "50", "of the sampler")
AIMF_KEY(GENERATE_GUIDANCE, "generate.guidance", REAL, 0, 1000, "", "9", "classifier-free guidance")
AIMF_KEY(GENERATE_NEGATIVE, "generate.negative", TEXT, 0, 0, "", "", "what guidance leads away from (nothing)")
AIMF_KEY(GENERATE_SIZE, "generate.size", INTEGER, 0, 4096, "", "0",
         "side that the model paints; 0: its own size")
AIMF_KEY(GENERATE_IMAGE_SIZE, "generate.image_size", INTEGER, 0, 4096, "", "224",
         "side of the files; 0: as painted")
AIMF_KEY(GENERATE_BATCH, "generate.batch", INTEGER, 1, 1024, "", "1", "pictures at once")
AIMF_KEY(GENERATE_LOW_MEMORY, "generate.low_memory", BOOLEAN, 0, 0, "", "false", "hold one network at a time")
AIMF_KEY(GENERATE_SEED, "generate.seed", INTEGER, 0, 9007199254740991, "", "42",
         "of the pictures, and of the sets drawn from them")
AIMF_KEY(GENERATE_BALANCED_PER_GROUP, "generate.balanced_per_group", INTEGER, 1, 1000000, "", "5000",
         "pictures of each group in the balanced set")
AIMF_KEY(GENERATE_BIAS, "generate.bias", REAL, 0, 1000000, "", "",
         "minority to majority of the biased synthetic set, as 1/9 (groups as in the training set)")
AIMF_KEY(GENERATE_BIASED_COUNT, "generate.biased_count", INTEGER, 1, 100000000, "", "20000",
         "pictures of the biased synthetic set")

AIMF_SECTION(TRAIN, "train", "the biased classifier")
AIMF_KEY(TRAIN_MODEL, "train.model", PATH, 0, 0, "", "",
         "your own model, as 'aimfair import' writes it, in place of training one")
AIMF_KEY(TRAIN_ARCHITECTURE, "train.architecture", TEXT, 0, 0, "", "resnet18",
         "as 'aimfair train --arch list' lists them")
AIMF_KEY(TRAIN_INIT, "train.init", PATH, 0, 0, "", "", "weights to begin with (random ones)")
AIMF_KEY(TRAIN_IMAGE_SIZE, "train.image_size", TEXT, 0, 0, "", "224", "pixels of the network's input, N or WxH")
AIMF_TRAINING_KEYS(TRAIN, "train", "15")

AIMF_SECTION(SENSITIVITY, "sensitivity",
         "gradients that say which tensors react to bias, and which to the synthetic look")
AIMF_KEY(SENSITIVITY_BATCH, "sensitivity.batch", INTEGER, 1, 65536, "", "128", "pictures per step")
AIMF_KEY(SENSITIVITY_BATCH_NORM, "sensitivity.batch_norm", CHOICE, 0, 0, "train frozen", "train",
         "batch norm by batch statistics, or by the running ones as they are")

AIMF_SECTION(FINETUNE, "finetune", "the fairer classifiers")
AIMF_KEY(FINETUNE_METHODS, "finetune.methods", CHOICES, 0, 0, "aim-fair full last-layer", "aim-fair",
         "which tensors are trained: the selected ones, all, or the final layer's; the first one is judged by "
         "the gates")
AIMF_KEY(FINETUNE_TOP_K, "finetune.top_k", REALS, 0, 100000, "", "55/62",
         "of the selection: a number of tensors, or below 1 a share of them; one method for each")
AIMF_TRAINING_KEYS(FINETUNE, "finetune", "10")
AIMF_KEY(FINETUNE_KEEP_BEST_OF, "finetune.keep_best_of", CHOICE, 0, 0, "epochs start", "epochs",
         "whether the weights that it begins with can be the best")

AIMF_SECTION(EVALUATE, "evaluate", "measures on the test set")
AIMF_KEY(EVALUATE_BATCH, "evaluate.batch", INTEGER, 1, 65536, "", "128", "pictures at a time")
AIMF_KEY(EVALUATE_BOOTSTRAP, "evaluate.bootstrap", INTEGER, 0, 1000000, "", "1000", "resamples; 0 for none")
AIMF_KEY(EVALUATE_THRESHOLD, "evaluate.threshold", REAL, 0, 1, "", "",
         "a probability of at least this is class 1 (the model's, else 0.5)")
AIMF_KEY(EVALUATE_POSITIVE, "evaluate.positive", TEXT, 0, 0, "", "",
         "the class that rates and gaps are of (1; none of more than two)")
AIMF_KEY(EVALUATE_IMPACT, "evaluate.impact", TEXTS, 0, 0, "", "protected",
         "columns of the test set whose categories' selection rates are compared")

AIMF_SECTION(GATES, "gates", "demands on the first method")
AIMF_KEY(GATES_REQUIRE, "gates.require", TEXTS, 0, 0, "", "",
         "that its measures meet, averaged over the seeds: worst_group_accuracy>=0.7")
AIMF_KEY(GATES_EVIDENCE, "gates.require_evidence", TEXTS, 0, 0, "", "",
         "that the test set shows, for each seed")

AIMF_SECTION(REPORT, "report", "what is shown")
AIMF_KEY(REPORT_PICTURES, "report.pictures", BOOLEAN, 0, 0, "", "false",
         "show photographs of the data: those that models disagree about, and the worst errors")
AIMF_KEY(REPORT_EXAMPLES, "report.examples", INTEGER, 1, 36, "", "12", "pictures of a group")

/* clang-format on */

#undef AIMF_TRAINING_KEYS
