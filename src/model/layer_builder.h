/*
 * The layers that networks are made of. A walk over a network's layers builds its graph with them and notes every
 * tensor with its shape and its way of being initialised, so that names, shapes and order are said in one place.
 * Names are those of PyTorch's modules: the scopes around a layer, the layer and the tensor, "layer1.0.conv1.weight".
 * Inputs' sizes are taken from what a layer is given; mistakes stick to the graph.
 */
#pragma once

#include <aimfair/graph.h>

/**
 * AimfInit: how a fresh tensor is filled.
 * @AIMF_INIT_KAIMING_NORMAL: normal, deviation sqrt(2 / fan): torch.nn.init.kaiming_normal_(nonlinearity="relu")
 * @AIMF_INIT_UNIFORM: uniform in +-1/sqrt(fan): torch.nn.Linear.reset_parameters
 */
typedef enum { AIMF_INIT_ZERO, AIMF_INIT_ONE, AIMF_INIT_KAIMING_NORMAL, AIMF_INIT_UNIFORM } AimfInit;

/** AimfTensorSpec: one tensor of a network. @name: interned; @fan: of @init */
typedef struct {
    const char *name;
    AimfDtype dtype;
    AimfShape shape;
    AimfInit init;
    gint64 fan;
} AimfTensorSpec;

/**
 * AimfBuilder: what the walk carries along.
 * @scope: put before the names of layers, "layer1.0."; AIMF_SCOPE sets it
 * @tensors: of AimfTensorSpec, in PyTorch's state_dict order
 * @training: the graph is for training; @frozen_batch_norm: batch norm works as in evaluation all the same
 */
typedef struct {
    AimfGraph *graph;
    GString *scope;
    GArray *tensors;
    gboolean training;
    gboolean frozen_batch_norm;
} AimfBuilder;

void aimf_builder_init(AimfBuilder *b, gboolean training);
/** aimf_builder_clear: frees everything, the graph too unless it was stolen. */
void aimf_builder_clear(AimfBuilder *b);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfBuilder, aimf_builder_clear)

/** AimfScope: the scope that aimf_builder_enter found, which aimf_scope_leave brings back. */
typedef struct {
    GString *scope;
    gsize length;
} AimfScope;

AimfScope aimf_builder_enter(AimfBuilder *b, const char *format, ...) G_GNUC_PRINTF(2, 3);
void aimf_scope_leave(AimfScope *scope);

/** AIMF_SCOPE: AIMF_SCOPE(b, "layer%d", 1): until the end of the block, layers are those of that module. */
#define AIMF_SCOPE(b, ...)                                                                                             \
    __attribute__((cleanup(aimf_scope_leave), unused)) AimfScope G_PASTE(scope_, __LINE__) =                           \
        aimf_builder_enter((b), __VA_ARGS__)

/**
 * AimfConvLayer:
 * @kernel: odd; zeros around the picture make up for it, so that a stride of 1 keeps the size
 * @stride: 0 means 1
 * @pad_after: no zeros but one row below and one column on the right, as the autoencoder's downsampling has them
 * @upsample: of the picture at twice its size by nearest neighbour; @kernel is then 3
 */
typedef struct {
    int channels, kernel, stride;
    gboolean no_bias, pad_after, upsample;
} AimfConvLayer;

/* Of x (N, C, H, W). */
AimfValue aimf_build_conv2d(AimfBuilder *b, const char *name, AimfValue x, AimfConvLayer conv);
AimfValue aimf_build_batch_norm(AimfBuilder *b, const char *name, AimfValue x, gboolean relu);
AimfValue aimf_build_group_norm(AimfBuilder *b, const char *name, AimfValue x, AimfGroupNorm options);
/* Of x (N, C) or (N, T, C). */
AimfValue aimf_build_layer_norm(AimfBuilder *b, const char *name, AimfValue x, double epsilon);
AimfValue aimf_build_linear(AimfBuilder *b, const char *name, AimfValue x, gint64 outputs);
/** aimf_build_projection: a linear layer without a bias. */
AimfValue aimf_build_projection(AimfBuilder *b, const char *name, AimfValue x, gint64 outputs);
/** aimf_build_table: the weight of torch.nn.Embedding, (rows, width), for aimf_embedding. */
AimfValue aimf_build_table(AimfBuilder *b, const char *name, gint64 rows, gint64 width);
