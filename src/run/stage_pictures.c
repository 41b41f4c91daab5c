/* Prompts, synthetic pictures of them, and the two sets that are drawn from those. */
#include "base/file.h"
#include "llm/llm_secret.h"
#include "portraits/portrait_set.h"
#include "run/job.h"

#include <aimfair/error.h>
#include <aimfair/llm.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static guint count_at(const AimfConfig *config, AimfConfigKey key)
{
    return (guint)aimf_config_integer(config, key);
}

/* --- Prompts --- */

static AimfTask *open_task(const AimfConfig *config, GError **error)
{
    g_autofree char *file = aimf_config_path(config, AIMF_KEY_TASK_FILE);
    const char *name = aimf_config_text_at(config, AIMF_KEY_TASK_NAME);
    const char *kind = aimf_config_text_at(config, AIMF_KEY_DATA_KIND);
    if (file)
        return aimf_task_open(file, error);
    if (name)
        return aimf_task_find(name, error);
    const char *target = aimf_config_text_at(config, AIMF_KEY_DATA_TARGET);
    const char *attributes = aimf_config_text_at(config, AIMF_KEY_DATA_PROTECTED);
    gboolean known = strcmp(kind, "celeba") == 0 || strcmp(kind, "utkface") == 0;
    if (target && attributes)
        return aimf_task_make(known ? kind : NULL, target, attributes, error);
    aimf_config_error(config, AIMF_KEY_TASK_NAME, error,
                      "no task says what the pictures show, and data has no target and protected to find one by");
    return NULL;
}

/* The key leaves the environment, and nothing this process starts or shows of itself has it. */
static char *take_key(void)
{
    static const char variable[] = "AIMFAIR_LLM_API_KEY";
    char *value = getenv(variable);
    char *key = value && *value ? g_strdup(value) : NULL;
    if (value)
        explicit_bzero(value, strlen(value));
    g_unsetenv(variable);
    return key;
}

static AimfPrompts *ask(AimfRunJob *job, const AimfTask *task, const AimfTokenizer *tokenizer, const char *part,
                        GError **error)
{
    g_autofree char *state = g_build_filename(part, "state", NULL);
    AimfLlmOptions options = AIMF_LLM_DEFAULTS;
    options.url = aimf_config_text_at(job->config, AIMF_KEY_PROMPTS_LLM);
    options.model = aimf_config_text_at(job->config, AIMF_KEY_PROMPTS_LLM_MODEL);
    options.count = count_at(job->config, AIMF_KEY_PROMPTS_COUNT);
    options.seed = (guint64)aimf_config_integer(job->config, AIMF_KEY_PROMPTS_SEED);
    options.tokenizer = tokenizer;
    options.state_path = state;
    char *key = take_key();
    options.key = key;
    AimfPrompts *prompts = aimf_prompts_ask(task, &options, job->monitor, NULL, NULL, error);
    aimf_secret_wipe(key);
    return prompts;
}

static gboolean make_prompts(AimfRunJob *job, AimfRunStage *stage, const char *part, AimfProvenance *made,
                             GError **error)
{
    (void)stage;
    (void)made;
    g_autofree char *ready = aimf_config_path(job->config, AIMF_KEY_PROMPTS_FILE);
    g_autofree char *path = g_build_filename(part, "prompts.json", NULL);
    g_autofree char *vocabulary = aimf_config_path(job->config, AIMF_KEY_GENERATE_TOKENIZER);
    if (ready) {
        g_autoptr(AimfPrompts) prompts = aimf_prompts_import(ready, error);
        return prompts && aimf_prompts_save(prompts, path, error);
    }
    g_autoptr(AimfTokenizer) tokenizer = vocabulary ? aimf_tokenizer_open(vocabulary, error) : NULL;
    g_autoptr(AimfTask) task = vocabulary && !tokenizer ? NULL : open_task(job->config, error);
    if (!task)
        return FALSE;
    const AimfComposeOptions options = {
        .count = count_at(job->config, AIMF_KEY_PROMPTS_COUNT),
        .seed = (guint64)aimf_config_integer(job->config, AIMF_KEY_PROMPTS_SEED),
        .tokenizer = tokenizer,
        .plain = aimf_config_boolean(job->config, AIMF_KEY_PROMPTS_PLAIN),
    };
    g_autoptr(AimfPrompts) prompts = aimf_config_given(job->config, AIMF_KEY_PROMPTS_LLM)
                                         ? ask(job, task, tokenizer, part, error)
                                         : aimf_prompts_compose(task, &options, error);
    g_autofree char *state = g_build_filename(part, "state", NULL); /* of asking a language model */
    return prompts && aimf_prompts_save(prompts, path, error) && aimf_folder_remove(state, error);
}

