/* One model's weights among all that files of others hold. */
#include <aimfair/model.h>

#include "weights/support_weights.h"

#include <string.h>

/* What is added to a file: every tensor of @model as @prefix + its name, the head's "fc" as @head if that is given. */
typedef struct {
    const AimfModel *model;
    const char *prefix;
    const char *head;
} Part;

static AimfModel *resnet(int outputs, guint64 seed)
{
    g_autoptr(GError) error = NULL;
    AimfModel *model = aimf_model_new("resnet18", 32, outputs, seed, &error);
    g_assert_no_error(error);
    return model;
}

static void add_part(AimfTensors *file, Part part)
{
    for (guint i = 0; i < aimf_tensors_count(part.model->tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(part.model->tensors, i);
        gboolean renamed = part.head && g_str_has_prefix(tensor->name, "fc.");
        g_autofree char *name = renamed ? g_strconcat(part.head, tensor->name + strlen("fc"), NULL)
                                        : g_strconcat(part.prefix, tensor->name, NULL);
        g_assert_cmpint(aimf_tensors_add(file, name, tensor->dtype, &tensor->shape,
                                         aimf_tensors_data(part.model->tensors, i), NULL),
                        >=, 0);
    }
}

static void add_floats(AimfTensors *file, const char *name, AimfShape shape)
{
    g_assert_cmpint(aimf_tensors_add(file, name, AIMF_F32, &shape, NULL, NULL), >=, 0);
}

static AimfTensors *file_of(Part part)
{
    AimfTensors *file = aimf_tensors_new();
    add_part(file, part);
    return file;
}

static void assert_selects(AimfTensors *file, const char *only, const AimfModel *model)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) found =
        aimf_model_select_weights(file, "resnet18", &(AimfWeightSearch){ .only = only }, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(aimf_tensors_count(found), ==, aimf_tensors_count(model->tensors));
    for (guint i = 0; i < aimf_tensors_count(found); i++) {
        const AimfTensor *ours = aimf_tensors_at(model->tensors, i), *theirs = aimf_tensors_at(found, i);
        g_assert_cmpstr(theirs->name, ==, ours->name);
        g_assert_true(aimf_shape_equal(&theirs->shape, &ours->shape));
        support_assert_same_bytes(aimf_tensors_data(found, i), theirs->bytes, aimf_tensors_data(model->tensors, i),
                                  ours->bytes);
    }
}

static void assert_refused(AimfTensors *file, const char *only, AimfErrorCode code, const char *const *says)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_model_select_weights(file, "resnet18", &(AimfWeightSearch){ .only = only }, NULL, &error));
    g_assert_error(error, AIMF_ERROR, (gint)code);
    for (; *says; says++)
        if (!strstr(error->message, *says))
            g_error("expected '%s' in: %s", *says, error->message);
}
#define SAYS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_prefixes(void)
{
    static const char *const prefixes[] = { "",
                                            "module.",
                                            "_orig_mod.",
                                            "model.",
                                            "net.",
                                            "backbone.",
                                            "encoder.",
                                            "resnet18.",
                                            "module._orig_mod.model.net.backbone.",
                                            "state_dict.model.",
                                            "ema_state_dict.module.",
                                            "a.b.c.d.e." };
    g_autoptr(AimfModel) model = resnet(2, 3);
    for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        g_autoptr(AimfTensors) file = file_of((Part){ model, prefixes[i], NULL });
        assert_selects(file, NULL, model);
    }
}

static void test_wrappers_within(void)
{
    g_autoptr(AimfModel) model = resnet(1, 3);
    g_autoptr(AimfTensors) file = aimf_tensors_new();
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(model->tensors, i);
        const char *rest = g_str_has_prefix(tensor->name, "layer2.0.") ? tensor->name + strlen("layer2.0.") : NULL;
        g_autofree char *name = rest ? g_strconcat("net.layer2._orig_mod.0._fsdp_wrapped_module.", rest, NULL)
                                     : g_strconcat("net.", tensor->name, NULL);
        aimf_tensors_add(file, name, tensor->dtype, &tensor->shape, aimf_tensors_data(model->tensors, i), NULL);
    }
    assert_selects(file, NULL, model);
}

