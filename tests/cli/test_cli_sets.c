/* Swapped, overlapping and impossible sets, and a training that makes things worse, through the real binary. */
#include "cli/support_program.h"
#include "train/support_drawn.h"

#include <aimfair/model.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

static char *folder;

/* Runs $AIMFAIR in the folder with one thread. @status: what it must end with. Returns: (owned) stdout and stderr */
static char *run(int status, const char *command)
{
    return program_output(folder, status, command);
}

static void expect(int status, const char *command, const char *says)
{
    program_expect(folder, status, command, says);
}

/* (owned) what the command prints as JSON on stdout */
static JsonNode *run_json(const char *command)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *line = g_strconcat(command, " --json 2>messages", NULL), *text = run(0, line);
    JsonNode *node = json_from_string(text, &error);
    g_assert_no_error(error);
    return node;
}

/*
 * "name name" of the member warnings. Whether an epoch on two dozen pictures beats the start depends on how the
 * processor rounds, so that "start-better" counts only where it is expected.
 */
static void expect_warnings(JsonNode *node, const char *names)
{
    JsonArray *warnings = json_object_get_array_member(json_node_get_object(node), "warnings");
    g_autoptr(GString) found = g_string_new(NULL);
    for (guint i = 0; i < json_array_get_length(warnings); i++) {
        JsonObject *warning = json_array_get_object_element(warnings, i);
        const char *name = json_object_get_string_member(warning, "name");
        if (strcmp(name, "start-better") != 0 || strstr(names, name))
            g_string_append_printf(found, "%s%s", found->len ? " " : "", name);
        g_assert_cmpuint(strlen(json_object_get_string_member(warning, "text")), >, 10);
    }
    g_assert_cmpstr(found->str, ==, names);
}

/* Whether @name is among the warnings; a short training may add others. */
static gboolean warns(JsonNode *node, const char *name)
{
    JsonArray *warnings = json_object_get_array_member(json_node_get_object(node), "warnings");
    for (guint i = 0; i < json_array_get_length(warnings); i++)
        if (strcmp(json_object_get_string_member(json_array_get_object_element(warnings, i), "name"), name) == 0)
            return TRUE;
    return FALSE;
}

static JsonObject *element(JsonNode *node, const char *member, guint index)
{
    return json_array_get_object_element(json_object_get_array_member(json_node_get_object(node), member), index);
}

#define OPTIONS "-q --threads 1 --batch 8 "
#define TRAIN "\"$AIMFAIR\" train " OPTIONS "--image-size 32 --epochs 1 --lr 0.02 -o x.safetensors "
#define FINETUNE                                                                                                       \
    "\"$AIMFAIR\" finetune " OPTIONS "--epochs 1 --lr 0.001 --model biased.safetensors --trainable fc -o "             \
    "x.safetensors "
#define SENSITIVITY "\"$AIMFAIR\" sensitivity " OPTIONS "--model biased.safetensors -o s.json "

static void set_up(void)
{
    folder = support_drawn_folder();
    g_free(support_drawn_set(folder, "train", 24, 1));
    g_free(support_drawn_set(folder, "val", 24, 0));
    g_free(support_drawn_set(folder, "test", 24, 0));
    g_free(support_drawn_set(folder, "biased", 24, 1));
    g_free(support_drawn_set(folder, "pool", 48, 0));
    g_free(run(0, "head -1 pool.csv >balanced.csv; "
                  "for g in 0,0 0,1 1,0 1,1; do grep \",$g$\" pool.csv | head -4 >>balanced.csv; done; "
                  "test $(wc -l <balanced.csv) = 17; "
                  "\"$AIMFAIR\" train " OPTIONS "--image-size 32 --epochs 3 --lr 0.02 --train train.csv --val val.csv "
                  "-o biased.safetensors"));
}

/* --- Training --- */

