/* train, sensitivity, finetune, predict and plan through the real binary, on drawn pictures. */
#include "cli/support_program.h"
#include "train/support_drawn.h"

#include <aimfair/weights.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

static char *folder;

/* Runs $AIMFAIR in the folder with one thread. @status: what it must end with */
static char *run(int status, const char *command)
{
    return program_output(folder, status, command);
}

static void expect(int status, const char *command, const char *says)
{
    program_expect(folder, status, command, says);
}

#define TRAIN_AT(batch, rate)                                                                                          \
    "\"$AIMFAIR\" train -q --threads 1 --image-size 32 --epochs 3 --train train.csv --val val.csv --batch " batch      \
    " --lr " rate " "
#define TRAIN TRAIN_AT("8", "0.02")
#define FINETUNE "\"$AIMFAIR\" finetune -q --threads 1 --batch 8 --epochs 1 --train balanced.csv --val val.csv "

static void test_train(void)
{
    expect(0, TRAIN "-o biased.safetensors --log log.csv --target Disc --classes dark,bright",
           "biased.safetensors: epoch ");
    g_autofree char *left = run(0, "ls");
    g_assert_null(strstr(left, ".state"));
    g_assert_nonnull(strstr(left, "log.csv"));
    g_autofree char *same = run(0, TRAIN "-o again.safetensors --target Disc --classes dark,bright --json");
    g_autoptr(JsonNode) node = json_from_string(same, NULL);
    JsonObject *object = json_node_get_object(node);
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(object, "epochs")), ==, 3);
    g_autofree char *nothing = run(0, "cmp biased.safetensors again.safetensors");
    g_assert_cmpstr(nothing, ==, "");
}

/* The last epochs go to a process that was killed, and to one that was interrupted. */
static void test_killed(void)
{
    const char *wait_and_kill = "-o killed.safetensors --target Disc --classes dark,bright & pid=$!; "
                                "while [ ! -e killed.safetensors.state ] && kill -0 $pid; do sleep 0.02; done; kill "
                                "-%s $pid; wait $pid; test $? = %d";
    g_autofree char *kill_text = g_strdup_printf(wait_and_kill, "KILL", 137);
    g_autofree char *kill = g_strconcat("rm -f killed.*; ", TRAIN, kill_text, NULL);
    g_free(run(0, kill));
    expect(0, TRAIN "-o killed.safetensors --resume --target Disc --classes dark,bright", "killed.safetensors: epoch ");
    g_free(run(0, "cmp biased.safetensors killed.safetensors && test ! -e killed.safetensors.state"));

    g_autofree char *lost_text = g_strdup_printf(wait_and_kill, "BUS", 1);
    g_autofree char *lost = g_strconcat("rm -f killed.*; ", TRAIN, lost_text, NULL);
    expect(0, lost, "cut short");

    g_autofree char *interrupt_text = g_strdup_printf(wait_and_kill, "INT", 130);
    g_autofree char *interrupt = g_strconcat("rm -f killed.*; set -m; ", TRAIN, interrupt_text, NULL);
    expect(0, interrupt, "--resume goes on");
    expect(2, TRAIN "-o killed.safetensors --resume --seed 9", "seed was \"0\" and is \"9\"");
    g_free(run(0, "cp killed.safetensors.state cut.safetensors.state && truncate -s 1000000 cut.safetensors.state"));
    expect(2, TRAIN "-o cut.safetensors --resume --target Disc --classes dark,bright",
           "cannot continue from the state 'cut.safetensors.state' of the training, which is damaged; without it "
           "training begins anew: ");
    g_free(run(0, "rm cut.safetensors.state"));
    expect(0, TRAIN "-o killed.safetensors --resume --target Disc --classes dark,bright", "killed.safetensors: epoch ");
    g_free(run(0, "cmp biased.safetensors killed.safetensors"));
}

