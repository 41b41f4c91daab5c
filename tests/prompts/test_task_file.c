/* Tasks described in YAML: what they can say, and what is refused with its place. */
#include <aimfair/prompts.h>
#include <glib/gstdio.h>
#include <string.h>

static AimfTask *open_text(const char *text, gssize length, GError **error)
{
    g_autofree char *folder = g_dir_make_tmp("aimfair-task-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "task.yaml", NULL);
    g_assert_true(g_file_set_contents(path, text, length, NULL));
    AimfTask *task = aimf_task_open(path, error);
    g_unlink(path);
    g_rmdir(folder);
    return task;
}

/* Chairs: nothing of ours in it but the composer. */
static const char CHAIRS[] =
    "name: Wooden_Indoors\n"
    "summary: chairs of wood or metal, indoors or outdoors\n"
    "opening: A product photo of\n"
    "noun: chair\n"
    "contexts: own\n"
    "target:\n"
    "  name: Wooden\n"
    "  values:\n"
    "    - {label: '0', words: [metal, steel], also: [iron]}\n"
    "    - {label: '1', words: [wooden], also: [timber, oak]}\n"
    "  telling: [rusty, grain]\n"
    "protected:\n"
    "  - name: Indoors\n"
    "    values:\n"
    "      - label: outdoors\n"
    "        place: behind\n"
    "        words: [in a garden, on a terrace]\n"
    "        impossible: [carpet]\n"
    "      - {label: indoors, place: behind, words: [in a living room]}\n"
    "dimensions:\n"
    "  - name: parts\n"
    "    lead: with\n"
    "    phrases: [four slim legs, a high back, 'curved {paint} armrests', a rusty frame, '']\n"
    "  - {name: paint, lead: '{}', phrases: [red, green, '']}\n"
    "  - {name: floor, phrases: [on a carpet, on a stone floor, on tiles]}\n"
    "  - {name: view, phrases: [seen from above, seen from the side]}\n"
    "clashes:\n"
    "  - {one: [tiles], other: [above]}\n";

static void test_own(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTask) task = open_text(CHAIRS, -1, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(aimf_task_groups(task), ==, 4);
    g_assert_cmpint(aimf_task_find_group(task, "1_outdoors"), ==, 2);
    /* A rusty frame tells metal, and no carpet lies in a garden: nobody gets them. */
    for (guint d = 0; d < task->n_dimensions; d++)
        for (char **phrase = task->dimensions[d].phrases; *phrase; phrase++)
            g_assert_false(strstr(*phrase, "rusty") || strstr(*phrase, "carpet"));

    g_autoptr(AimfPrompts) prompts = aimf_prompts_compose(task, &(AimfComposeOptions){ .count = 5 }, &error);
    g_assert_no_error(error);
    for (guint g = 0; g < prompts->n_groups; g++)
        for (guint i = 0; i < 5; i++) {
            const char *text = prompts->groups[g].prompts[i].text;
            g_assert_true(g_str_has_prefix(text, "A product photo of a"));
            g_assert_false(strstr(text, "tiles") && strstr(text, "above"));
            gboolean painted = strstr(text, " red ") || strstr(text, " green ");
            g_assert_true(!painted || strstr(text, "armrests"));
        }
    g_assert_true(
        g_str_has_prefix(prompts->groups[3].prompts[0].text, "A product photo of a wooden chair in a living room"));

    g_autoptr(GError) too_many = NULL;
    g_assert_null(aimf_prompts_compose(task, &(AimfComposeOptions){ .count = 500 }, &too_many));
    g_assert_error(too_many, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_assert_nonnull(strstr(too_many->message, "ask for at most"));
}

/* Our words and contexts, with more that is not wanted. */
static void test_known(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTask) task = open_text("name: Mine\n"
                                         "target: {attribute: Smiling, telling: [rain*], without: [accessories]}\n"
                                         "protected: [{attribute: Male}, {attribute: Young}]\n"
                                         "dimensions:\n"
                                         "  - {name: background, phrases: [in a boat, in the rain]}\n",
                                         -1, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(aimf_task_groups(task), ==, 8);
    guint backgrounds = 0;
    for (guint d = 0; d < task->n_dimensions; d++) {
        g_assert_cmpstr(task->dimensions[d].name, !=, "accessories");
        if (strcmp(task->dimensions[d].name, "background") == 0)
            backgrounds = g_strv_length(task->dimensions[d].phrases);
    }
    g_assert_cmpuint(backgrounds, ==, 1);
    g_autoptr(AimfPrompts) prompts = aimf_prompts_compose(task, &(AimfComposeOptions){ .count = 20 }, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(prompts->groups[5].prompts[3].text, "in a boat"));
}

#define HEAD "name: a\ntarget:\n  name: T\n  values: [{words: [big]}, {words: [small]}]\n"
#define TAIL "protected:\n  - name: P\n    values: [{words: [red]}, {words: [blue]}]\n"

static void test_hostile(void)
{
    static const struct {
        const char *text;
        const char *says;
    } CASES[] = {
        { "", "describes no task" },
        { "# nothing\n", "describes no task" },
        { "- a\n", "describes no task" },
        { "name: a\n\ttarget: b\n", "describes no task" },
        { "name: [a\n", "describes no task" },
        { HEAD TAIL "colour: red\n", "Unexpected key: colour" },
        { HEAD TAIL "colour: red\n", "task.yaml:8 describes" },
        { HEAD "protected:\n  - name: P\n    values: red\n", "line: 7" },
        { HEAD "protected:\n  - name: P\n    values: [{words: [red], place: over}]\n", "over" },
        { "name: a\n" TAIL, "target" },
        { HEAD, "protected" },
        { HEAD "protected: []\n", "protected" },
        { HEAD TAIL "noun: &n person\nsummary: *n\n", "describes no task" },
        { HEAD TAIL "dataset: imagenet\n", "'dataset' is celeba or utkface" },
        { HEAD "protected: [{attribute: Mule}]\n", "no attribute 'Mule'" },
        { HEAD "protected: [{attribute: Male, name: P}]\n", "either 'attribute'" },
        { HEAD "protected: [{name: P}]\n", "either 'attribute'" },
        { HEAD "protected: [{values: [{words: [a]}, {words: [b]}]}]\n", "either 'attribute'" },
        { HEAD "protected: [{name: P, values: [{words: [red]}]}]\n", "needs two or more" },
        { HEAD "protected: [{name: P, values: [{words: [red]}, {also: [blue]}]}]\n", "needs words" },
        { HEAD "protected: [{name: P, values: [{words: [red]}, {words: ['?!']}]}]\n", "'?!' cannot be looked for" },
        { HEAD "protected: [{name: P, values: [{words: [red], label: a/b}, {words: [blue]}]}]\n", "folder's name" },
        { HEAD "protected: [{name: P, values: [{words: [red], label: ..}, {words: [blue]}]}]\n", "folder's name" },
        { HEAD "protected: [{name: P, values: [{words: [red], label: x}, {words: [blue], label: x}]}]\n", "twice" },
        { HEAD "protected: [{name: P, values: [{words: [red], place: slot}, {words: [blue]}]}]\n", "slot" },
        { HEAD "protected: [{name: P, slot: hat, values: [{words: [red], place: slot}, {words: [blue], place: "
               "slot}]}]\n",
          "{hat}" },
        { HEAD "protected: [{name: P, values: [{words: [red]}, {words: [blue]}], telling: [big]}]\n",
          "'big' is a word for value 0 of T" },
        { "name: a\ntarget:\n  name: T\n  values: [{words: [big], label: '1'}, {words: [small], label: '0'}]\n" TAIL,
          "classes 0, 1" },
        { "name: ../a\ntarget:\n  name: T\n  values: [{words: [big]}, {words: [small]}]\n" TAIL, "plain name" },
        { HEAD TAIL "dimensions:\n  - {name: hat, phrases: ['a {colr} hat']}\n", "{colr}" },
        { HEAD "protected: [{name: P, values: [{words: [red]}, {words: [blue], also:\n  [sky, 'grey ~']}]}]\n",
          "task.yaml:6: 'grey ~' cannot be looked for" },
        { HEAD TAIL "clashes:\n  - one: [a]\n    other: [smi*le]\n", "task.yaml:10: 'smi*le' cannot be looked for" },
        { HEAD "protected: [{name: P, values: [{words: [red]}, {words: [blue]}], telling: ['*']}]\n", "has no word" },
        { "name: a\xff\n", "UTF-8" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfTask) task = open_text(CASES[i].text, -1, &error);
        if (task)
            g_error("accepted: %s", CASES[i].text);
        if (!strstr(error->message, CASES[i].says) || !strstr(error->message, "task.yaml"))
            g_error("expected '%s' in: %s", CASES[i].says, error->message);
    }
}

/* Every beginning of a good file, and one with each byte changed, is read or refused, and nothing else. */
static void test_damage(void)
{
    gsize n = strlen(CHAIRS);
    for (gsize i = 0; i < n; i += 7) {
        g_autoptr(GError) cut_error = NULL;
        g_autoptr(AimfTask) cut = open_text(CHAIRS, (gssize)i, &cut_error);
        g_assert_true((cut != NULL) != (cut_error != NULL));
        g_autofree char *changed = g_strdup(CHAIRS);
        changed[i] = (char)(changed[i] ^ 0x15);
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfTask) task = open_text(changed, (gssize)n, &error);
        g_assert_true((task != NULL) != (error != NULL));
    }
}

/* Aliases of aliases, brackets without end, a file of megabytes. */
static void test_bombs(void)
{
    g_autoptr(GString) brackets = g_string_new("name: a\ntarget: ");
    for (int i = 0; i < 20000; i++)
        g_string_append_c(brackets, '[');
    g_autoptr(GString) aliases = g_string_new("a: &a [x,x,x,x,x,x,x,x,x]\n");
    for (char c = 'b'; c <= 'p'; c++)
        g_string_append_printf(aliases, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c - 1, c - 1, c - 1, c - 1,
                               c - 1, c - 1, c - 1, c - 1);
    g_autofree char *huge = g_strnfill((1 << 20) + 1, '#');
    const char *const texts[] = { brackets->str, aliases->str, huge };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(open_text(texts[i], -1, &error));
        g_assert_nonnull(error);
    }
}