/* nn.Sequential(*model.children()) has numbers for names; the file of a deeper network has too many of them. */
static void test_sequential(void)
{
    static const char *const children[] = { "conv1",  "bn1",    "relu",   "maxpool", "layer1",
                                            "layer2", "layer3", "layer4", "avgpool" };
    static const char *const cases[][2] = { { "features.", "classifier" }, { "", "10" }, { "model.0.", "model.1" } };
    g_autoptr(AimfModel) model = resnet(2, 3);
    for (guint c = 0; c < G_N_ELEMENTS(cases); c++) {
        g_autoptr(AimfTensors) file = aimf_tensors_new();
        for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
            const AimfTensor *tensor = aimf_tensors_at(model->tensors, i);
            const char *rest = strchr(tensor->name, '.');
            g_autofree char *name = g_strconcat(cases[c][1], rest, NULL);
            for (guint k = 0; k < G_N_ELEMENTS(children); k++) {
                if (strlen(children[k]) != (gsize)(rest - tensor->name) || !g_str_has_prefix(tensor->name, children[k]))
                    continue;
                g_free(name);
                name = g_strdup_printf("%s%u%s", cases[c][0], k, rest);
            }
            aimf_tensors_add(file, name, tensor->dtype, &tensor->shape, aimf_tensors_data(model->tensors, i), NULL);
        }
        assert_selects(file, NULL, model);
        g_autofree char *deeper = g_strconcat(cases[c][0], "4.2.conv1.weight", NULL);
        add_floats(file, deeper, AIMF_SHAPE(64, 64, 3, 3));
        assert_refused(file, NULL, AIMF_ERROR_INVALID, SAYS("4.2.conv1.weight"));
        g_autoptr(GError) error = NULL;
        g_assert_null(
            aimf_model_select_weights(file, "resnet18", &(AimfWeightSearch){ .any_head = TRUE }, NULL, &error));
        g_assert_nonnull(strstr(error->message, "4.2.conv1.weight"));
    }
}

/* torchvision's first DenseNets have "norm.1" for "norm1"; a tensor under both names is one too many. */
static void test_old_densenet(void)
{
    enum { RENAMED = 58 * 12 }; /* layers; two convolutions and two norms of five tensors */
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfModel) model = aimf_model_new("densenet121", 32, 2, 3, &error);
    g_assert_no_error(error);
    g_autoptr(GRegex) digit = g_regex_new("(denselayer\\d+\\.(norm|conv))(?=\\d)", 0, 0, NULL);
    g_autoptr(AimfTensors) file = aimf_tensors_new();
    guint n_renamed = 0;
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(model->tensors, i);
        g_autofree char *name = g_regex_replace(digit, tensor->name, -1, 0, "\\1.", 0, NULL);
        n_renamed += strcmp(name, tensor->name) != 0;
        aimf_tensors_add(file, name, tensor->dtype, &tensor->shape, aimf_tensors_data(model->tensors, i), NULL);
    }
    g_assert_cmpuint(n_renamed, ==, RENAMED);
    g_autoptr(AimfTensors) found = aimf_model_select_weights(file, "densenet121", NULL, NULL, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
        const AimfTensor *ours = aimf_tensors_at(model->tensors, i), *theirs = aimf_tensors_at(found, i);
        g_assert_cmpstr(theirs->name, ==, ours->name);
        support_assert_same_bytes(aimf_tensors_data(found, i), theirs->bytes, aimf_tensors_data(model->tensors, i),
                                  ours->bytes);
    }
    add_floats(file, "features.denseblock1.denselayer1.norm1.weight", AIMF_SHAPE(64));
    g_assert_null(aimf_model_select_weights(file, "densenet121", NULL, NULL, &error));
    g_assert_nonnull(strstr(error->message, "surplus (1): features.denseblock1.denselayer1.norm1.weight"));
}

