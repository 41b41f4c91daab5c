#include "train/history.h"

#include "base/file.h"
#include "base/json.h"
#include "base/number.h"

#include <aimfair/json.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

/* The members of an epoch that are numbers, in the order of the log's columns; what may be unknown is then null, or an empty field. */
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

static JsonObject *epoch_object(AimfEpoch epoch)
{
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "epoch", (gint64)epoch.epoch + 1);
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

static void write_json_lines(AimfWriter *writer, const GArray *history)
{
    for (guint i = 0; i < history->len; i++) {
        JsonNode *node = json_node_new(JSON_NODE_OBJECT);
        json_node_take_object(node, epoch_object(g_array_index(history, AimfEpoch, i)));
        g_autofree char *line = to_text(node);
        aimf_writer_printf(writer, "%s\n", line);
    }
}

static void write_csv(AimfWriter *writer, const GArray *history)
{
    aimf_writer_printf(writer, "epoch");
    for (gsize c = 0; c < G_N_ELEMENTS(columns); c++)
        aimf_writer_printf(writer, ",%s", columns[c].name);
    aimf_writer_printf(writer, ",best\n");
    for (guint i = 0; i < history->len; i++) {
        AimfEpoch epoch = g_array_index(history, AimfEpoch, i);
        aimf_writer_printf(writer, "%u", epoch.epoch + 1);
        for (gsize c = 0; c < G_N_ELEMENTS(columns); c++) {
            char number[AIMF_NUMBER_SIZE] = "";
            if (isfinite(*member(&epoch, c)))
                aimf_number_text(number, *member(&epoch, c));
            aimf_writer_printf(writer, ",%s", number);
        }
        aimf_writer_printf(writer, ",%d\n", epoch.best);
    }
}

gboolean aimf_history_log(const GArray *history, const char *path, GError **error)
{
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error);
    if (!writer)
        return FALSE;
    if (g_str_has_suffix(path, ".csv"))
        write_csv(writer, history);
    else
        write_json_lines(writer, history);
    return aimf_writer_commit(writer, error);
}

char *aimf_history_json(const GArray *history)
{
    JsonArray *array = json_array_new();
    for (guint i = 0; i < history->len; i++)
        json_array_add_object_element(array, epoch_object(g_array_index(history, AimfEpoch, i)));
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);
    json_node_take_array(node, array);
    return to_text(node);
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
