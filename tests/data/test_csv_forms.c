/* Tables as spreadsheets and statistics programs write them: other separators, other encodings, and padding. */
#include "data/csv.h"
#include "data/support_data.h"

#include <string.h>

/* The rows of a table as "a|b|c\n", the header first; or its error. */
static char *read_bytes(const char *bytes, gsize n, GError **error)
{
    char *folder = data_folder_new();
    g_autofree char *path = data_write_bytes(folder, "t.csv", bytes, n);
    g_autoptr(AimfCsv) csv = aimf_csv_open(path, error);
    data_folder_free(folder);
    if (!csv)
        return NULL;
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < csv->columns->len; i++)
        g_string_append_printf(text, "%s[%s]", i ? " " : "", (char *)g_ptr_array_index(csv->columns, i));
    GError *failure = NULL;
    while (aimf_csv_next(csv, &failure)) {
        g_string_append_printf(text, "\n%d:", (int)csv->line);
        for (guint i = 0; i < csv->columns->len; i++)
            g_string_append_printf(text, " [%s]", aimf_csv_field(csv, (int)i));
    }
    if (failure) {
        g_propagate_error(error, failure);
        g_string_free(text, TRUE);
        return NULL;
    }
    return g_string_free(text, FALSE);
}

static void expect(const char *table, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *found = read_bytes(table, strlen(table), &error);
    g_assert_no_error(error);
    g_assert_cmpstr(found, ==, expected);
}

static void expect_refused(const char *table, const char *says, const char *also)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(read_bytes(table, strlen(table), &error));
    data_expect_error(&error, AIMF_ERROR_FORMAT, says, also, NULL);
}

static void test_separators(void)
{
    expect("a;b;c\n1;2;3\n", "[a] [b] [c]\n2: [1] [2] [3]");
    expect("a\tb\tc\r\n1\tx,5\t3\r\n", "[a] [b] [c]\n2: [1] [x,5] [3]");
    expect("a|b\n1|2\n", "[a] [b]\n2: [1] [2]");
    expect("a,b;c,d\n1,2;3,4\n", "[a] [b;c] [d]\n2: [1] [2;3] [4]"); /* the first one decides */
    expect("\"a;b\",c\n1,2\n", "[a;b] [c]\n2: [1] [2]");
    expect("\"a,b\";c\n\"x;\"\"y\"\"\";\"2\n3\"\n", "[a,b] [c]\n2: [x;\"y\"] [2\n3]");
    expect("a\n1\n2\n", "[a]\n2: [1]\n3: [2]");
    expect(",a,b\n0,1,2\n", "[] [a] [b]\n2: [0] [1] [2]"); /* pandas' index */
    expect("\ta\n0\t1\n", "[] [a]\n2: [0] [1]");
    expect("sep=;\r\na;b\r\n1;2\r\n", "[a] [b]\n3: [1] [2]");
    expect("sep=,\na,b\n1,2\n", "[a] [b]\n3: [1] [2]");
    expect("SEP=\t\na\tb,c\n1\t2\n", "[a] [b,c]\n3: [1] [2]");
    expect("\"sep=;\"\na;b\n1;2\n", "[a] [b]\n3: [1] [2]");
    expect("sep=;;;\n;;;\na;b\n1;2\n", "[a] [b]\n4: [1] [2]");
    expect("\xEF\xBB\xBFsep=;\na,x;b\n1;2\n", "[a,x] [b]\n3: [1] [2]");
    expect("sep=x\n1\n", "[sep=x]\n2: [1]"); /* no separator: a column of that name */
}

static void test_decimal_commas(void)
{
    expect("p;x\na,b.png;0,75\n", "[p] [x]\n2: [a,b.png] [0.75]");
    expect("p;x\n-1,5e-3;+12,0\n", "[p] [x]\n2: [-1.5e-3] [+12.0]");
    expect("p;x\n1.234,5;1,2,3\n", "[p] [x]\n2: [1.234,5] [1,2,3]"); /* no number: the reader refuses it */
    expect("p;x\n1,;,5\n", "[p] [x]\n2: [1,] [,5]");
    expect("p;x\n\"0,75\";0.75\n", "[p] [x]\n2: [0,75] [0.75]"); /* quoted is text */
    expect("p;x\n1,234;0,123\n", "[p] [x]\n2: [1.234] [0.123]");
    expect("p\tx\n0,75\t-12,5\n", "[p] [x]\n2: [0.75] [-12.5]");
    expect("p|x\n0,123|1,234\n", "[p] [x]\n2: [0.123] [1,234]"); /* may be thousands */
    expect("p\tx\n1234,567\t1,2345\n", "[p] [x]\n2: [1234.567] [1.2345]");
    expect("p,x\n\"0,75\",1\n", "[p] [x]\n2: [0,75] [1]");
}

