/* A small network with every kind of leaf, for tests of the engine as a whole. */
#pragma once

#include <aimfair/graph.h>

/**
 * SmallNet: images (2, 3, 8, 8) -> conv1 (4 channels) -> bn1 with ReLU, in training mode -> conv2 (5 channels) ->
 * average -> fc (1) -> sigmoid cross-entropy. @tensors: its parameters and states, from formulas.
 */
typedef struct {
    AimfGraph *graph;
    AimfTensors *tensors;
    AimfValue images, targets;
    AimfValue conv1, bn1_weight, bn1_bias, conv2, fc_weight, fc_bias;
    AimfValue logits, loss;
} SmallNet;

void small_net_init(SmallNet *net);
/** small_net_init_frozen: batch norm works as in evaluation. */
void small_net_init_frozen(SmallNet *net);
void small_net_clear(SmallNet *net);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SmallNet, small_net_clear)

/**
 * small_net_compile: (owned) compiled on @device for @trainable (n), loaded, inputs filled; fails the test on errors.
 */
AimfPlan *small_net_compile(const SmallNet *net, const char *device, const AimfValue *trainable, guint n,
                            const AimfOptimizer *sgd);
/** small_net_read: (borrowed) the data of a tensor of @tensors by name, and how many. */
const float *small_net_read(const AimfTensors *tensors, const char *name, gsize *n);
