/* What each picture of a generation job is: prompt, seed, settings, and how files say so. */
#include "diffusion/generation_job.h"

#include "base/format.h"
#include "base/json.h"
#include "base/random.h"
#include "data/csv.h"

#include <aimfair/data.h>
#include <aimfair/json.h>
#include <math.h>
#include <string.h>

enum { MAX_IMAGE_SIZE = 16384 };

const char AIMF_GENERATION_HEADER[] = "path,target,protected,source,prompt,number";

/* 53 bits: every JSON reader and every spreadsheet keeps such a number whole. */
guint64 aimf_picture_seed(guint64 seed, guint n)
{
    AimfRandom random = aimf_random_at(seed, AIMF_STREAM_PICTURE, n);
    return aimf_random_u64(&random) >> 11;
}

/* --- Settings --- */

JsonObject *aimf_generation_settings(const AimfDiffusionInfo *info, const AimfSampling *sampling, int image_size)
{
    JsonObject *settings = json_object_new();
    json_object_set_string_member(settings, "family", info->family);
    json_object_set_string_member(settings, "model", info->hash);
    json_object_set_string_member(settings, "weights", info->weights);
    json_object_set_string_member(settings, "vae", info->vae);
    json_object_set_string_member(settings, "prediction", info->prediction);
    json_object_set_string_member(settings, "precision", info->precision == AIMF_PRECISION_BF16 ? "bf16" : "f32");
    json_object_set_string_member(settings, "sampler", aimf_sampler_name(sampling->sampler));
    json_object_set_int_member(settings, "steps", sampling->steps);
    json_object_set_string_member(settings, "spacing", aimf_spacing_name(sampling->spacing));
    json_object_set_double_member(settings, "guidance", sampling->guidance);
    json_object_set_double_member(settings, "eta", sampling->eta);
    json_object_set_string_member(settings, "negative_prompt", sampling->negative ? sampling->negative : "");
    json_object_set_int_member(settings, "width", sampling->width ? sampling->width : info->image_size);
    json_object_set_int_member(settings, "height", sampling->height ? sampling->height : info->image_size);
    json_object_set_int_member(settings, "image_size", image_size);
    return settings;
}

static void add_text(GArray *texts, GPtrArray *kept, const char *keyword, char *text)
{
    AimfImageText entry = { keyword, text };
    g_array_append_val(texts, entry);
    g_ptr_array_add(kept, text);
}

static void add_settings(GArray *texts, GPtrArray *kept, JsonObject *settings)
{
    JsonObjectIter member;
    const char *name;
    JsonNode *value;
    json_object_iter_init_ordered(&member, settings);
    while (json_object_iter_next_ordered(&member, &name, &value)) {
        const char *text = json_node_get_string(value);
        add_text(texts, kept, name, text ? g_strdup(text) : aimf_json_write(value, FALSE));
    }
}

static GBytes *encode(const AimfImage *image, JsonObject *settings, const AimfPicture *picture, const char *group,
                      guint number, gboolean marked, GError **error)
{
    g_autoptr(GArray) texts = g_array_new(FALSE, FALSE, sizeof(AimfImageText));
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
    if (marked) {
        AimfImageText source = aimf_image_source_text(AIMF_SOURCE_TRAINED_ALGORITHMIC_MEDIA);
        g_array_append_val(texts, source);
    }
    add_text(texts, kept, "Software", g_strdup("aimfair"));
    add_text(texts, kept, "prompt", g_strdup(picture->prompt));
    if (picture->noise)
        add_text(texts, kept, "noise", g_strdup("given"));
    else
        add_text(texts, kept, "seed", g_strdup_printf("%" G_GUINT64_FORMAT, picture->seed));
    if (group) {
        add_text(texts, kept, "group", g_strdup(group));
        add_text(texts, kept, "number", g_strdup_printf("%u", number));
    }
    if (picture->retried)
        add_text(texts, kept, "retried", g_strdup("in f32, after numbers that were not finite"));
    add_settings(texts, kept, settings);
    return aimf_image_encode_png(image, (const AimfImageText *)(gpointer)texts->data, texts->len, error);
}

GBytes *aimf_picture_encode(const AimfImage *image, JsonObject *settings, const AimfPicture *picture, GError **error)
{
    return encode(image, settings, picture, NULL, 0, TRUE, error);
}

GBytes *aimf_job_encode(const AimfJob *job, guint64 index, const AimfImage *image, const AimfPicture *picture,
                        GError **error)
{
    return encode(image, job->settings, picture, aimf_job_group(job, index)->name, aimf_job_number(job, index),
                  job->version > AIMF_FIRST_JOB_VERSION, error);
}

