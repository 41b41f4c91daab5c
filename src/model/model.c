#include "model/model.h"

#include "base/random.h"

#include <string.h>

void aimf_model_free(AimfModel *model)
{
    if (!model)
        return;
    g_free(model->architecture);
    g_free(model->target);
    g_strfreev(model->classes);
    aimf_tensors_free(model->tensors);
    g_free(model);
}

static gboolean check_dimensions(const AimfArchitecture *architecture, const AimfModel *model, GError **error)
{
    const int sides[] = { model->preprocess.width, model->preprocess.height };
    int outputs = model->outputs;
    for (gsize i = 0; i < G_N_ELEMENTS(sides); i++) {
        if (architecture->patch && sides[i] % architecture->patch) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                        "%s takes images whose sides are multiples of %d pixels, not %d", architecture->name,
                        architecture->patch, sides[i]);
            return FALSE;
        }
        if (sides[i] >= architecture->min_image_size && sides[i] <= architecture->max_image_size)
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s takes images of %d to %d pixels a side, not %d",
                    architecture->name, architecture->min_image_size, architecture->max_image_size, sides[i]);
        return FALSE;
    }
    if (outputs < 1 || outputs > AIMF_MAX_CLASSES) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "a model has 1 to %d outputs, not %d", AIMF_MAX_CLASSES,
                    outputs);
        return FALSE;
    }
    return TRUE;
}

gboolean aimf_model_check(const AimfModel *model, GError **error)
{
    const AimfArchitecture *architecture = aimf_architecture_find(model->architecture, error);
    return architecture && check_dimensions(architecture, model, error) &&
           aimf_preprocess_check(&model->preprocess, error);
}

gboolean aimf_model_walk(const AimfModel *model, guint batch, AimfBuilder *builder, AimfValue *images,
                         AimfValue *logits, GError **error)
{
    const AimfArchitecture *architecture = aimf_architecture_find(model->architecture, error);
    if (!architecture || !check_dimensions(architecture, model, error))
        return FALSE;
    if (batch < 1 || batch > AIMF_MAX_BATCH) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "a batch of %u is outside 1 … %d", batch, AIMF_MAX_BATCH);
        return FALSE;
    }
    AimfShape shape = AIMF_SHAPE(batch, 3, model->preprocess.height, model->preprocess.width);
    AimfValue input = aimf_graph_input(builder->graph, "images", shape);
    AimfValue output = architecture->logits(builder, input, model->outputs);
    if (images)
        *images = input;
    if (logits)
        *logits = output;
    return TRUE;
}

/* Every tensor draws from a sequence of its own, so that one layer's size does not change another's weights. */
static void initialise(const AimfTensorSpec *spec, guint64 seed, guint index, float *data)
{
    AimfRandom random = aimf_random_at(seed, AIMF_STREAM_INIT, index);
    gint64 n = aimf_shape_count(&spec->shape);
    double scale = spec->init.scale;
    for (gint64 i = 0; i < n; i++) {
        switch (spec->init.kind) {
        case AIMF_INIT_CONSTANT:
            data[i] = (float)scale;
            break;
        case AIMF_INIT_NORMAL:
            data[i] = (float)(scale * aimf_random_normal(&random));
            break;
        case AIMF_INIT_UNIFORM:
            data[i] = (float)(scale * (2 * aimf_random_uniform(&random) - 1));
            break;
        }
    }
}

static void initialise_all(const GArray *specs, guint64 seed, AimfTensors *tensors)
{
#pragma omp parallel for schedule(dynamic)
    for (guint i = 0; i < specs->len; i++) {
        const AimfTensorSpec *spec = &g_array_index(specs, AimfTensorSpec, i);
        if (spec->dtype == AIMF_F32)
            initialise(spec, seed, i, aimf_tensors_writable(tensors, i));
    }
}

