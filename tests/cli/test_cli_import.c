/* import through the real binary, and what the other commands do with models that are not this program's own kind. */
#include "cli/support_program.h"
#include "train/support_drawn.h"

#include <aimfair/model.h>
#include <json-glib/json-glib.h>
#include <string.h>

static char *folder;

static char *run(int status, const char *command)
{
    return program_output(folder, status, command);
}

static void expect(int status, const char *command, const char *says)
{
    program_expect(folder, status, command, says);
}

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

/*
 * A checkpoint of another program: the tensors alone. Fresh weights, but with a head that makes logits of the size of
 * trained ones.
 */
static char *write_weights(const char *name, int outputs)
{
    g_autofree char *path = in_folder(name);
    g_autoptr(AimfModel) model = aimf_model_new("resnet18", 32, outputs, 5, NULL);
    float *head = aimf_tensors_writable(model->tensors, (guint)aimf_tensors_find(model->tensors, "fc.weight"));
    for (int i = 0; i < 512 * outputs; i++)
        head[i] *= 20;
    g_assert_true(aimf_tensors_save(model->tensors, path, NULL));
    return aimf_model_hash(model);
}

static char *member(const char *json, const char *name)
{
    g_autoptr(JsonNode) node = json_from_string(json, NULL);
    g_assert_nonnull(node);
    return g_strdup(json_object_get_string_member(json_node_get_object(node), name));
}

#define NORM " --mean 0.5,0.4,0.3 --std 0.5,0.6,0.7 "
#define IMPORT "\"$AIMFAIR\" import -q --threads 1" NORM

/* Whatever their number of outputs, weights keep their bits. */
static void test_weights(void)
{
    const int outputs[] = { 1, 2, 5 };
    for (gsize i = 0; i < G_N_ELEMENTS(outputs); i++) {
        g_autofree char *name = g_strdup_printf("weights%d.pth", outputs[i]);
        g_autofree char *hash = write_weights(name, outputs[i]);
        g_autofree char *command = g_strdup_printf(IMPORT "weights%d.pth -o model%d.safetensors --image-size 48 --json",
                                                   outputs[i], outputs[i]);
        g_autofree char *json = run(0, command), *found = member(json, "model_hash");
        g_assert_cmpstr(found, ==, hash);
    }
    expect(0,
           IMPORT "weights2.pth -o named.safetensors --image-size 48 --classes no,yes --threshold 0.7 --target Smile",
           "2 outputs (softmax): no, yes");
}

/* What the format of before says is said in it, to the byte. */
static void test_plain_format(void)
{
    g_autofree char *path = in_folder("model1.safetensors"), *expected_path = in_folder("expected.safetensors");
    g_autofree char *weights_path = in_folder("weights1.pth");
    g_autoptr(AimfModel) model = aimf_model_new("resnet18", 48, 1, 0, NULL);
    g_autoptr(AimfTensors) weights = aimf_tensors_open(weights_path, NULL); /* of no other names than torchvision's */
    g_assert_true(aimf_model_take_weights(model, weights, NULL, NULL));
    const float mean[] = { 0.5f, 0.4f, 0.3f }, std[] = { 0.5f, 0.6f, 0.7f };
    memcpy(model->preprocess.mean, mean, sizeof mean);
    memcpy(model->preprocess.std, std, sizeof std);
    g_assert_true(aimf_model_save(model, expected_path, NULL));
    g_autoptr(AimfTensors) file = aimf_tensors_open(path, NULL);
    g_auto(GStrv) keys = aimf_tensors_metadata_keys(file);
    g_autofree char *list = g_strjoinv(" ", keys);
    g_assert_cmpstr(list, ==,
                    "aimfair.architecture aimfair.format aimfair.image_size aimfair.mean aimfair.outputs aimfair.std "
                    "aimfair.threshold");
    g_assert_cmpstr(aimf_tensors_metadata(file, "aimfair.format"), ==, "1");
    g_free(run(0, "cmp model1.safetensors expected.safetensors"));
}

