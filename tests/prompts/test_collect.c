/* Collecting from sources that are good, bad, stubborn, broken and stopped; reading prompts that others wrote. */
#include <aimfair/prompts.h>
#include <glib/gstdio.h>
#include <string.h>

static const char *const PLACES[] = {
    "park",   "office", "kitchen", "harbour", "museum", "library", "forest", "street",
    "garden", "market", "studio",  "station", "café",   "hallway", "bridge", "meadow"
};
static const char *const WEARS[] = { "a denim jacket",  "round glasses", "a green parka",  "a linen shirt",
                                     "a straw hat",     "a tweed coat",  "a wool sweater", "a yellow raincoat",
                                     "a striped scarf", "a polo shirt",  "a navy blazer",  "a quilted vest",
                                     "a felt hat",      "a fleece",      "a cardigan",     "a grey hoodie" };
static const char *const WHO[] = { "serious woman", "serious man", "smiling woman", "smiling man" };

/* A source: what it does in a round, and what it has seen. */
typedef struct {
    guint rounds;
    guint next[4];
    guint fail_in_round;
    gboolean repeat_everything;
    volatile int *stop;
    gboolean told; /* why "A man and a woman …" was refused */
} Source;

static char *good_prompt(guint group, guint i)
{
    return g_strdup_printf("A portrait of a %s wearing %s in a %s.", WHO[group], WEARS[i % 16],
                           PLACES[(i + i / 16) % 16]);
}

static gboolean supply(AimfPromptSink *sink, guint round, gpointer user_data, GError **error)
{
    Source *source = user_data;
    g_assert_cmpuint(round, ==, source->rounds++);
    if (source->fail_in_round && round == source->fail_in_round) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_IO, "the line is dead");
        return FALSE;
    }
    if (source->stop && round == 1)
        *source->stop = 1;
    for (guint g = 0; g < aimf_task_groups(aimf_prompt_sink_task(sink)); g++) {
        guint wanted = aimf_prompt_sink_wanted(sink, g);
        const char *const *refused = aimf_prompt_sink_refused(sink, g);
        for (; *refused; refused++)
            source->told = source->told || strstr(*refused, "Male is 0, not 1: A man and a woman") ||
                           strstr(*refused, "Male is 1, not 0: A man and a woman");
        for (guint i = 0; i < wanted; i++) {
            gboolean bad = i % 2 != 0;
            guint number = source->repeat_everything ? 0 : source->next[g]++;
            g_autofree char *text = bad ? g_strdup("A man and a woman, smiling.") : good_prompt(g, number);
            char *dimension = (char[]){ "place" }, *context = (char[]){ " " };
            AimfPrompt candidate = { .text = text, .n_contexts = 1, .dimensions = &dimension, .contexts = &context };
            gboolean accepted = aimf_prompt_sink_offer(sink, g, &candidate);
            g_assert_true(source->repeat_everything || accepted == !bad);
        }
        /* Rubbish of every kind is refused, or finds no place. */
        guint before = aimf_prompt_sink_group(sink, g)->n_prompts;
        g_assert_false(aimf_prompt_sink_offer(sink, g, &(AimfPrompt){ .text = NULL }));
        g_assert_false(aimf_prompt_sink_offer(sink, g, &(AimfPrompt){ .text = (char[]){ "\xff\xfe\n" } }));
        g_assert_cmpuint(aimf_prompt_sink_group(sink, g)->n_prompts, ==, before);
    }
    return TRUE;
}

static gboolean collect(AimfPrompts *prompts, const AimfTask *task, Source *source, guint count,
                        AimfCollectStats *stats, const AimfMonitor *monitor, GError **error)
{
    AimfPromptSource interface = { supply, source };
    return aimf_prompts_collect(prompts, task, &interface, &(AimfCollectOptions){ .count = count }, stats, monitor,
                                error);
}

static guint count_of(const AimfPrompts *prompts)
{
    guint n = 0;
    for (guint g = 0; g < prompts->n_groups; g++)
        n += prompts->groups[g].n_prompts;
    return n;
}

