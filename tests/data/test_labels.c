/* What counts as the same label and what as none, in all three readers of tables: manifests, any CSV, predictions. */
#include "data/spellings.h"
#include "data/support_data.h"

#include <aimfair/fair.h>
#include <string.h>

/* Keeps the warnings that it hears. */
static void keep_message(AimfLogLevel level, const char *text, gpointer user_data)
{
    if (level == AIMF_LOG_WARNING)
        g_ptr_array_add(user_data, g_strdup(text));
}

typedef struct {
    char *folder;
    GPtrArray *warnings;
    AimfMonitor monitor;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    (void)unused;
    f->folder = data_folder_new();
    f->warnings = g_ptr_array_new_with_free_func(g_free);
    f->monitor = (AimfMonitor){ .message = keep_message, .user_data = f->warnings };
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    (void)unused;
    data_folder_free(f->folder);
    g_ptr_array_unref(f->warnings);
}

/* The only warning that there was, with all of the parts; NULL-terminated. */
static void expect_warning(const Fixture *f, const char *part, ...)
{
    g_assert_cmpuint(f->warnings->len, ==, 1);
    const char *text = g_ptr_array_index(f->warnings, 0);
    va_list parts;
    va_start(parts, part);
    for (; part; part = va_arg(parts, const char *))
        if (!strstr(text, part))
            g_error("expected '%s' in: %s", part, text);
    va_end(parts);
    g_ptr_array_set_size(f->warnings, 0);
}

static void expect_labels(const char *const *labels, guint n, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < n; i++)
        g_string_append_printf(text, "%s%s", i ? "|" : "", labels[i]);
    g_assert_cmpstr(text->str, ==, expected);
}

/* --- Spellings --- */

