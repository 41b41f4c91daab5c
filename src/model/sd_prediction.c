/*
 * Whether a UNet of a single file predicts the noise or v (Salimans and Ho 2022): the weights have the same names and
 * shapes.
 */
#include "model/sd_forms.h"

#include "base/file.h"
#include "base/monitor.h"
#include "base/shown.h"
#include "base/text_file.h"

#include <math.h>
#include <string.h>

/*
 * Steps that Stable Diffusion 2.0-base, which predicts the noise, was trained for. Source: diffusers,
 * loaders/single_file_utils.py.
 */
#define STEPS_OF_2_0_BASE "875000"
/* Deviation of a bias above which published models predict v. Source: ComfyUI, comfy/supported_models.py, SD20. */
#define SPREAD_OF_V 0.09

enum { MAX_YAML_BYTES = 1 << 20, SAMPLE_SIZE_V = 96 /* 768 pixels */ };

/* The value behind "parameterization:" in the original program's configuration, NULL without one. (owned) */
static char *parameterization(const char *text)
{
    const char *key = "parameterization:";
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        while (*line == ' ' || *line == '\t')
            line++;
        if (!g_str_has_prefix(line, key))
            continue;
        const char *value = line + strlen(key);
        value += strspn(value, " \t\"'");
        return g_strndup(value, strcspn(value, " \t\"'#\r\n"));
    }
    return NULL;
}

/* Reads NAME.yaml beside @path; *@found says whether there is one. */
static gboolean look_into_yaml(const char *path, gboolean *found, gboolean *v, GError **error)
{
    const char *dot = strrchr(path, '.');
    gsize stem = dot && !strchr(dot, '/') ? (gsize)(dot - path) : strlen(path);
    g_autofree char *yaml = g_strdup_printf("%.*s.yaml", (int)stem, path);
    if (!aimf_path_there(yaml, found, error))
        return FALSE;
    if (!*found)
        return TRUE;
    g_autoptr(GBytes) bytes = aimf_text_read(yaml, MAX_YAML_BYTES, error);
    if (!bytes)
        return FALSE;
    g_autofree char *value = parameterization(g_bytes_get_data(bytes, NULL));
    *v = g_strcmp0(value, "v") == 0;
    if (!value || *v || strcmp(value, "eps") == 0) /* LDM's default is eps */
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                "'%s': the parameterization is '%s'; only eps and v are supported", yaml, AIMF_SHOWN(value));
    return FALSE;
}

/* What ModelSpec's metadata say: TRUE if they say it. Source: Stability-AI/ModelSpec. */
static gboolean look_into_metadata(const AimfTensors *tensors, gboolean *v)
{
    const char *prediction = aimf_tensors_metadata(tensors, "modelspec.prediction_type");
    const char *architecture = aimf_tensors_metadata(tensors, "modelspec.architecture");
    if (prediction) {
        *v = g_str_has_prefix(prediction, "v");
        return TRUE;
    }
    *v = architecture && g_str_has_prefix(architecture, "stable-diffusion-v2-768-v");
    return *v || (architecture && g_str_has_prefix(architecture, "stable-diffusion-v2-512"));
}

/* The deviation of the bias before the last self-attention; 0 if there is none. */
static gboolean last_spread(const AimfSdModel *model, double *spread, GError **error)
{
    g_autofree char *name = g_strdup_printf("up_blocks.%d.attentions.%d.transformer_blocks.0.norm1.bias",
                                            model->unet.levels - 1, model->unet.res_blocks);
    int index = aimf_tensors_find(model->weights.unet, name);
    *spread = 0;
    if (index < 0)
        return TRUE;
    gsize n = (gsize)aimf_tensors_at(model->weights.unet, (guint)index)->shape.dim[0];
    g_autofree float *bias = g_new(float, n); /* as many as the UNet has channels */
    if (!aimf_tensors_read(model->weights.unet, (guint)index, AIMF_F32, bias, error))
        return FALSE;
    double mean = 0, square = 0;
    for (gsize i = 0; i < n; i++) {
        mean += (double)bias[i] / (double)n;
        square += (double)bias[i] * bias[i] / (double)n;
    }
    *spread = sqrt(fmax(square - mean * mean, 0));
    return TRUE;
}

static gboolean look_at_weights(AimfSdModel *model, const char *path, const AimfMonitor *monitor, GError **error)
{
    double spread;
    if (!last_spread(model, &spread, error))
        return FALSE;
    model->prediction_from = "the weights' statistics";
    model->schedule.v_prediction = spread > SPREAD_OF_V;
    aimf_message(
        monitor, AIMF_LOG_WARNING,
        "'%s' does not say what its UNet predicts: its weights look like %s; if pictures are nothing but noise, "
        "say --prediction %s",
        path, model->schedule.v_prediction ? "v" : "epsilon", model->schedule.v_prediction ? "epsilon" : "v");
    return TRUE;
}

/* What the files say of a model of whatever family. */
static gboolean look_around(AimfSdModel *model, const char *path, const AimfTensors *tensors,
                            const AimfMonitor *monitor, GError **error)
{
    gboolean *v = &model->schedule.v_prediction, found;
    const char *steps = aimf_tensors_metadata(tensors, "global_step");
    if (!look_into_yaml(path, &found, v, error))
        return FALSE;
    if (found)
        model->prediction_from = "the configuration beside it";
    else if (look_into_metadata(tensors, v))
        model->prediction_from = "its metadata";
    else if (model->text.quick_gelu)
        model->prediction_from = "the family"; /* all of 1.x predicts the noise */
    else if (steps && strcmp(steps, STEPS_OF_2_0_BASE) == 0)
        model->prediction_from = "its number of training steps";
    else
        return look_at_weights(model, path, monitor, error);
    return TRUE;
}

gboolean aimf_sd_decide_prediction(AimfSdModel *model, const AimfSdOptions *options, const AimfTensors *tensors,
                                   const AimfMonitor *monitor, GError **error)
{
    if (options->prediction != AIMF_PREDICTION_AS_TRAINED) {
        model->schedule.v_prediction = options->prediction == AIMF_PREDICTION_V;
        model->prediction_from = "the caller";
    } else if (!look_around(model, options->model, tensors, monitor, error)) {
        return FALSE;
    }
    if (model->schedule.v_prediction)
        model->unet.sample_size = SAMPLE_SIZE_V;
    return TRUE;
}
