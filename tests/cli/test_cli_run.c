/* aimfair run, report and verify through the real binary: whole runs on drawn pictures. */
#include "cli/support_program.h"
#include "cli/support_tiny_run.h"

#include <aimfair/run.h>
#include <string.h>

static char *folder; /* of everything; the run "one" is made once, and changed by the tests after that */

static char *run(int status, const char *command)
{
    return program_output(folder, status, command);
}

static void expect(int status, const char *command, const char *says)
{
    program_expect(folder, status, command, says);
}

static void shell(const char *command)
{
    g_free(run(0, command));
}

static char *tree(const char *name)
{
    return tiny_run_tree(folder, name);
}

/* (owned) names, times and inodes of what the stages of the run "one" made. */
static char *times(const char *below)
{
    g_autofree char *command = g_strdup_printf("find one/%s -type f -printf '%%p %%T@ %%i\\n' | LC_ALL=C sort", below);
    return run(0, command);
}

static void lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        g_error("unexpected '%s' in:\n%.2000s", part, text);
}

/* --- Configurations --- */

static void test_print(void)
{
    static const char *const kinds[] = { "celeba", "utkface", "folders", "own-model", "portraits" };
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *command = g_strdup_printf("\"$AIMFAIR\" run --init %s", kinds[i]), *text = run(0, command);
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfConfig) config = aimf_config_parse(text, kinds[i], &error);
        g_assert_no_error(error);
        g_assert_nonnull(config);
    }
    expect(2, "\"$AIMFAIR\" run --init celebs", "celeba, utkface, folders, own-model");
    g_autofree char *schema = run(0, "\"$AIMFAIR\" run --schema"), *keys = run(0, "\"$AIMFAIR\" run --keys");
    g_autoptr(JsonNode) node = program_json(schema);
    g_assert_nonnull(json_object_get_member(json_node_get_object(node), "properties"));
    assert_contains(keys, "`balanced_per_group`");
    shell("\"$AIMFAIR\" run --init portraits >portraits.yaml");
    expect(0, "\"$AIMFAIR\" run -q --dry-run --threads 1 portraits.yaml", "  to do      shared/pictures\n");
    shell("test ! -e portraits && rm portraits.yaml");
}

