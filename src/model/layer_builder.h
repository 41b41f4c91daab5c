/*
 * The layers that networks are made of. A walk over a network's layers builds its graph with them and notes every
 * tensor with its shape and its way of being initialised, so that names, shapes and order are said in one place.
 * Names are those of PyTorch's modules: the scopes around a layer, the layer and the tensor, "layer1.0.conv1.weight".
 * Inputs' sizes are taken from what a layer is given; mistakes stick to the graph.
 */
#pragma once

#include <aimfair/graph.h>

/** AimfInit: how a fresh tensor is filled: with @scale, normal of that deviation, or uniform in +-@scale. */
typedef struct {
    enum { AIMF_INIT_CONSTANT, AIMF_INIT_NORMAL, AIMF_INIT_UNIFORM } kind;
    double scale;
} AimfInit;

/** AimfTensorSpec: one tensor of a network. @name: interned */
typedef struct {
    const char *name;
    AimfDtype dtype;
    AimfShape shape;
    AimfInit init;
} AimfTensorSpec;

/**
 * AimfDraw: how the weights of a kind of layer are drawn. Fans are of a weight (O, I, kh, kw): I kh kw in, O kh kw out.
 * @AIMF_DRAW_DEFAULT: uniform in +-1/sqrt(fan in): reset_parameters of torch.nn's layers, biases too
 * @AIMF_DRAW_FAN_OUT, @AIMF_DRAW_FAN_IN: normal, deviation sqrt(2 / fan): torch.nn.init.kaiming_normal_ for ReLU
 * @AIMF_DRAW_FAN_OUT_OF_GROUP: the same, fan out divided by the convolution's groups: TensorFlow's, and timm's for it
 * @AIMF_DRAW_ROWS: uniform in +-1/sqrt(O)
 * @AIMF_DRAW_NORMAL: normal, of the scheme's deviation
 */
typedef enum {
    AIMF_DRAW_DEFAULT,
    AIMF_DRAW_ZERO,
    AIMF_DRAW_FAN_OUT,
    AIMF_DRAW_FAN_IN,
    AIMF_DRAW_FAN_OUT_OF_GROUP,
    AIMF_DRAW_ROWS,
    AIMF_DRAW_NORMAL,
} AimfDraw;

/** AimfScheme: how an architecture's fresh weights are drawn; norms begin as the identity in all of them. */
typedef struct {
    AimfDraw conv, conv_bias, linear, linear_bias;
    double deviation;
} AimfScheme;

/**
 * AimfBuilder: what the walk carries along.
 * @scope: put before the names of layers, "layer1.0."; AIMF_SCOPE sets it
 * @tensors: of AimfTensorSpec, in PyTorch's state_dict order
 * @training: the graph is for training; @frozen_batch_norm: batch norm works as in evaluation all the same
 * @one_value: a batch norm in training is given one value of each channel, which has no variance
 * @scheme: of the layers from here on; ResNet's at first
 * @batch_norm: epsilon and momentum of those from here on; PyTorch's at first
 * @dropout: whether something is dropped, by draws of @seed
 * @draw: the input of these draws, see aimf_dropout; AIMF_NONE until a layer needs it; @n_dropouts: that there are so far
 */
typedef struct {
    AimfGraph *graph;
    GString *scope;
    GArray *tensors;
    gboolean training;
    gboolean frozen_batch_norm;
    gboolean one_value;
    AimfScheme scheme;
    AimfBatchNorm batch_norm;
    gboolean dropout;
    guint64 seed;
    AimfValue draw;
    guint n_dropouts;
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
 * @kernel: odd, unless @padded; zeros around the picture make up for it, so that a stride of 1 keeps the size
 * @stride, @dilation, @groups: see AimfConv2d; 0 means 1
 * @padded: zeros are @before and @after instead, of rows and of columns
 * @upsample: of the picture at twice its size by nearest neighbour; @kernel is then 3
 */
typedef struct {
    int channels, kernel, stride, dilation, groups;
    gboolean no_bias, upsample, padded;
    int before[2], after[2];
} AimfConvLayer;

/* Of x (N, C, H, W). */
AimfValue aimf_build_conv2d(AimfBuilder *b, const char *name, AimfValue x, AimfConvLayer conv);
AimfValue aimf_build_batch_norm(AimfBuilder *b, const char *name, AimfValue x, gboolean relu);
/** AimfActivation: what follows a layer. */
typedef enum { AIMF_IDENTITY, AIMF_RELU, AIMF_RELU6, AIMF_SILU, AIMF_HARD_SWISH } AimfActivation;
AimfValue aimf_build_activation(AimfBuilder *b, AimfValue x, AimfActivation activation);
AimfValue aimf_build_group_norm(AimfBuilder *b, const char *name, AimfValue x, AimfGroupNorm options);
/* Of x (N, C) or (N, T, C). */
AimfValue aimf_build_layer_norm(AimfBuilder *b, const char *name, AimfValue x, double epsilon);
AimfValue aimf_build_linear(AimfBuilder *b, const char *name, AimfValue x, gint64 outputs);
/** aimf_build_projection: a linear layer without a bias. */
AimfValue aimf_build_projection(AimfBuilder *b, const char *name, AimfValue x, gint64 outputs);
/**
 * aimf_build_parameter: one that is no layer's: "<scope><name>". Where only weights have weight decay it has none:
 * rows for places and a class's token are timm's no_weight_decay(), and a scale per channel has one dimension there.
 */
AimfValue aimf_build_parameter(AimfBuilder *b, const char *name, AimfShape shape, AimfInit init);
/** aimf_build_dropout: in training a @share of the elements is dropped, or, of a residual branch, of the samples. */
AimfValue aimf_build_dropout(AimfBuilder *b, AimfValue x, double share);
AimfValue aimf_build_stochastic_depth(AimfBuilder *b, AimfValue x, double share);
/** aimf_module_name: (static) a module's number as its name, for those of an nn.Sequential. */
const char *aimf_module_name(int number);
/** aimf_build_table: the weight of torch.nn.Embedding, (rows, width), for aimf_embedding. */
AimfValue aimf_build_table(AimfBuilder *b, const char *name, gint64 rows, gint64 width);