static void test_heads(void)
{
    static const struct {
        const char *prefix, *head;
    } cases[] = {
        { "", "head" },
        { "", "classifier" },
        { "", "fc.1" },
        { "net.", "net.fc.1" },
        { "backbone.", "head" },
        { "model.backbone.", "model.classifier.3" },
        { "model.backbone.net.", "classifier" },
    };
    g_autoptr(AimfModel) model = resnet(3, 5);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(AimfTensors) file = file_of((Part){ model, cases[i].prefix, cases[i].head });
        assert_selects(file, NULL, model);
    }
}

/* Two layers could be it, or none is: a head of several layers is no linear one, whatever its last one looks like. */
static void test_no_head(void)
{
    g_autoptr(AimfModel) model = resnet(2, 5);
    g_autoptr(AimfTensors) two = file_of((Part){ model, "backbone.", "smiling" });
    add_floats(two, "male.weight", AIMF_SHAPE(4, 512));
    add_floats(two, "male.bias", AIMF_SHAPE(4));
    assert_refused(two, NULL, AIMF_ERROR_INVALID,
                   SAYS("'male' (4 outputs) or 'smiling' (2 outputs)", "--only backbone,male"));
    assert_selects(two, "backbone,smiling", model);
    g_autoptr(AimfTensors) layers = file_of((Part){ model, "", "fc.2" });
    add_floats(layers, "fc.0.weight", AIMF_SHAPE(512, 512));
    add_floats(layers, "fc.0.bias", AIMF_SHAPE(512));
    assert_refused(layers, NULL, AIMF_ERROR_INVALID,
                   SAYS("missing (2): fc.weight, fc.bias", "surplus (4)", "fc.0.weight"));
}

/* Wherever they stand, the key of one of two layers chooses it; without it the message says how. */
static void test_two_heads(void)
{
    static const struct {
        const char *prefix, *head, *other, *only;
    } cases[] = {
        { "backbone.", "smiling", "male", "backbone,smiling" },
        { "backbone.", "backbone.smiling", "backbone.male", "backbone,backbone.smiling" },
        { "backbone.", "backbone.fc", "backbone.male", "backbone,backbone.fc" },
        { "backbone.", "backbone.smiling", "backbone.fc", "backbone.,backbone.smiling." },
        { "", "smiling", "male", ".,smiling" },
        { "", "fc", "male", ".,fc" },
        { "", "smiling", "fc", ".,smiling" },
        { "model.net.", "model.heads.0", "model.net.head", "model,model.heads.0" },
    };
    g_autoptr(AimfModel) model = resnet(3, 5);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(AimfTensors) file = file_of((Part){ model, cases[i].prefix, cases[i].head });
        g_autofree char *weight = g_strconcat(cases[i].other, ".weight", NULL);
        g_autofree char *bias = g_strconcat(cases[i].other, ".bias", NULL);
        add_floats(file, weight, AIMF_SHAPE(1, 512));
        add_floats(file, bias, AIMF_SHAPE(1));
        assert_selects(file, cases[i].only, model);
    }
    g_autoptr(AimfTensors) inside = file_of((Part){ model, "", "smiling" });
    add_floats(inside, "male.weight", AIMF_SHAPE(1, 512));
    add_floats(inside, "male.bias", AIMF_SHAPE(1));
    assert_refused(inside, NULL, AIMF_ERROR_INVALID,
                   SAYS("'male' (1 output) or 'smiling' (3 outputs): choose with --only .,male"));
    assert_refused(inside, ".,male,smiling", AIMF_ERROR_INVALID, SAYS("choose with --only .,male"));
    assert_refused(inside, "male", AIMF_ERROR_INVALID, SAYS("missing (102)"));
    g_autoptr(AimfTensors) own = file_of((Part){ model, "", NULL });
    add_floats(own, "male.weight", AIMF_SHAPE(1, 512));
    add_floats(own, "male.bias", AIMF_SHAPE(1));
    assert_refused(own, NULL, AIMF_ERROR_INVALID, SAYS("'fc' (3 outputs) or 'male' (1 output)"));
}