static const AimfConfigKey PROMPT_KEYS[] = {
    AIMF_KEY_DATA_KIND,   AIMF_KEY_DATA_TARGET,       AIMF_KEY_DATA_PROTECTED, AIMF_KEY_TASK_NAME,
    AIMF_KEY_TASK_FILE,   AIMF_KEY_PROMPTS_FILE,      AIMF_KEY_PROMPTS_COUNT,  AIMF_KEY_PROMPTS_PLAIN,
    AIMF_KEY_PROMPTS_LLM, AIMF_KEY_PROMPTS_LLM_MODEL, AIMF_KEY_PROMPTS_SEED,   AIMF_KEY_GENERATE_TOKENIZER,
    AIMF_N_KEYS,
};

static double no_cost(const AimfRunJob *job, const AimfRunStage *stage, double *each)
{
    *each = 1;
    (void)job;
    (void)stage;
    return 0;
}

const AimfStageKind AIMF_STAGE_PROMPTS = { .keys = PROMPT_KEYS, .make = make_prompts, .cost = no_cost };

/* --- Pictures --- */

/* As many of each group as the balanced set takes. */
static AimfPortraitSet portraits_of(const AimfConfig *config)
{
    guint n = count_at(config, AIMF_KEY_GENERATE_BALANCED_PER_GROUP);
    return (AimfPortraitSet){ .folder = "portraits", .look = AIMF_LOOK_SYNTHETIC, .count = { { n, n }, { n, n } } };
}

static gboolean draw(AimfRunJob *job, const char *part, GError **error)
{
    const AimfPortraitSet set = portraits_of(job->config);
    guint64 seed = (guint64)aimf_config_integer(job->config, AIMF_KEY_DATA_SEED);
    if (!aimf_portrait_set_draw(&set, part, seed, job->monitor, error))
        return FALSE;
    g_autoptr(AimfManifest) manifest = aimf_portrait_set_manifest(&set, part, "manifest", set.count, error);
    return manifest != NULL;
}

AimfDiffusion *aimf_run_open_diffusion(AimfRunJob *job, GError **error)
{
    const AimfConfig *config = job->config;
    g_autofree char *model = aimf_config_path(config, AIMF_KEY_GENERATE_MODEL);
    g_autofree char *vae = aimf_config_path(config, AIMF_KEY_GENERATE_VAE);
    g_autofree char *tokenizer = aimf_config_path(config, AIMF_KEY_GENERATE_TOKENIZER);
    const AimfDiffusionOptions options = {
        .model = model,
        .vae = vae,
        .tokenizer = tokenizer,
        .device = job->device,
        .prediction = aimf_config_text_at(config, AIMF_KEY_GENERATE_PREDICTION),
        .precision = job->precision,
        .low_memory = aimf_config_boolean(config, AIMF_KEY_GENERATE_LOW_MEMORY),
        .threads = job->threads,
    };
    return aimf_diffusion_open(&options, job->monitor, error);
}

/* Once: files may be large, and what is said of them need not be said again. */
static gboolean hash_diffusion(AimfRunJob *job, GError **error)
{
    if (job->diffusion_hash)
        return TRUE;
    g_autoptr(AimfDiffusion) diffusion = aimf_run_open_diffusion(job, error);
    if (diffusion)
        job->diffusion_hash = g_strdup(aimf_diffusion_info(diffusion).hash);
    return diffusion != NULL;
}