/* A model's own answers are its references; another way of preparing pictures gives others, and is found. */
static void test_verify(void)
{
    expect(0, "\"$AIMFAIR\" predict -q --threads 1 --model model2.safetensors --data val.csv -o own.csv", "20 images");
    expect(0, IMPORT "weights2.pth -o again.safetensors --image-size 48 --verify own.csv",
           "own.csv: 20 pictures, largest difference of a logit ");
    g_free(run(0, IMPORT "weights2.pth -o bgr.safetensors --image-size 48 --channel-order bgr --antialias no --resizer "
                         "tensor-v2 --interpolation bicubic && \"$AIMFAIR\" predict -q --threads 1 --model "
                         "bgr.safetensors --data val.csv -o bgr.csv"));
    expect(
        2, IMPORT "weights2.pth -o none.safetensors --image-size 48 --verify bgr.csv",
        "the first pictures agree with --interpolation bicubic --antialias no --resizer tensor-v2 --channel-order bgr");
    expect(2, IMPORT "weights2.pth -o none.safetensors --image-size 40 --verify own.csv", "look at --image-size");
    expect(2, IMPORT "weights2.pth -o none.safetensors --image-size 40 --verify own.csv",
           "above the tolerance of 0.0001");
    g_free(run(0, "test ! -e none.safetensors"));
    expect(0, IMPORT "weights2.pth -o loose.safetensors --image-size 40 --verify own.csv --tolerance 100",
           "(tolerance 100)");
    expect(2, IMPORT "weights2.pth -o none.safetensors --image-size 48 --verify val.csv",
           "no column for logit 0 of the model's 2");
    expect(2, IMPORT "weights1.pth -o none.safetensors --image-size 48 --verify own.csv", "it has logit 1 too");
    expect(2,
           "printf 'path,logit\\nval_0.png,nan\\n' >bad.csv; " IMPORT
           "weights1.pth -o none.safetensors --image-size 48 --verify bad.csv",
           "bad.csv:2: column 'logit': 'nan'");
    expect(2,
           "printf 'path,logit\\n' >bad.csv; " IMPORT
           "weights1.pth -o none.safetensors --image-size 48 --verify bad.csv",
           "no rows");
}

/* A rectangle, cut out of a resized picture, in other colours: through every command, and still there at the end. */
static void test_every_command(void)
{
#define PASS " -q --threads 1 --batch 8 "
    expect(0,
           IMPORT "weights2.pth -o odd.safetensors --image-size 48x32 --resize 56 --crop 48x32 --channel-order bgr "
                  "--value-range 255 --interpolation bicubic",
           "shorter side to 56 pixels, the middle 48x32 of it, bicubic (pillow), BGR from 0 to 255");
    expect(0, "\"$AIMFAIR\" plan --model odd.safetensors --batch 2 --threads 1", "2x3x32x48");
    expect(0,
           "\"$AIMFAIR\" sensitivity" PASS "--model odd.safetensors --real train.csv --biased biased.csv --balanced "
           "balanced.csv -o odd.json",
           "fc.bias");
    expect(0,
           "\"$AIMFAIR\" finetune" PASS "--epochs 1 --lr 0.001 --model odd.safetensors --sensitivity odd.json --top-k "
           "60 --train balanced.csv --val val.csv -o odder.safetensors",
           "odder.safetensors: epoch 1");
    expect(0, "\"$AIMFAIR\" evaluate" PASS "--model odder.safetensors --data val.csv --threshold 0.3", "accuracy");
    g_free(run(0, "\"$AIMFAIR\" predict" PASS "--model odder.safetensors --data val.csv -o odder.csv && head -1 "
                  "odder.csv | grep -qx path,logit_0,logit_1,probability,prediction"));
    g_autofree char *path = in_folder("odder.safetensors");
    g_autoptr(AimfModel) model = aimf_model_open(path, NULL);
    const AimfPreprocess *p = &model->preprocess;
    g_assert_cmpint(p->width, ==, 48);
    g_assert_cmpint(p->height, ==, 32);
    g_assert_cmpint(p->resize, ==, 56);
    g_assert_true(p->bgr && p->full_range && p->filter == AIMF_BICUBIC && !p->aliased);
    g_assert_cmpint(model->outputs, ==, 2);
    expect(2,
           "\"$AIMFAIR\" finetune" PASS "--epochs 1 --model odd.safetensors --trainable fc --resume --train "
           "balanced.csv --val val.csv -o x.safetensors --lr nan",
           "--lr");
#undef PASS
}

