/* A stopped training's state file, of a small network; with SGD, and with AdamW and averages. */
#include "fuzz/support_fuzz.h"
#include "graph/support_small_net.h"
#include "train/state.h"

static const AimfOptimizer optimizers[] = {
    { .momentum = 0.9 },
    { .kind = AIMF_OPTIMIZER_ADAMW, .betas = { 0.9, 0.999 }, .epsilon = 1e-8, .average = 0.5 },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static SmallNet net;
    static AimfPlan *plans[G_N_ELEMENTS(optimizers)];
    static AimfTensors *current, *best;
    if (!current) {
        small_net_init(&net);
        for (gsize i = 0; i < G_N_ELEMENTS(optimizers); i++)
            plans[i] = small_net_compile(&net, "reference", &net.fc_weight, 1, &optimizers[i]);
        current = aimf_tensors_load(net.tensors, AIMF_N_DTYPES, NULL);
        best = aimf_tensors_load(net.tensors, AIMF_N_DTYPES, NULL);
    }
    g_autoptr(JsonObject) run = json_object_new();
    json_object_set_int_member(run, "seed", 1);
    const char *path = fuzz_write("training.state", data, size);
    for (gsize i = 0; i < G_N_ELEMENTS(optimizers); i++) {
        AimfTrainResult result = {
            .history = g_array_new(FALSE, FALSE, sizeof(AimfEpoch)),
            .group_names = g_strdupv((char *[]){ "0 a", "1 a", NULL }),
            .group_accuracy = g_array_new(FALSE, FALSE, sizeof(double)),
        };
        AimfTrainState state = {
            .run = run,
            .current = current,
            .best = best,
            .engine = "a fuzzer",
            .graph = net.graph,
            .plan = plans[i],
            .result = &result,
        };
        GError *error = NULL;
        if (fuzz_check(aimf_train_state_load(&state, 10, path, &error), &error))
            g_assert_cmpuint(result.best_epoch, <, result.history->len);
        g_free(state.other_engine);
        aimf_train_result_clear(&result);
    }
    return 0;
}
