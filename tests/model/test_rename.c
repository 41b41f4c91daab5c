/* Rules that give a file's tensors other names, and the rules that are shipped. */
#include <aimfair/model.h>

#include "weights/support_weights.h"
#include "weights/tensors.h"

#include <stdio.h>
#include <string.h>

static void add_float(AimfTensors *file, const char *name, float value)
{
    g_assert_cmpint(aimf_tensors_add(file, name, AIMF_F32, &AIMF_SHAPE(1), &value, NULL), >=, 0);
}

static const char *write_rules(const char *text)
{
    return support_weights_write("rules.txt", text, strlen(text));
}

/* @names: ended by NULL; the n-th tensor has the value n. */
static AimfTensors *file_of(const char *const *names)
{
    AimfTensors *file = aimf_tensors_new();
    for (guint i = 0; names[i]; i++)
        add_float(file, names[i], (float)i);
    return file;
}

static void collect(AimfLogLevel level, const char *text, gpointer user_data)
{
    g_string_append_printf(user_data, "%s%s\n", level == AIMF_LOG_WARNING ? "warning: " : "", text);
}

static void test_rules(void)
{
    static const struct {
        const char *rules, *name, *expected;
    } cases[] = {
        { "a -> b", "a.a.x", "b.b.x" },
        { "^a -> b", "a.a.x", "b.a.x" },
        { "  ^(\\w+)\\.(\\w+)$\t->   \\2.\\1 \r\n", "one.two", "two.one" },
        { "^a\\.->", "a.x", "x" },
        { "\xEF\xBB\xBF# of a package\n\n   # more\na -> b\n", "a", "b" },
        { "(x)|(a) -> <\\1\\2>", "ax", "<a><x>" },
        { "(a)(b)? -> \\2\\1\\0.", "a", "aa." },
        { "bn(\\d) -> \\10.", "bn7.x", "70..x" },
        { "a -> b\nb -> c\n", "a.b", "c.c" }, /* one after another */
        { "a -> \xC3\xA4", "a", "\xC3\xA4" },
        { "$ -> .weight", "conv1", "conv1.weight" },
        { "(*LIMIT_MATCH=999999999)a -> b", "a", "b" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfTensors) file = file_of((const char *const[]){ cases[i].name, NULL });
        g_autoptr(AimfTensors) view = aimf_tensors_rename(file, write_rules(cases[i].rules), NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(aimf_tensors_at(view, 0)->name, ==, cases[i].expected);
    }
}

static void test_refused(void)
{
    g_autoptr(GString) many = g_string_new(NULL), doubling = g_string_new(NULL);
    for (guint i = 0; i < 10001; i++)
        g_string_append(many, "a -> b\n");
    for (guint i = 0; i < 64; i++)
        g_string_append(doubling, "^.*$ -> \\0\\0\n");
    g_string_append(doubling, "# the end");
    const struct {
        const char *rules;
        AimfErrorCode code;
        const char *says;
    } cases[] = {
        { "", AIMF_ERROR_FORMAT, "has 0 rules" },
        { "# nothing\n", AIMF_ERROR_FORMAT, "has 0 rules" },
        { many->str, AIMF_ERROR_FORMAT, "has 10001 rules; 1 to 10000 are accepted" },
        { "a -> b\n\nfc classifier\n", AIMF_ERROR_FORMAT,
          "rules.txt:3: expected PATTERN -> REPLACEMENT, found 'fc classifier'" },
        { "-> b", AIMF_ERROR_FORMAT, "rules.txt:1: expected PATTERN" },
        { "a -> b -> c", AIMF_ERROR_FORMAT, "rules.txt:1: expected PATTERN" },
        { "a -> b\n(a -> c", AIMF_ERROR_FORMAT, "rules.txt:2: " },
        { "(a) -> \\2", AIMF_ERROR_FORMAT, "the replacement has \\2, and the pattern 1 group in parentheses" },
        { "a -> \\n", AIMF_ERROR_FORMAT, "'\\' stands before the number of a group" },
        { "a -> b\\", AIMF_ERROR_FORMAT, "'\\' stands before the number of a group" },
        { "a -> \xFF", AIMF_ERROR_FORMAT, "is no text in UTF-8" },
        { "^.*$ ->", AIMF_ERROR_INVALID,
          "rules.txt:1: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' would get an empty" },
        { doubling->str, AIMF_ERROR_INVALID, "would get too long a name" },
        { "(?=(.*)) -> \\1\\1\\1\\1\\1\\1\\1\\1", AIMF_ERROR_INVALID, "would get too long a name" },
        { "(a+)+$ -> b", AIMF_ERROR_INVALID, "rules.txt:1: at 'aaaaaaaa" },
        { "(*LIMIT_MATCH=4000000000)(a+)+$ -> b", AIMF_ERROR_INVALID, "the pattern has too many ways to match" },
        { "[a!]+|b -> b", AIMF_ERROR_INVALID,
          "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' and 'b' would both be called 'b'" },
        { "^b$ -> __metadata__", AIMF_ERROR_FORMAT, "__metadata__" },
    };
    g_autoptr(AimfTensors) file =
        file_of((const char *const[]){ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "b", NULL });
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        g_assert_null(aimf_tensors_rename(file, write_rules(cases[i].rules), NULL, &error));
        support_assert_error(&error, cases[i].code, cases[i].says);
    }
    GError *error = NULL;
    g_assert_null(aimf_tensors_rename(file, support_weights_path("none.txt"), NULL, &error));
    support_assert_error(&error, AIMF_ERROR_NOT_FOUND, "none.txt");
    g_assert_null(aimf_tensors_rename(file, support_weights_write("nul.txt", "a -> b\0", 7), NULL, &error));
    support_assert_error(&error, AIMF_ERROR_FORMAT, "is no text in UTF-8");
}