static void test_training_sets(void)
{
    expect(2, TRAIN "--train train.csv --val train.csv", "have the same pictures, all 24 of them");
    expect(2, TRAIN "--train train.csv --val train.csv", "--allow same-set");
    g_free(run(0, "(cat val.csv; sed -n 3,4p train.csv) >leaking.csv; mkdir other; cp train_1.png other/renamed.png; "
                  "ln -s ../train_2.png other/linked.png; ln train_3.png other/hard.png; "
                  "(cat val.csv; echo other/renamed.png,1,1) >copying.csv; "
                  "(cat val.csv; echo other/linked.png,0,0; echo other/hard.png,1,1) >linking.csv"));
    expect(2, TRAIN "--train train.csv --val leaking.csv", "2 of the 26 pictures of the validation set 'leaking.csv'");
    expect(2, TRAIN "--train train.csv --val copying.csv", "1 as a copy with the same bytes");
    expect(2, TRAIN "--train train.csv --val linking.csv", "2 of the 26 pictures");
    expect(2, TRAIN "--train train.csv --val linking.csv", "--allow overlap");
    g_free(run(0, "grep -v ',1,' train.csv >zeros.csv; grep -v ',1,' val.csv >zeroval.csv"));
    expect(2, TRAIN "--train zeros.csv --val val.csv", "have the target 0");
    expect(2, TRAIN "--train train.csv --val zeroval.csv", "--allow one-class");
    expect(2, TRAIN "--train train.csv --val train.csv --allow overlup", "did you mean 'overlap'?");
    expect(2, TRAIN "--train train.csv --val train.csv --allow swapped,one-class", "--allow same-set");
    g_free(run(0, "test ! -e x.safetensors && test ! -e x.safetensors.state"));
    g_autoptr(JsonNode) same = run_json(TRAIN "--train train.csv --val train.csv --allow overlap");
    expect_warnings(same, "same-set empty-group");
    expect(0, "cat messages", "warning: the training set 'train.csv' and the validation set 'train.csv' have the same");
    g_autoptr(JsonNode) leaking = run_json(TRAIN "--train train.csv --val leaking.csv --allow swapped --allow overlap");
    expect_warnings(leaking, "overlap");
    g_autoptr(JsonNode) one = run_json(TRAIN "--train zeros.csv --val val.csv --allow one-class");
    expect_warnings(one, "one-class");
    g_autoptr(JsonNode) fine = run_json(TRAIN "--train train.csv --val val.csv");
    expect_warnings(fine, "");
    expect(0, "cmp x.safetensors biased.safetensors || echo other", "other"); /* fewer epochs */
}

static void test_finetuning_sets(void)
{
    expect(2, FINETUNE "--train train.csv --val test.csv",
           "is the set that the model was trained on, and it is not bal");
    expect(2, FINETUNE "--train balanced.csv --val train.csv", "--allow trained-on");
    expect(2, FINETUNE "--train balanced.csv --val balanced.csv", "--allow same-set");
    g_free(run(0, "(head -1 train.csv; tail -n +2 train.csv | sort -r) >shuffled.csv"));
    expect(2, FINETUNE "--train balanced.csv --val shuffled.csv", "was trained on");
    g_autoptr(JsonNode) lopsided = run_json(FINETUNE "--train biased.csv --val test.csv --keep-best-of start");
    expect(0, "cat messages", "is not balanced: its groups have 0_0: 12, 0_1: 0, 1_0: 0, 1_1: 12");
    g_autofree char *text = json_to_string(lopsided, FALSE);
    g_assert_nonnull(strstr(text, "\"warnings\":[{\"name\":\"unbalanced\""));
    g_autoptr(JsonNode) allowed = run_json(FINETUNE "--train train.csv --val test.csv --allow same-set");
    g_autofree char *allowed_text = json_to_string(allowed, FALSE);
    g_assert_nonnull(strstr(allowed_text, "\"warnings\":[{\"name\":\"same-set\""));
}

/* --- Sensitivity --- */

static void test_sensitivity_sets(void)
{
    expect(2, SENSITIVITY "--real train.csv --biased balanced.csv --balanced biased.csv",
           "the balanced set 'biased.csv' (0_0: 12, 0_1: 0, 1_0: 0, 1_1: 12) is less balanced than the biased set "
           "'balanced.csv' (0_0: 4, 0_1: 4, 1_0: 4, 1_1: 4)");
    expect(2, SENSITIVITY "--real train.csv --biased train.csv --balanced train.csv", "--allow same-set");
    expect(2, SENSITIVITY "--real train.csv --biased train.csv --balanced balanced.csv",
           "the real set 'train.csv' and");
    expect(2, SENSITIVITY "--real train.csv --biased biased.csv --balanced biased.csv", "all 24 of them");
    g_free(run(0, "mkdir copies; cp biased_*.png copies; sed 's/^/copies\\//;1s/copies.//' biased.csv >copied.csv"));
    expect(2, SENSITIVITY "--real train.csv --biased biased.csv --balanced copied.csv", "have the same pictures");
    expect(2, SENSITIVITY "--real biased.csv --biased train.csv --balanced balanced.csv",
           "the biased set 'train.csv' is the set that the model was trained on, and the real set is not");
    g_free(run(0, "test ! -e s.json && test ! -e s.gradients.safetensors"));
    g_autoptr(JsonNode) swapped =
        run_json(SENSITIVITY "--real train.csv --biased balanced.csv --balanced biased.csv --allow swapped");
    expect_warnings(swapped, "swapped");
    g_free(run(
        0, "\"$AIMFAIR\" sensitivity --from-gradients s.gradients.safetensors -o again.json && cmp s.json again.json"));
    g_free(run(0,
               "\"$AIMFAIR\" finetune " OPTIONS "--model biased.safetensors --sensitivity s.json --top-k 62 --epochs 1 "
               "--train balanced.csv --val test.csv -o x.safetensors --json >tuned.json"));
    expect(0, "cat tuned.json", "was measured with this warning: the balanced set 'biased.csv'");
    g_autoptr(JsonNode) right = run_json(SENSITIVITY "--real train.csv --biased biased.csv --balanced balanced.csv");
    expect_warnings(right, "");
}