static AimfModel *make(const char *architecture, const AimfPreprocess *preprocess, int outputs, const guint64 *seed,
                       GError **error)
{
    g_autoptr(AimfModel) model = g_new0(AimfModel, 1);
    *model = (AimfModel){
        .architecture = g_strdup(architecture),
        .preprocess = *preprocess,
        .outputs = outputs,
        .threshold = 0.5,
        .tensors = aimf_tensors_new(),
    };
    g_auto(AimfBuilder) builder;
    aimf_builder_init(&builder, FALSE);
    if (!aimf_model_walk(model, 1, &builder, NULL, NULL, error))
        return NULL;
    for (guint i = 0; i < builder.tensors->len; i++) {
        const AimfTensorSpec *spec = &g_array_index(builder.tensors, AimfTensorSpec, i);
        if (aimf_tensors_add(model->tensors, spec->name, spec->dtype, &spec->shape, NULL, error) < 0)
            return NULL;
    }
    if (seed)
        initialise_all(builder.tensors, *seed, model->tensors);
    return g_steal_pointer(&model);
}

AimfModel *aimf_model_new(const char *architecture, int image_size, int outputs, guint64 seed, GError **error)
{
    const AimfPreprocess preprocess = {
        .width = image_size, .height = image_size, .mean = { 0.5f, 0.5f, 0.5f }, .std = { 0.5f, 0.5f, 0.5f }
    };
    return aimf_model_new_for(architecture, &preprocess, outputs, seed, error);
}

AimfModel *aimf_model_new_for(const char *architecture, const AimfPreprocess *preprocess, int outputs, guint64 seed,
                              GError **error)
{
    return make(architecture, preprocess, outputs, &seed, error);
}

AimfModel *aimf_model_blank(const char *architecture, const AimfPreprocess *preprocess, int outputs, GError **error)
{
    return make(architecture, preprocess, outputs, NULL, error);
}

gboolean aimf_architecture_cost(const char *architecture, int width, int height, int outputs,
                                AimfArchitectureCost *cost, GError **error)
{
    AimfModel model = { .architecture = (char *)architecture,
                        .preprocess = { .width = width, .height = height },
                        .outputs = outputs };
    g_auto(AimfBuilder) builder;
    aimf_builder_init(&builder, FALSE);
    if (!aimf_model_walk(&model, 1, &builder, NULL, NULL, error))
        return FALSE;
    *cost = (AimfArchitectureCost){ .tensors = aimf_graph_n_parameters(builder.graph),
                                    .flops = aimf_graph_flops(builder.graph) };
    for (guint i = 0; i < cost->tensors; i++) {
        AimfShape shape = aimf_graph_shape(builder.graph, aimf_graph_parameter_at(builder.graph, i));
        cost->parameters += aimf_shape_count(&shape);
    }
    for (guint i = 0; i < builder.tensors->len; i++) {
        const AimfTensorSpec *spec = &g_array_index(builder.tensors, AimfTensorSpec, i);
        cost->bytes += aimf_shape_count(&spec->shape) * (gint64)aimf_dtype_bytes(spec->dtype);
    }
    return TRUE;
}

gboolean aimf_model_has_batch_norm(const AimfModel *model)
{
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++)
        if (g_str_has_suffix(aimf_tensors_at(model->tensors, i)->name, ".running_mean"))
            return TRUE;
    return FALSE;
}

gboolean aimf_model_renew_head(AimfModel *model, guint64 seed, GError **error)
{
    g_auto(AimfBuilder) builder;
    aimf_builder_init(&builder, FALSE);
    if (!aimf_model_walk(model, 1, &builder, NULL, NULL, error))
        return FALSE;
    const AimfArchitecture *architecture = aimf_architecture_find(model->architecture, NULL);
    for (guint i = 0; i < builder.tensors->len; i++) {
        const AimfTensorSpec *spec = &g_array_index(builder.tensors, AimfTensorSpec, i);
        if (aimf_is_of_head(architecture, spec->name))
            initialise(spec, seed, i, aimf_tensors_writable(model->tensors, i));
    }
    return TRUE;
}