/* Values, order and metadata stay; names of tensors that are not read change too; an idle rule is told. */
static void test_view(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) said = g_string_new(NULL);
    const AimfMonitor monitor = { .message = collect, .user_data = said };
    g_autoptr(AimfTensors) file = file_of((const char *const[]){ "b.x", "a.x", "c", NULL });
    aimf_tensors_set_metadata(file, "epoch", "3");
    aimf_tensors_note_unreadable(file, "a.q", "quantised");
    g_autoptr(AimfTensors) view =
        aimf_tensors_rename(file, write_rules("^a\\. -> z.\n^nothing -> y\n(b) -> a\n"), &monitor, &error);
    g_assert_no_error(error);
    static const char *const names[] = { "a.x", "z.x", "c" };
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        float value;
        g_assert_cmpstr(aimf_tensors_at(view, i)->name, ==, names[i]);
        g_assert_true(aimf_tensors_read(view, i, AIMF_F32, &value, NULL));
        g_assert_cmpfloat(value, ==, (float)i);
    }
    g_assert_cmpstr(aimf_tensors_metadata(view, "epoch"), ==, "3");
    g_assert_true(aimf_tensors_check_kinds(view, "a.", NULL));
    GError *kind = NULL;
    g_assert_false(aimf_tensors_check_kinds(view, "z.", &kind));
    support_assert_error(&kind, AIMF_ERROR_UNSUPPORTED, "'z.q' is quantised");
    g_autofree char *expected =
        g_strdup_printf("warning: %s:2: no tensor's name has '^nothing'\n", support_weights_path("rules.txt"));
    g_assert_cmpstr(said->str, ==, expected);
}

/* (owned) What efficientnet-lite-pytorch calls the tensor that timm calls @name. */
static char *package_name(const char *name)
{
    static const guint blocks_before[] = { 0, 1, 3, 5, 8, 11, 15 };
    static const char *const outer[][2] = {
        { "conv_stem.", "_conv_stem." }, { "conv_head.", "_conv_head." }, { "bn1.", "_bn0." }, { "bn2.", "_bn1." },
        { "classifier.", "_fc." },
    };
    static const char *const inner[][2] = {
        { "conv_pw.", "_expand_conv." },   { "bn1.", "_bn0." }, { "conv_dw.", "_depthwise_conv." }, { "bn2.", "_bn1." },
        { "conv_pwl.", "_project_conv." }, { "bn3.", "_bn2." },
    };
    static const char *const first[][2] = {
        { "conv_dw.", "_depthwise_conv." },
        { "bn1.", "_bn1." },
        { "conv_pw.", "_project_conv." },
        { "bn2.", "_bn2." },
    };
    guint stage = 0, block = 0;
    gboolean inside = sscanf(name, "blocks.%u.%u.", &stage, &block) == 2;
    const char *rest = inside ? name + strlen("blocks.0.0.") : name;
    const char *const(*table)[2] = !inside ? outer : stage == 0 ? first : inner;
    gsize n = !inside ? G_N_ELEMENTS(outer) : stage == 0 ? G_N_ELEMENTS(first) : G_N_ELEMENTS(inner);
    for (gsize i = 0; i < n; i++) {
        if (!g_str_has_prefix(rest, table[i][0]))
            continue;
        const char *end = rest + strlen(table[i][0]);
        return inside ? g_strdup_printf("_blocks.%u.%s%s", blocks_before[stage] + block, table[i][1], end)
                      : g_strconcat(table[i][1], end, NULL);
    }
    g_error("no name for %s", name);
}