/* Where a head will be drawn, none is needed, and any other is passed over; the rest is as strict as ever. */
static void test_any_head(void)
{
    static const AimfWeightSearch any = { .any_head = TRUE };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfModel) model = resnet(3, 5);
    g_autoptr(AimfTensors) bare = aimf_tensors_new(), heads = file_of((Part){ model, "", "fc.3" });
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(model->tensors, i);
        g_autofree char *name = g_strconcat("net.", tensor->name, NULL);
        if (!g_str_has_prefix(tensor->name, "fc."))
            aimf_tensors_add(bare, name, tensor->dtype, &tensor->shape, aimf_tensors_data(model->tensors, i), NULL);
    }
    add_floats(heads, "fc.0.weight", AIMF_SHAPE(512, 512));
    add_floats(heads, "male.weight", AIMF_SHAPE(1, 512));
    add_floats(heads, "male.bias", AIMF_SHAPE(1));
    assert_refused(bare, NULL, AIMF_ERROR_INVALID,
                   SAYS("only the final layer is missing, and 'aimfair train --head new' draws one", "missing (2)"));
    AimfTensors *const files[] = { bare, heads };
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(AimfModel) fresh = resnet(2, 7), before = resnet(2, 7);
        g_autoptr(AimfTensors) found = aimf_model_select_weights(files[i], "resnet18", &any, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(aimf_tensors_count(found), ==, 120);
        g_assert_cmpint(aimf_weights_outputs("resnet18", found), ==, 0);
        aimf_model_take_weights(fresh, found, NULL, &error);
        g_assert_no_error(error);
        for (guint t = 0; t < aimf_tensors_count(fresh->tensors); t++) {
            const AimfTensor *tensor = aimf_tensors_at(fresh->tensors, t);
            const AimfModel *from = g_str_has_prefix(tensor->name, "fc.") ? before : model;
            support_assert_same_bytes(aimf_tensors_data(fresh->tensors, t), tensor->bytes,
                                      aimf_tensors_data(from->tensors, t), tensor->bytes);
        }
    }
    add_floats(bare, "net.layer1.2.conv1.weight", AIMF_SHAPE(64, 64, 3, 3));
    g_assert_null(aimf_model_select_weights(bare, "resnet18", &any, NULL, &error));
    g_assert_nonnull(strstr(error->message, "surplus (1): net.layer1.2.conv1.weight"));
}

static void collect(AimfLogLevel level, const char *text, gpointer user_data)
{
    g_string_append_printf(user_data, "%s%s\n", level == AIMF_LOG_WARNING ? "warning: " : "", text);
}

/* An optimizer's momenta, counts and averages beside the weights: taken, and said. */
static void test_beside(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfModel) model = resnet(1, 7);
    g_autoptr(AimfTensors) file = file_of((Part){ model, "state_dict.model.", NULL });
    add_floats(file, "optimizer_states.0.state.0.momentum_buffer", AIMF_SHAPE(64, 3, 7, 7));
    add_floats(file, "n_averaged", AIMF_SHAPE(1));
    add_floats(file, "state_dict.model.layer1.0.total_ops", AIMF_SHAPE(1));
    add_floats(file, "state_dict.criterion.pos_weight", AIMF_SHAPE(1));
    add_floats(file, "ema.shadow_params.0", AIMF_SHAPE(64, 3, 7, 7));
    add_floats(file, "state_dict.projector.weight", AIMF_SHAPE(128, 512));
    g_autoptr(GString) said = g_string_new(NULL);
    AimfMonitor monitor = { .message = collect, .user_data = said };
    g_autoptr(AimfTensors) found = aimf_model_select_weights(file, "resnet18", NULL, &monitor, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(aimf_tensors_count(found), ==, 122);
    g_assert_nonnull(strstr(said->str, "the 122 tensors below 'state_dict.model.'"));
    g_assert_nonnull(strstr(said->str, "of an optimizer"));
    g_assert_nonnull(strstr(said->str, "of averaged copies"));
    g_assert_nonnull(
        strstr(said->str, "warning: passed over, tensors of no known use (1): state_dict.projector.weight"));
}