static void test_padding(void)
{
    expect("a,b,,\n1,2,,\n,,,\n3,4,,\n,,,\n", "[a] [b]\n2: [1] [2]\n4: [3] [4]");
    expect("a,b\n1,2,,,\n3,4\n", "[a] [b]\n2: [1] [2]\n3: [3] [4]");
    expect("a,b,,\n1,2\n3,4,, \n", "[a] [b]\n2: [1] [2]\n3: [3] [4]"); /* Excel leaves them out every so often */
    expect("a;b;;\r\n;;;\r\n1;2;;\r\n", "[a] [b]\n3: [1] [2]");
    expect(",,,\n\n ; \na,b\n1,2\n", "[a] [b]\n5: [1] [2]");
    expect("a,b\n1,2\n,,", "[a] [b]\n2: [1] [2]");
    expect("a,b\n  \t\n1,2\n\n\n", "[a] [b]\n3: [1] [2]");
    expect("a,b\n,2\n", "[a] [b]\n2: [] [2]"); /* a row with a value is a row */
    expect_refused("a,b,,\n1,2,,9\n", "t.csv:2", "4 fields, but the header names 2 columns");
    expect_refused("a,b\n1\n", "t.csv:2", "1 fields, but the header names 2 columns");
    expect_refused("a;b\n1,2\n", "t.csv:2", "separated by semicolons");
    expect_refused("a,,b,,c\n1,2,3,4,5\n", "t.csv:1", "columns 2 and 4 have no name");
}

static void test_line_ends(void)
{
    expect("a,b\r1,2\r\r\"x\ry\",4\r", "[a] [b]\n2: [1] [2]\n4: [x\ny] [4]");
    expect_refused("a,b\r1,2\n", "t.csv:1", "carriage return");
}

/* @text, which is ASCII, as UTF-16. */
static GByteArray *utf16(const char *text, gboolean big_endian, gboolean mark)
{
    GByteArray *bytes = g_byte_array_new();
    if (mark)
        g_byte_array_append(bytes, (const guint8 *)(big_endian ? "\xFE\xFF" : "\xFF\xFE"), 2);
    for (; *text; text++) {
        guint8 unit[2] = { (guint8)(big_endian ? 0 : *text), (guint8)(big_endian ? *text : 0) };
        g_byte_array_append(bytes, unit, 2);
    }
    return bytes;
}

