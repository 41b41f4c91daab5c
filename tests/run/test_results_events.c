/* TensorBoard's events of a run: every record is whole, and every value is the one that was meant. */
#include "run/support_results.h"
#include "run/tensorboard_events.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define NAME "events.out.tfevents.1.aimfair"

static char *folder;

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

/* --- Records --- */

/* Bit by bit, as RFC 3720 has it: the remainder by the polynomial, most significant bit first, of reflected bytes. */
static guint32 slow_crc(const guint8 *bytes, gsize n)
{
    guint32 remainder = 0xFFFFFFFFU, reflected = 0;
    for (gsize i = 0; i < n * 8; i++) {
        guint32 bit = bytes[i / 8] >> i % 8 & 1;
        gboolean out = (remainder >> 31 ^ bit) & 1;
        remainder = remainder << 1 ^ (out ? 0x1EDC6F41U : 0);
    }
    for (int i = 0; i < 32; i++)
        reflected |= (remainder >> i & 1) << (31 - i);
    return ~reflected;
}

static guint64 little(const guint8 *bytes, guint n)
{
    guint64 value = 0;
    while (n--)
        value = value << 8 | bytes[n];
    return value;
}

static void assert_masked(const guint8 *data, gsize n, const guint8 *stored)
{
    guint32 unmasked = (guint32)little(stored, 4) - 0xA282EAD8U;
    g_assert_cmphex(unmasked << 15 | unmasked >> 17, ==, slow_crc(data, n));
}

/* RFC 3720, appendix B.4. */
static void test_crc(void)
{
    guint8 bytes[32] = { 0 };
    g_assert_cmphex(aimf_crc32c(bytes, sizeof bytes), ==, 0x8A9136AAU);
    memset(bytes, 0xFF, sizeof bytes);
    g_assert_cmphex(aimf_crc32c(bytes, sizeof bytes), ==, 0x62A8AB43U);
    for (guint8 i = 0; i < sizeof bytes; i++)
        bytes[i] = i;
    g_assert_cmphex(aimf_crc32c(bytes, sizeof bytes), ==, 0x46DD794EU);
    for (gsize n = 0; n < sizeof bytes; n++)
        g_assert_cmphex(aimf_crc32c(bytes, n), ==, slow_crc(bytes, n));
    g_assert_cmphex(aimf_crc32c("", 0), ==, 0);
}

/* A field of a message: its number, and its bytes or its number. */
typedef struct {
    guint number;
    const guint8 *data;
    guint64 value;
} Field;

static guint64 read_varint(const guint8 **at)
{
    guint64 value = 0;
    for (guint shift = 0;; shift += 7) {
        guint8 byte = *(*at)++;
        value |= (guint64)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return value;
    }
}

static Field read_field(const guint8 **at)
{
    guint64 key = read_varint(at);
    Field field = { .number = (guint)(key >> 3), .data = *at };
    guint n = (key & 7) == 1 ? 8 : 4;
    switch (key & 7) {
    case 0:
        field.value = read_varint(at);
        return field;
    case 2:
        field.value = read_varint(at);
        field.data = *at;
        *at += field.value;
        return field;
    default:
        field.value = little(*at, n);
        *at += n;
        return field;
    }
}

/* Adds "tag@step" with the value's text as it is a single. */
static void read_summary(GHashTable *values, Field summary, guint64 step)
{
    for (const guint8 *at = summary.data; at < summary.data + summary.value;) {
        Field value = read_field(&at);
        const guint8 *in = value.data;
        Field tag = read_field(&in), number = read_field(&in);
        guint32 bits = (guint32)number.value;
        float single;
        g_assert_cmpuint(value.number, ==, 1);
        g_assert_cmpuint(tag.number, ==, 1);
        g_assert_cmpuint(number.number, ==, 2);
        g_assert_true(in == value.data + value.value);
        memcpy(&single, &bits, sizeof single);
        g_assert_true(g_utf8_validate((const char *)tag.data, (gssize)tag.value, NULL));
        float *stored = g_memdup2(&single, sizeof single);
        g_autofree char *text = g_strndup((const char *)tag.data, tag.value);
        char *name = g_strdup_printf("%s@%u", text, (guint)step);
        g_assert_true(g_hash_table_insert(values, name, stored));
    }
}

static void read_event(GHashTable *values, const guint8 *data, gsize n, gboolean first)
{
    const guint8 *at = data;
    Field time = read_field(&at), step = read_field(&at), what = read_field(&at);
    double seconds;
    memcpy(&seconds, &time.value, sizeof seconds);
    g_assert_true(at == data + n);
    g_assert_cmpuint(time.number, ==, 1);
    g_assert_cmpuint(step.number, ==, 2);
    g_assert_true(seconds == (double)step.value);
    g_assert_cmpuint(what.number, ==, first ? 3 : 5);
    if (first)
        g_assert_true(what.value == 13 && memcmp(what.data, "brain.Event:2", 13) == 0);
    else
        read_summary(values, what, step.value);
}

/* (owned) the values of the file by "tag@step"; every record is whole. */
static GHashTable *read_events(const char *path)
{
    g_autofree char *text = NULL;
    gsize n, at = 0;
    g_assert_true(g_file_get_contents(path, &text, &n, NULL));
    const guint8 *bytes = (const guint8 *)text;
    GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    while (at < n) {
        g_assert_cmpuint(n - at, >=, 16);
        guint64 length = little(bytes + at, 8);
        assert_masked(bytes + at, 8, bytes + at + 8);
        g_assert_cmpuint(length, <=, n - at - 16);
        assert_masked(bytes + at + 12, length, bytes + at + 12 + length);
        read_event(values, bytes + at + 12, length, at == 0);
        at += 16 + length;
    }
    return values;
}