static void test_good(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTask) task = aimf_task_find("Smiling_Male", &error);
    g_autoptr(AimfPrompts) prompts = aimf_prompts_new(task);
    AimfCollectStats stats;
    Source source = { 0 };
    g_assert_true(collect(prompts, task, &source, 12, &stats, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(count_of(prompts), ==, 48);
    g_assert_cmpuint(stats.accepted, ==, 48);
    g_assert_cmpuint(stats.rounds, ==, source.rounds);
    g_assert_cmpuint(stats.rounds, >, 2);
    g_assert_cmpuint(stats.refused[AIMF_REFUSED_OPPOSITE], >, 0);
    g_assert_true(source.told);
    g_assert_cmpuint(prompts->groups[0].prompts[0].n_contexts, ==, 0); /* a blank label is none */
    g_autoptr(GArray) refused = aimf_prompts_check(prompts, task, NULL, &error);
    g_assert_cmpuint(refused->len, ==, 0);
}

static void test_stubborn(void)
{
    g_autoptr(AimfTask) task = aimf_task_find("Smiling_Male", NULL);
    g_autoptr(AimfPrompts) prompts = aimf_prompts_new(task);
    g_autoptr(GError) error = NULL;
    AimfCollectStats stats;
    Source source = { .repeat_everything = TRUE };
    g_assert_false(collect(prompts, task, &source, 5, &stats, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "duplicate"));
    g_assert_cmpuint(count_of(prompts), ==, 4); /* one of each group was won */
    g_assert_cmpuint(stats.rounds, ==, 4);
}

/* What a broken source gave stays; another run goes on from it. */
static void test_go_on(void)
{
    g_autoptr(AimfTask) task = aimf_task_find("Smiling_Male", NULL);
    g_autoptr(AimfPrompts) prompts = aimf_prompts_new(task);
    g_autoptr(GError) error = NULL;
    Source broken = { .fail_in_round = 1 };
    g_assert_false(collect(prompts, task, &broken, 8, NULL, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_IO);
    g_assert_cmpuint(count_of(prompts), ==, 16);

    /* One is spoilt meanwhile: it leaves. */
    g_free(prompts->groups[2].prompts[0].text);
    prompts->groups[2].prompts[0].text = g_strdup("A bearded man, frowning, in a park.");
    g_autofree char *kept = g_strdup(prompts->groups[2].prompts[1].text);
    g_autoptr(GError) none = NULL;
    Source source = { .next = { 8, 8, 8, 8 } };
    g_assert_true(collect(prompts, task, &source, 8, NULL, NULL, &none));
    g_assert_no_error(none);
    g_assert_cmpuint(count_of(prompts), ==, 32);
    g_assert_cmpstr(prompts->groups[2].prompts[0].text, ==, kept);

    g_autoptr(AimfTask) other = aimf_task_find("Smiling_Young", NULL);
    g_autoptr(GError) mixed = NULL;
    Source unused = { 0 };
    g_assert_false(collect(prompts, other, &unused, 8, NULL, NULL, &mixed));
    g_assert_error(mixed, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_assert_cmpuint(unused.rounds, ==, 0);
}

static void test_stop(void)
{
    g_autoptr(AimfTask) task = aimf_task_find("Smiling_Male", NULL);
    g_autoptr(AimfPrompts) prompts = aimf_prompts_new(task);
    g_autoptr(GError) error = NULL;
    volatile int stop = 0;
    AimfMonitor monitor = { .stop = &stop };
    Source source = { .stop = &stop };
    g_assert_false(collect(prompts, task, &source, 15, NULL, &monitor, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INTERRUPTED);
    g_assert_cmpuint(source.rounds, ==, 2);
    g_assert_cmpuint(count_of(prompts), >, 30);
}

/* --- Prompts in other forms --- */

static char *write_file(const char *folder, const char *name, const char *text)
{
    char *path = g_build_filename(folder, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void remove_folder(const char *folder)
{
    GDir *directory = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(directory));) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_dir_close(directory);
    g_rmdir(folder);
}

static void test_folder(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("aimfair-import-XXXXXX", NULL);
    g_free(write_file(folder, "1_0.txt", "\xEF\xBB\xBFOne.\r\n\r\n  Two.  \n"));
    g_free(write_file(folder, "0_0.txt", "Three."));
    g_free(write_file(folder, "README", "no prompts"));
    g_autoptr(AimfPrompts) prompts = aimf_prompts_import(folder, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(prompts->n_groups, ==, 2);
    g_assert_cmpstr(prompts->groups[0].name, ==, "0_0");
    g_assert_cmpuint(prompts->groups[1].n_prompts, ==, 2);
    g_assert_cmpstr(prompts->groups[1].prompts[0].text, ==, "One.");
    g_assert_cmpstr(prompts->groups[1].prompts[1].text, ==, "Two.");

    g_autofree char *file = g_build_filename(folder, "1_0.txt", NULL);
    g_autoptr(AimfPrompts) alone = aimf_prompts_import(file, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(alone->n_groups, ==, 1);
    g_assert_cmpstr(alone->groups[0].name, ==, "1_0");
    g_assert_cmpstr(alone->groups[0].prompts[1].text, ==, "Two.");

    g_free(write_file(folder, "1_0.txt", "One.\rTwo.\r"));
    g_autoptr(AimfPrompts) mac = aimf_prompts_import(file, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(mac->groups[0].n_prompts, ==, 2);
    g_autofree char *sheet = write_file(folder, "sheet.TSV", "group\tprompt\t\r\n1_0\tOne, two.\t\r\n\t\t\r\n");
    g_autoptr(AimfPrompts) tabs = aimf_prompts_import(sheet, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(tabs->groups[0].n_prompts, ==, 1);
    g_assert_cmpstr(tabs->groups[0].prompts[0].text, ==, "One, two.");

    g_free(write_file(folder, "women.txt", "Four."));
    g_autoptr(GError) named = NULL;
    g_assert_null(aimf_prompts_import(folder, &named));
    g_assert_nonnull(strstr(named->message, "'women' is no group"));
    remove_folder(folder);
}

static void test_csv(void)
{
    static const struct {
        const char *text;
        const char *says; /* NULL: two prompts of 1_0 */
    } CASES[] = {
        { "prompt,group\n\"One, two.\",1_0\nThree.,1_0\n", NULL },
        { "", "empty" },
        { "group,text\n1_0,a\n", "no column 'prompt'" },
        { "group,prompt\n1_0\n", ":2:" },
        { "group,prompt\n1_0,a\nwomen,b\n", ":3: 'women' is no group" },
        { "group,prompt\n-1_0,a\n", "'-1_0' is no group" },
        { "group,prompt\n1_,a\n", "'1_' is no group" },
        { "group,prompt\n99999999999999999999_0,a\n", "is no group" },
        { "group,prompt\n", "holds no prompts" },
        { "group,prompt\n1_0,\"a\n", "quote" },
    };
    g_autofree char *folder = g_dir_make_tmp("aimfair-import-XXXXXX", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *path = write_file(folder, "prompts.csv", CASES[i].text);
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfPrompts) prompts = aimf_prompts_import(path, &error);
        if (!CASES[i].says) {
            g_assert_no_error(error);
            g_assert_cmpuint(prompts->groups[0].n_prompts, ==, 2);
            g_assert_cmpstr(prompts->groups[0].prompts[0].text, ==, "One, two.");
        } else {
            g_assert_null(prompts);
            if (!strstr(error->message, CASES[i].says))
                g_error("expected '%s' in: %s", CASES[i].says, error->message);
        }
    }
    remove_folder(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/collect/good", test_good);
    g_test_add_func("/collect/stubborn", test_stubborn);
    g_test_add_func("/collect/go-on", test_go_on);
    g_test_add_func("/collect/stop", test_stop);
    g_test_add_func("/import/folder", test_folder);
    g_test_add_func("/import/csv", test_csv);
    return g_test_run();
}
