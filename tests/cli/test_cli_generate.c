/* aimfair generate and autoencode, through the real program, with a tiny model of random weights. */
#include "base/random.h"
#include "cli/support_program.h"
#include "diffusion/support_generation.h"
#include "image/support_image.h"
#include "model/support_tiny_sd.h"

#include <aimfair/data.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static char *folder;
static const char PROMPTS[] =
    "{\"version\":1,\"task\":\"test\",\"groups\":["
    "{\"name\":\"0_0\",\"target\":0,\"protected\":\"0\",\"words\":\"a\",\"prompts\":[{\"prompt\":\"a photo\"},"
    "{\"prompt\":\"a portrait\"}]},"
    "{\"name\":\"1_0\",\"target\":1,\"protected\":\"0\",\"words\":\"b\",\"prompts\":[{\"prompt\":\"a house\"}]}]}";

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static ProgramRun run_in(const char *command)
{
    g_autofree char *line = g_strdup_printf("cd '%s' && %s", folder, command);
    return run_shell(line);
}

/* @part (nullable) must be in what the command line says. */
static void expect(int status, const char *command, const char *part)
{
    g_auto(ProgramRun) run = run_in(command);
    gboolean said = !part || strstr(run.out, part) || strstr(run.err, part);
    if (run.status != status || !said)
        g_error("%s\nended with %d in place of %d, or without '%s':\n%s%s", command, run.status, status, part, run.out,
                run.err);
}

#define GENERATE_ON(threads) "\"$AIMFAIR\" generate --threads " threads " --steps 2 --model model "
#define GENERATE GENERATE_ON("1")
#define MANY GENERATE "--prompts prompts.json "