static void assert_event(GHashTable *values, const char *tag, guint step, double expected)
{
    g_autofree char *key = g_strdup_printf("%s@%u", tag, step);
    const float *value = g_hash_table_lookup(values, key);
    g_assert_true((value == NULL) == isnan(expected));
    g_assert_true(!value || *value == (float)expected);
}

static void check_events(const char *events, const AimfRunResults *results, guint m, guint s)
{
    const AimfRunCell *cell = aimf_run_cell(results, m, s);
    g_autofree char *path =
        g_strdup_printf("%s/%s-%u/" NAME, events, results->methods[m].name, (guint)results->seeds[s]);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS) == !cell->failure);
    if (cell->failure)
        return;
    g_autoptr(GHashTable) values = read_events(path);
    guint n = cell->history->len, n_groups = g_strv_length(cell->group_names);
    for (guint e = 0; e < n; e++) {
        const AimfEpoch *epoch = &g_array_index(cell->history, AimfEpoch, e);
        assert_event(values, "train/loss", e + 1, epoch->loss);
        assert_event(values, "train/accuracy", e + 1, epoch->train_accuracy);
        assert_event(values, "train/learning_rate", e + 1, epoch->learning_rate);
        assert_event(values, "validation/loss", e + 1, epoch->val_loss);
        assert_event(values, "validation/accuracy", e + 1, epoch->val_accuracy);
        assert_event(values, "validation/worst_group_accuracy", e + 1, epoch->val_worst_group_accuracy);
        assert_event(values, "validation/equalized_odds", e + 1, epoch->val_equalized_odds);
    }
    assert_event(values, "train/loss", n + 1, NAN);
    assert_event(values, "train/loss", 0, NAN);
    assert_event(values, "validation/accuracy", 0, cell->start ? cell->start->val_accuracy : NAN);
    if (!strchr(cell->group_names[1], '\x1b')) {
        g_autofree char *tag = g_strconcat("validation_groups/", cell->group_names[1], NULL);
        assert_event(values, tag, n, g_array_index(cell->group_accuracy, double, (n - 1) * n_groups + 1));
    }
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        g_autofree char *tag = g_strconcat("test/", aimf_scalar_name(i), NULL);
        assert_event(values, tag, n, aimf_scalar_at(&cell->measures->scalars, i));
    }
}

static void remove_events(const char *events, const AimfRunResults *results)
{
    for (guint i = 0; i < results->n_methods * results->n_seeds; i++) {
        g_autofree char *of_cell = g_strdup_printf("%s/%s-%u", events, results->methods[i / results->n_seeds].name,
                                                   (guint)results->seeds[i % results->n_seeds]);
        g_autofree char *path = g_build_filename(of_cell, NAME, NULL);
        g_unlink(path);
        g_rmdir(of_cell);
    }
    g_assert_cmpint(g_rmdir(events), ==, 0);
}

static void test_events(gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfRunResults) results = support_results_new(data);
    g_autofree char *events = path_of("events");
    g_assert_true(aimf_results_save_events(results, events, &error));
    g_assert_no_error(error);
    for (guint m = 0; m < results->n_methods; m++)
        for (guint s = 0; s < results->n_seeds; s++)
            check_events(events, results, m, s);
    remove_events(events, results);
}

/* The same results give the same bytes, whenever and wherever they are written. */
static void test_same_bytes(void)
{
    g_autoptr(AimfRunResults) results = support_results_new(NULL);
    GBytes *bytes[2];
    for (int i = 0; i < 2; i++) {
        g_autofree char *events = path_of(i ? "a" : "other");
        g_autofree char *file = g_build_filename(events, "full-0", NAME, NULL);
        char *text;
        gsize n;
        g_assert_true(aimf_results_save_events(results, events, NULL));
        g_assert_true(g_file_get_contents(file, &text, &n, NULL));
        bytes[i] = g_bytes_new_take(text, n);
        remove_events(events, results);
    }
    g_assert_true(g_bytes_equal(bytes[0], bytes[1]));
    g_bytes_unref(bytes[0]);
    g_bytes_unref(bytes[1]);
}

/* Where nothing can be written, that is an error and no crash. */
static void test_unwritable(void)
{
    g_autoptr(AimfRunResults) results = support_results_new(NULL);
    g_autofree char *file = path_of("file"), *below = g_build_filename(file, "events", NULL);
    g_autoptr(GError) error = NULL;
    g_assert_true(g_file_set_contents(file, "", 0, NULL));
    g_assert_false(aimf_results_save_events(results, below, &error));
    g_assert_true(error && error->domain == AIMF_ERROR);
    g_unlink(file);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("aimfair-events-XXXXXX", NULL);
    g_test_add_func("/run/results_events/crc", test_crc);
    for (guint c = 0; c < SUPPORT_N_RESULTS; c++) {
        g_autofree char *name = g_strdup_printf("/run/results_events/values/%u", c);
        g_test_add_data_func(name, &support_results_cases[c], test_events);
    }
    g_test_add_func("/run/results_events/same_bytes", test_same_bytes);
    g_test_add_func("/run/results_events/unwritable", test_unwritable);
    int status = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return status;
}