/* A model of this program's own keeps all that it says; what an option says otherwise is overruled, and no more. */
static void test_saved_model(void)
{
#define AGAIN "\"$AIMFAIR\" import --threads 1 "
    g_free(run(0, "\"$AIMFAIR\" import -q --threads 1 weights2.pth -o own.safetensors --image-size 48 --crop-first 150 "
                  "--resize 56 --mean 104,117,123 --std 1,2,3 --value-range 255 --antialias no --resizer float "
                  "--classes no,yes --threshold 0.7 --target Smile"));
    expect(0, AGAIN "own.safetensors -o same.safetensors", "'own.safetensors' is a saved model");
    g_free(run(0, "cmp own.safetensors same.safetensors"));
    g_free(run(0, "\"$AIMFAIR\" convert -q own.safetensors own.pth && " AGAIN "-q own.pth -o same.safetensors && "
                  "cmp own.safetensors same.safetensors"));
    expect(0, AGAIN "own.safetensors -o other.safetensors --threshold 0.4 --image-size 96 --classes a,b",
           "of the middle 150x150: shorter side to 112 pixels, the middle 96x96 of it, bilinear (float, not "
           "antialiased), RGB from 0 to 255, mean 104,117,123");
    expect(0,
           AGAIN "own.safetensors -o plain.safetensors --resize none --crop-first none --antialias yes --resizer "
                 "pillow",
           "\n48x48 pixels, bilinear (pillow), RGB from 0 to 255");
    g_autofree char *path = in_folder("other.safetensors");
    g_autoptr(AimfModel) model = aimf_model_open(path, NULL);
    g_assert_cmpfloat(model->threshold, ==, 0.4);
    g_assert_cmpstr(model->target, ==, "Smile");
    g_assert_cmpstr(model->classes[0], ==, "a");
    g_free(run(0, "\"$AIMFAIR\" train -q --threads 1 --image-size 32 --batch 8 --epochs 1 --train train.csv --val "
                  "val.csv -o trained.safetensors --target Disc --classes dark,bright && " AGAIN
                  "-q trained.safetensors -o again.safetensors && cmp trained.safetensors again.safetensors"));
    expect(2, AGAIN "own.safetensors -o x.safetensors --only fc", "'own.safetensors' is a saved model");
    expect(2, AGAIN "own.safetensors -o x.safetensors --classes a,b,c", "--classes has 3 names");
    expect(2, AGAIN "own.safetensors -o x.safetensors --value-range 1", "--mean has 104, and values go from 0 to 1");
#undef AGAIN
}

/* Means and deviations of another range than the values'. */
static void test_value_range(void)
{
#define RANGE "\"$AIMFAIR\" import -q --threads 1 weights2.pth -o range.safetensors --image-size 48 "
    expect(2, RANGE "--mean 123.675,116.28,103.53 --std 58.395,57.12,57.375",
           "--mean has 123.675, and values go from 0 to 1: is --value-range 255 missing?");
    expect(2, RANGE "--mean 1000,0,0 --std 1,1,1 --value-range 255", "--mean has 1000, and values go from 0 to 255");
    static const char *const doubtful[] = {
        "--mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --value-range 255",
        "--mean 0.485,0.456,0.406 --std 1,1,1 --value-range 255",
        "--mean 104,117,123 --std 0.229,1,1 --value-range 255",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(doubtful); i++) {
        g_autofree char *command = g_strconcat(RANGE, doubtful[i], NULL);
        expect(0, command, "is --value-range 1 meant?");
    }
    expect(0, RANGE "--mean 0,0,0 --std 58.395,57.12,57.375", "is --value-range 255 meant?");
    static const char *const good[] = { "--mean 104,117,123 --std 1,1,1 --value-range 255",
                                        "--mean 0,0,0 --std 1,1,1 --value-range 255",
                                        "--mean 0,0,0 --std 255,255,255 --value-range 255",
                                        "--mean 127.5,127.5,127.5 --std 127.5,127.5,127.5 --value-range 255",
                                        "--mean 0,0,0 --std 1,1,1",
                                        "--mean 1,1,1 --std 1,1,1",
                                        "--mean -1,0.5,0.5 --std 0.5,0.5,0.5" };
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *command = g_strconcat(RANGE, good[i], NULL), *said = run(0, command);
        g_assert_null(strstr(said, "value-range"));
    }