static void test_usage(void)
{
    static const char *const wrong[][2] = {
        { "-o x.png --prompt a --prompts prompts.json", "give --prompt TEXT for one picture, or --prompts FILE" },
        { "-o x.png", "give --prompt TEXT for one picture, or --prompts FILE" },
        { "--prompt a", "-o is missing" },
        { "-o x.png --prompt a --shard 0/2", "--shard goes with --prompts only" },
        { "-o x.png --prompt a --image-size 3", "--image-size goes with --prompts only" },
        { "-o job --prompts prompts.json --noise x", "--noise goes with --prompt only" },
        { "-o x.jpg --prompt a", "its name ends in .png" },
        { "-o prompts.json/x.png --prompt a", "-o: cannot write" },
        { "-o job --prompts prompts.json", "--per-group is missing" },
        { "-o job --prompts prompts.json --per-group 1 --shard 4/4", "from 0/4 to 3/4 for four, not '4/4'" },
        { "-o job --prompts prompts.json --per-group 1 --shard 1", "--shard takes" },
        { "-o job --prompts prompts.json --per-group 1 --shard 1/0", "--shard takes" },
        { "-o job --prompts prompts.json --per-group 1 --batch -1", "--batch is -1" },
        { "-o job --prompts prompts.json --per-group 1 --image-size -5", "--image-size is -5" },
        { "-o job --prompts missing.json --per-group 1", "missing.json" },
        { "-o job --prompts model --per-group 1", "model" },
        { "-o job --prompts empty.json --per-group 1", "1_0" },
        { "-o prompts.json --prompts prompts.json --per-group 1", "is a file, and a folder is to be there" },
        { "-o x.png --prompt a --sampler dim",
          "--sampler is one of ddim, plms, dpm-solver++, euler, euler-a, not 'dim'" },
        { "-o x.png --prompt a --size 60", "--size takes a multiple of 8" },
        { "-o x.png --prompt a --size 64x", "--size takes" },
        { "-o x.png --prompt a --size 64x64x64", "--size takes" },
        { "-o x.png --prompt a --guidance nan", "--guidance is nan" },
        { "-o x.png --prompt a --eta 1 --sampler euler", "--eta is DDIM's noise" },
        { "-o x.png --prompt a --prediction x", "--prediction is one of epsilon, v" },
        { "-o x.png --prompt a --noise model/unet/config.json", "config.json" },
        { "-o x.png --prompt a --latents-out x.png", "would replace a file" },
        { "-o x.png --prompt a --model missing", "missing" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *command = g_strconcat(GENERATE, wrong[i][0], NULL);
        expect(2, command, wrong[i][1]);
    }
    g_autofree char *left = in_folder("x.png");
    g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
}

static JsonObject *json_of(const ProgramRun *run, JsonNode **root)
{
    g_autoptr(GError) error = NULL;
    if (run->status != 0)
        g_error("status %d: %s", run->status, run->err);
    *root = json_from_string(run->out, &error);
    g_assert_no_error(error);
    return json_node_get_object(*root);
}

/* A job's picture is what --prompt paints from the seed in the job's list. */
static void test_one_of_many(void)
{
    expect(0, MANY "--per-group 3 --image-size 0 --batch 2 -o whole", "whole: 6 pictures made, 0 were there, 0 failed");
    g_autofree char *lines_path = in_folder("whole/generation.jsonl"), *lines = NULL;
    g_assert_true(g_file_get_contents(lines_path, &lines, NULL, NULL));
    g_auto(GStrv) split = g_strsplit(lines, "\n", -1);
    g_autoptr(JsonNode) node = json_from_string(split[2], NULL); /* picture 1 of 0_0, the second prompt */
    JsonObject *line = json_node_get_object(node);
    g_assert_cmpstr(json_object_get_string_member(line, "prompt"), ==, "a portrait");
    g_autofree char *command = g_strdup_printf(GENERATE "--prompt 'a portrait' --seed %" G_GINT64_FORMAT
                                                        " -o one.png --latents-out l.safetensors --json",
                                               json_object_get_int_member(line, "seed"));
    g_auto(ProgramRun) run = run_in(command);
    g_autoptr(JsonNode) root = NULL;
    JsonObject *summary = json_of(&run, &root);
    g_assert_cmpstr(json_object_get_string_member(summary, "image"), ==, "one.png");
    g_assert_cmpint(json_object_get_int_member(json_object_get_object_member(summary, "sampling"), "width"), ==, 64);
    g_autofree char *one_path = in_folder("one.png"), *many_path = in_folder("whole/0_0/000001.png");
    g_autoptr(AimfImage) one = aimf_image_open(one_path, NULL);
    g_autoptr(AimfImage) many = aimf_image_open(many_path, NULL);
    g_assert_true(test_images_equal(one, many));
    g_autofree char *latents_path = in_folder("l.safetensors");
    g_autoptr(AimfTensors) latents = aimf_tensors_open(latents_path, NULL);
    const AimfTensor *tensor = aimf_tensors_at(latents, 0);
    g_assert_cmpstr(tensor->name, ==, "latents");
    g_assert_true(aimf_shape_equal(&tensor->shape, &AIMF_SHAPE(1, 4, 8, 8)));
}

static void write_noise(const char *name, const AimfShape *shape, float value)
{
    g_autofree char *path = in_folder(name);
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    gsize n = (gsize)aimf_shape_count(shape);
    g_autofree float *values = g_new(float, n);
    for (gsize i = 0; i < n; i++)
        values[i] = value * sinf((float)i);
    g_assert_cmpint(aimf_tensors_add(tensors, "noise", AIMF_F32, shape, values, NULL), ==, 0);
    g_assert_true(aimf_tensors_save(tensors, path, NULL));
}

static void test_noise_file(void)
{
    write_noise("three.safetensors", &AIMF_SHAPE(4, 8, 8), 1);
    write_noise("four.safetensors", &AIMF_SHAPE(1, 4, 8, 8), 1);
    write_noise("large.safetensors", &AIMF_SHAPE(4, 16, 8), 1);
    write_noise("infinite.safetensors", &AIMF_SHAPE(4, 8, 8), INFINITY);
    expect(0, GENERATE "--prompt a -o three.png --noise three.safetensors --seed 1", "three.png: 64 x 64 pixels");
    expect(0, GENERATE "--prompt a -o four.png --noise four.safetensors --seed 2", "four.png");
    expect(0, "cmp three.png four.png", NULL); /* with the noise given, the seed has no say */
    expect(0, GENERATE "--prompt a -o drawn.png --seed 1", NULL);
    expect(1, "cmp three.png drawn.png", NULL);
    expect(0, GENERATE "--prompt a -o tall.png --noise large.safetensors --size 64x128", "tall.png: 64 x 128 pixels");
    expect(2, GENERATE "--prompt a -o bad.png --noise large.safetensors", "of 4x8x8 was expected, 4x16x8 found");
    expect(2, GENERATE "--prompt a -o bad.png --noise infinite.safetensors", "is not finite");
    g_autofree char *left = in_folder("bad.png");
    g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
}

static void test_long_prompt(void)
{
    g_autoptr(GString) prompt = g_string_new("a");
    for (int i = 0; i < 90; i++)
        g_string_append(prompt, " b");
    g_autofree char *command = g_strdup_printf(GENERATE "--prompt '%s' -o long.png", prompt->str);
    expect(0, command, "warning: the prompt is too long: its last ");
    g_autofree char *text = g_strdup_printf(
        "{\"version\":1,\"task\":\"t\",\"groups\":[{\"name\":\"0_0\",\"target\":0,\"protected\":\"0\",\"words\":\"a\","
        "\"prompts\":[{\"prompt\":\"%s\"}]}]}",
        prompt->str);
    g_autofree char *path = in_folder("long.json");
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    expect(0, GENERATE "--prompts long.json --per-group 1 -o long", "warning: prompt 0 of group '0_0' is too long");
}

/* Shards, a job in two halves, and one that is enlarged leave what one job leaves. */
static void test_jobs(void)
{
    expect(0, MANY "--per-group 3 --image-size 48 -o plain", NULL);
    g_autofree char *plain = in_folder("plain"), *shards = in_folder("shards"), *larger = in_folder("larger");
    g_autofree char *expected = test_tree(plain);
    g_assert_nonnull(strstr(expected, "manifest.csv"));
    g_autofree char *manifest_path = in_folder("plain/manifest.csv");
    g_autoptr(AimfManifest) manifest = aimf_manifest_open(manifest_path, NULL);
    g_assert_cmpuint(aimf_manifest_count(manifest), ==, 6);
    expect(0, "\"$AIMFAIR\" data check plain/manifest.csv", NULL);
    expect(0, MANY "--per-group 3 --image-size 48 -o shards --shard 1/2 --batch 8", "shards: 2 pictures made");
    expect(0,
           GENERATE_ON("2") "--prompts prompts.json --per-group 3 --image-size 48 -o shards --shard 0/2 --low-memory",
           "shards: 4 pictures made");
    test_assert_tree(shards, expected);
    expect(0, MANY "--per-group 1 --image-size 48 -o larger", NULL);
    expect(2, MANY "--per-group 3 --image-size 48 -o larger", "has 2 pictures of this job already");
    expect(0, MANY "--per-group 3 --image-size 48 -o larger --resume", "4 pictures made, 2 were there");
    test_assert_tree(larger, expected);
    expect(2, MANY "--per-group 3 --image-size 48 -o larger --resume --guidance 3",
           "holds another job: guidance is 9.0 there and 3.0 here");
    g_auto(ProgramRun) run = run_in(MANY "--per-group 3 --image-size 48 -o larger --resume --json --preview");
    g_autoptr(JsonNode) root = NULL;
    JsonObject *summary = json_of(&run, &root);
    g_assert_cmpint(json_object_get_int_member(summary, "made"), ==, 0);
    g_assert_cmpint(json_object_get_int_member(summary, "there_before"), ==, 6);
    g_assert_cmpstr(json_object_get_string_member(summary, "manifest"), ==, "larger/manifest.csv");
    g_autofree char *preview = in_folder("larger/preview_1_0.png");
    g_assert_true(g_file_test(preview, G_FILE_TEST_IS_REGULAR));
}

/* Killed at ten random moments while a real model works, and interrupted once: resumed, nothing shows it. */
static void test_kill(void)
{
#define DISTURBED MANY "--per-group 6 --image-size 16 --resume "
    gint64 started = g_get_monotonic_time();
    expect(0, DISTURBED "-o calm", NULL);
    double seconds = (double)(g_get_monotonic_time() - started) / G_USEC_PER_SEC;
    g_autofree char *calm = in_folder("calm"), *killed = in_folder("killed"), *expected = test_tree(calm);
    AimfRandom random = aimf_random_at(2028, AIMF_STREAM_TEST, 0);
    for (int kills = 0; kills < 11;) {
        g_autofree char *command = g_strdup_printf("timeout -s %s %.3f " DISTURBED "-o killed", kills ? "KILL" : "INT",
                                                   0.001 + aimf_random_uniform(&random) * seconds * 0.7);
        g_auto(ProgramRun) run = run_in(command);
        if (run.status == 0) { /* it was done before; from the start again */
            test_assert_tree(killed, expected);
            test_remove(killed);
        } else { /* of timeout(1) itself: 124, or 128 + SIGKILL */
            g_assert_cmpint(run.status, ==, kills ? 137 : 124);
            kills++;
        }
    }
    expect(0, DISTURBED "-o killed", NULL);
    test_assert_tree(killed, expected);
}

static void test_full_disk(void)
{
    expect(1, "ulimit -f 1; " MANY "--per-group 2 --image-size 64 -o full", "File too large");
    expect(0, MANY "--per-group 2 --image-size 64 -o full --resume", NULL);
    expect(0, MANY "--per-group 2 --image-size 64 -o roomy", NULL);
    g_autofree char *full = in_folder("full"), *roomy = in_folder("roomy"), *expected = test_tree(roomy);
    test_assert_tree(full, expected);
}

static void test_autoencode(void)
{
    g_autoptr(AimfImage) picture = test_portrait(1, 67, 50);
    g_autofree char *a = in_folder("a.png"), *b = in_folder("b.jpg"), *after_path = in_folder("after.png");
    g_assert_true(aimf_image_save(picture, a, NULL) && aimf_image_save(picture, b, NULL));
#define AUTOENCODE "\"$AIMFAIR\" autoencode --threads 1 --vae model/vae "
    expect(0, AUTOENCODE "a.png -o after.png", "after.png: 64 x 48 pixels, mean difference ");
    g_autoptr(AimfImage) after = aimf_image_open(after_path, NULL);
    g_assert_cmpint(after->width, ==, 64);
    expect(0, "mkdir -p coded && " AUTOENCODE "--image-size 64 -o coded a.png b.jpg", "coded/b.png: 64 x 64 pixels");
    g_auto(ProgramRun) run = run_in(AUTOENCODE "--json -o coded b.jpg");
    g_autoptr(JsonNode) root = NULL;
    JsonArray *pictures = json_object_get_array_member(json_of(&run, &root), "pictures");
    JsonObject *first = json_array_get_object_element(pictures, 0);
    double mean = json_object_get_double_member(first, "mean_difference");
    g_assert_true(mean > 0 && mean < json_object_get_double_member(first, "largest_difference"));
    expect(0, AUTOENCODE "a.png b.jpg -o new/deep", "new/deep/b.png: 64 x 48 pixels");
    expect(0, AUTOENCODE "a.png -o other", "other/a.png: 64 x 48 pixels");
    expect(0, AUTOENCODE "a.png -o more/of/x.png", "more/of/x.png: 64 x 48 pixels");
    expect(2, AUTOENCODE "a.png missing.png -o late", "missing.png");
    expect(2, "\"$AIMFAIR\" autoencode --vae prompts.json a.png -o never", "prompts.json");
    g_autofree char *never = in_folder("never");
    g_assert_false(g_file_test(never, G_FILE_TEST_EXISTS));
    expect(2, AUTOENCODE "a.png -o a.png/under/x.png", "cannot write 'a.png/under/x.png'");
    expect(2, AUTOENCODE "a.png -o -", "-");
    expect(2, AUTOENCODE "-o after.png", "the picture is missing");
    expect(2, AUTOENCODE "a.png -o after.jpg", "ends in .png");
    expect(2, AUTOENCODE "a.png -o a.png", "would replace a file");
    expect(2, AUTOENCODE "a.png b.jpg -o after.png", "several pictures need a folder");
    expect(2, "cp a.png b.png; " AUTOENCODE "b.png b.jpg -o coded", "two pictures would become coded/b.png");
    expect(2, AUTOENCODE "prompts.json -o after.png", "prompts.json");
    expect(2, AUTOENCODE "missing.png -o after.png", "missing.png");
    expect(2, AUTOENCODE "a.png -o after.png --image-size 60", "--image-size is 60; it must be a multiple of 8");
    expect(1,
           "cp -r model ill; cd ill/vae; printf '\\0\\0\\300\\177' | dd bs=1 conv=notrunc status=none "
           "of=diffusion_pytorch_model.safetensors seek=$(($(stat -c %s diffusion_pytorch_model.safetensors) - 4)); "
           "\"$AIMFAIR\" autoencode --threads 1 --vae . ../../a.png -o ../../ill.png",
           "the autoencoder's numbers are not finite");
}

/* Somebody else's prompts are quoted in part, and no terminal obeys them. */
static void test_cut(void)
{
    g_autoptr(GString) text =
        g_string_new("{\"version\":1,\"task\":\"test\",\"groups\":[{\"name\":\"0_0\",\"target\":0,"
                     "\"protected\":\"0\",\"words\":\"a\",\"prompts\":[{\"prompt\":\"\\u001b[31m");
    for (int i = 0; i < 100; i++)
        g_string_append(text, " word");
    g_string_append(text, "\"}]}]}");
    g_autofree char *path = in_folder("wordy.json");
    g_assert_true(g_file_set_contents(path, text->str, -1, NULL));
    g_auto(ProgramRun) run = run_in(GENERATE "--prompts wordy.json --per-group 1 -o wordy");
    g_assert_cmpint(run.status, ==, 0);
    g_assert_nonnull(strstr(run.err, "warning: prompt 0 of group '0_0' is too long"));
    g_assert_nonnull(strstr(run.err, "are cut off: \"\xef\xbf\xbd[31m word"));
    g_assert_null(strchr(run.err, '\x1b'));
    g_assert_cmpuint(strlen(strstr(run.err, "are cut off")), <, 200);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = test_folder();
    g_autofree char *model = in_folder("model"), *prompts = in_folder("prompts.json"), *empty = in_folder("empty.json");
    g_free(tiny_sd_write(model, &(TinySd){ .form = TINY_SD_FOLDER, .dtype = AIMF_F32 })); /* the folder itself */
    g_assert_true(g_file_set_contents(prompts, PROMPTS, -1, NULL));
    g_autofree char *cut = g_strndup(PROMPTS, (gsize)(strstr(PROMPTS, "{\"prompt\":\"a house\"") - PROMPTS));
    g_autofree char *no_prompts = g_strconcat(cut, "]}]}", NULL);
    g_assert_true(g_file_set_contents(empty, no_prompts, -1, NULL));
    g_test_add_func("/cli/generate/usage", test_usage);
    g_test_add_func("/cli/generate/one-of-many", test_one_of_many);
    g_test_add_func("/cli/generate/noise", test_noise_file);
    g_test_add_func("/cli/generate/long-prompt", test_long_prompt);
    g_test_add_func("/cli/generate/job", test_jobs);
    g_test_add_func("/cli/generate/kill", test_kill);
    g_test_add_func("/cli/generate/full-disk", test_full_disk);
    g_test_add_func("/cli/generate/cut", test_cut);
    g_test_add_func("/cli/autoencode", test_autoencode);
    int status = g_test_run();
    test_remove(folder);
    g_free(folder);
    return status;
}