/* The model's files are hashed as a job of pictures does, a folder of them like a single one. */
static gboolean describe_pictures(AimfRunJob *job, AimfRunStage *stage, AimfProvenance *wanted, GError **error)
{
    (void)stage;
    if (aimf_run_is_drawn(job->config)) {
        g_autofree char *seed = aimf_config_value(job->config, AIMF_KEY_DATA_SEED);
        g_autofree char *count = aimf_config_value(job->config, AIMF_KEY_GENERATE_BALANCED_PER_GROUP);
        json_object_set_string_member(wanted->settings, aimf_config_name(AIMF_KEY_DATA_SEED), seed);
        json_object_set_string_member(wanted->settings, aimf_config_name(AIMF_KEY_GENERATE_BALANCED_PER_GROUP), count);
        return TRUE;
    }
    if (!hash_diffusion(job, error))
        return FALSE;
    json_object_set_string_member(wanted->inputs, aimf_config_name(AIMF_KEY_GENERATE_MODEL), job->diffusion_hash);
    aimf_run_take_output(job, "shared/prompts", "prompts.json", wanted);
    return TRUE;
}

static gboolean generate(AimfRunJob *job, const char *part, GError **error)
{
    const AimfConfig *config = job->config;
    int size = (int)aimf_config_integer(config, AIMF_KEY_GENERATE_SIZE);
    const AimfSampling sampling = {
        .sampler = (AimfSamplerKind)aimf_config_choice(config, AIMF_KEY_GENERATE_SAMPLER),
        .steps = (int)aimf_config_integer(config, AIMF_KEY_GENERATE_STEPS),
        .guidance = aimf_config_real(config, AIMF_KEY_GENERATE_GUIDANCE),
        .negative = aimf_config_text_at(config, AIMF_KEY_GENERATE_NEGATIVE),
        .width = size,
        .height = size,
    };
    g_autofree char *path = aimf_run_stage_path(job, "shared/prompts", "prompts.json");
    g_autoptr(AimfPrompts) prompts = aimf_prompts_open(path, error);
    g_autoptr(AimfDiffusion) diffusion = prompts ? aimf_run_open_diffusion(job, error) : NULL;
    AimfGeneration generation = {
        .prompts = prompts,
        .per_group = count_at(config, AIMF_KEY_GENERATE_PER_GROUP),
        .batch = count_at(config, AIMF_KEY_GENERATE_BATCH),
        .seed = (guint64)aimf_config_integer(config, AIMF_KEY_GENERATE_SEED),
        .image_size = (int)aimf_config_integer(config, AIMF_KEY_GENERATE_IMAGE_SIZE),
        .resume = TRUE,
        .folder = part,
    };
    AimfGenerationResult result;
    return diffusion && aimf_generate(diffusion, &sampling, &generation, &result, job->monitor, error);
}

/* (owned) Of the run's own pictures, a word for nothing is a label as it is where data.missing keeps it. */
static AimfManifest *open_pictures(const AimfConfig *config, const char *path, gboolean own, GError **error)
{
    gboolean keep = own || aimf_config_choice(config, AIMF_KEY_DATA_MISSING) == AIMF_MISSING_KEEP;
    const AimfManifestOptions options = { .labels.missing = keep ? AIMF_MISSING_KEEP : AIMF_MISSING_ERROR };
    return aimf_manifest_open_with(path, &options, NULL, error);
}

static gboolean make_pictures(AimfRunJob *job, AimfRunStage *stage, const char *part, AimfProvenance *made,
                              GError **error)
{
    (void)stage;
    g_autofree char *path = g_build_filename(part, "manifest.csv", NULL);
    if (!(aimf_run_is_drawn(job->config) ? draw : generate)(job, part, error))
        return FALSE;
    g_autoptr(AimfManifest) manifest = open_pictures(job->config, path, TRUE, error);
    g_autofree char *hash = manifest ? aimf_pictures_hash(job->hashes, manifest, job->monitor, error) : NULL;
    if (hash)
        json_object_set_string_member(made->outputs, AIMF_PICTURES_OF "manifest.csv", hash);
    return hash != NULL;
}