/* --- Arguments --- */

static gboolean invalid(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean invalid(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = aimf_format_list(format, args);
    va_end(args);
    g_set_error_literal(error, AIMF_ERROR, AIMF_ERROR_INVALID, text);
    return FALSE;
}

/* The folder of a group stands beside the job's own files. */
static gboolean is_file_name(const char *name)
{
    static const char *const suffixes[] = { ".csv", ".json", ".jsonl", ".png" };
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++)
        if (g_str_has_suffix(name, suffixes[i]))
            return TRUE;
    return FALSE;
}

/* Prompts that a file gave were checked by its reader; those that a caller made come straight here. */
static gboolean check_group(const AimfPrompts *prompts, guint index, GError **error)
{
    const AimfPromptGroup *group = &prompts->groups[index];
    const char *name = group->name;
    if (!name || !*name || *name == '.' || strpbrk(name, "/\n") || is_file_name(name) ||
        !g_utf8_validate(name, -1, NULL))
        return invalid(error, "prompt group %u: '%s' is no name for a folder", index, name ? name : "");
    for (guint i = 0; i < index; i++)
        if (strcmp(prompts->groups[i].name, name) == 0)
            return invalid(error, "there are two prompt groups '%s'", name);
    if (!group->n_prompts)
        return invalid(error, "prompt group '%s' has no prompts", name);
    for (guint i = 0; i < group->n_prompts; i++)
        if (!group->prompts[i].text || !g_utf8_validate(group->prompts[i].text, -1, NULL))
            return invalid(error, "prompt group '%s': prompt %u is not UTF-8", name, i);
    if (group->target < 0 || group->target >= AIMF_MAX_CLASSES)
        return invalid(error, "prompt group '%s': target %d is not a class number from 0 to %d", name, group->target,
                       AIMF_MAX_CLASSES - 1);
    if (!group->protected_group || !*group->protected_group || !g_utf8_validate(group->protected_group, -1, NULL))
        return invalid(error, "prompt group '%s' has no protected label", name);
    return TRUE;
}

static gboolean check_sampling(const AimfSampling *sampling, GError **error)
{
    if (sampling->steps < 1)
        return invalid(error, "%d steps; at least 1 is needed", sampling->steps);
    if (!isfinite(sampling->guidance) || !isfinite(sampling->eta))
        return invalid(error, "guidance %g and eta %g must be finite", sampling->guidance, sampling->eta);
    if (sampling->width < 0 || sampling->height < 0)
        return invalid(error, "pictures of %d x %d pixels cannot be made", sampling->width, sampling->height);
    if (sampling->negative && !g_utf8_validate(sampling->negative, -1, NULL))
        return invalid(error, "the negative prompt is not UTF-8");
    return TRUE;
}

static gboolean check_generation(const AimfGeneration *generation, GError **error)
{
    if (!generation->prompts || !generation->prompts->n_groups)
        return invalid(error, "there are no prompt groups to make pictures for");
    for (guint i = 0; i < generation->prompts->n_groups; i++)
        if (!check_group(generation->prompts, i, error))
            return FALSE;
    if (generation->per_group < 1 || generation->per_group > AIMF_MAX_PER_GROUP)
        return invalid(error, "%u pictures per group; from 1 to %d are possible", generation->per_group,
                       AIMF_MAX_PER_GROUP);
    if (generation->image_size < 0 || generation->image_size > MAX_IMAGE_SIZE)
        return invalid(error, "image size %d; it must be 0 or up to %d pixels", generation->image_size, MAX_IMAGE_SIZE);
    if (generation->shard >= MAX(generation->shards, 1))
        return invalid(error, "shard %u of %u; shards are counted from 0", generation->shard, generation->shards);
    if (!generation->folder || !*generation->folder)
        return invalid(error, "the folder for the pictures has no name");
    return TRUE;
}

gboolean aimf_job_init(AimfJob *job, const AimfPictureMaker *maker, const AimfSampling *sampling,
                       const AimfGeneration *generation, GError **error)
{
    if (!check_generation(generation, error) || !check_sampling(sampling, error))
        return FALSE;
    *job = (AimfJob){
        .version = AIMF_JOB_VERSION,
        .generation = generation,
        .prompts = generation->prompts,
        .shard = generation->shard,
        .shards = MAX(generation->shards, 1),
        .sampling = *sampling,
        .settings = aimf_generation_settings(&maker->info, sampling, generation->image_size),
    };
    job->sampling.width = (int)json_object_get_int_member(job->settings, "width");
    job->sampling.height = (int)json_object_get_int_member(job->settings, "height");
    return TRUE;
}