static void test_mistakes(void)
{
    static const struct {
        const char *command, *says;
    } cases[] = {
        { "sed 's/  image_size:/  imagesize:/' one.yaml >wrong.yaml; \"$AIMFAIR\" run wrong.yaml",
          "'wrong.yaml', line 19: there is no key 'train.imagesize' (did you mean 'train.image_size'?)" },
        { TINY_RUN "one.yaml --set train.epoch=3", "train.epochs" },
        { TINY_RUN "one.yaml --set train.epochs=none", "train.epochs" },
        { TINY_RUN "one.yaml --set train.epochs=0", "train.epochs" },
        { TINY_RUN "one.yaml --set data.train=", "data.train" },
        { TINY_RUN "one.yaml --set data.val=none.csv", "none.csv" },
        { TINY_RUN "one.yaml --set generate.balanced=", "generate.balanced" },
        { TINY_RUN "one.yaml --set generate.balanced=none.csv", "none.csv" },
        { TINY_RUN "one.yaml --set data.kind=celeba", "data.root" },
        { TINY_RUN "one.yaml --set train.architecture=resnet19", "resnet19" },
        { TINY_RUN "one.yaml --set train.model=none.safetensors", "none.safetensors" },
        { TINY_RUN "one.yaml --set train.init=none.pth", "none.pth" },
        { TINY_RUN "one.yaml --set train.image_size=x", "train.image_size" },
        { TINY_RUN "one.yaml --set finetune.optimizer=adamw --set finetune.momentum=0.5", "finetune: " },
        { TINY_RUN "one.yaml --set prompts.file=none.json", "prompts.file" },
        { TINY_RUN "one.yaml --set finetune.top_k=143", "finetune.top_k" },
        { TINY_RUN "one.yaml --set seeds=1,1", "seeds" },
        { TINY_RUN "one.yaml --set 'gates.require=accuracies>=1'", "gates.require" },
        { TINY_RUN "one.yaml --set generate.balanced_per_group=50", "50 images are asked for" },
        { TINY_RUN "none.yaml", "none.yaml" },
        { TINY_RUN, "name one configuration" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *dry = g_strconcat(cases[i].command, " --dry-run", NULL);
        expect(2, dry, cases[i].says);
        expect(2, cases[i].command, cases[i].says);
    }
    shell("rm -rf wrong.yaml one"); /* the sets that cannot be drawn are found in the run's second stage */
}

static void test_dry_run(void)
{
    g_autofree char *text = run(0, TINY_RUN "--dry-run one.yaml");
    assert_contains(text, "training     48 pictures\nvalidation   24 pictures\ntest         24 pictures\n");
    assert_contains(text, "Stages in 'one':\n  to do      shared/data\n  to do      shared/sets\n");
    assert_contains(text, "  to do      cells/full-7/test\n");
    /* of a seed: trainings on 48 and 3 times 32 pictures, three sets of gradients, four tests; 24 to validate, which
     * count as a quarter of what is trained on */
    g_autofree char *passes = g_strdup_printf("\n0 pictures to be generated, %d passes of pictures through mobilenet",
                                              2 * (48 + 6 + 3 * (32 + 6) + 104 + 4 * 24));
    assert_contains(text, passes);
    assert_contains(text, " GB on disk.\n");
    shell("test ! -e one && test \"$(ls)\" = \"$(printf 'data\\ndrawn\\none.yaml')\"");
}

/* --- A whole run --- */

static const char *const FILES[] = {
    "SHA256SUMS",
    "config.resolved.yaml",
    "events/full-7/events.out.tfevents.1.aimfair",
    "junit.xml",
    "machine.json",
    "machine-pictures.csv",
    "model-card.md",
    "report.html",
    "results.csv",
    "results.json",
    "shared/data/test.csv",
    "shared/sets/biased.csv",
    "shared/sensitivity-7/gradients.safetensors",
    "shared/sensitivity-0/sensitivity.json",
    "cells/biased-0/model/model.safetensors",
    "cells/biased-7/test/predictions.csv",
    "cells/full-0/model/training.json",
    "cells/aim-fair-k114-0/test/measures.json",
    "cells/aim-fair-k71-7/model/model.safetensors",
};

static JsonObject *methods_of(JsonNode *node, guint i, guint n)
{
    JsonArray *methods = json_object_get_array_member(json_node_get_object(node), "methods");
    g_assert_cmpuint(json_array_get_length(methods), ==, n);
    return json_array_get_object_element(methods, i);
}

static void test_whole(void)
{
    g_autofree char *text = run(0, TINY_RUN "--json one.yaml 2>said");
    g_autoptr(JsonNode) node = program_json(text);
    g_assert_cmpstr(json_object_get_string_member(methods_of(node, 0, 4), "name"), ==, "biased");
    g_assert_cmpstr(json_object_get_string_member(methods_of(node, 1, 4), "name"), ==, "aim-fair-k114");
    g_assert_cmpint(json_object_get_int_member(methods_of(node, 3, 4), "seeds"), ==, 2);
    for (gsize i = 0; i < G_N_ELEMENTS(FILES); i++) {
        g_autofree char *path = g_build_filename(folder, "one", FILES[i], NULL);
        if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
            g_error("no %s", path);
    }
    shell("cd one && sha256sum -c --strict --quiet SHA256SUMS && test $(wc -l <SHA256SUMS) = "
          "$(find . -type f ! -name SHA256SUMS | wc -l) && test ! -e lock && test -z \"$(find . -name '*.part')\"");
    g_autofree char *sums = run(0, "sha256sum <one/SHA256SUMS | cut -c 1-64 | tr -d '\\n'");
    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(node), "sums_sha256"), ==, sums);
    g_autofree char *results = run(0, "cat one/results.json");
    g_autoptr(JsonNode) written = program_json(results);
    g_assert_true(JSON_NODE_HOLDS_OBJECT(written));
    lacks(results, folder);
    expect(0, "cat one/report.html", "AIM-Fair, k = 114");
}