/* Zeros rank nothing; that two sets were one, their hashes say. */
static void test_zero_sensitivities(void)
{
    g_autoptr(JsonNode) zero =
        run_json(SENSITIVITY "--real train.csv --biased train.csv --balanced balanced.csv --allow "
                             "same-set --shuffle none --augment none");
    g_assert_nonnull(zero);
    expect(0, "cat messages", "all sensitivities to domain are 0");
    expect(2, "\"$AIMFAIR\" sensitivity --from-gradients s.gradients.safetensors -o again.json",
           "all sensitivities to");
    expect(0,
           "\"$AIMFAIR\" sensitivity --from-gradients s.gradients.safetensors -o again.json --allow same-set && cmp "
           "s.json again.json",
           "conv1.weight");
    expect(2,
           "\"$AIMFAIR\" finetune --model biased.safetensors --sensitivity s.json --batch 8 --train balanced.csv --val "
           "test.csv -o x.safetensors",
           "--allow insensitive");
}

/* A model that says the same of every picture has no sensitivities, and two sets are two all the same. */
static void test_dead_model(void)
{
    GError *error = NULL;
    g_autofree char *path = g_build_filename(folder, "biased.safetensors", NULL),
                    *dead = g_build_filename(folder, "dead.safetensors", NULL);
    g_autoptr(AimfModel) model = aimf_model_open(path, &error);
    g_assert_no_error(error);
    const char *const zeros[] = { "bn1.weight", "bn1.bias" }; /* nothing of the picture gets further */
    for (gsize i = 0; i < G_N_ELEMENTS(zeros); i++) {
        guint index = (guint)aimf_tensors_find(model->tensors, zeros[i]);
        memset(aimf_tensors_writable(model->tensors, index), 0, aimf_tensors_at(model->tensors, index)->bytes);
    }
    g_assert_true(aimf_model_save(model, dead, &error));
    /* The same classes in the same order, in other pictures. */
    g_free(run(0, "for s in real even odd; do head -1 pool.csv >$s.csv; done; i=0; for g in 0,0 1,1 0,0 1,1; do "
                  "grep \",$g$\" pool.csv | tail -n +$((i / 2 * 4 + 1)) | head -4 >>real.csv; "
                  "grep \",$g$\" biased.csv | tail -n +$((i / 2 * 4 + 1)) | head -4 >>even.csv; "
                  "grep \",$(echo $g | cut -c1),.$\" test.csv | tail -n +$((i / 2 * 4 + 1)) | head -4 >>odd.csv; "
                  "i=$((i + 1)); done; test $(wc -l <odd.csv) = 17 && test $(wc -l <even.csv) = 17"));
    static const char command[] =
        "\"$AIMFAIR\" sensitivity " OPTIONS "--shuffle none --model dead.safetensors -o d.json "
        "--real real.csv --biased even.csv --balanced odd.csv";
    expect(2, command, "most likely the model gives every picture the same answer");
    expect(2, command, "(if that is meant: --allow insensitive)");
    g_autofree char *allowed = g_strconcat(command, " --allow insensitive", NULL);
    g_autoptr(JsonNode) zero = run_json(allowed);
    g_autofree char *text = json_to_string(zero, FALSE);
    g_assert_nonnull(strstr(text, "\"name\":\"insensitive\""));
    g_assert_null(strstr(text, "same-set"));
}

/* --- Measuring --- */

#define EVALUATE "\"$AIMFAIR\" evaluate -q --threads 1 --bootstrap 0 "

static gboolean has(JsonNode *node, const char *member)
{
    return json_object_has_member(json_node_get_object(node), member);
}