#undef RANGE
}

/* Two logits of opposite sign are one logit of twice their size. */
static void test_two_logits_are_a_softmax(void)
{
    g_autofree char *path = in_folder("pair.pth"), *single_path = in_folder("single.pth");
    g_autoptr(AimfModel) pair = aimf_model_new("resnet18", 32, 2, 5, NULL),
                         single = aimf_model_new("resnet18", 32, 1, 5, NULL);
    float *two = aimf_tensors_writable(pair->tensors, (guint)aimf_tensors_find(pair->tensors, "fc.weight"));
    float *one = aimf_tensors_writable(single->tensors, (guint)aimf_tensors_find(single->tensors, "fc.weight"));
    float *biases = aimf_tensors_writable(pair->tensors, (guint)aimf_tensors_find(pair->tensors, "fc.bias"));
    float *bias = aimf_tensors_writable(single->tensors, (guint)aimf_tensors_find(single->tensors, "fc.bias"));
    for (int i = 0; i < 512; i++) {
        one[i] = 2 * two[512 + i];
        two[i] = -two[512 + i];
    }
    bias[0] = 0.5f;
    biases[1] = 0.25f;
    biases[0] = -0.25f;
    g_assert_true(aimf_tensors_save(pair->tensors, path, NULL) &&
                  aimf_tensors_save(single->tensors, single_path, NULL));
    g_free(run(0, IMPORT "pair.pth -o pair.safetensors --image-size 32 --threshold 0.6 && " IMPORT
                         "single.pth -o single.safetensors --image-size 32 --threshold 0.6"));
    g_free(run(0,
               "for m in pair single; do \"$AIMFAIR\" predict -q --threads 1 --model $m.safetensors --data val.csv -o "
               "$m.csv; done; cut -d, -f1,4,5 pair.csv | awk -F, 'NR>1{printf \"%s %.4f %s\\n\",$1,$2,$3}' >a; cut -d, "
               "-f1,3,4 single.csv | awk -F, 'NR>1{printf \"%s %.4f %s\\n\",$1,$2,$3}' >b; test -s a && cmp a b"));
}

/* The tensors of a backbone, whose head somebody has cut off. */
static void write_bare(const char *name)
{
    g_autofree char *path = in_folder(name);
    g_autoptr(AimfModel) model = aimf_model_new("resnet18", 32, 1, 5, NULL);
    g_autoptr(AimfTensors) bare = aimf_tensors_new();
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(model->tensors, i);
        if (!g_str_has_prefix(tensor->name, "fc."))
            aimf_tensors_add(bare, tensor->name, tensor->dtype, &tensor->shape, aimf_tensors_data(model->tensors, i),
                             NULL);
    }
    g_assert_true(aimf_tensors_save(bare, path, NULL));
}