static void test_again(void)
{
    g_autofree char *before = tree("one"), *cells = times("cells"), *shared = times("shared");
    shell(TINY_RUN "one.yaml");
    g_autofree char *after = tree("one"), *cells_after = times("cells"), *shared_after = times("shared");
    g_assert_cmpstr(before, ==, after);
    g_assert_cmpstr(cells, ==, cells_after);
    g_assert_cmpstr(shared, ==, shared_after);
    expect(0, "\"$AIMFAIR\" verify -q --sample 4 one", "Nothing speaks against the run");
}

/* --- What changes --- */

static void test_changed(void)
{
    g_autofree char *before = times("");
    g_autofree char *said = run(2, TINY_RUN "one.yaml --set finetune.epochs=2");
    assert_contains(said, "with --update");
    assert_contains(said, "cells/full-0/model (finetune.epochs was '1' and is '2')");
    assert_contains(said, "cells/aim-fair-k71-7/test");
    lacks(said, "biased-0");
    lacks(said, "sensitivity-");
    lacks(said, "shared/");
    expect(2, TINY_RUN "one.yaml --set seeds=0", "cells/biased-7 (of no seed or method");
    expect(2, TINY_RUN "one.yaml --set finetune.methods=full", "shared/sensitivity-0 (of no seed or method");
    g_autofree char *after = times("");
    g_assert_cmpstr(before, ==, after);
}

static void test_update(void)
{
    g_autofree char *biased = times("cells/biased-0"), *full = times("cells/full-0/model");
    shell(TINY_RUN "one.yaml --set seeds=0 --set finetune.methods=full --set finetune.learning_rate=0.001 --update");
    g_autofree char *biased_after = times("cells/biased-0"), *full_after = times("cells/full-0/model");
    g_assert_cmpstr(biased, ==, biased_after);
    g_assert_cmpstr(full, !=, full_after);
    shell("test \"$(ls one/cells)\" = \"$(printf 'biased-0\\nfull-0')\" && test \"$(ls one/shared)\" = "
          "\"$(printf 'data\\nsets')\" && test \"$(ls one/events)\" = \"$(printf 'biased-0\\nfull-0')\" && "
          "cd one && sha256sum -c --strict --quiet SHA256SUMS");
    expect(0, "\"$AIMFAIR\" verify -q --sample 4 one", "Nothing speaks against the run");
    shell("sed -i 's/seeds:.*/seeds: [0]/; s/methods:.*/methods: [full]\\n  learning_rate: 0.001/' one.yaml");
    g_autofree char *text = run(0, TINY_RUN "--dry-run --json one.yaml");
    g_autoptr(JsonNode) node = program_json(text);
    JsonObject *object = json_node_get_object(node);
    g_assert_cmpstr(json_object_get_string_member(object, "folder"), ==, "one");
    g_assert_cmpint(json_object_get_int_member(object, "pictures"), ==, 0);
    g_assert_cmpint(json_object_get_int_member(object, "passes"), ==, 0);
    g_assert_cmpint(json_object_get_int_member(object, "bytes"), ==, 0);
    g_assert_cmpfloat(json_object_get_double_member(object, "seconds"), ==, 0);
}

/* --- Gates --- */

/* That of the one seed's measure itself, which so few pictures cannot show. */
static void test_gates(void)
{
    g_autofree char *text =
        run(0, TINY_RUN "one.yaml --json --set 'gates.require=accuracy>=0,worst_group_accuracy>=0'");
    g_autoptr(JsonNode) node = program_json(text);
    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(node), "decision"), ==, "met");
    expect(0, "cat one/junit.xml", "tests=\"2\" failures=\"0\"");
    expect(3, TINY_RUN "one.yaml --set 'gates.require=accuracy>=0,std_group_accuracy<=-1'", "2 gates: not met");
    expect(0, "cat one/junit.xml", "<failure");
    double accuracy = json_object_get_double_member(methods_of(node, 1, 2), "accuracy");
    g_autofree char *command = g_strdup_printf(
        TINY_RUN "one.yaml --set 'gates.require=accuracy>=0' --set 'gates.require_evidence=accuracy>=%.3f'",
        accuracy - 0.01);
    expect(4, command, "2 gates: not enough evidence");
    expect(0, "cat one/junit.xml", "not enough evidence");
    shell(TINY_RUN "one.yaml");
}