void aimf_job_clear(AimfJob *job)
{
    g_clear_pointer(&job->settings, json_object_unref);
}

/* --- Pictures --- */

guint aimf_job_number(const AimfJob *job, guint64 index)
{
    return (guint)(index / job->prompts->n_groups);
}

const AimfPromptGroup *aimf_job_group(const AimfJob *job, guint64 index)
{
    return &job->prompts->groups[index % job->prompts->n_groups];
}

guint aimf_job_prompt_number(const AimfJob *job, guint64 index)
{
    return aimf_job_number(job, index) % aimf_job_group(job, index)->n_prompts;
}

gboolean aimf_job_is_own(const AimfJob *job, guint64 index)
{
    return aimf_job_number(job, index) % job->shards == job->shard;
}

AimfPicture aimf_job_picture(const AimfJob *job, guint64 index)
{
    return (AimfPicture){
        .prompt = aimf_job_group(job, index)->prompts[aimf_job_prompt_number(job, index)].text,
        .seed = aimf_picture_seed(job->generation->seed, aimf_job_number(job, index)),
    };
}

char *aimf_job_file(const AimfJob *job, guint64 index)
{
    return g_strdup_printf("%s/%06u.png", aimf_job_group(job, index)->name, aimf_job_number(job, index));
}

char *aimf_job_line(const AimfJob *job, guint64 index, const AimfMade *made)
{
    AimfPicture picture = aimf_job_picture(job, index);
    g_autofree char *file = aimf_job_file(job, index);
    gboolean failed = !made->sha256[0];
    g_autoptr(JsonObject) line = json_object_new();
    json_object_set_string_member(line, "path", failed ? NULL : file);
    json_object_set_string_member(line, "group", aimf_job_group(job, index)->name);
    json_object_set_int_member(line, "number", aimf_job_number(job, index));
    json_object_set_int_member(line, "prompt_number", aimf_job_prompt_number(job, index));
    json_object_set_string_member(line, "prompt", picture.prompt);
    json_object_set_int_member(line, "seed", (gint64)picture.seed);
    json_object_set_boolean_member(line, "failed", failed);
    json_object_set_boolean_member(line, "retried", made->retried);
    json_object_set_string_member(line, "sha256", failed ? NULL : made->sha256);
    json_object_set_object_member(line, "settings", json_object_ref(job->settings));
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), line);
    return aimf_json_write(node, FALSE);
}

/* What the other members must be follows from these, so they are compared as this program writes them. */
static gboolean take_members(const AimfJob *job, JsonObject *line, guint64 *index, AimfMade *made)
{
    gint64 number;
    const char *group = aimf_json_text(line, "", "group", NULL);
    if (!group || !aimf_json_int(line, "", "number", 0, AIMF_MAX_PER_GROUP - 1, &number, NULL))
        return FALSE;
    guint g = 0;
    while (g < job->prompts->n_groups && strcmp(job->prompts->groups[g].name, group) != 0)
        g++;
    *index = (guint64)number * job->prompts->n_groups + g;
    JsonNode *retried = json_object_get_member(line, "retried");
    *made = (AimfMade){ .retried = retried && JSON_NODE_HOLDS_VALUE(retried) && json_node_get_boolean(retried) };
    const char *sha256 = aimf_json_text(line, "", "sha256", NULL);
    return g < job->prompts->n_groups &&
           (!sha256 || g_strlcpy(made->sha256, sha256, sizeof made->sha256) == sizeof made->sha256 - 1);
}

gboolean aimf_job_take_line(const AimfJob *job, const char *line, gsize length, guint64 *index, AimfMade *made)
{
    g_autoptr(JsonNode) node = aimf_json_parse(line, length, NULL);
    if (!node || !JSON_NODE_HOLDS_OBJECT(node) || !take_members(job, json_node_get_object(node), index, made))
        return FALSE;
    g_autofree char *expected = aimf_job_line(job, *index, made), *found = aimf_json_write(node, FALSE);
    return strcmp(expected, found) == 0; /* earlier programs wrote the same numbers with more digits */
}

char *aimf_job_row(const AimfJob *job, guint64 index)
{
    const AimfPromptGroup *group = aimf_job_group(job, index);
    g_autofree char *file = aimf_job_file(job, index);
    GString *row = g_string_new(NULL);
    aimf_csv_append(row, file);
    g_string_append_printf(row, ",%d,", group->target);
    aimf_csv_append(row, group->protected_group);
    g_string_append_printf(row, ",synthetic,%u,%u", aimf_job_prompt_number(job, index), aimf_job_number(job, index));
    return g_string_free(row, FALSE);
}