static double cost_of_pictures(const AimfRunJob *job, const AimfRunStage *stage, double *each)
{
    (void)stage;
    const double drawing = 3, step_of_painting = 400; /* beside looking at a picture */
    if (aimf_run_is_drawn(job->config)) {
        const AimfPortraitSet set = portraits_of(job->config);
        *each = drawing;
        return drawing * aimf_portrait_set_size(&set);
    }
    *each = step_of_painting * (double)aimf_config_integer(job->config, AIMF_KEY_GENERATE_STEPS);
    return *each * job->n_generated;
}

static const AimfConfigKey PICTURE_KEYS[] = {
    AIMF_KEY_DATA_KIND,
    AIMF_KEY_GENERATE_PREDICTION,
    AIMF_KEY_GENERATE_PER_GROUP,
    AIMF_KEY_GENERATE_SAMPLER,
    AIMF_KEY_GENERATE_STEPS,
    AIMF_KEY_GENERATE_GUIDANCE,
    AIMF_KEY_GENERATE_NEGATIVE,
    AIMF_KEY_GENERATE_SIZE,
    AIMF_KEY_GENERATE_IMAGE_SIZE,
    AIMF_KEY_GENERATE_SEED,
    AIMF_N_KEYS,
};

const AimfStageKind AIMF_STAGE_PICTURES = {
    .keys = PICTURE_KEYS, .describe = describe_pictures, .make = make_pictures, .cost = cost_of_pictures
};

/* --- Sets --- */

/* (owned) the pictures in folders of groups. */
static AimfManifest *open_groups(AimfRunJob *job, const char *root, GError **error)
{
    const AimfDatasetOptions options = { .root = root };
    g_autoptr(AimfDataset) dataset = aimf_dataset_open("groups", &options, job->monitor, error);
    return dataset ? g_steal_pointer(&dataset->samples) : NULL;
}

/* (owned) Everything that sets may be drawn from. */
static AimfManifest *open_source(AimfRunJob *job, GError **error)
{
    g_autofree char *ready = aimf_config_path(job->config, AIMF_KEY_GENERATE_BALANCED);
    g_autofree char *made = aimf_run_stage_path(job, "shared/pictures", "manifest.csv");
    AimfPathKind kind = ready ? aimf_path_kind(ready, error) : AIMF_PATH_FILE;
    if (kind == AIMF_PATH_UNKNOWN)
        return NULL;
    if (kind == AIMF_PATH_FOLDER)
        return open_groups(job, ready, error);
    return open_pictures(job->config, ready ? ready : made, !ready, error);
}

static gboolean describe_sets(AimfRunJob *job, AimfRunStage *stage, AimfProvenance *wanted, GError **error)
{
    (void)stage;
    g_autoptr(AimfManifest) source = open_source(job, error);
    if (!source)
        return FALSE;
    if (!aimf_config_given(job->config, AIMF_KEY_GENERATE_BIAS)) /* whose groups the biased set has */
        aimf_run_take_output(job, "shared/data", "train.csv", wanted);
    if (!aimf_config_given(job->config, AIMF_KEY_GENERATE_BALANCED))
        return aimf_run_take_pictures(job, "shared/pictures", "manifest.csv", source, wanted, error);
    g_autofree char *hash = aimf_pictures_hash(job->hashes, source, job->monitor, error);
    g_autofree char *rows = aimf_run_rows_hash(source);
    json_object_set_string_member(wanted->inputs, "rows for the sets", rows);
    if (hash)
        json_object_set_string_member(wanted->inputs, "pictures for the sets", hash);
    return hash != NULL;
}

static guint smallest_group(const AimfManifest *manifest)
{
    guint n_labels, smallest = G_MAXUINT;
    aimf_manifest_groups(manifest, &n_labels);
    g_autofree guint *counts = aimf_manifest_counts(manifest);
    for (guint i = 0; i < (guint)aimf_manifest_classes(manifest) * n_labels; i++)
        smallest = MIN(smallest, counts[i]);
    return smallest;
}