/* A picture of the test set is another: nothing is trained again. */
static void test_test_picture(void)
{
    g_autofree char *models = times("cells/full-0/model"), *tests = times("cells/full-0/test");
    g_autofree char *biased = times("cells/biased-0/model"), *sets = times("shared/sets");
    shell("cp data/test_3.png keep.png && cp drawn/synthetic_4.png data/test_3.png");
    expect(2, TINY_RUN "one.yaml",
           "shared/data (pictures of shared/data/test.csv has changed); and, where what "
           "they rest on comes out otherwise: shared/sets; cells/biased-0/model; ");
    shell(TINY_RUN "one.yaml --update");
    g_autofree char *models_after = times("cells/full-0/model"), *tests_after = times("cells/full-0/test");
    g_autofree char *biased_after = times("cells/biased-0/model"), *sets_after = times("shared/sets");
    g_assert_cmpstr(models, ==, models_after);
    g_assert_cmpstr(biased, ==, biased_after);
    g_assert_cmpstr(sets, ==, sets_after);
    g_assert_cmpstr(tests, !=, tests_after);
    shell("mv keep.png data/test_3.png && " TINY_RUN "one.yaml --update");
}

static void test_damaged(void)
{
    static const char *const damages[] = {
        "truncate -s 100000 one/cells/full-0/model/model.safetensors",
        "echo >>one/cells/full-0/test/predictions.csv",
        "rm one/cells/full-0/test/provenance.json",
        "echo '{}' >one/cells/biased-0/test/provenance.json",
        "rm one/shared/sets/balanced.csv",
        "rm one/report.html; echo >one/results.json; echo >>one/config.resolved.yaml",
    };
    g_autofree char *before = tree("one");
    for (gsize i = 0; i < G_N_ELEMENTS(damages); i++) {
        shell(damages[i]);
        shell(TINY_RUN "one.yaml");
        g_autofree char *after = tree("one");
        g_assert_cmpstr(before, ==, after);
    }
}

/* What is behind a damaged stage stays if that comes out as it was; behind one of other settings nothing does. */
static void test_dry_run_again(void)
{
    static const struct {
        const char *options, *model, *test;
    } cases[] = {
        { "", "  perhaps    cells/full-0/model\n", "  perhaps    cells/full-0/test\n" },
        { " --update --set finetune.epochs=2", "  anew       cells/full-0/model\n",
          "  anew       cells/full-0/test\n" },
    };
    shell("cp -r one again && rm again/shared/sets/balanced.csv");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *options = g_strconcat(TINY_RUN "--dry-run one.yaml -o again", cases[i].options, NULL);
        g_autofree char *text = run(0, options);
        assert_contains(text, "  to do      shared/sets\n");
        assert_contains(text, "  done       cells/biased-0/test\n");
        assert_contains(text, cases[i].model);
        assert_contains(text, cases[i].test);
    }
    shell("rm -r again");
}

/* --- Refused --- */

static void test_no_run(void)
{
    expect(2, TINY_RUN "one.yaml -o data", "'data' has files, and is no run");
    expect(2, "\"$AIMFAIR\" report data -o no.html", "config.resolved.yaml");
    expect(2, "\"$AIMFAIR\" verify data", "data");
    shell("test ! -e no.html && test ! -e data/lock");
    expect(2, TINY_RUN "one.yaml -o one.yaml", "'one.yaml' is a file; a run is a folder");
}

static void test_two_at_once(void)
{
    expect(0,
           "true; " TINY_RUN
           "one.yaml -o both & pid=$!; while [ ! -e both/shared/data ] && kill -0 $pid; do sleep 0.02; done; "
           "kill -STOP $pid; " TINY_RUN "one.yaml -o both 2>second; echo status $?; kill -CONT $pid; wait $pid",
           "status 2");
    expect(0, "cat second", "another process works in 'both'");
}

/* --- Other runs --- */

static void test_report(void)
{
    expect(0, "\"$AIMFAIR\" report one both -o both.html", "Report to open: both.html");
    g_autofree char *text = run(0, "cat both.html");
    g_assert_true(g_str_has_prefix(text, "<!DOCTYPE html>"));
    shell("\"$AIMFAIR\" report one -o alone.html && cmp alone.html one/report.html");
    expect(2, "\"$AIMFAIR\" report one none -o both.html", "none");
    expect(2, "\"$AIMFAIR\" report one -o one/../one/report.html", "write the report elsewhere");
}