static void test_utf16(void)
{
    for (int form = 0; form < 4; form++) {
        g_autoptr(GByteArray) bytes = utf16("path\ttarget\tprotected\r\na.png\t1\tx\r\n", form & 1, form & 2);
        g_autoptr(GError) error = NULL;
        g_autofree char *found = read_bytes((const char *)bytes->data, bytes->len, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(found, ==, "[path] [target] [protected]\n2: [a.png] [1] [x]");
    }
}

/* What is no table is called by what it is. */
static void test_other_files(void)
{
    expect_refused("<!DOCTYPE html>\n<html><title>404</title>", "t.csv:1", "HTML page");
    expect_refused("version https://git-lfs.github.com/spec/v1\n", "t.csv:1", "git lfs pull");
    expect_refused("%PDF-1.4\n", "t.csv:1", "PDF");
    expect_refused("{\"path\": \"x.png\"}\n", "t.csv:1", "this is JSON, not a CSV table; save the table as CSV");
    expect_refused(" [\n {\"path\": \"x.png\"}]\n", "t.csv:1", "this is JSON");
    expect_refused("GGUF\3aaaaaaa", "t.csv:1", "a file of weights");
    expect_refused("\x08\x08\x12\x07pytorch", "t.csv:1", "an ONNX model");
    expect_refused("\x89PNG\r\n\x1a\nIHDR", "t.csv:1", "a picture");
    expect_refused("\x80\2}q\1.", "t.csv:1", "a file of weights");
    expect("{a},[b]\n1,2\n", "[{a}] [[b]]\n2: [1] [2]");
    expect("\xC2\xA0"
           "a\xE2\x80\x8B,b\n1,2\n",
           "[a] [b]\n2: [1] [2]"); /* blanks that nobody sees */
    static const char BOOK[] = "PK\3\4\x14\0\6\0\x08\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xml";
    g_autoptr(GError) error = NULL;
    g_assert_null(read_bytes(BOOK, sizeof BOOK - 1, &error));
    data_expect_error(&error, AIMF_ERROR_FORMAT, "t.csv:1", "Excel workbook", "save the sheet as CSV", NULL);
}

/* Rows of separators are passed over in one go, also millions of them, and an endless one is refused. */
static void test_long(void)
{
    GString *text = g_string_new("a,b\n");
    for (int i = 0; i < 1 << 20; i++)
        g_string_append(text, ",,,\n");
    g_string_append(text, "1,2\n");
    expect(text->str, "[a] [b]\n1048578: [1] [2]");
    g_string_assign(text, "a,b\n");
    for (int i = 0; i < 3 << 20; i++)
        g_string_append_c(text, ',');
    expect_refused(text->str, "t.csv:2", "4096 columns");
    g_string_free(text, TRUE);
}

/* A manifest gives the same samples in every form. */
static void test_manifest(void)
{
    static const char *const FORMS[] = {
        "path,target,protected\na.png,1,x\nb.png,0,y\n",
        "\xEF\xBB\xBFpath;target;protected\r\na.png;1;x\r\nb.png;0;y\r\n",
        "sep=;\npath;target;protected;;\na.png;1;x;;\n;;;;\nb.png;0;y;;\n",
        "path\ttarget\tprotected\na.png\t1\tx\nb.png\t0\ty\n",
        "path,target,protected\ra.png,1,x\rb.png,0,y\r",
        "path,target,protected,,\na.png,1,x,,\nb.png,0,y,,\n,,,,\n",
    };
    char *folder = data_folder_new();
    g_autofree char *hash = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(FORMS); i++) {
        g_autofree char *path = data_write(folder, "m.csv", FORMS[i]);
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfManifest) manifest = aimf_manifest_open(path, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(aimf_manifest_count(manifest), ==, 2);
        g_autofree char *found = aimf_manifest_hash(manifest);
        hash = hash ? hash : g_strdup(found);
        g_assert_cmpstr(found, ==, hash);
        g_assert_null(aimf_manifest_get(manifest, 0, ""));
    }
    data_folder_free(folder);
}

static void count_message(AimfLogLevel level, const char *text, gpointer user_data)
{
    g_assert_cmpint(level, ==, AIMF_LOG_INFO);
    g_assert_nonnull(strstr(text, "separated by semicolons"));
    ++*(int *)user_data;
}

static void test_told(void)
{
    char *folder = data_folder_new();
    int n = 0;
    AimfMonitor monitor = { .message = count_message, .user_data = &n };
    static const char *const TABLES[] = { "a,b\n", "a;b\n" };
    for (int i = 0; i < 2; i++) {
        g_autofree char *path = data_write(folder, "t.csv", TABLES[i]);
        g_autoptr(AimfCsv) csv = aimf_csv_open(path, NULL);
        aimf_csv_tell(csv, &monitor);
        g_assert_cmpint(n, ==, i);
    }
    data_folder_free(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/csv-forms/separators", test_separators);
    g_test_add_func("/csv-forms/decimal-commas", test_decimal_commas);
    g_test_add_func("/csv-forms/padding", test_padding);
    g_test_add_func("/csv-forms/line-ends", test_line_ends);
    g_test_add_func("/csv-forms/utf16", test_utf16);
    g_test_add_func("/csv-forms/other-files", test_other_files);
    g_test_add_func("/csv-forms/long", test_long);
    g_test_add_func("/csv-forms/manifest", test_manifest);
    g_test_add_func("/csv-forms/told", test_told);
    return g_test_run();
}