/* The most that fits where nobody asked for more; @smallest: pictures of the smallest group. */
static guint balanced_count(const AimfConfig *config, guint smallest)
{
    guint asked = count_at(config, AIMF_KEY_GENERATE_BALANCED_PER_GROUP);
    return aimf_config_place(config, AIMF_KEY_GENERATE_BALANCED_PER_GROUP) ? asked : MIN(asked, smallest);
}

/* The largest share that a group of the biased set has; of a bias by several attributes a bound. */
static double largest_share(const AimfConfig *config, const AimfManifest *train)
{
    double bias = aimf_config_real(config, AIMF_KEY_GENERATE_BIAS);
    if (!isnan(bias))
        return MAX(bias / (bias + 1) / 2, 0.5 - bias / (bias + 1) / 2);
    guint n_labels, largest = 1;
    aimf_manifest_groups(train, &n_labels);
    g_autofree guint *counts = aimf_manifest_counts(train);
    for (guint i = 0; i < (guint)aimf_manifest_classes(train) * n_labels; i++)
        largest = MAX(largest, counts[i]);
    return (double)largest / aimf_manifest_count(train);
}

static guint biased_count(const AimfConfig *config, guint smallest, const AimfManifest *train)
{
    guint asked = count_at(config, AIMF_KEY_GENERATE_BIASED_COUNT);
    if (aimf_config_place(config, AIMF_KEY_GENERATE_BIASED_COUNT))
        return asked;
    return MIN(asked, (guint)(smallest / largest_share(config, train)));
}

static guint count_groups(const AimfManifest *manifest)
{
    guint n_labels;
    aimf_manifest_groups(manifest, &n_labels);
    return (guint)aimf_manifest_classes(manifest) * n_labels;
}

/* Whether the biased set's groups are known: as they are said to be, or as those of the training set. */
static gboolean has_bias(const AimfConfig *config, const AimfManifest *train)
{
    return aimf_config_given(config, AIMF_KEY_GENERATE_BIAS) || (train && aimf_manifest_has_labels(train));
}

/* Pictures of the largest group of the biased set; 0 if that cannot be told yet. */
static guint largest_of_biased(const AimfRunJob *job)
{
    const AimfManifest *train = job->data[AIMF_PART_TRAIN], *test = job->data[AIMF_PART_TEST];
    double bias = aimf_config_real(job->config, AIMF_KEY_GENERATE_BIAS);
    if (isnan(bias))
        return has_bias(job->config, train) ? (guint)rint(job->n_biased * largest_share(job->config, train)) : 0;
    guint largest = 0, n_labels = 0, size;
    const char *const *labels = test ? aimf_manifest_groups(test, &n_labels) : NULL;
    for (guint i = 0; i < 2 * n_labels; i++)
        if (aimf_bias_count(bias, job->n_biased, (int)(i % 2), labels[i / 2], &size, NULL))
            largest = MAX(largest, size);
    return largest;
}

/* Of pictures that are to be generated, as many of each group: whether they will do, before they take days. */
static gboolean generates_enough(const AimfRunJob *job, GError **error)
{
    const AimfConfig *config = job->config;
    guint per_group = count_at(config, AIMF_KEY_GENERATE_PER_GROUP), balanced = balanced_count(config, per_group);
    guint biased = largest_of_biased(job);
    if (balanced <= per_group && biased <= per_group)
        return TRUE;
    gboolean is_balanced = balanced > per_group;
    AimfConfigKey key = is_balanced ? AIMF_KEY_GENERATE_BALANCED_PER_GROUP : AIMF_KEY_GENERATE_BIASED_COUNT;
    aimf_config_error(config, key, error, "the %s set wants %u pictures of a group, and generate.per_group makes %u",
                      is_balanced ? "balanced" : "biased", is_balanced ? balanced : biased, per_group);
    return FALSE;
}

