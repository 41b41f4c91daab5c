#include "train/history.h"

#include "base/file.h"
#include "base/json.h"
#include "base/number.h"

#include <aimfair/json.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

/*
 * The members of an epoch that are numbers, in the order of the log's columns; what may be unknown is then null, or
 * an empty field.
 */
static const struct {
    const char *name;
    gsize offset;
    gboolean may_be_unknown;
} columns[] = {
    { "learning_rate", offsetof(AimfEpoch, learning_rate), FALSE },
    { "loss", offsetof(AimfEpoch, loss), FALSE },
    { "val_accuracy", offsetof(AimfEpoch, val_accuracy), FALSE },
    { "val_worst_group_accuracy", offsetof(AimfEpoch, val_worst_group_accuracy), TRUE },
    { "images_per_second", offsetof(AimfEpoch, images_per_second), FALSE },
    { "seconds", offsetof(AimfEpoch, seconds), FALSE },
};

static double *member(AimfEpoch *epoch, gsize column)
{
    return (double *)(void *)((char *)epoch + columns[column].offset);
}

/* @number: as it is written; what an epoch does not have is NaN. */
static JsonObject *epoch_object(AimfEpoch epoch, guint number)
{
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "epoch", number);
    for (gsize c = 0; c < G_N_ELEMENTS(columns); c++)
        if (isfinite(*member(&epoch, c)))
            json_object_set_double_member(object, columns[c].name, *member(&epoch, c));
        else
            json_object_set_null_member(object, columns[c].name);
    json_object_set_boolean_member(object, "best", epoch.best);
    return object;
}

static char *to_text(JsonNode *node)
{
    char *text = aimf_json_write(node, FALSE);
    json_node_unref(node);
    return text;
}

static void write_json_line(AimfWriter *writer, AimfEpoch epoch, guint number)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, epoch_object(epoch, number));
    g_autofree char *line = to_text(node);
    aimf_writer_printf(writer, "%s\n", line);
}

static void write_csv_row(AimfWriter *writer, AimfEpoch epoch, guint number)
{
    aimf_writer_printf(writer, "%u", number);
    for (gsize c = 0; c < G_N_ELEMENTS(columns); c++) {
        char text[AIMF_NUMBER_SIZE] = "";
        if (isfinite(*member(&epoch, c)))
            aimf_number_text(text, *member(&epoch, c));
        aimf_writer_printf(writer, ",%s", text);
    }
    aimf_writer_printf(writer, ",%d\n", epoch.best);
}

static void write_csv_header(AimfWriter *writer)
{
    aimf_writer_printf(writer, "epoch");
    for (gsize c = 0; c < G_N_ELEMENTS(columns); c++)
        aimf_writer_printf(writer, ",%s", columns[c].name);
    aimf_writer_printf(writer, ",best\n");
}

gboolean aimf_history_log(const AimfTrainResult *result, const char *path, GError **error)
{
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error);
    if (!writer)
        return FALSE;
    gboolean csv = g_str_has_suffix(path, ".csv");
    void (*write_line)(AimfWriter *, AimfEpoch, guint) = csv ? write_csv_row : write_json_line;
    if (csv)
        write_csv_header(writer);
    if (result->groups)
        write_line(writer, result->start, 0);
    for (guint i = 0; i < result->history->len; i++)
        write_line(writer, g_array_index(result->history, AimfEpoch, i), i + 1);
    return aimf_writer_commit(writer, error);
}

/* (owned) the epochs as an array, behind @start where there is one. */
static char *epochs_json(const AimfEpoch *start, const GArray *history)
{
    JsonArray *array = json_array_new();
    if (start)
        json_array_add_object_element(array, epoch_object(*start, 0));
    for (guint i = 0; i < history->len; i++)
        json_array_add_object_element(array, epoch_object(g_array_index(history, AimfEpoch, i), i + 1));
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);
    json_node_take_array(node, array);
    return to_text(node);
}

char *aimf_history_json(const GArray *history)
{
    return epochs_json(NULL, history);
}

char *aimf_train_result_json(const AimfTrainResult *result)
{
    return epochs_json(result->groups ? &result->start : NULL, result->history);
}