static void test_evaluation_sets(void)
{
    g_autoptr(JsonNode) train = run_json(EVALUATE "--model biased.safetensors --data train.csv");
    expect_warnings(train, "trained-on");
    expect(0, "cat messages", "warning: the data 'train.csv' are the set that the model was trained on");
    g_assert_true(json_object_get_boolean_member(json_node_get_object(train), "on_training_set"));
    g_autoptr(JsonNode) val = run_json(EVALUATE "--model biased.safetensors --data val.csv");
    expect_warnings(val, "chosen-on");
    g_assert_true(has(val, "on_validation_set") && !has(val, "on_training_set"));
    g_autoptr(JsonNode) test = run_json(EVALUATE "--model biased.safetensors --data test.csv");
    expect_warnings(test, "");
    g_assert_false(has(test, "on_validation_set") || has(test, "on_training_set"));
}

static void test_average(void)
{
    g_free(run(0, EVALUATE
               "--model biased.safetensors --data test.csv --json >one.json; cp one.json copy.json; "
               "ln -s one.json link.json; tr -d ' \\n' <one.json >dense.json; "
               "sed 's/biased.safetensors/second.safetensors/;s/\"weights_sha256\" *: *\"./&0/' one.json "
               ">second.json; "
               "sed 's/\"warnings\" *: *\\[\\]/\"warnings\":[{\"name\":\"trained-on\",\"text\":\"seen it\"}]/' "
               "second.json >seen.json"));
    expect(2, EVALUATE "--average one.json one.json", "'one.json' and 'one.json' are one file");
    expect(2, EVALUATE "--average one.json second.json link.json", "'one.json' and 'link.json' are one file");
    g_free(run(0,
               "\"$AIMFAIR\" evaluate -q --threads 2 --bootstrap 0 --model biased.safetensors --data test.csv --seed 9 "
               "--json >reseeded.json"));
    expect(2, EVALUATE "--average one.json reseeded.json", "of the same weights and the same data");
    expect(2, EVALUATE "--average one.json copy.json", "say the same");
    expect(2, EVALUATE "--average one.json dense.json", "--allow same-set");
    g_autoptr(JsonNode) allowed = run_json(EVALUATE "--average one.json copy.json --allow same-set");
    expect_warnings(allowed, "same-set");
    g_autoptr(JsonNode) doubtful = run_json(EVALUATE "--average one.json second.json");
    expect_warnings(doubtful, "same-set");
    g_autoptr(JsonNode) seen = run_json(EVALUATE "--average one.json seen.json");
    g_assert_true(has(seen, "on_training_set"));
}

/* --- Drawing --- */

static void test_data(void)
{
    g_free(run(0,
               "for g in 0_0 0_1 1_0 1_1; do mkdir -p root/$g; for i in $(seq 20); do : >root/$g/$i.png; done; done; "
               "mkdir faces; for i in $(seq 80); do : >faces/20_$((i % 2))_$((i / 2 % 2))_$i.jpg; done"));
    expect(2, "\"$AIMFAIR\" data groups --root root --biased 1/9:8 -o out", "--allow empty-group");
    expect(2, "\"$AIMFAIR\" data groups --root root --biased 1/9:8 -o out",
           "group 0_0 gets no image: its share of 8 images with the bias 0.111111 is 0.4; ask for 11 images at least");
    expect(2, "\"$AIMFAIR\" data groups --root root --biased 1/9:10 -o out", "ask for 11"); /* 0.5 is rounded to even */
    expect(0, "\"$AIMFAIR\" data groups --root root --biased 1/9:11 -o out", "biased.csv: 12 images");
    expect(0, "\"$AIMFAIR\" data groups --root root --biased 0:8 -o out", "biased.csv: 8 images"); /* what was asked */
    expect(2, "\"$AIMFAIR\" data groups --root root --biased 9:8 -o out", "group 0_1 gets no image");
    g_autoptr(JsonNode) allowed =
        run_json("\"$AIMFAIR\" data groups --root root --biased 1/9:8 -o out --allow empty-group");
    expect_warnings(allowed, "empty-group empty-group");
    expect(2, "\"$AIMFAIR\" data utkface --root faces --target gender --protected race:0 --bias 1/9 --count 8 -o out",
           "--allow empty-group");
    expect(0, "\"$AIMFAIR\" data utkface --root faces --target gender --protected race:0 --test-per-group 20 -o out -q",
           "the training set is empty");
    g_free(run(0, "rm faces/20_0_0_4.jpg"));
    g_autoptr(JsonNode) gap = run_json("\"$AIMFAIR\" data utkface --root faces --target gender --protected race:0 "
                                       "--test-per-group 19 -o out");
    expect_warnings(gap, "empty-group");
    expect(0, "cat messages", "the training set has no images of the groups 0_1 (19 in the dataset)");
    g_autoptr(JsonNode) fine = run_json("\"$AIMFAIR\" data groups --root root --balanced 5 -o out");
    expect_warnings(fine, "");
    /* One attribute twice, and what leaves nothing to compare. */
    expect(2, "\"$AIMFAIR\" data utkface --root faces --target gender --protected Female -o out",
           "'gender:1' and the target 'gender' say the same");
    g_autoptr(JsonNode) told =
        run_json("\"$AIMFAIR\" data csv --file test.csv --path-column path --target-column target --protected-column "
                 "target --target-map 0=0,1=1 --protected-map 0=a,1=b -o out");
    expect_warnings(told, "confounded");
    g_autoptr(JsonNode) checked = run_json("\"$AIMFAIR\" data check --no-decode out/train.csv");
    expect_warnings(checked, "confounded");
    g_autoptr(JsonNode) one =
        run_json("\"$AIMFAIR\" data csv --file test.csv --path-column path --target-column target "
                 "--protected-column protected --target-map '*=0' --protected-map '*=x' -o out");
    expect_warnings(one, "one-class one-group");
}

