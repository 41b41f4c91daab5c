/* A stopped training's state file, of a small network. */
#include "fuzz/support_fuzz.h"
#include "graph/support_small_net.h"
#include "train/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static SmallNet net;
    static AimfPlan *plan;
    static AimfTensors *current, *best;
    if (!plan) {
        const AimfOptimizer sgd = { .momentum = 0.9f };
        small_net_init(&net);
        plan = small_net_compile(&net, "reference", &net.fc_weight, 1, &sgd);
        current = aimf_tensors_load(net.tensors, AIMF_N_DTYPES, NULL);
        best = aimf_tensors_load(net.tensors, AIMF_N_DTYPES, NULL);
    }
    g_autoptr(JsonObject) run = json_object_new();
    json_object_set_int_member(run, "seed", 1);
    AimfTrainResult result = { .history = g_array_new(FALSE, FALSE, sizeof(AimfEpoch)) };
    AimfTrainState state = { run, current, best, net.graph, plan, &result, FALSE };
    GError *error = NULL;
    if (fuzz_check(aimf_train_state_load(&state, 10, fuzz_write("training.state", data, size), &error), &error))
        g_assert_cmpuint(result.best_epoch, <, result.history->len);
    aimf_train_result_clear(&result);
    return 0;
}