static void test_keys(void)
{
    static const char *const SAME[][2] = {
        { "White", "white" },
        { "light skin", "Light  Skin" },
        { "light skin", "lightskin" },
        { "1", "1.0" },
        { "1", "01" },
        { "1", "+1" },
        { "0", "-0.0" },
        { "10", "1e1" },
        { "caf\xC3\xA9", "cafe\xCC\x81" },
        { "STRASSE", "stra\xC3\x9F"
                     "e" },
        { "a\xC2\xA0"
          "b",
          "ab" },
    };
    static const char *const DIFFERENT[][2] = {
        { "1", "2" },    { "1", "1.01" },           { "inf", "1e999" }, { "0x1", "1" },
        { "a-b", "ab" }, { "cafe", "caf\xC3\xA9" }, { "-1", "1" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(SAME); i++) {
        g_autofree char *a = aimf_spelling_key(SAME[i][0]), *b = aimf_spelling_key(SAME[i][1]);
        g_assert_cmpstr(a, ==, b);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(DIFFERENT); i++) {
        g_autofree char *a = aimf_spelling_key(DIFFERENT[i][0]), *b = aimf_spelling_key(DIFFERENT[i][1]);
        g_assert_cmpstr(a, !=, b);
    }
}

static void test_usual(void)
{
    g_autoptr(AimfSpellings) spellings = aimf_spellings_new("sex");
    g_autoptr(GString) text = g_string_new(NULL);
    aimf_spellings_add(spellings, "f", 1);
    aimf_spellings_add(spellings, "m", 1);
    g_assert_false(aimf_spellings_describe(spellings, text));
    aimf_spellings_add(spellings, "F", 1);
    g_assert_cmpstr(aimf_spellings_usual(spellings, "f"), ==, "F"); /* as many of both: the first by bytes */
    aimf_spellings_add(spellings, "f", 1);
    g_assert_cmpstr(aimf_spellings_usual(spellings, "F"), ==, "f");
    aimf_spellings_add(spellings, "M", 0);
    g_assert_true(aimf_spellings_describe(spellings, text));
    g_assert_cmpstr(text->str, ==, "column 'sex': 'F' (1 row) and 'f' (2), 'M' and 'm' (1)");
}

/* --- Predictions --- */

static AimfOutcomes *read_outcomes(Fixture *f, const char *text, AimfLabelRules rules)
{
    g_autofree char *path = data_write(f->folder, "p.csv", text);
    g_autoptr(GError) error = NULL;
    AimfOutcomes *outcomes = aimf_outcomes_open(path, -1, &rules, &f->monitor, &error);
    g_assert_no_error(error);
    return outcomes;
}

/* Two rows of 'b' end with a blank: b is right in one of two positives. */
static void test_blanks(Fixture *f, gconstpointer unused)
{
    (void)unused;
    static const char TEXT[] = "target,protected,prediction\n"
                               "1,a,1\n1,a,1\n 1,b,1\n1,b ,0\n0,\xEF\xBB\xBF"
                               "a,0\n0,a\xC2\xA0,0\n0,b, 0\n0 ,\tb ,0\n";
    g_autoptr(AimfOutcomes) outcomes = read_outcomes(f, TEXT, (AimfLabelRules){ 0 });
    expect_labels((const char *const *)outcomes->labels, (guint)outcomes->n_protected, "a|b");
    g_autoptr(AimfMeasures) measures = aimf_outcomes_measure(outcomes, 0, 0, NULL, NULL);
    g_assert_cmpfloat(measures->scalars.worst_group_accuracy, ==, 0.5);
    g_assert_cmpfloat(measures->scalars.equalized_odds_mean, ==, 0.25);
    g_assert_cmpuint(f->warnings->len, ==, 0);
}

static void test_missing_words(Fixture *f, gconstpointer unused)
{
    (void)unused;
    static const char *const WORDS[] = { "",      "  ",   "nan", "NaN",  "NA",  "N/A",  "None", "null",
                                         " NaN ", "<NA>", "Nan", "none", "nat", "NULL", "n/a",  "\xC2\xA0" };
    static const char *const COLUMNS[] = { "target", "protected", "probability", "prediction" };
    for (gsize w = 0; w < G_N_ELEMENTS(WORDS); w++) {
        for (gsize c = 0; c < G_N_ELEMENTS(COLUMNS); c++) {
            const char *row[] = { "1", "a", "0.7", "1", NULL };
            row[c] = WORDS[w];
            g_autofree char *cells = g_strjoinv(",", (char **)row);
            g_autofree char *text = g_strdup_printf("target,protected,probability,prediction\n0,a,0.1,0\n%s\n", cells);
            g_autofree char *path = data_write(f->folder, "p.csv", text),
                            *where = g_strdup_printf("column '%s'", COLUMNS[c]);
            g_autoptr(GError) error = NULL;
            g_assert_null(aimf_outcomes_open(path, -1, NULL, &f->monitor, &error));
            data_expect_error(&error, AIMF_ERROR_INVALID, "p.csv:3", where, "--missing drop", NULL);
            g_autoptr(AimfOutcomes) outcomes = read_outcomes(f, text, (AimfLabelRules){ .missing = AIMF_MISSING_DROP });
            g_assert_cmpuint(outcomes->n, ==, 1);
            g_assert_cmpuint(outcomes->n_dropped, ==, 1);
            expect_warning(f, "p.csv", "1 row ", NULL);
        }
    }
}

/* A word is kept as a label; no text at all is none, and a class or a score cannot be a word. */
static void test_keep(Fixture *f, gconstpointer unused)
{
    (void)unused;
    const AimfLabelRules keep = { .missing = AIMF_MISSING_KEEP };
    g_autoptr(AimfOutcomes) outcomes = read_outcomes(f, "target,protected,prediction\n1,None,1\n1,a,1\n", keep);
    expect_labels((const char *const *)outcomes->labels, (guint)outcomes->n_protected, "None|a");
    static const char *const REFUSED[] = { "target,protected,prediction\n1,,1\n",
                                           "target,protected,prediction\nNA,a,1\n",
                                           "target,protected,logit\n1,a,nan\n" };
    for (gsize i = 0; i < G_N_ELEMENTS(REFUSED); i++) {
        g_autofree char *path = data_write(f->folder, "p.csv", REFUSED[i]);
        g_autoptr(GError) error = NULL;
        g_assert_null(aimf_outcomes_open(path, -1, &keep, &f->monitor, &error));
        data_expect_error(&error, AIMF_ERROR_INVALID, "p.csv:2", NULL);
    }
}

static void test_alike(Fixture *f, gconstpointer unused)
{
    (void)unused;
    static const char TEXT[] =
        "target,protected,prediction\n"
        "1,caf\xC3\xA9,1\n1,cafe\xCC\x81,1\n1,1,1\n1,01,1\n1,1.0,1\n0,x,0\n0,X,0\n0,X,0\n0,y,0\n";
    g_autoptr(AimfOutcomes) apart = read_outcomes(f, TEXT, (AimfLabelRules){ 0 });
    g_assert_cmpint(apart->n_protected, ==, 8);
    expect_warning(f, "p.csv", "'01' (1 row), '1' (1) and '1.0' (1)", "'X' (2 rows) and 'x' (1)", "caf\xC3\xA9",
                   "--merge-labels", NULL);
    g_autoptr(AimfOutcomes) merged = read_outcomes(f, TEXT, (AimfLabelRules){ .merge_spellings = TRUE });
    expect_labels((const char *const *)merged->labels, (guint)merged->n_protected, "01|X|cafe\xCC\x81|y");
    g_assert_cmpint(merged->group[5], ==, merged->group[6]);
    g_assert_cmpint(merged->group[0], ==, merged->group[1]);
    g_assert_cmpuint(f->warnings->len, ==, 0);
}

/* What looks the same, or is the same number; numbers are compared exactly, however long. */
static void test_spelling_keys(Fixture *f, gconstpointer unused)
{
    (void)f, (void)unused;
    static const struct {
        const char *a, *b;
        gboolean same;
    } CASES[] = {
        { "fe\xC2\xADmale", "female", TRUE },                 /* soft hyphen */
        { "fe\xE2\x80\x8Dmale", "fe\xE2\x80\x8Bmale", TRUE }, /* joiner, no width */
        { "\xEF\xBC\x91", "1", TRUE },                        /* full width */
        { "\xEF\xBD\x81", "A", TRUE },
        { "1.0_0", "1_0.00", TRUE },
        { "a_1", "a_01", TRUE },
        { "a_1", "a1", FALSE },
        { "_", "", FALSE },
        { "9007199254740992", "9007199254740993", FALSE },
        { "9007199254740993", "9007199254740993.0", TRUE },
        { "100", "1e2", TRUE },
        { "1e+2", "1e2", TRUE },
        { "0.10", ".1", TRUE },
        { "0.1", "0.10000000000000000001", FALSE },
        { "-0", "0", TRUE },
        { "-1", "1", FALSE },
        { "1e400", "1e401", FALSE },
        { "1e9999999999", "2e9999999999", FALSE },
        { "1e", "1", FALSE },
        { ".", "0", FALSE },
        { "0x1", "1", FALSE },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *a = aimf_spelling_key(CASES[i].a), *b = aimf_spelling_key(CASES[i].b);
        g_test_message("'%s' '%s': '%s' '%s'", CASES[i].a, CASES[i].b, a, b);
        g_assert_cmpint(g_str_equal(a, b), ==, CASES[i].same);
    }
}

/* Scores are kept as the file has them: 0.1 and the next double are no tie, and 0.3 is at the threshold 0.3. */
static void test_doubles(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(AimfOutcomes) outcomes = read_outcomes(
        f, "target,protected,probability\n1,a,0.10000000000000002\n0,a,0.1\n0,b,0.3\n1,b,0.30000000000000004\n",
        (AimfLabelRules){ 0 });
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfMeasures) measures = aimf_outcomes_measure(outcomes, 0, 0, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpfloat(measures->protected_groups[0].auc, ==, 1);
    g_assert_cmpfloat(measures->protected_groups[1].auc, ==, 1);
    g_assert_cmpfloat(measures->scalars.auc, ==, 0.75);
    g_autofree char *path = g_build_filename(f->folder, "p.csv", NULL), *again = NULL;
    g_autoptr(AimfOutcomes) at = aimf_outcomes_open(path, 0.3, NULL, NULL, NULL);
    g_assert_cmpint(at->prediction[2], ==, 1);
    g_assert_true(aimf_outcomes_save(at, path, NULL));
    g_assert_true(g_file_get_contents(path, &again, NULL, NULL));
    g_assert_nonnull(strstr(again, "1,a,0.10000000000000002,0\n0,a,0.1,0\n"));
}

/* The group is all protected columns joined, in the order of their numbers, as in manifests. */
static void test_joined(Fixture *f, gconstpointer unused)
{
    (void)unused;
    static const char TEXT[] = "protected2,target,protected,protected_by,prediction\n"
                               "b,1,a,me,1\nB ,0,a,you,0\nNA,0,a,you,0\n";
    g_autofree char *path = data_write(f->folder, "p.csv", TEXT);
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_outcomes_open(path, -1, NULL, NULL, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "p.csv:4: column 'protected2'", "'NA'", NULL);
    g_autoptr(AimfOutcomes) outcomes =
        read_outcomes(f, TEXT, (AimfLabelRules){ .missing = AIMF_MISSING_DROP, .merge_spellings = TRUE });
    expect_labels((const char *const *)outcomes->labels, (guint)outcomes->n_protected, "a_B");
}

/* A row that is left out leaves neither its label nor its spelling. */
static void test_dropped_label(Fixture *f, gconstpointer unused)
{
    (void)unused;
    const AimfLabelRules drop = { .missing = AIMF_MISSING_DROP, .merge_spellings = TRUE };
    g_autoptr(AimfOutcomes) outcomes =
        read_outcomes(f, "target,protected,probability\n1,F,0.9\n1,f,\n0,f,\n1,z,nan\n", drop);
    expect_labels((const char *const *)outcomes->labels, (guint)outcomes->n_protected, "F");
    g_assert_cmpuint(outcomes->n_dropped, ==, 3);
}

/* Columns of probabilities by number are complete, and by name are of different classes. */
static void test_class_columns(Fixture *f, gconstpointer unused)
{
    (void)unused;
    static const char *const REFUSED[][2] = {
        { "target,protected,probability_1,probability_2\n1,a,0.9,0.1\n", "no probability_0" },
        { "target,protected,probability_a,probability_1\n1,a,0.9,0.1\n", "no probability_0" },
        { "target,protected,probability_0,probability_2\n1,a,0.9,0.1\n", "no probability_1" },
        { "target,protected,probability_no,probability_yes,probability_Yes\n1,a,1,0,0\n", "'Yes' and 'yes'" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(REFUSED); i++) {
        g_autofree char *path = data_write(f->folder, "p.csv", REFUSED[i][0]);
        g_autoptr(GError) error = NULL;
        g_assert_null(aimf_outcomes_open(path, -1, NULL, NULL, &error));
        data_expect_error(&error, AIMF_ERROR_INVALID, "p.csv", REFUSED[i][1], NULL);
    }
}

static void test_not_utf8(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autofree char *path = data_write(f->folder, "p.csv", "target,protected,prediction\n1,\xff,1\n");
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_outcomes_open(path, -1, NULL, NULL, &error));
    data_expect_error(&error, AIMF_ERROR_FORMAT, "p.csv:2: column 'protected'", "UTF-8", NULL);
}

/* Both readers of target take the same spellings, and refuse the same. */
static void test_classes(Fixture *f, gconstpointer unused)
{
    (void)unused;
    static const struct {
        const char *text;
        int value; /* -1: refused */
    } CASES[] = {
        { "1", 1 },    { "1.0", 1 }, { "01", 1 },   { " 1 ", 1 },  { "1.", 1 },   { "1e0", 1 },  { "+1", 1 },
        { "1.5", -1 }, { "-1", -1 }, { "0x1", -1 }, { "inf", -1 }, { "yes", -1 }, { "1 0", -1 }, { "1,0", -1 }
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *predictions = g_strdup_printf("target,protected,prediction\n\"%s\",a,0\n", CASES[i].text);
        g_autofree char *images = g_strdup_printf("path,target,protected\nx.png,\"%s\",a\n", CASES[i].text);
        g_autofree char *p = data_write(f->folder, "p.csv", predictions), *m = data_write(f->folder, "m.csv", images);
        g_autoptr(AimfOutcomes) outcomes = aimf_outcomes_open(p, -1, NULL, NULL, NULL);
        g_autoptr(AimfManifest) manifest = aimf_manifest_open(m, NULL);
        g_assert_cmpint(outcomes ? outcomes->target[0] : -1, ==, CASES[i].value);
        g_assert_cmpint(manifest ? aimf_manifest_at(manifest, 0).target : -1, ==, CASES[i].value);
    }
}

/* --- Manifests --- */

static AimfManifest *read_manifest(Fixture *f, const char *text, AimfManifestOptions options)
{
    g_autofree char *path = data_write(f->folder, "m.csv", text);
    g_autoptr(GError) error = NULL;
    AimfManifest *manifest = aimf_manifest_open_with(path, &options, &f->monitor, &error);
    g_assert_no_error(error);
    return manifest;
}

static void expect_saved(const Fixture *f, const AimfManifest *manifest, const char *expected)
{
    g_autofree char *path = g_build_filename(f->folder, "saved.csv", NULL), *text = NULL;
    g_assert_true(aimf_manifest_save(manifest, path, NULL));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
}

/* Labels are trimmed and merged column by column, paths are as they are, and what is saved says what was understood. */
static void test_manifest(Fixture *f, gconstpointer unused)
{
    (void)unused;
    static const char TEXT[] = "path,protected2,target,note,protected\n"
                               "\" a.png\",Old,1,n1, f\n"
                               "b.png,old ,0, n2,F\n"
                               "c.png,old,0,n3,F\n"
                               "d.png,NA,0,n4,m\n";
    g_autoptr(AimfManifest) merged = read_manifest(
        f, TEXT, (AimfManifestOptions){ .labels = { .missing = AIMF_MISSING_DROP, .merge_spellings = TRUE } });
    guint n;
    const char *const *labels = aimf_manifest_groups(merged, &n);
    expect_labels(labels, n, "F_old");
    g_assert_cmpuint(aimf_manifest_n_dropped(merged), ==, 1);
    expect_warning(f, "m.csv", "1 row ", NULL);
    expect_saved(
        f, merged,
        "path,target,protected2,note,protected\n\" a.png\",1,old,n1,F\nb.png,0,old,\" n2\",F\nc.png,0,old,n3,F\n");
    g_autoptr(AimfManifest) apart =
        read_manifest(f, TEXT, (AimfManifestOptions){ .labels = { .missing = AIMF_MISSING_KEEP } });
    labels = aimf_manifest_groups(apart, &n);
    expect_labels(labels, n, "F_old|f_Old|m_NA");
    expect_warning(f, "column 'protected': 'F' (2 rows) and 'f' (1)",
                   "column 'protected2': 'Old' (1 row) and 'old' (2)", NULL);
}

/* a_b with c and a with b_c are two groups that would get one name. */
static void test_ambiguous_join(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autofree char *path =
        data_write(f->folder, "m.csv", "path,target,protected,protected2\nx.png,0,a_b,c\ny.png,1,a,b_c\n");
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_manifest_open(path, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "m.csv", "'a_b_c'", NULL);
}

/* Only what is used must be there, and what is not used may say anything. */
static void test_columns(Fixture *f, gconstpointer unused)
{
    (void)unused;
    const AimfManifestOptions training = { .protected_labels = AIMF_COLUMN_OPTIONAL };
    const AimfManifestOptions predicting = { .target = AIMF_COLUMN_UNUSED, .protected_labels = AIMF_COLUMN_UNUSED };
    g_autoptr(AimfManifest) unlabelled = read_manifest(f, "target,path,note\n1,a.png,x\n0,b.png,y\n", training);
    g_assert_true(aimf_manifest_has_targets(unlabelled));
    g_assert_false(aimf_manifest_has_labels(unlabelled));
    guint n;
    const char *const *labels = aimf_manifest_groups(unlabelled, &n);
    expect_labels(labels, n, "");
    g_assert_cmpuint(n, ==, 1);
    expect_saved(f, unlabelled, "path,target,note\na.png,1,x\nb.png,0,y\n");
    g_autofree guint *counts = aimf_manifest_counts(unlabelled);
    g_assert_cmpuint(counts[0], ==, 1);
    g_assert_cmpuint(counts[1], ==, 1);
    const guint32 second = 1;
    g_autoptr(AimfManifest) subset = aimf_manifest_subset(unlabelled, &second, 1);
    expect_saved(f, subset, "path,target,note\nb.png,0,y\n");
    g_autoptr(AimfManifest) bare = read_manifest(f, "path\na.png\n", predicting);
    g_assert_cmpint(aimf_manifest_at(bare, 0).target, ==, -1);
    g_assert_cmpint(aimf_manifest_classes(bare), ==, 0);
    expect_saved(f, bare, "path\na.png\n");
    g_autoptr(AimfManifest) kept = read_manifest(f, "path,target,protected\na.png,cat,\n", predicting);
    g_assert_false(aimf_manifest_has_targets(kept) || aimf_manifest_has_labels(kept));
    expect_saved(f, kept, "path,target,protected\na.png,cat,\n");
}

/* Labels that nobody asked for may be missing: then the set has none, which is said once, and keeps what it says. */
static void test_partly_labelled(Fixture *f, gconstpointer unused)
{
    (void)unused;
    static const char TEXT[] = "path,target,protected\na.png,1,x\nb.png,0,\nc.png,1,NA\nd.png,0,X\n";
    const AimfManifestOptions training = { .protected_labels = AIMF_COLUMN_OPTIONAL };
    g_autoptr(AimfManifest) none = read_manifest(f, TEXT, training);
    guint n;
    const char *const *labels = aimf_manifest_groups(none, &n);
    g_assert_cmpuint(aimf_manifest_count(none), ==, 4);
    g_assert_false(aimf_manifest_has_labels(none));
    expect_labels(labels, n, "");
    expect_warning(f, "m.csv': 2 of 4 rows have no protected label, the first in line 3", "--missing drop", NULL);
    g_assert_cmpuint(aimf_manifest_n_dropped(none), ==, 0);
    expect_saved(f, none, TEXT);
    AimfManifestOptions other = training;
    other.labels.missing = AIMF_MISSING_DROP;
    g_autoptr(AimfManifest) dropped = read_manifest(f, TEXT, other);
    labels = aimf_manifest_groups(dropped, &n);
    expect_labels(labels, n, "X|x");
    g_assert_cmpuint(f->warnings->len, ==, 2); /* left out, and spelt in two ways */
    g_ptr_array_set_size(f->warnings, 0);
    other.labels.missing = AIMF_MISSING_KEEP; /* the word is a label, but no text is none */
    g_autoptr(AimfManifest) kept = read_manifest(f, TEXT, other);
    g_assert_false(aimf_manifest_has_labels(kept));
    expect_warning(f, "1 of 4 rows", "line 3", NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *path = data_write(f->folder, "m.csv", TEXT);
    g_assert_null(aimf_manifest_open(path, &error)); /* they are asked for */
    data_expect_error(&error, AIMF_ERROR_INVALID, "m.csv:3: column 'protected'", "no value", NULL);
}

/* --- Any CSV --- */

static AimfDataset *read_table(Fixture *f, const char *text, const char *target_map, const char *protected_map,
                               AimfLabelRules rules, GError **error)
{
    g_autofree char *path = data_write(f->folder, "t.csv", text);
    for (const char *name = "abcdef"; *name; name++) {
        const char file[] = { *name, 0 };
        data_touch(f->folder, file);
    }
    const AimfDatasetOptions options = {
        .file = path,
        .path_column = "image",
        .target = "kind",
        .protected_attributes = "sex",
        .target_map = target_map,
        .protected_maps = (const char *const[]){ protected_map, NULL },
        .labels = rules,
    };
    return aimf_dataset_open("csv", &options, &f->monitor, error);
}

static void test_table(Fixture *f, gconstpointer unused)
{
    (void)unused;
    static const char TEXT[] = "image,kind,sex\na,cat,F\nb,Cat,f \nc,dog,m\nd,dog,\ne,dog,unknown\n";
    g_autoptr(GError) error = NULL;
    g_assert_null(read_table(f, TEXT, "cat=0,*=1", "F=0,*=1", (AimfLabelRules){ 0 }, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "t.csv:5: column 'sex'", "no value", NULL);
    g_autoptr(AimfDataset) apart =
        read_table(f, TEXT, " cat = 0 ,* = 1", " F=0,*=1", (AimfLabelRules){ .missing = AIMF_MISSING_DROP }, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(apart->n_dropped, ==, 1);
    g_assert_cmpuint(f->warnings->len, ==, 2);
    g_assert_nonnull(strstr(g_ptr_array_index(f->warnings, 1), "column 'sex': 'F' (1 row) and 'f' (1)"));
    g_assert_nonnull(strstr(g_ptr_array_index(f->warnings, 1), "column 'kind': 'Cat' (1 row) and 'cat' (1)"));
    g_assert_cmpint(aimf_manifest_at(apart->samples, 1).target, ==, 1); /* Cat is one of all others */
    g_ptr_array_set_size(f->warnings, 0);
    g_autoptr(AimfDataset) merged =
        read_table(f, TEXT, "cat=0,*=1", "F=0,*=1",
                   (AimfLabelRules){ .missing = AIMF_MISSING_DROP, .merge_spellings = TRUE }, &error);
    g_assert_no_error(error);
    g_assert_cmpint(aimf_manifest_at(merged->samples, 1).target, ==, 0);
    g_assert_cmpstr(aimf_manifest_at(merged->samples, 1).protected_label, ==, "0");
    g_assert_cmpstr(aimf_manifest_at(merged->samples, 3).protected_label, ==, "1");
    expect_warning(f, "t.csv", "1 row ", NULL);
}

/* A map's own entry makes a value of a word that otherwise is none, and is not given twice. */
static void test_map_of_missing(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfDataset) dataset =
        read_table(f, "image,kind,sex\na,0,NA\nb,1,m\n", NULL, "NA=unknown,m=m", (AimfLabelRules){ 0 }, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(aimf_manifest_at(dataset->samples, 0).protected_label, ==, "unknown");
    g_assert_null(read_table(f, "image,kind,sex\na,0,m\n", NULL, "m=1,m=2", (AimfLabelRules){ 0 }, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "--protected-map", "'m'", NULL);
    /* Spellings that are to be one value cannot become two things, and nothing becomes a word for nothing. */
    g_assert_null(read_table(f, "image,kind,sex\na,dog,m\n", "DOG=1,dog=0", NULL,
                             (AimfLabelRules){ .merge_spellings = TRUE }, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "--target-map", "'dog'", NULL);
    g_assert_null(read_table(f, "image,kind,sex\na,0,m\n", NULL, "m=NA", (AimfLabelRules){ 0 }, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "--protected-map", "'NA'", NULL);
}

/* A number's entry is for the number; entries that no row has are named, with what may have been meant. */
static void test_map_entries(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfDataset) dataset =
        read_table(f, "image,kind,sex\na,dog,0.0\nb,wolf,1\nc,cat,2\n", "dog=1,wlf=1,tiger=1,*=0",
                   "0=White,1.00=Black,2=Asian", (AimfLabelRules){ 0 }, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(aimf_manifest_at(dataset->samples, 0).protected_label, ==, "White");
    g_assert_cmpstr(aimf_manifest_at(dataset->samples, 1).protected_label, ==, "Black");
    expect_warning(f, "t.csv", "--target-map names: 'tiger', 'wlf' (did you mean 'wolf'?)", NULL);
    g_autoptr(AimfDataset) other =
        read_table(f, "image,kind,sex\na,0,F\nb,1,M\n", NULL, "F=f,M=m,x=other", (AimfLabelRules){ 0 }, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(aimf_manifest_at(other->samples, 1).protected_label, ==, "m");
    expect_warning(f, "t.csv", "--protected-map names: 'x'", NULL);
}

/* What targets are called says nothing where there are no targets. */
static void test_names_without_targets(Fixture *f, gconstpointer unused)
{
    (void)unused;
    g_autoptr(AimfManifest) manifest = read_manifest(f, "path,target_name,protected\na.png,x,m\nb.png,y,m\n",
                                                     (AimfManifestOptions){ .target = AIMF_COLUMN_OPTIONAL });
    g_assert_null(aimf_manifest_class_names(manifest));
}

#define ADD(name, function) g_test_add("/labels/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/labels/keys", test_keys);
    g_test_add_func("/labels/usual", test_usual);
    ADD("blanks", test_blanks);
    ADD("missing-words", test_missing_words);
    ADD("keep", test_keep);
    ADD("alike", test_alike);
    ADD("joined", test_joined);
    ADD("dropped-label", test_dropped_label);
    ADD("class-columns", test_class_columns);
    ADD("names-without-targets", test_names_without_targets);
    ADD("not-utf8", test_not_utf8);
    ADD("classes", test_classes);
    ADD("manifest", test_manifest);
    ADD("ambiguous-join", test_ambiguous_join);
    ADD("columns", test_columns);
    ADD("partly-labelled", test_partly_labelled);
    ADD("table", test_table);
    ADD("map-of-missing", test_map_of_missing);
    ADD("map-entries", test_map_entries);
    ADD("spelling-keys", test_spelling_keys);
    ADD("doubles", test_doubles);
    return g_test_run();
}
