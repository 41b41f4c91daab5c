/*
 * What an architecture must fill in. One walk over its layers emits the graph's nodes and notes every tensor with its
 * shape and its way of being initialised, so that names, shapes and order are said in one place.
 */
#pragma once

#include <aimfair/graph.h>

/**
 * AimfInit: how a fresh tensor is filled.
 * @AIMF_INIT_KAIMING_NORMAL: normal, deviation sqrt(2 / fan): torch.nn.init.kaiming_normal_(nonlinearity="relu")
 * @AIMF_INIT_UNIFORM: uniform in +-1/sqrt(fan): torch.nn.Linear.reset_parameters
 */
typedef enum { AIMF_INIT_ZERO, AIMF_INIT_ONE, AIMF_INIT_KAIMING_NORMAL, AIMF_INIT_UNIFORM } AimfInit;

/** AimfTensorSpec: one tensor of an architecture. @fan: of @init */
typedef struct {
    char *name;
    AimfDtype dtype;
    AimfShape shape;
    AimfInit init;
    gint64 fan;
} AimfTensorSpec;

/**
 * AimfBuilder: what the walk carries along.
 * @scope: put before the names of the layers that follow, for instance "layer1.0."
 * @tensors: of AimfTensorSpec, in PyTorch's state_dict order
 * @training: batch norm's mode
 */
typedef struct {
    AimfGraph *graph;
    GString *scope;
    GArray *tensors;
    gboolean training;
} AimfBuilder;

void aimf_builder_init(AimfBuilder *builder, gboolean training);
/** aimf_builder_clear: frees everything, the graph too unless it was stolen. */
void aimf_builder_clear(AimfBuilder *builder);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfBuilder, aimf_builder_clear)

/** Layers named as PyTorch's modules: "<scope><name>.weight" and so on. */
AimfValue aimf_build_conv2d(AimfBuilder *builder, const char *name, AimfValue x, int channels, int kernel,
                            AimfConv2d options);
AimfValue aimf_build_batch_norm(AimfBuilder *builder, const char *name, AimfValue x, gboolean relu);
AimfValue aimf_build_linear(AimfBuilder *builder, const char *name, AimfValue x, int outputs);

/**
 * AimfArchitecture: a registry row.
 * @min_image_size, @max_image_size: side of the input in pixels
 * @head: name of the final layer, whose number of outputs may differ from a weight file's
 * @children: (NULL-terminated) the modules in the order of upstream's children(): their numbers in an nn.Sequential
 * @logits: the walk: images (N, 3, S, S) -> (N, outputs)
 */
typedef struct {
    const char *name;
    int min_image_size;
    int max_image_size;
    const char *head;
    const char *const *children;
    AimfValue (*logits)(AimfBuilder *builder, AimfValue images, int outputs);
} AimfArchitecture;

AimfValue aimf_resnet18_logits(AimfBuilder *builder, AimfValue images, int outputs);

/** aimf_architecture_find: (borrowed) NULL with NOT_FOUND that lists what there is. */
const AimfArchitecture *aimf_architecture_find(const char *name, GError **error);
/** aimf_is_of_head: whether the tensor @name is one of the final layer's. */
gboolean aimf_is_of_head(const AimfArchitecture *architecture, const char *name);