/* train --init keeps a head that fits, and says what it replaces. */
static void test_head(void)
{
#define TRAIN                                                                                                          \
    "\"$AIMFAIR\" train --threads 1 --image-size 32 --batch 8 --epochs 1 --lr 0.001 --train train.csv --val val.csv "
    write_bare("bare.pth");
    expect(0, TRAIN "--init weights2.pth -o kept.safetensors", "has 2 outputs: it is kept");
    expect(0, TRAIN "-q --init weights5.pth -o fresh.safetensors",
           "fc.weight is 5x512, for 5 outputs: it is replaced by a fresh one, 1x512");
    expect(0, TRAIN "-q --head new --init weights2.pth -o new.safetensors",
           "fc.weight is 2x512, for 2 outputs: it is replaced by a fresh one, 1x512");
    g_free(run(0, TRAIN "-q --head new --init weights1.pth -o new1.safetensors --epochs 1"));
    expect(2, TRAIN "--head keep --init weights5.pth -o x.safetensors", "has 5 outputs, and the training set has 2");
    expect(2, TRAIN "--head keep -o x.safetensors", "--init's final layer");
    expect(2, TRAIN "--head off --init weights2.pth -o x.safetensors", "keep, new");
    const struct {
        const char *file;
        int outputs;
    } cases[] = { { "kept.safetensors", 2 }, { "fresh.safetensors", 1 }, { "new.safetensors", 1 } };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = in_folder(cases[i].file);
        g_autoptr(AimfModel) model = aimf_model_open(path, NULL);
        g_assert_cmpint(model->outputs, ==, cases[i].outputs);
    }
    /* A backbone alone will do where a head is drawn, and nowhere else. */
    expect(2, TRAIN "--init bare.pth -o x.safetensors", "only the final layer is missing, and 'aimfair train --head");
    expect(0, TRAIN "--head new --init bare.pth -o headed.safetensors",
           "have no final layer: it is a fresh one, 1x512");
    /* A saved model brings its own way of preparing pictures; the size may be asked for. */
    expect(0, TRAIN "--init odd.safetensors -o prepared.safetensors", "pictures are prepared as by 'odd.safetensors'");
    g_autofree char *path = in_folder("prepared.safetensors");
    g_autoptr(AimfModel) prepared = aimf_model_open(path, NULL);
    g_assert_true(prepared->preprocess.bgr && prepared->preprocess.full_range);
    g_assert_cmpint(prepared->preprocess.height, ==, 32);
    g_assert_cmpint(prepared->preprocess.width, ==, 32);
    g_assert_cmpint(prepared->preprocess.resize, ==, 56);
    expect(0,
           "\"$AIMFAIR\" train --threads 1 --image-size 96x64 --batch 8 --epochs 1 --lr 0.001 --train train.csv --val "
           "val.csv --init odd.safetensors -o larger.safetensors",
           "--image-size 96x64 the shorter side is resized to 112 pixels in place of 56");
#undef TRAIN
}

/* Rules make another program's names this one's, for import and for train alike. */
static void test_rename(void)
{
    g_autofree char *from = in_folder("weights2.pth"), *to = in_folder("strange.safetensors");
    g_autoptr(AimfTensors) weights = aimf_tensors_open(from, NULL), strange = aimf_tensors_new();
    for (guint i = 0; i < aimf_tensors_count(weights); i++) {
        const AimfTensor *tensor = aimf_tensors_at(weights, i);
        gsize bytes = strcspn(tensor->name, ".");
        g_autofree char *name = g_strdup_printf("_%.*s%s", (int)bytes, tensor->name, tensor->name + bytes);
        g_autofree void *data = g_malloc(tensor->bytes);
        g_assert_true(aimf_tensors_read(weights, i, tensor->dtype, data, NULL));
        aimf_tensors_add(strange, name, tensor->dtype, &tensor->shape, data, NULL);
    }
    g_assert_true(aimf_tensors_save(strange, to, NULL));
#define STRANGE IMPORT "strange.safetensors --image-size 48 -o renamed.safetensors "
    expect(2, STRANGE, "missing");
    g_free(run(0, "printf '# theirs begin with _\\n^_ ->\\n' >rules.txt"));
    g_free(run(0, STRANGE "--rename rules.txt && " IMPORT "weights2.pth -o named.safetensors --image-size 48 && "
                          "cmp renamed.safetensors named.safetensors"));
    expect(0, "printf '^_ ->\\n^top\\\\. ->\\n' >idle.txt; " STRANGE "--rename idle.txt",
           "idle.txt:2: no tensor's name has '^top\\.'");
    expect(2, "printf '^_\\n' >bad.txt; " STRANGE "--rename bad.txt", "bad.txt:1: expected PATTERN -> REPLACEMENT");
    expect(2, "printf '_layer[34] -> layer' >twice.txt; " STRANGE "--rename twice.txt",
           "'_layer3.0.conv1.weight' and '_layer4.0.conv1.weight' would both be called 'layer.0.conv1.weight'");
    expect(2, STRANGE "--rename none.txt", "none.txt");
    expect(2,
           "cp rules.txt rules.safetensors; " IMPORT "strange.safetensors --image-size 48 --rename rules.safetensors "
           "-o rules.safetensors",
           "rules.safetensors");
    expect(2, "\"$AIMFAIR\" import -q named.safetensors -o x.safetensors --rename rules.txt",
           "--rename is for the tensors of other programs");
#undef STRANGE
#define TRAIN                                                                                                          \
    "\"$AIMFAIR\" train -q --threads 1 --image-size 32 --batch 8 --epochs 1 --lr 0.001 --train train.csv --val "       \
    "val.csv "
    g_free(run(0, TRAIN "--init strange.safetensors --rename rules.txt -o a.safetensors && " TRAIN
                        "--init weights2.pth -o b.safetensors"));
    g_autofree char *a_path = in_folder("a.safetensors"), *b_path = in_folder("b.safetensors");
    g_autoptr(AimfModel) a = aimf_model_open(a_path, NULL), b = aimf_model_open(b_path, NULL);
    g_autofree char *a_hash = aimf_model_hash(a), *b_hash = aimf_model_hash(b);
    g_assert_cmpstr(a_hash, ==, b_hash);
    expect(2, TRAIN "--init strange.safetensors -o x.safetensors", "missing");
    expect(2, TRAIN "--rename rules.txt -o x.safetensors", "--rename is for the weights of --init");
#undef TRAIN
}