AimfModel *aimf_model_copy(const AimfModel *model, GError **error)
{
    AimfTensors *tensors = aimf_tensors_load(model->tensors, AIMF_N_DTYPES, error);
    if (!tensors)
        return NULL;
    AimfModel *copy = g_new0(AimfModel, 1);
    *copy = *model;
    copy->architecture = g_strdup(model->architecture);
    copy->target = g_strdup(model->target);
    copy->classes = g_strdupv(model->classes);
    copy->tensors = tensors;
    return copy;
}

char *aimf_model_hash(const AimfModel *model)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(model->tensors, i);
        g_autofree char *shape = aimf_shape_text(&tensor->shape);
        g_autofree char *header = g_strdup_printf("%s %s %s\n", tensor->name, aimf_dtype_name(tensor->dtype), shape);
        g_checksum_update(checksum, (const guchar *)header, (gssize)strlen(header));
        g_checksum_update(checksum, aimf_tensors_data(model->tensors, i), (gssize)tensor->bytes);
    }
    return g_strdup(g_checksum_get_string(checksum));
}

gboolean aimf_model_build(const AimfModel *model, guint batch, const AimfBuildOptions *options, AimfModelGraph *built,
                          GError **error)
{
    const AimfBuildOptions o = options ? *options : (AimfBuildOptions){ 0 };
    *built = (AimfModelGraph){ 0 };
    g_auto(AimfBuilder) builder;
    aimf_builder_init(&builder, o.training);
    builder.frozen_batch_norm = o.batch_norm == AIMF_BATCH_NORM_FROZEN;
    builder.dropout = o.training && o.dropout;
    builder.seed = o.seed;
    AimfValue images, logits;
    if (!aimf_model_walk(model, batch, &builder, &images, &logits, error))
        return FALSE;
    if (builder.one_value) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "training on images of %d x %d pixels needs a batch of 2 or more: one value has no variance",
                    model->preprocess.width, model->preprocess.height);
        return FALSE;
    }
    AimfGraph *graph = builder.graph;
    gboolean sigmoid = model->outputs == 1;
    AimfShape shape = sigmoid ? AIMF_SHAPE(batch, 1) : AIMF_SHAPE(batch);
    AimfValue targets = aimf_graph_input(graph, "targets", shape);
    AimfValue loss = sigmoid ? aimf_smooth_sigmoid_cross_entropy(graph, logits, targets, o.label_smoothing)
                             : aimf_smooth_softmax_cross_entropy(graph, logits, targets, o.label_smoothing);
    *built = (AimfModelGraph){
        .graph = g_steal_pointer(&builder.graph),
        .images = images,
        .targets = targets,
        .logits = logits,
        .loss = loss,
        .draw = builder.draw,
    };
    return TRUE;
}

AimfLoaderOptions aimf_model_loader_options(const AimfModel *model)
{
    return (AimfLoaderOptions){ .preprocess = model->preprocess };
}

gboolean aimf_model_check_manifest(const AimfModel *model, const AimfManifest *manifest, const char *purpose,
                                   GError **error)
{
    guint n = aimf_manifest_count(manifest);
    const char *file = aimf_manifest_path(manifest);
    if (n == 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the %s set%s%s has no images", purpose, file ? " " : "",
                    file ? file : "");
        return FALSE;
    }
    for (guint i = 0; i < n; i++) {
        AimfSample sample = aimf_manifest_at(manifest, i);
        if (sample.target < aimf_model_n_classes(model))
            continue;
        g_autofree char *place = aimf_manifest_place(manifest, i);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "the %s set has target %d (%s, '%s'), but the model has %d classes, 0 to %d", purpose,
                    sample.target, place, sample.path, aimf_model_n_classes(model), aimf_model_n_classes(model) - 1);
        return FALSE;
    }
    return TRUE;
}