/* data check knows a picture through a link, and unless it is told not to read the files, as a copy. */
static void test_data_check(void)
{
    g_free(run(0, "mkdir checked; cp test_0.png checked/copy.png; ln -s ../test_1.png checked/link.png; "
                  "printf 'path,target,protected\\nchecked/copy.png,0,0\\nchecked/link.png,1,0\\n' >links.csv"));
    expect(2, "\"$AIMFAIR\" data check -q test.csv links.csv", "in more than one manifest: 2\n");
    expect(2, "\"$AIMFAIR\" data check -q test.csv links.csv", "checked/copy.png, with the same bytes as ");
    expect(2, "\"$AIMFAIR\" data check -q --no-decode test.csv links.csv", "in more than one manifest: 1\n");
    expect(2, "\"$AIMFAIR\" data check -q --json test.csv links.csv 2>&1 >found.json",
           "2 images are in more than one manifest, a leak if one of them is for testing; the first is in 'test.csv', "
           "line 2, and in 'links.csv', line 2 (if that is meant: --allow overlap)");
    expect(0, "cat found.json", "\"name\" : \"overlap\""); /* the report is whole all the same */
    g_autoptr(JsonNode) allowed = run_json("\"$AIMFAIR\" data check test.csv links.csv --allow overlap");
    expect_warnings(allowed, "overlap one-group");
    g_free(run(0, "(cat test.csv; tail -1 test.csv) >twice.csv"));
    g_autoptr(JsonNode) twice = run_json("\"$AIMFAIR\" data check twice.csv");
    expect_warnings(twice, "repeated");
}