static void test_wrong_usage(void)
{
    expect(2, "\"$AIMFAIR\" import weights1.pth -o x.safetensors --image-size 48 --std 1,1,1", "--mean is missing");
    expect(2, "\"$AIMFAIR\" import weights1.pth -o x.safetensors --mean 0,0,0 --std 1,1,1", "--image-size is missing");
    expect(2, "\"$AIMFAIR\" import -o x.safetensors --image-size 48" NORM, "one file of weights, found 0");
    expect(2, IMPORT "weights1.pth -o x.pth --image-size 48", "aimfair convert");
    expect(2, IMPORT "weights1.pth -o weights1.pth --image-size 48", "weights1.pth");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48y32", "320x240");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 16", "32 to 4096");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48x8192", "32 to 4096");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48 --crop 48", "--crop needs --resize");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48 --resize 60 --crop 40", "they must be equal");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48 --resize 0", "--resize: '0'");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48 --crop-first 178x178", "--crop-first: '178x178'");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48 --interpolation lanczos",
           "none of bilinear, bicubic");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48 --interpolation bicubik",
           "did you mean 'bicubic'?");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48 --resizer tensor_v2", "did you mean 'tensor-v2'?");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48 --crop-first 13378", "from 1 to 13377");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 0", "320x240, from 1 on, not '0'");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48 --tolerance 1", "--tolerance is of --verify");
    expect(0, IMPORT "weights1.pth -o border.safetensors --image-size 48 --resize 40", "is filled with black");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48 --antialias no --resizer pillow", "Pillow always");
#define BARE "\"$AIMFAIR\" import weights1.pth -o x.safetensors --image-size 48 "
    expect(2, BARE "--mean 0,0,0 --std 1,0,1", "--std is 0");
    expect(2, BARE "--mean 1,2 --std 1,1,1", "three numbers");
#undef BARE
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48 --classes a,b,c", "--classes has 3 names");
    expect(2, IMPORT "weights5.pth -o x.safetensors --image-size 48 --threshold 0.4", "two classes");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48 --threshold 1", "above 0 and below 1");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48 --arch vgg16", "resnet18");
    expect(2, IMPORT "weights1.pth -o x.safetensors --image-size 48 --only model",
           "no tensor's name begins with 'model.'");
    expect(2, IMPORT "train.csv -o x.safetensors --image-size 48", "train.csv");
    g_free(run(0, "test ! -e x.safetensors && test ! -e x.pth"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = support_drawn_folder();
    g_free(support_drawn_set(folder, "biased", 20, 0.9));
    g_free(support_drawn_set(folder, "train", 24, 0.9));
    g_free(support_drawn_set(folder, "balanced", 16, 0));
    g_free(support_drawn_set(folder, "val", 20, 0));
    g_test_add_func("/import/weights", test_weights);
    g_test_add_func("/import/plain-format", test_plain_format);
    g_test_add_func("/import/verify", test_verify);
    g_test_add_func("/import/every-command", test_every_command);
    g_test_add_func("/import/saved-model", test_saved_model);
    g_test_add_func("/import/value-range", test_value_range);
    g_test_add_func("/import/two-logits", test_two_logits_are_a_softmax);
    g_test_add_func("/import/head", test_head);
    g_test_add_func("/import/rename", test_rename);
    g_test_add_func("/import/wrong-usage", test_wrong_usage);
    int status = g_test_run();
    support_drawn_remove(folder);
    g_free(folder);
    return status;
}