static gboolean parse_epoch(JsonNode *node, AimfEpoch *epoch)
{
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return FALSE;
    JsonObject *object = json_node_get_object(node);
    for (gsize c = 0; c < G_N_ELEMENTS(columns); c++) {
        JsonNode *value = json_object_get_member(object, columns[c].name);
        if (value && JSON_NODE_HOLDS_NULL(value) && columns[c].may_be_unknown) {
            *member(epoch, c) = NAN;
            continue;
        }
        if (!value || !JSON_NODE_HOLDS_VALUE(value))
            return FALSE;
        *member(epoch, c) = json_node_get_double(value);
        if (!isfinite(*member(epoch, c)))
            return FALSE;
    }
    epoch->best = json_object_get_boolean_member_with_default(object, "best", FALSE);
    return TRUE;
}

gboolean aimf_history_parse(const char *text, GArray *history, GError **error)
{
    g_autoptr(JsonNode) node = aimf_json_parse(text, strlen(text), NULL);
    JsonArray *array = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    guint n = array ? json_array_get_length(array) : 0;
    gboolean good = array != NULL;
    for (guint i = 0; good && i < n; i++) {
        AimfEpoch epoch = { .epoch = i };
        good = parse_epoch(json_array_get_element(array, i), &epoch);
        g_array_append_val(history, epoch);
    }
    if (!good)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "its history of epochs is damaged");
    return good;
}

/* --- The start --- */

char *aimf_start_json(const AimfTrainResult *result)
{
    JsonObject *object = epoch_object(result->start, 0);
    JsonArray *groups = json_array_new();
    for (guint i = 0; i < result->groups->len; i++) {
        const AimfGroupChange *group = &g_array_index(result->groups, AimfGroupChange, i);
        const guint counts[] = { group->n, group->right_before, group->right_after };
        JsonArray *row = json_array_new();
        for (gsize k = 0; k < G_N_ELEMENTS(counts); k++)
            json_array_add_int_element(row, counts[k]);
        json_array_add_array_element(groups, row);
    }
    json_object_set_array_member(object, "groups", groups);
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, object);
    return to_text(node);
}

static gboolean parse_counts(JsonNode *node, AimfGroupChange *group)
{
    guint counts[3] = { 0 };
    JsonArray *row = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    if (!row || json_array_get_length(row) != G_N_ELEMENTS(counts))
        return FALSE;
    for (guint k = 0; k < G_N_ELEMENTS(counts); k++) {
        JsonNode *value = json_array_get_element(row, k);
        gint64 number = JSON_NODE_HOLDS_VALUE(value) ? json_node_get_int(value) : -1;
        if (number < 0 || number > (k ? counts[0] : G_MAXUINT32))
            return FALSE;
        counts[k] = (guint)number;
    }
    group->n = counts[0];
    group->right_before = counts[1];
    group->right_after = counts[2];
    return TRUE;
}

static gboolean parse_share(JsonObject *object, const char *name, double *value)
{
    JsonNode *node = json_object_get_member(object, name);
    *value = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_double(node) : -1;
    return *value >= 0 && *value <= 1;
}

/* The worst group is unknown where there are no protected labels. */
static gboolean parse_worst(JsonObject *object, double *value)
{
    const char *name = "val_worst_group_accuracy";
    JsonNode *node = json_object_get_member(object, name);
    if (!node || !JSON_NODE_HOLDS_NULL(node))
        return parse_share(object, name, value);
    *value = NAN;
    return TRUE;
}

gboolean aimf_start_parse(const char *text, AimfTrainResult *result, GError **error)
{
    g_autoptr(JsonNode) node = aimf_json_parse(text, strlen(text), NULL);
    JsonObject *object = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    JsonNode *list = object ? json_object_get_member(object, "groups") : NULL;
    JsonArray *groups = list && JSON_NODE_HOLDS_ARRAY(list) ? json_node_get_array(list) : NULL;
    gboolean good = groups && json_array_get_length(groups) == result->groups->len &&
                    parse_share(object, "val_accuracy", &result->start.val_accuracy) &&
                    parse_worst(object, &result->start.val_worst_group_accuracy);
    for (guint i = 0; good && i < result->groups->len; i++)
        good = parse_counts(json_array_get_element(groups, i), &g_array_index(result->groups, AimfGroupChange, i));
    if (!good) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "its measures of the start are damaged");
        return FALSE;
    }
    result->start.seconds = json_object_get_double_member_with_default(object, "seconds", 0);
    result->start.best = json_object_get_boolean_member_with_default(object, "best", FALSE);
    return TRUE;
}