/* What trains everything comes to nothing at this rate; a last layer alone does not. */
static void test_failing(void)
{
    const char *command = TINY_RUN "one.yaml -o failing --set finetune.learning_rate=1000000 "
                                   "--set finetune.methods=full,last-layer --json 2>said";
    g_autofree char *text = run(1, command);
    g_autoptr(JsonNode) node = program_json(text);
    g_assert_cmpint(json_object_get_int_member(json_node_get_object(node), "failed"), ==, 1);
    g_assert_cmpint(json_object_get_int_member(methods_of(node, 1, 3), "seeds"), ==, 0);
    g_assert_cmpint(json_object_get_int_member(methods_of(node, 2, 3), "seeds"), ==, 1);
    expect(0, "cat failing/results.json", "loss");
    expect(0, "cat failing/report.html", "loss");
    expect(0, "\"$AIMFAIR\" verify -q --sample 0 failing", "Nothing speaks against the run");
    g_autofree char *before = tree("failing");
    g_free(run(1, command));
    g_autofree char *after = tree("failing");
    g_assert_cmpstr(before, ==, after);
    expect(1,
           TINY_RUN "one.yaml -o failing --set finetune.learning_rate=1000000 --set 'gates.require=accuracy>=0'"
                    " --update",
           "of the models failed");
    expect(0, "cat failing/junit.xml", "skipped");
}

/* Nothing is left that could be measured, and nothing of what was there before. */
static void test_all_failing(void)
{
    expect(1, TINY_RUN "one.yaml -o both --set train.learning_rate=1000000 --update", "2 of the models failed");
    shell(
        "test ! -e both/cells/biased-0/test && test ! -e both/cells/full-0/model && test ! -e both/cells/full-0/test");
    expect(0, "cat both/report.html", "loss");
    expect(0, "\"$AIMFAIR\" verify -q --sample 0 both", "Nothing speaks against the run");
    shell("\"$AIMFAIR\" report one both -o both.html");
}

static void test_own_model(void)
{
    shell(
        "cut -d, -f1,2 data/train.csv >data/bare.csv && cp one/cells/biased-0/model/model.safetensors own.safetensors");
    expect(2, TINY_RUN "one.yaml -o own --set data.train=data/bare.csv --set generate.bias=", "generate.bias");
    expect(0,
           TINY_RUN "one.yaml -o own --update --set data.train=data/bare.csv --set train.model=own.safetensors "
                    "--set train.architecture=resnet50 --set finetune.methods=aim-fair --set finetune.top_k=100",
           "aim-fair ");
    shell("cmp own.safetensors own/cells/biased-0/model/model.safetensors");
    expect(0, "cat own/results.json", "mobilenet_v3_small");
    expect(0, "\"$AIMFAIR\" verify -q --sample 4 own", "Nothing speaks against the run");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(void);
    } tests[] = {
        { "/cli/run/print", test_print },
        { "/cli/run/mistakes", test_mistakes },
        { "/cli/run/dry-run", test_dry_run },
        { "/cli/run/whole", test_whole },
        { "/cli/run/again", test_again },
        { "/cli/run/changed", test_changed },
        { "/cli/run/update", test_update },
        { "/cli/run/gates", test_gates },
        { "/cli/run/test-picture", test_test_picture },
        { "/cli/run/damaged", test_damaged },
        { "/cli/run/dry-run-again", test_dry_run_again },
        { "/cli/run/no-run", test_no_run },
        { "/cli/run/two-at-once", test_two_at_once },
        { "/cli/run/report", test_report },
        { "/cli/run/failing", test_failing },
        { "/cli/run/all-failing", test_all_failing },
        { "/cli/run/own-model", test_own_model },
    };
    g_test_init(&argc, &argv, NULL);
    folder = tiny_run_folder();
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add_func(tests[i].path, tests[i].test);
    int status = g_test_run();
    tiny_run_remove(folder);
    return status;
}