static void test_sensitivity_and_finetune(void)
{
    expect(0,
           "\"$AIMFAIR\" sensitivity -q --threads 1 --batch 8 --model biased.safetensors --real train.csv "
           "--biased synthetic.csv --balanced balanced.csv -o sensitivity.json",
           "fc.bias");
    expect(0, "\"$AIMFAIR\" sensitivity -q --from-gradients sensitivity.gradients.safetensors -o recomputed.json",
           "conv1.weight");
    g_free(run(0, "cmp sensitivity.json recomputed.json"));
    g_free(run(0, "\"$AIMFAIR\" sensitivity -q --from-gradients sensitivity.gradients.safetensors -o recomputed.json "
                  "--json >printed.json && cmp sensitivity.json printed.json"));
    expect(0, FINETUNE "--model biased.safetensors --sensitivity sensitivity.json --top-k 50 -o fair.safetensors",
           " of 62 tensors, ");
    expect(0, FINETUNE "--model biased.safetensors --sensitivity sensitivity.json --top-k 81% -o share.safetensors",
           " of 62 tensors, ");
    g_free(run(0, "cmp fair.safetensors share.safetensors")); /* 81 % are 50 */
    expect(0, FINETUNE "--model biased.safetensors --sensitivity sensitivity.json --top-k 50/62 -o share.safetensors",
           " of 62 tensors, ");
    g_free(run(0, "cmp fair.safetensors share.safetensors"));
    expect(0, FINETUNE "--model biased.safetensors --sensitivity sensitivity.json --top-k 1.0 -o all.safetensors",
           "62 of 62 tensors, ");
    expect(0,
           FINETUNE "--model biased.safetensors --sensitivity sensitivity.json --optimizer adamw --betas 0.9,0.99 "
                    "--epsilon 1e-6 --decay weights --clip-norm 1 --schedule cosine --label-smoothing 0.1 --ema 0.9 "
                    "--batch-norm frozen -o other.safetensors",
           " of 62 tensors, ");
    g_free(run(0, "grep -aqF '\\\"optimizer\\\":\\\"adamw\\\",\\\"betas\\\":[0.9,0.99],\\\"epsilon\\\":1e-06,"
                  "\\\"weight_decay\\\":0.01,\\\"decay\\\":\\\"weights\\\",\\\"clip_norm\\\":1.0,\\\"ema\\\":0.9' "
                  "other.safetensors"));
    expect(0,
           "\"$AIMFAIR\" sensitivity -q --threads 1 --batch 8 --model biased.safetensors --real train.csv "
           "--biased synthetic.csv --balanced balanced.csv --batch-norm frozen -o frozen.json",
           "fc.bias");
    g_free(run(0, "! cmp -s sensitivity.json frozen.json && ! grep -qF batch_norm sensitivity.json && "
                  "grep -q '\"batch_norm\" *: *\"frozen\"' frozen.json"));
    expect(0, "\"$AIMFAIR\" sensitivity -q --from-gradients frozen.gradients.safetensors -o frozen2.json", "fc.bias");
    g_free(run(0, "cmp frozen.json frozen2.json"));
    expect(0, FINETUNE "--model biased.safetensors --sensitivity frozen.json --top-k 1.0 --lr 1e-5 -o x.safetensors",
           "batch norm is not frozen in this training; the sensitivities, which choose what is trained, were measured "
           "with it frozen");
    expect(0,
           FINETUNE
           "--model biased.safetensors --sensitivity sensitivity.json --top-k 1.0 --lr 1e-5 --batch-norm frozen --json "
           "-o x.safetensors",
           "\"batch-norm\"");
    g_free(run(0, FINETUNE
               "--model biased.safetensors --sensitivity frozen.json --top-k 1.0 --lr 1e-5 --batch-norm frozen "
               "-o x.safetensors >said 2>&1 && ! grep -q 'batch norm' said"));
    expect(0, FINETUNE "--model biased.safetensors --trainable fc -o head.safetensors --json", "\"trained\"");
    expect(2, FINETUNE "--model fair.safetensors --sensitivity sensitivity.json -o x.safetensors", "--force");
    expect(0, FINETUNE "--model fair.safetensors --sensitivity sensitivity.json --force -o x.safetensors",
           "measured on another model");
}