/* What is doubtful about the labels of a table stands in the JSON of every command that reads them. */
static void test_labels(void)
{
    g_free(run(0, "sed 's/,0$/,a/;s/,1$/,A/' test.csv >spelt.csv; (cat spelt.csv; echo test_0.png,,a) >gap.csv; "
                  "for s in train biased balanced; do sed 's/,0$/,a/;s/,1$/,A/' $s.csv >spelt$s.csv; done; "
                  "awk -F, -v OFS=, 'NR == 1 { print $2, $3, \"prediction\" } NR > 1 { print $2, $3, $2 }' spelt.csv "
                  ">answers.csv"));
    static const char *const commands[][2] = {
        { "\"$AIMFAIR\" data check spelt.csv", "spellings" },
        { "\"$AIMFAIR\" data check gap.csv --missing drop --merge-labels", "missing-values one-group" },
        { "\"$AIMFAIR\" data csv --file spelt.csv --path-column path --target-column target --protected-column "
          "protected -o spelt -q",
          "spellings" },
        { EVALUATE "--model biased.safetensors --data spelt.csv", "spellings" },
        { EVALUATE "--model biased.safetensors --data spelt.csv --merge-labels", "" },
        { EVALUATE "--model biased.safetensors --data gap.csv --missing drop", "missing-values spellings" },
        { EVALUATE "--from-predictions answers.csv", "spellings" },
        { TRAIN "--train speltbalanced.csv --val spelt.csv", "spellings spellings" },
        { FINETUNE "--train speltbalanced.csv --val spelt.csv", "spellings spellings" },
        { SENSITIVITY "--real spelttrain.csv --biased speltbiased.csv --balanced speltbalanced.csv",
          "spellings spellings spellings" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_test_message("%s", commands[i][0]);
        g_autoptr(JsonNode) node = run_json(commands[i][0]);
        expect_warnings(node, commands[i][1]);
    }
    expect(0, EVALUATE "--model biased.safetensors --data spelt.csv", "labels that differ only in case");
}

/* Training needs no protected labels, and so none of every row; measuring does. */
static void test_partly_labelled(void)
{
    g_free(
        run(0, "sed '3s/,[01]$/,/;7s/,[01]$/,NA/' val.csv >partly.csv; sed '2s/,[01]$/,/' train.csv >parttrain.csv"));
    g_autoptr(JsonNode) val = run_json(TRAIN "--train train.csv --val partly.csv");
    expect_warnings(val, "unlabelled");
    g_assert_true(json_object_get_null_member(element(val, "epochs", 0), "val_worst_group_accuracy"));
    expect(0, "cat messages", "warning: 'partly.csv': 2 of 24 rows have no protected label, the first in line 3");
    g_autoptr(JsonNode) train = run_json(TRAIN "--train parttrain.csv --val val.csv");
    expect_warnings(train, "unlabelled");
    g_assert_false(json_object_get_null_member(element(train, "epochs", 0), "val_worst_group_accuracy"));
    g_autoptr(JsonNode) tuned = run_json(FINETUNE "--train parttrain.csv --val partly.csv");
    expect_warnings(tuned, "unlabelled unlabelled same-set"); /* the model was trained on it, with all its labels */
    g_autoptr(JsonNode) sensitive =
        run_json(SENSITIVITY "--real parttrain.csv --biased biased.csv --balanced balanced.csv");
    expect_warnings(sensitive, "unlabelled");
    g_autoptr(JsonNode) checked = run_json("\"$AIMFAIR\" data check partly.csv");
    expect_warnings(checked, "unlabelled");
    expect(2, EVALUATE "--model biased.safetensors --data partly.csv", "partly.csv:3: column 'protected'");
}

/* Classes that are numbered another way are refused, other words for them named, wherever they could be mixed. */
static void test_class_names(void)
{
    g_free(run(0, "for s in train val test balanced biased; do "
                  "awk -F, -v OFS=, 'NR == 1 { print $0, \"target_name\" } NR > 1 { print $0, $2 ? \"bright\" : "
                  "\"dark\" }' $s.csv >named$s.csv; "
                  "sed 's/dark$/tmp/;s/bright$/dark/;s/tmp$/bright/' named$s.csv >swapped$s.csv; "
                  "sed 's/dark$/black/;s/bright$/white/' named$s.csv >words$s.csv; done"));
    expect(2, TRAIN "--train namedtrain.csv --val swappedval.csv",
           "class 0 is 'dark' in the training set 'namedtrain.csv' and 'bright' in the validation set "
           "'swappedval.csv'");
    expect(2, TRAIN "--train namedtrain.csv --val namedval.csv --classes bright,dark", "--allow names");
    g_free(run(0, TRAIN "--train namedtrain.csv --val namedval.csv && mv x.safetensors named.safetensors"));
    static const char *const commands[] = {
        "\"$AIMFAIR\" finetune " OPTIONS
        "--epochs 1 --lr 0.001 --model named.safetensors --trainable fc -o x.safetensors "
        "--train %sbalanced.csv --val namedtest.csv",
        "\"$AIMFAIR\" sensitivity " OPTIONS "--model named.safetensors -o s.json --real namedtrain.csv "
        "--biased namedbiased.csv --balanced %sbalanced.csv",
        EVALUATE "--model named.safetensors --data %stest.csv",
        "\"$AIMFAIR\" predict -q --model named.safetensors --data %stest.csv -o predictions.csv",
        "\"$AIMFAIR\" data check namedval.csv %stest.csv",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_auto(GStrv) parts = g_strsplit(commands[i], "%s", 2);
        g_autofree char *named = g_strjoinv("named", parts), *swapped = g_strjoinv("swapped", parts),
                        *words = g_strjoinv("words", parts), *allowed = g_strconcat(swapped, " --allow names", NULL);
        expect(2, swapped, "(if that is meant: --allow names)");
        expect(2, swapped, "class 0 is '");
        g_autoptr(JsonNode) fine = run_json(named), doubtful = run_json(words), meant = run_json(allowed);
        g_assert_false(warns(fine, "names"));
        g_assert_true(warns(doubtful, "names") && warns(meant, "names"));
    }
    /* Results of seeds, of which one was numbered another way or predicts something else. */
    g_free(run(0,
               EVALUATE "--model named.safetensors --data test.csv --json >named.json; "
                        "sed 's/\"weights_sha256\" *: *\"./&0/;s/\"dark\"/\"tmp\"/;s/\"bright\"/\"dark\"/;"
                        "s/\"tmp\"/\"bright\"/' named.json >swapped.json; "
                        "sed 's/\"weights_sha256\" *: *\"./&0/;s/\"target\" : null/\"target\" : \"Mood\"/' named.json "
                        ">mood.json; sed 's/Mood/Smile/;s/sha256\" *: *\"./&0/' mood.json >smile.json"));
    expect(2, EVALUATE "--average named.json swapped.json",
           "class 0 is 'dark' in 'named.json' and 'bright' in 'swapped");
    g_autoptr(JsonNode) smile = run_json(EVALUATE "--average mood.json smile.json");
    expect_warnings(smile, "same-set names");
}

/* --- Levelling down --- */

/* Training on wrong labels: what is kept is worse than what there was, and that is said. */
static void test_collapse(void)
{
    static const char command[] =
        "\"$AIMFAIR\" finetune " OPTIONS "--epochs 2 --lr 0.1 --model strong.safetensors --trainable "
        "all --train wrong.csv --val test.csv -o x.safetensors --log x.csv";
    g_free(run(0, "awk -F, -v OFS=, 'NR > 1 { $2 = 1 - $2 } 1' balanced.csv >wrong.csv"));
    g_free(run(0,
               "\"$AIMFAIR\" train " OPTIONS "--image-size 32 --epochs 12 --lr 0.02 --train pool.csv --val val.csv -o "
               "strong.safetensors"));
    g_autoptr(JsonNode) start = run_json(EVALUATE "--model strong.safetensors --data test.csv");
    double accuracy = json_object_get_double_member(json_node_get_object(start), "accuracy");
    g_assert_cmpfloat(accuracy, >, 0.9);
    g_autoptr(JsonNode) worse = run_json(command);
    expect_warnings(worse, "start-better collapse levelling-down");
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(json_node_get_object(worse), "epochs")), ==, 3);
    g_assert_cmpint(json_object_get_int_member(element(worse, "epochs", 0), "epoch"), ==, 0);
    g_assert_cmpfloat(json_object_get_double_member(element(worse, "epochs", 0), "val_accuracy"), ==, accuracy);
    g_assert_true(json_object_get_null_member(element(worse, "epochs", 0), "loss"));
    for (guint g = 0; g < 4; g++) /* before is what evaluate says of the model that it began with */
        g_assert_cmpfloat(json_object_get_double_member(element(worse, "groups", g), "before"), ==,
                          json_object_get_double_member(element(start, "groups", g), "accuracy"));
    expect(0, "cat x.csv", "\n0,,,");
    expect(0, "cat messages", "levelling down: ");
    g_autoptr(JsonNode) after = run_json(EVALUATE "--model x.safetensors --data test.csv");
    for (guint g = 0; g < 4; g++)
        g_assert_cmpfloat(json_object_get_double_member(element(worse, "groups", g), "after"), ==,
                          json_object_get_double_member(element(after, "groups", g), "accuracy"));

    g_autofree char *keeping = g_strconcat(command, " --keep-best-of start", NULL);
    g_autoptr(JsonNode) kept = run_json(keeping);
    expect_warnings(kept, "start-better");
    g_assert_cmpint(json_object_get_int_member(json_node_get_object(kept), "best_epoch"), ==, 0);
    g_assert_cmpfloat(json_object_get_double_member(json_node_get_object(kept), "best_accuracy"), ==, accuracy);
    expect(0, keeping, "x.safetensors: the start, validation accuracy");
    g_autoptr(JsonNode) same = run_json(EVALUATE "--model x.safetensors --data test.csv");
    g_assert_cmpfloat(json_object_get_double_member(json_node_get_object(same), "auc"), ==,
                      json_object_get_double_member(json_node_get_object(start), "auc"));
    expect(2, FINETUNE "--train balanced.csv --val test.csv --keep-best-of begin",
           "--keep-best-of is one of epochs, start");
}

