#include "architectures.h"

#include <aimfair/train.h>
#include <string.h>

/* For one output and pictures as published weights have them. */
static AimfArchitectureCost cost_of(const char *name)
{
    enum { SIDE = 224 };
    AimfArchitectureCost cost = { 0 };
    aimf_architecture_cost(name, SIDE, SIDE, 1, &cost, NULL);
    return cost;
}

typedef gboolean (*Defaults)(const char *architecture, AimfTrainOptions *options, GError **error);

static void print_defaults(JsonBuilder *builder, const char *member, const char *architecture, Defaults defaults)
{
    AimfTrainOptions options;
    if (!defaults(architecture, &options, NULL))
        return;
    const AimfOptimizer *optimizer = &options.optimizer;
    json_builder_set_member_name(builder, member);
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "optimizer", optimizer->kind == AIMF_OPTIMIZER_ADAMW ? "adamw" : "sgd");
    aimf_cli_json_double(builder, "learning_rate", options.learning_rate);
    aimf_cli_json_text(builder, "schedule", options.schedule == AIMF_SCHEDULE_COSINE ? "cosine" : "steps");
    aimf_cli_json_int(builder, "warmup_epochs", options.warmup_epochs);
    aimf_cli_json_double(builder, "weight_decay", optimizer->weight_decay);
    aimf_cli_json_text(builder, "decay", optimizer->decay_weights_only ? "weights" : "all");
    aimf_cli_json_double(builder, "clip_norm", optimizer->clip_norm);
    aimf_cli_json_double(builder, "label_smoothing", options.label_smoothing);
    json_builder_end_object(builder);
}

static void print_json(AimfCli *cli)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "architectures");
    json_builder_begin_array(builder);
    for (const char *const *name = aimf_architectures(); *name; name++) {
        AimfArchitectureCost cost = cost_of(*name);
        json_builder_begin_object(builder);
        aimf_cli_json_text(builder, "name", *name);
        aimf_cli_json_int(builder, "parameters", cost.parameters);
        aimf_cli_json_int(builder, "tensors", cost.tensors);
        aimf_cli_json_double(builder, "flops", cost.flops);
        aimf_cli_json_int(builder, "bytes", cost.bytes);
        print_defaults(builder, "train", *name, aimf_pretrain_defaults);
        print_defaults(builder, "finetune", *name, aimf_finetune_defaults);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}

static void print_text(AimfCli *cli)
{
    aimf_cli_print(cli, "%-24s %12s %8s %8s %8s\n", "", "parameters", "tensors", "GFLOP", "MB");
    for (const char *const *name = aimf_architectures(); *name; name++) {
        AimfArchitectureCost cost = cost_of(*name);
        aimf_cli_print(cli, "%-24s %10.2f M %8u %8.2f %8.1f\n", *name, (double)cost.parameters / 1e6, cost.tensors,
                       cost.flops / 1e9, (double)cost.bytes / 1e6);
    }
    aimf_cli_print(cli,
                   "With one output; the arithmetic is that of one picture of 224 x 224, forward, a multiplication "
                   "and an addition being two.\n");
}

gboolean aimf_cli_list_architectures(AimfCli *cli, const char *name)
{
    if (g_strcmp0(name, "list") != 0)
        return FALSE;
    (cli->json ? print_json : print_text)(cli);
    return TRUE;
}