/* With a mark, with other line ends, in UTF-16: the same task. */
static void test_encodings(void)
{
    g_autoptr(GString) marked = g_string_new("\xEF\xBB\xBF"), windows = g_string_new(CHAIRS),
                       mac = g_string_new(CHAIRS);
    g_string_append(marked, CHAIRS);
    g_string_replace(windows, "\n", "\r\n", 0);
    g_string_replace(mac, "\n", "\r", 0);
    g_autoptr(GString) utf16 = g_string_new_len("\xFF\xFE", 2);
    for (const char *c = CHAIRS; *c; c++) {
        g_string_append_c(utf16, *c);
        g_string_append_c(utf16, 0);
    }
    const GString *const texts[] = { marked, windows, mac, utf16 };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfTask) task = open_text(texts[i]->str, (gssize)texts[i]->len, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(aimf_task_groups(task), ==, 4);
    }
}

static void test_nowhere(void)
{
    g_autoptr(GError) missing = NULL;
    g_assert_null(aimf_task_open("/nowhere/task.yaml", &missing));
    g_assert_error(missing, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
    g_autoptr(GError) folder = NULL;
    g_assert_null(aimf_task_open("/", &folder));
    g_assert_nonnull(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/task-file/own", test_own);
    g_test_add_func("/task-file/known", test_known);
    g_test_add_func("/task-file/hostile", test_hostile);
    g_test_add_func("/task-file/damage", test_damage);
    g_test_add_func("/task-file/bombs", test_bombs);
    g_test_add_func("/task-file/encodings", test_encodings);
    g_test_add_func("/task-file/nowhere", test_nowhere);
    return g_test_run();
}