/* What a new final layer says at the start is chance; the weights below it, or the layer that is kept, are not. */
static void test_fresh_head(void)
{
    static const char command[] = TRAIN "--train pool.csv --val val.csv --init biased.safetensors ";
    expect(0, command, "at the start");
    expect(0, TRAIN "--train pool.csv --val val.csv --init biased.safetensors --head new",
           "the final layer was new: what it said at the start is chance");
    expect(0, TRAIN "--train pool.csv --val val.csv --keep-best-of start", "the final layer was new");
    static const char *const heads[] = { "keep", "new" };
    for (int fresh = 0; fresh < 2; fresh++) {
        g_autofree char *line = g_strconcat(command, "--head ", heads[fresh], NULL);
        g_autoptr(JsonNode) node = run_json(line);
        g_assert_cmpint(json_object_get_boolean_member(json_node_get_object(node), "fresh_head"), ==, fresh);
    }
    g_autofree char *kept = run(0, command);
    g_assert_null(strstr(kept, "the final layer was new"));
}

/* --- Manners --- */

static void test_mask(void)
{
    g_autofree char *few = run(0, FINETUNE "--train balanced.csv --val test.csv 2>/dev/null | grep -c tensors,");
    g_assert_cmpstr(few, ==, "8\n"); /* conv1, bn1, four layers, fc, and their sum */
    expect(0, FINETUNE "--train balanced.csv --val test.csv",
           "fc             2 of   2 tensors, 100.0 % of       513 values");
    g_autofree char *all =
        run(0, "\"$AIMFAIR\" finetune --threads 1 --batch 8 --epochs 1 --model biased.safetensors "
               "--trainable fc --train balanced.csv --val test.csv -o x.safetensors -v 2>/dev/null | "
               "grep -c -e frozen -e trained");
    g_assert_cmpstr(all, ==, "63\n");
    g_autofree char *none = run(0, FINETUNE "--train balanced.csv --val test.csv --batch 99 2>/dev/null | wc -c");
    g_assert_cmpstr(none, ==, "0\n"); /* nothing is printed before everything is checked */
}

