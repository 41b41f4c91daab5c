/* The identity of a model: what it computes with, not the files it lies in. */
#include "model/sd_forms.h"

#include "base/format.h"
#include "weights/tensors.h"

enum { PIECE_BYTES = 4096, PIECES = 3 };

static void add_text(GChecksum *sum, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add_text(GChecksum *sum, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = aimf_format_list(format, arguments);
    va_end(arguments);
    g_checksum_update(sum, (const guchar *)text, -1);
}

/*
 * Reading 5 GB would take longer than a first picture does, so large tensors are only sampled; training changes them
 * all over.
 */
static gboolean add_tensor(GChecksum *sum, const AimfTensors *tensors, guint index, GError **error)
{
    const AimfTensor *tensor = aimf_tensors_at(tensors, index);
    g_autofree char *shape = aimf_shape_text(&tensor->shape);
    add_text(sum, "%s %s %s\n", tensor->name, aimf_dtype_name(tensor->dtype), shape);
    guint8 bytes[PIECES * PIECE_BYTES];
    if (tensor->bytes <= sizeof bytes) {
        if (!aimf_tensors_read_bytes(tensors, index, 0, tensor->bytes, bytes, error))
            return FALSE;
        g_checksum_update(sum, bytes, (gssize)tensor->bytes);
        return TRUE;
    }
    gsize begins[PIECES] = { 0, (tensor->bytes - PIECE_BYTES) / 2, tensor->bytes - PIECE_BYTES };
    for (int i = 0; i < PIECES; i++)
        if (!aimf_tensors_read_bytes(tensors, index, begins[i], PIECE_BYTES, bytes + i * PIECE_BYTES, error))
            return FALSE;
    g_checksum_update(sum, bytes, sizeof bytes);
    return TRUE;
}

static gboolean add_tensors(GChecksum *sum, const char *network, const AimfTensors *tensors, GError **error)
{
    add_text(sum, "%s\n", network);
    for (guint i = 0; tensors && i < aimf_tensors_count(tensors); i++)
        if (!add_tensor(sum, tensors, i, error))
            return FALSE;
    if (tensors)
        aimf_tensors_release_pages(tensors);
    return TRUE;
}

/* Only what shapes do not tell. */
static void add_configuration(GChecksum *sum, const AimfSdModel *model)
{
    const AimfUnetConfig *unet = &model->unet;
    add_text(sum, "text %d heads, %d layers, quick_gelu %d, epsilon %.17g, pad %d\n", model->text.heads,
             model->text.layers_used, model->text.quick_gelu, model->text.epsilon, model->text.pad_token);
    add_text(sum, "unet %d groups, v %d, heads", unet->groups, model->schedule.v_prediction);
    for (int i = 0; i < unet->levels; i++)
        add_text(sum, " %d", unet->heads[i]);
    add_text(sum, "\nvae tiny %d, %d groups, scaling %.17g\n", model->vae.tiny, model->vae.groups, model->vae.scaling);
    add_text(sum, "schedule %d steps, betas %.17g to %.17g, scaled_linear %d\n", model->schedule.train_steps,
             model->schedule.beta_start, model->schedule.beta_end, model->schedule.scaled_linear);
}

char *aimf_sd_hash(const AimfSdModel *model, GError **error)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    add_configuration(sum, model);
    const AimfSdWeights *weights = &model->weights;
    gboolean good =
        add_tensors(sum, "text encoder", weights->text, error) && add_tensors(sum, "unet", weights->unet, error) &&
        add_tensors(sum, "decoder", weights->decoder, error) && add_tensors(sum, "encoder", weights->encoder, error);
    char *text = good ? g_strdup(g_checksum_get_string(sum)) : NULL;
    g_checksum_free(sum);
    return text;
}