static void test_several(void)
{
    g_autoptr(AimfModel) model = resnet(1, 1), averaged = resnet(2, 2), top = resnet(3, 3);
    g_autoptr(AimfTensors) file = file_of((Part){ model, "model.module.", NULL });
    add_part(file, (Part){ averaged, "ema.module.", NULL });
    assert_refused(file, NULL, AIMF_ERROR_INVALID,
                   SAYS("2 sets of weights of a resnet18", "'ema.module.' (final layer 'ema.module.fc': 2 outputs)",
                        "'model.module.' (final layer 'model.module.fc': 1 output)", "--only"));
    assert_selects(file, "ema", averaged);
    assert_selects(file, "model.module.", model);
    assert_refused(file, "net", AIMF_ERROR_NOT_FOUND, SAYS("begins with 'net.'", "'model', 'ema'"));
    add_part(file, (Part){ top, "", NULL });
    assert_selects(file, ".", top);
}

/* A deeper network has all the names of a shallower one. */
static void test_other_architectures(void)
{
    g_autoptr(AimfModel) model = resnet(1, 1), student = resnet(1, 2);
    g_autoptr(AimfTensors) deeper = file_of((Part){ model, "teacher.", NULL });
    add_floats(deeper, "teacher.layer1.2.conv1.weight", AIMF_SHAPE(64, 64, 3, 3));
    assert_refused(deeper, NULL, AIMF_ERROR_INVALID,
                   SAYS("these are not the weights of a resnet18", "surplus (1): teacher.layer1.2.conv1.weight"));
    add_part(deeper, (Part){ student, "student.", NULL });
    assert_selects(deeper, NULL, student);
    g_autoptr(AimfTensors) other = aimf_tensors_new();
    add_floats(other, "features.0.weight", AIMF_SHAPE(64, 3, 3, 3));
    assert_refused(other, NULL, AIMF_ERROR_INVALID, SAYS("missing (102)", "surplus (1): features.0.weight"));
    g_autoptr(AimfTensors) twice = file_of((Part){ model, "", NULL });
    add_floats(twice, "layer1._orig_mod.0.conv1.weight", AIMF_SHAPE(64, 64, 3, 3));
    assert_refused(twice, NULL, AIMF_ERROR_INVALID, SAYS("surplus (1): layer1._orig_mod.0.conv1.weight"));
}

/* Names made to be read in as many ways as possible cost no more than their length. */
static void test_hostile(void)
{
    g_autoptr(AimfTensors) file = aimf_tensors_new();
    g_autoptr(GString) name = g_string_new(NULL);
    for (guint i = 0; i < 20000; i++) {
        g_string_printf(name, "%u", i);
        while (name->len < 1000)
            g_string_append(name, i % 2 ? ".conv1.weight" : ".module");
        g_string_append(name, ".conv1.weight");
        add_floats(file, name->str, AIMF_SHAPE(1));
    }
    assert_refused(file, NULL, AIMF_ERROR_INVALID, SAYS("these are not the weights of a resnet18"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/choose/prefixes", test_prefixes);
    g_test_add_func("/choose/wrappers_within", test_wrappers_within);
    g_test_add_func("/choose/sequential", test_sequential);
    g_test_add_func("/choose/old-densenet", test_old_densenet);
    g_test_add_func("/choose/heads", test_heads);
    g_test_add_func("/choose/no_head", test_no_head);
    g_test_add_func("/choose/two_heads", test_two_heads);
    g_test_add_func("/choose/any_head", test_any_head);
    g_test_add_func("/choose/beside", test_beside);
    g_test_add_func("/choose/several", test_several);
    g_test_add_func("/choose/other_architectures", test_other_architectures);
    g_test_add_func("/choose/hostile", test_hostile);
    return g_test_run();
}