/* What is said before the sets are looked for, which are not there. */
static void test_recipes(void)
{
    static const struct {
        const char *options, *says;
    } cases[] = {
        { "", "resnet18 is trained by sgd, learning rate 0.01, to a tenth after epoch 10, momentum 0.9, "
              "weight decay 0.0001\n" },
        { "--arch mobilenet_v3_small", "momentum 0.9, weight decay 1e-05\n" },
        { "--arch efficientnet_b0 --lr 0.02 --decay all", "learning rate 0.02, to a tenth after epoch 10, "
                                                          "momentum 0.9, weight decay 1e-05\n" },
        { "--arch efficientnet_b0 --weight-decay 0", "weight decay 0 of weights\n" },
        { "--arch vit_base_patch16_224",
          "vit_base_patch16_224 is trained by adamw, learning rate 0.000125 along a cosine, 1 epoch of warm-up, "
          "betas 0.9 and 0.999, epsilon 1e-08, weight decay 0.05 of weights, gradients of norm 1 at most\n" },
        { "--arch convnext_tiny --warmup 3 --betas 0.8,0.9 --epsilon 1e-6 --label-smoothing 0.25 --ema 0.99",
          "along a cosine, 3 epochs of warm-up, betas 0.8 and 0.9, epsilon 1e-06, weight decay 0.05 of weights, "
          "labels smoothed by 0.25, averages of decay 0.99\n" },
        { "--arch convnext_tiny --epochs 1 --label-smoothing 0 --weight-decay 0.5",
          "along a cosine, betas 0.9 and 0.999, epsilon 1e-08, weight decay 0.5 of weights\n" },
        { "--arch vit_small_patch16_224 --milestones 3,5 --clip-norm 0",
          "learning rate 0.000125, to a tenth after epoch 3, 5, 1 epoch of warm-up, betas 0.9 and 0.999, epsilon "
          "1e-08, "
          "weight decay 0.05 of weights\n" },
        { "--arch vit_small_patch16_224 --schedule steps --warmup 0",
          "learning rate 0.000125, to a tenth after epoch 10, betas" },
        { "--arch vit_small_patch16_224 --optimizer sgd --momentum 0.8",
          "sgd, learning rate 0.01, to a tenth after epoch 10, momentum 0.8, weight decay 0.0001\n" },
        { "--arch vit_small_patch32_224 --optimizer adamw --decay weights",
          "adamw, learning rate 0.001, to a tenth after epoch 10, betas 0.9 and 0.999, epsilon 1e-08, weight decay "
          "0.01 of "
          "weights\n" },
        { "--arch convnext_tiny --momentum 0.9",
          "--momentum is of SGD; AdamW has --betas, and convnext_tiny has AdamW without --optimizer sgd" },
        { "--arch resnet50 --epsilon 1e-6", "--betas and --epsilon are of AdamW, --optimizer adamw" },
        { "--arch resnet19", "there is no architecture 'resnet19'" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *command =
            g_strconcat("\"$AIMFAIR\" train --train no.csv --val no.csv -o x.safetensors ", cases[i].options, NULL);
        expect(2, command, cases[i].says);
    }
    g_free(run(0, "\"$AIMFAIR\" train --arch list --json | tr -d ' \n' | grep -qF '\"train\":{\"optimizer\":"
                  "\"adamw\",\"learning_rate\":0.000125,\"schedule\":\"cosine\",\"warmup_epochs\":1,"
                  "\"weight_decay\":0.05,\"decay\":\"weights\",\"clip_norm\":1.0,\"label_smoothing\":0.0},"
                  "\"finetune\":{\"optimizer\":\"adamw\",'"));
}

/* The architecture's recipe is what the model says that it was trained by, and fine-tuning has its own. */
static void test_recipe_is_kept(void)
{
    g_free(run(0, "\"$AIMFAIR\" train -q --threads 1 --image-size 32 --epochs 2 --train train.csv --val val.csv "
                  "--batch 8 --arch vit_small_patch16_224 -o vit.safetensors"));
    g_free(run(0, "grep -aqF '\\\"learning_rate\\\":0.000125,\\\"optimizer\\\":\\\"adamw\\\",\\\"betas\\\":"
                  "[0.9,0.999],\\\"epsilon\\\":1e-08,\\\"weight_decay\\\":0.05,\\\"decay\\\":\\\"weights\\\","
                  "\\\"clip_norm\\\":1.0' vit.safetensors && grep -aqF '\\\"warmup_epochs\\\":1' vit.safetensors"));
    expect(0,
           "\"$AIMFAIR\" finetune --threads 1 --batch 8 --epochs 2 --train balanced.csv --val val.csv "
           "--model vit.safetensors --trainable head -o head.safetensors",
           "vit_small_patch16_224 is trained by adamw, learning rate 0.000125 along a cosine, betas 0.9 and 0.999");
    g_free(run(0, "rm vit.safetensors head.safetensors"));
}

static void test_predict(void)
{
    expect(0, "\"$AIMFAIR\" predict -q --threads 1 --model fair.safetensors --data val.csv -o p.csv", "20 images");
    g_free(run(0, "test $(wc -l <p.csv) = 21 && head -1 p.csv | grep -qx path,logit,probability,prediction,class && "
                  "! tail -n +2 p.csv | grep -Ev ',(0,dark|1,bright)$'"));
    expect(0, "\"$AIMFAIR\" predict -q --threads 1 --model fair.safetensors --images -o q.csv val_3.png val_4.png",
           "of class 1 bright");
    g_free(run(0, "test $(grep -c '^val_[34].png,' q.csv) = 2"));
    expect(2, "\"$AIMFAIR\" predict --model fair.safetensors -o q.csv", "--images FILE");
    expect(0, "\"$AIMFAIR\" predict -q --threads 1 --model fair.safetensors --images -o one.csv val_3.png",
           "one.csv: 1 image, ");
    expect(2, "\"$AIMFAIR\" predict --model fair.safetensors --images none.png -o q.csv", "none.png");
    g_free(run(0, "test $(wc -l <q.csv) = 3")); /* the failed run has left it alone */
}

/* Nobody has to know protected labels to train, and nobody has to know classes to predict. */
static void test_unlabelled(void)
{
    g_free(run(0, "for set in train val balanced; do cut -d, -f1,2 $set.csv >bare_$set.csv; done; "
                  "cut -d, -f1 val.csv >pictures.csv; head -1 bare_train.csv | grep -qx path,target"));
    g_autofree char *trained =
        run(0, "\"$AIMFAIR\" train --threads 1 --image-size 32 --batch 8 --epochs 1 --train bare_train.csv "
               "--val bare_val.csv -o bare.safetensors --log bare_log.csv --json");
    g_assert_null(strstr(trained, "worst group"));
    g_assert_nonnull(strstr(trained, "\"val_worst_group_accuracy\" : null"));
    expect(2,
           "\"$AIMFAIR\" train --threads 1 --image-size 32 --batch 8 --epochs 1 --train bare_train.csv "
           "--val bare_val.csv -o bare.safetensors --select worst-group",
           "needs protected labels in every row");
    g_free(run(0, "tail -1 bare_log.csv | cut -d, -f7,8 | grep -qx ,"));
    g_free(run(0, "\"$AIMFAIR\" sensitivity -q --threads 1 --batch 8 --model bare.safetensors --real bare_train.csv "
                  "--biased bare_val.csv --balanced bare_balanced.csv -o bare.json"));
    expect(0,
           "\"$AIMFAIR\" finetune -q --threads 1 --batch 8 --epochs 1 --train bare_balanced.csv --val bare_val.csv "
           "--model bare.safetensors --sensitivity bare.json --top-k 50 -o bare_fair.safetensors",
           "validation accuracy");
    expect(0, "\"$AIMFAIR\" predict -q --threads 1 --model bare.safetensors --data pictures.csv -o b.csv", "20 images");
    g_free(run(0,
               "sed 's/,1,/,cat,/' val.csv >cats.csv && \"$AIMFAIR\" predict -q --threads 1 --model bare.safetensors "
               "--data cats.csv -o c.csv && cmp b.csv c.csv"));
    expect(0, "\"$AIMFAIR\" data check --allow overlap pictures.csv bare_val.csv", "pictures.csv: 20 images");
    expect(2, "\"$AIMFAIR\" evaluate --model bare.safetensors --data bare_val.csv", "no column 'protected'");
    expect(2,
           "\"$AIMFAIR\" finetune --model bare.safetensors --trainable fc --train pictures.csv --val val.csv -o "
           "x.safetensors",
           "no column 'target'");
    expect(0,
           "\"$AIMFAIR\" data csv -q --file bare_train.csv --path-column path --target-column target "
           "--val-per-group 2 -o drawn && head -1 drawn/val.csv",
           "path,target\n");
    expect(0,
           "\"$AIMFAIR\" data csv -q --file pictures.csv --path-column path --val-per-group 2 -o drawn && "
           "wc -l <drawn/val.csv",
           "3");
    expect(2,
           "\"$AIMFAIR\" data csv --file bare_train.csv --path-column path --target-column target --bias 1/9 "
           "--count 9 -o drawn",
           "needs a target and a protected attribute");
    g_free(run(0, "rm -r drawn"));
}

/* What a command needs is not what it writes. */
static void test_overwriting(void)
{
    expect(2, TRAIN "-o train.csv", "-o train.csv would replace");
    expect(2, TRAIN "-o ''", "the name is empty");
    expect(2, TRAIN "-o $(printf %232s m | tr ' ' m).safetensors", "its name is too long");
    expect(2, TRAIN "-o x.safetensors --log ./val.csv", "--log ./val.csv would replace");
    expect(2, TRAIN "-o x.safetensors --log x.safetensors", "--log x.safetensors would replace");
    expect(2, FINETUNE "--model biased.safetensors --trainable fc -o biased.safetensors", "would replace");
    expect(2, "\"$AIMFAIR\" predict --model fair.safetensors --data val.csv -o val.csv", "would replace");
    expect(2, "\"$AIMFAIR\" predict --model fair.safetensors --images -o val_3.png val_3.png", "would replace");
    expect(2, "mkfifo pipe; \"$AIMFAIR\" predict --model fair.safetensors --data val.csv -o pipe",
           "not a regular file");
    expect(2, "\"$AIMFAIR\" predict --model fair.safetensors --data val.csv -o x.csv >x.csv", "own output");
    expect(
        2,
        "ln -s val.csv link.csv; \"$AIMFAIR\" evaluate --model fair.safetensors --data val.csv --predictions link.csv",
        "would replace");
    g_free(run(0, "head -1 train.csv | grep -q ^path && head -1 val.csv | grep -q ^path"));
}

/* --force takes the sensitivities of other weights, not of another network. */
static void test_other_network(void)
{
    g_free(run(0, "sed 's/\"layer3.0.bn1.bias\"/\"layer9.0.bn1.bias\"/' sensitivity.json >renamed.json && "
                  "sed '0,/\"size\" *: *[0-9]*/s//\"size\":1/' sensitivity.json >resized.json"));
    expect(2, FINETUNE "--model biased.safetensors --force --sensitivity renamed.json -o x.safetensors",
           "'layer9.0.bn1.bias'");
    expect(2, FINETUNE "--model biased.safetensors --force --sensitivity resized.json -o x.safetensors",
           "with 1 values");
}

/* A limit on file sizes kills by a signal where it is not ignored. */
static void test_file_size_limit(void)
{
    g_free(run(0, "cp fair.safetensors limited.safetensors"));
    expect(1, "ulimit -f 10000; " TRAIN "-o limited.safetensors", "File too large");
    g_free(run(0, "cmp fair.safetensors limited.safetensors && ! ls *-part"));
}

static void test_plan(void)
{
    g_autofree char *all = run(0, "\"$AIMFAIR\" plan --image-size 64 --batch 4 --training --json");
    g_autofree char *part = run(0, "\"$AIMFAIR\" plan --image-size 64 --batch 4 --trainable layer4,fc --json");
    g_autoptr(JsonNode) all_node = json_from_string(all, NULL), part_node = json_from_string(part, NULL);
    JsonObject *whole = json_node_get_object(all_node), *few = json_node_get_object(part_node);
    g_assert_cmpfloat(json_object_get_double_member(whole, "flops_forward"), ==,
                      json_object_get_double_member(few, "flops_forward"));
    g_assert_cmpfloat(json_object_get_double_member(few, "flops"), <,
                      0.6 * json_object_get_double_member(whole, "flops"));
    g_assert_cmpint(json_object_get_int_member(few, "arena_bytes"), <,
                    json_object_get_int_member(whole, "arena_bytes"));
    expect(0, "\"$AIMFAIR\" plan --model fair.safetensors --batch 2 --profile --threads 1", "GFLOP");
    expect(2, "\"$AIMFAIR\" plan --trainable layer5", "'layer5'");
    expect(2, "\"$AIMFAIR\" plan --model fair.safetensors --image-size 31", "32 to 4096");
}

/* Two sets in one file: neither is taken unasked, and --only takes one; a wild rate ends the training then. */
static void test_init_only(void)
{
    g_autofree char *from = g_build_filename(folder, "biased.safetensors", NULL);
    g_autofree char *to = g_build_filename(folder, "two.safetensors", NULL);
    g_autoptr(AimfTensors) model = aimf_tensors_open(from, NULL), two = aimf_tensors_new();
    for (guint i = 0; i < 2 * aimf_tensors_count(model); i++) {
        const AimfTensor *tensor = aimf_tensors_at(model, i / 2);
        g_autofree char *name = g_strconcat(i % 2 ? "ema.module." : "state_dict.", tensor->name, NULL);
        aimf_tensors_add(two, name, tensor->dtype, &tensor->shape, aimf_tensors_data(model, i / 2), NULL);
    }
    g_assert_true(aimf_tensors_save(two, to, NULL));
    expect(2, TRAIN "-o x.safetensors --init two.safetensors", "2 sets of weights of a resnet18, below 'ema.module.'");
    expect(2, TRAIN "-o x.safetensors --init two.safetensors --only model", "they begin with 'state_dict', 'ema'");
    expect(1, TRAIN_AT("8", "1e6") "-o x.safetensors --init two.safetensors --only ema", "epoch 1");
}

static void test_wrong_usage(void)
{
    expect(2, "\"$AIMFAIR\" train --val val.csv -o x.safetensors", "--train is missing");
    expect(2, TRAIN "-o x.pth", "aimfair convert");
    expect(2, TRAIN "-o x.PT", "aimfair convert");
    expect(2, TRAIN "-o .", "it is a folder");
    expect(2, TRAIN "-o none/x.safetensors", "its folder does not exist");
    expect(2, TRAIN "-o x.safetensors --crop-scale 0.5,0.1", "--crop-scale");
    expect(2, TRAIN_AT("8", "nan") "-o x.safetensors", "--lr is nan");
    expect(2, TRAIN_AT("99", "0.02") "-o x.safetensors", "fewer than one batch of 99");
    expect(2, TRAIN "-o x.safetensors --classes a,b,c", "--classes has 3 names");
    expect(2, TRAIN "-o x.safetensors --classes a,a", "class 1 has a name that is there twice: 'a'");
    expect(2, TRAIN "-o x.safetensors --classes 'a, '", "class 1 has no name");
    expect(2, TRAIN "-o x.safetensors --classes 1,0", "class 0 has the number of another class: '1'");
    expect(2, TRAIN "-o x.safetensors --json=false", "--json takes no value, not even 'false'");
    expect(2, TRAIN "-o x.safetensors --init train.csv", "but a table (CSV) that begins with 'path,target,protected'");
    expect(2, TRAIN "-o x.safetensors --only model", "--only chooses among the weights of --init");
    expect(1, TRAIN_AT("8", "1e6") "-o x.safetensors", "epoch 1");
    expect(2, FINETUNE "--model biased.safetensors -o x.safetensors", "say once what to train");
    expect(2, FINETUNE "--model val.csv --trainable fc -o x.safetensors", "val.csv");
    expect(2, FINETUNE "--model biased.safetensors --trainable fc,layer9 -o x.safetensors", "'layer9'");
    static const char *const wrong[] = { "0",    "-3",  "x",   "0.0",  "1.01",   "0%",     "101%",
                                         "%",    ".",   "5 %", "nan.", "1e0",    "63/62",  "0/62",
                                         "55/0", "0/0", "/62", "55/",  "50%/62", "-55/-62" };
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *command =
            g_strdup_printf(FINETUNE "--model biased.safetensors --sensitivity sensitivity.json --top-k '%s' "
                                     "-o x.safetensors",
                            wrong[i]);
        g_autofree char *says =
            g_strdup_printf("--top-k is %s; it must be a whole number of tensors from 1 to as many", wrong[i]);
        expect(2, command, says);
    }
    expect(2, TRAIN "-o x.safetensors --optimizer adam", "--optimizer");
    expect(2, TRAIN "-o x.safetensors --optimizer adamw --momentum 0.9", "--momentum is of SGD");
    expect(2, TRAIN "-o x.safetensors --betas 0.9,0.99", "--betas and --epsilon are of AdamW");
    expect(2, TRAIN "-o x.safetensors --optimizer adamw --betas 0.9,1", "the second of --betas is 1");
    expect(2, TRAIN "-o x.safetensors --schedule cosine --milestones 1", "--milestones are of --schedule steps");
    expect(2, TRAIN "-o x.safetensors --warmup 7", "--warmup is 7; it must be less than --epochs");
    expect(2, TRAIN "-o x.safetensors --label-smoothing 1", "--label-smoothing is 1");
    expect(2, TRAIN "-o x.safetensors --batch-norm eval", "--batch-norm");
    expect(2, TRAIN "-o x.safetensors --decay none", "--decay");
    expect(2, FINETUNE "--model biased.safetensors --sensitivity sensitivity.json --top-k 99 -o x.safetensors",
           "--top-k is 99; with 62 tensors it must be from 1 to 62");
    expect(2, FINETUNE "--model biased.safetensors --trainable ',' -o x.safetensors", "--trainable");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = support_drawn_folder();
    g_free(support_drawn_set(folder, "train", 24, 0.9));
    g_free(support_drawn_set(folder, "synthetic", 24, 0.9));
    g_free(support_drawn_set(folder, "balanced", 16, 0));
    g_free(support_drawn_set(folder, "val", 20, 0));
    g_test_add_func("/cli/train", test_train);
    g_test_add_func("/cli/killed", test_killed);
    g_test_add_func("/cli/sensitivity-and-finetune", test_sensitivity_and_finetune);
    g_test_add_func("/cli/recipes", test_recipes);
    g_test_add_func("/cli/recipe-is-kept", test_recipe_is_kept);
    g_test_add_func("/cli/predict", test_predict);
    g_test_add_func("/cli/unlabelled", test_unlabelled);
    g_test_add_func("/cli/overwriting", test_overwriting);
    g_test_add_func("/cli/other-network", test_other_network);
    g_test_add_func("/cli/file-size-limit", test_file_size_limit);
    g_test_add_func("/cli/plan", test_plan);
    g_test_add_func("/cli/init-only", test_init_only);
    g_test_add_func("/cli/wrong-usage", test_wrong_usage);
    int status = g_test_run();
    support_drawn_remove(folder);
    g_free(folder);
    return status;
}