/* The shipped rules name every tensor of the package's as timm does, wherever the set stands. */
static void test_shipped(void)
{
    static const char *const prefixes[] = { "", "module.model." };
    g_autofree char *rules = g_build_filename(GOLDEN_DIR, "..", "..", "examples", "efficientnet_lite0.rename", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfModel) model = aimf_model_new("tf_efficientnet_lite0", 32, 2, 1, &error);
    g_assert_no_error(error);
    for (guint k = 0; k < G_N_ELEMENTS(prefixes); k++) {
        g_autoptr(AimfTensors) file = aimf_tensors_new();
        g_autoptr(GString) said = g_string_new(NULL);
        const AimfMonitor monitor = { .message = collect, .user_data = said };
        for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
            const AimfTensor *tensor = aimf_tensors_at(model->tensors, i);
            g_autofree char *theirs = package_name(tensor->name), *name = g_strconcat(prefixes[k], theirs, NULL);
            const void *data = aimf_tensors_data(model->tensors, i);
            g_assert_cmpint(aimf_tensors_add(file, name, tensor->dtype, &tensor->shape, data, NULL), >=, 0);
        }
        const AimfWeightSearch search = { .rename = rules };
        g_autoptr(AimfTensors) found =
            aimf_model_select_weights(file, "tf_efficientnet_lite0", &search, &monitor, &error);
        g_assert_no_error(error);
        g_assert_null(strstr(said->str, "warning"));
        for (guint i = 0; i < aimf_tensors_count(found); i++) {
            const AimfTensor *ours = aimf_tensors_at(model->tensors, i), *theirs = aimf_tensors_at(found, i);
            g_assert_cmpstr(theirs->name, ==, ours->name);
            support_assert_same_bytes(aimf_tensors_data(found, i), theirs->bytes, aimf_tensors_data(model->tensors, i),
                                      ours->bytes);
        }
        g_assert_null(aimf_model_select_weights(file, "tf_efficientnet_lite0", NULL, NULL, NULL));
    }
}

/* What --only and messages say is said of the new names. */
static void test_search(void)
{
    g_autofree char *rules = g_strdup(write_rules("^ours\\. -> model.\nhead -> fc\n"));
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfModel) model = aimf_model_new("resnet18", 32, 2, 1, NULL);
    g_autoptr(AimfTensors) file = aimf_tensors_new();
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(model->tensors, i);
        g_autofree char *name = g_strconcat("ours.", tensor->name, NULL);
        aimf_tensors_add(file, name, tensor->dtype, &tensor->shape, aimf_tensors_data(model->tensors, i), NULL);
    }
    const AimfWeightSearch search = { .only = "model", .rename = rules };
    g_autoptr(AimfTensors) found = aimf_model_select_weights(file, "resnet18", &search, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(aimf_tensors_count(found), ==, aimf_tensors_count(model->tensors));
    const AimfWeightSearch lost = { .only = "ours", .rename = rules };
    GError *failure = NULL;
    g_assert_null(aimf_model_select_weights(file, "resnet18", &lost, NULL, &failure));
    support_assert_error(&failure, AIMF_ERROR_NOT_FOUND, "they begin with 'model'");
    const AimfWeightSearch none = { .rename = "/nowhere/rules" };
    g_assert_null(aimf_model_select_weights(file, "resnet18", &none, NULL, &failure));
    support_assert_error(&failure, AIMF_ERROR_NOT_FOUND, "/nowhere/rules");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rename/rules", test_rules);
    g_test_add_func("/rename/refused", test_refused);
    g_test_add_func("/rename/view", test_view);
    g_test_add_func("/rename/shipped", test_shipped);
    g_test_add_func("/rename/search", test_search);
    int status = g_test_run();
    support_weights_remove();
    return status;
}