static void test_names(void)
{
    expect(2, "\"$AIMFAIR\" train --train train.csv --val val.csv -o x",
           "ends in .safetensors, as 'x.safetensors' does");
    expect(2, "\"$AIMFAIR\" train --train train.csv --val val.csv -o x.safetensor", "ends in .safetensors");
    expect(2, "\"$AIMFAIR\" finetune --model biased.safetensors --trainable fc --train balanced.csv --val val.csv -o y",
           "ends in .safetensors");
}

/* Longer at once, longer after a while, and longer with what a finished run left. */
static void test_longer(void)
{
    static const char train[] = "\"$AIMFAIR\" train " OPTIONS "--image-size 32 --lr 0.02 --train train.csv "
                                "--val val.csv --target Disc --milestones ";
    g_autofree char *whole = g_strconcat(train, "2 --epochs 4 -o whole.safetensors", NULL);
    g_autofree char *part = g_strconcat(train, "2 --epochs 2 -o part.safetensors --keep-state --log part.csv", NULL);
    g_autofree char *more = g_strconcat(train, "2 --epochs 4 -o part.safetensors --resume --log part.csv", NULL);
    g_autofree char *fewer = g_strconcat(train, "2 --epochs 1 -o part.safetensors --resume", NULL);
    g_autofree char *other = g_strconcat(train, "3 --epochs 4 -o part.safetensors --resume", NULL);
    g_free(run(0, whole));
    g_free(run(0, part));
    g_free(run(0, "test -e part.safetensors.state"));
    expect(2, fewer, "it has 2 epochs already, more than the 1 wanted");
    expect(2, other, "milestones was [2] and is [3]");
    expect(0, more, "of 4, validation accuracy");
    g_free(run(0, "cmp whole.safetensors part.safetensors && test ! -e part.safetensors.state"));
    g_free(run(0, "test $(wc -l <part.csv) = 5"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    set_up();
    g_test_add_func("/cli-sets/training", test_training_sets);
    g_test_add_func("/cli-sets/finetuning", test_finetuning_sets);
    g_test_add_func("/cli-sets/sensitivity", test_sensitivity_sets);
    g_test_add_func("/cli-sets/zero-sensitivities", test_zero_sensitivities);
    g_test_add_func("/cli-sets/dead-model", test_dead_model);
    g_test_add_func("/cli-sets/evaluation", test_evaluation_sets);
    g_test_add_func("/cli-sets/average", test_average);
    g_test_add_func("/cli-sets/data", test_data);
    g_test_add_func("/cli-sets/data-check", test_data_check);
    g_test_add_func("/cli-sets/labels", test_labels);
    g_test_add_func("/cli-sets/partly-labelled", test_partly_labelled);
    g_test_add_func("/cli-sets/class-names", test_class_names);
    g_test_add_func("/cli-sets/collapse", test_collapse);
    g_test_add_func("/cli-sets/fresh-head", test_fresh_head);
    g_test_add_func("/cli-sets/mask", test_mask);
    g_test_add_func("/cli-sets/names", test_names);
    g_test_add_func("/cli-sets/longer", test_longer);
    int status = g_test_run();
    g_autofree char *remove = g_strdup_printf("rm -r '%s'", folder);
    g_auto(ProgramRun) removed = run_shell(remove);
    g_assert_cmpint(removed.status, ==, 0);
    g_free(folder);
    return status;
}