static gboolean draw_from(const AimfConfig *config, const AimfManifest *source, const AimfManifest *train,
                          AimfManifest **balanced, AimfManifest **biased, GError **error)
{
    guint64 seed = (guint64)aimf_config_integer(config, AIMF_KEY_GENERATE_SEED);
    double bias = aimf_config_real(config, AIMF_KEY_GENERATE_BIAS);
    guint smallest = smallest_group(source);
    guint n_balanced = balanced_count(config, smallest), n_biased = biased_count(config, smallest, train);
    *balanced = aimf_manifest_draw_balanced(source, n_balanced, seed, error);
    *biased = !*balanced    ? NULL
              : isnan(bias) ? aimf_manifest_draw_like(source, train, n_biased, seed, error)
                            : aimf_manifest_draw_biased(source, bias, n_biased, seed, error);
    if (*biased)
        return TRUE;
    g_clear_pointer(balanced, aimf_manifest_free);
    g_prefix_error(error, "synthetic sets: ");
    return FALSE;
}

/* Of pictures that are there: draws from them. */
static gboolean has_enough(const AimfRunJob *job, const AimfManifest *source, GError **error)
{
    g_autoptr(AimfManifest) balanced = NULL, biased = NULL;
    return draw_from(job->config, source, job->data[AIMF_PART_TRAIN], &balanced, &biased, error);
}

gboolean aimf_run_expect_sets(AimfRunJob *job, GError **error)
{
    const AimfManifest *train = job->data[AIMF_PART_TRAIN], *test = job->data[AIMF_PART_TEST];
    gboolean known = has_bias(job->config, train),
             is_ready = aimf_config_given(job->config, AIMF_KEY_GENERATE_BALANCED);
    g_autoptr(AimfManifest) source = is_ready ? open_source(job, error) : NULL;
    if (is_ready && !source)
        return FALSE;
    guint per_group = count_at(job->config, AIMF_KEY_GENERATE_PER_GROUP);
    guint smallest = source ? smallest_group(source) : per_group;
    job->n_groups = source ? count_groups(source) : test ? count_groups(test) : 4;
    job->n_generated = job->n_groups * per_group;
    job->n_balanced = job->n_groups * balanced_count(job->config, smallest);
    job->n_biased =
        known ? biased_count(job->config, smallest, train) : count_at(job->config, AIMF_KEY_GENERATE_BIASED_COUNT);
    if (!source)
        return generates_enough(job, error);
    return !train || !known || has_enough(job, source, error);
}

static gboolean save_set(AimfRunJob *job, const AimfManifest *manifest, const char *part, const char *name,
                         GError **error)
{
    g_autofree char *path = g_build_filename(part, name, NULL);
    return manifest && aimf_manifest_save_within(manifest, path, job->folder, error);
}

gboolean aimf_run_draw_sets(AimfRunJob *job, const AimfManifest *train, AimfManifest **balanced, AimfManifest **biased,
                            GError **error)
{
    if (!has_bias(job->config, train)) {
        aimf_config_error(job->config, AIMF_KEY_GENERATE_BIAS, error,
                          "the training set has no protected labels, so that this must say how biased it is, as 1/9");
        return FALSE;
    }
    g_autoptr(AimfManifest) source = open_source(job, error);
    return source && draw_from(job->config, source, train, balanced, biased, error);
}

static gboolean make_sets(AimfRunJob *job, AimfRunStage *stage, const char *part, AimfProvenance *made, GError **error)
{
    (void)stage;
    (void)made;
    const AimfManifest *train = aimf_run_set(job, AIMF_SET_TRAIN, error);
    g_autoptr(AimfManifest) balanced = NULL, biased = NULL;
    return train && aimf_run_draw_sets(job, train, &balanced, &biased, error) &&
           save_set(job, balanced, part, "balanced.csv", error) && save_set(job, biased, part, "biased.csv", error);
}

static const AimfConfigKey SET_KEYS[] = {
    AIMF_KEY_GENERATE_BALANCED, AIMF_KEY_GENERATE_BALANCED_PER_GROUP,
    AIMF_KEY_GENERATE_BIAS,     AIMF_KEY_GENERATE_BIASED_COUNT,
    AIMF_KEY_GENERATE_SEED,     AIMF_N_KEYS,
};

const AimfStageKind AIMF_STAGE_SETS = {
    .keys = SET_KEYS, .describe = describe_sets, .make = make_sets, .cost = no_cost
};
