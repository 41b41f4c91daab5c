#include "train/history.h"

#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "data/csv.h"

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
    { "train_accuracy", offsetof(AimfEpoch, train_accuracy), TRUE },
    { "val_loss", offsetof(AimfEpoch, val_loss), TRUE },
    { "val_accuracy", offsetof(AimfEpoch, val_accuracy), FALSE },
    { "val_worst_group_accuracy", offsetof(AimfEpoch, val_worst_group_accuracy), TRUE },
    { "val_equalized_odds", offsetof(AimfEpoch, val_equalized_odds), TRUE },
    { "images_per_second", offsetof(AimfEpoch, images_per_second), FALSE },
    { "seconds", offsetof(AimfEpoch, seconds), FALSE },
};

static const char GROUPS[] = "val_group_accuracy";

/* A line of the log: an epoch, its number as it is written, and its groups' accuracies. */
typedef struct {
    AimfEpoch epoch;
    guint number;
    char **names;
    const double *groups;
} Line;

static double *member(AimfEpoch *epoch, gsize column)
{
    return (double *)(void *)((char *)epoch + columns[column].offset);
}

static Line epoch_line(const AimfTrainResult *result, guint i)
{
    return (Line){
        .epoch = g_array_index(result->history, AimfEpoch, i),
        .number = i + 1,
        .names = result->group_names,
        .groups = &g_array_index(result->group_accuracy, double, i *g_strv_length(result->group_names)),
    };
}

/* @accuracies: (as many as there are groups) for the line */
static Line start_line(const AimfTrainResult *result, double *accuracies)
{
    for (guint i = 0; i < result->groups->len; i++) {
        const AimfGroupChange *group = &g_array_index(result->groups, AimfGroupChange, i);
        accuracies[i] = group->n ? (double)group->right_before / group->n : NAN;
    }
    return (Line){ .epoch = result->start, .names = result->group_names, .groups = accuracies };
}

/* What is not known is null. */
static void set_number(JsonObject *object, const char *name, double value)
{
    if (isfinite(value))
        json_object_set_double_member(object, name, value);
    else
        json_object_set_null_member(object, name);
}

static JsonObject *line_object(Line line)
{
    JsonObject *object = json_object_new(), *groups = json_object_new();
    json_object_set_int_member(object, "epoch", line.number);
    for (gsize c = 0; c < G_N_ELEMENTS(columns); c++)
        set_number(object, columns[c].name, *member(&line.epoch, c));
    json_object_set_boolean_member(object, "best", line.epoch.best);
    for (guint i = 0; line.names[i]; i++)
        set_number(groups, line.names[i], line.groups[i]);
    json_object_set_object_member(object, GROUPS, groups);
    return object;
}

static char *to_text(JsonNode *node)
{
    char *text = aimf_json_write(node, FALSE);
    json_node_unref(node);
    return text;
}

static void write_json_line(AimfWriter *writer, Line line)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, line_object(line));
    g_autofree char *text = to_text(node);
    aimf_writer_printf(writer, "%s\n", text);
}

static void write_csv_number(AimfWriter *writer, double value)
{
    char text[AIMF_NUMBER_SIZE] = "";
    if (isfinite(value))
        aimf_number_text(text, value);
    aimf_writer_printf(writer, ",%s", text);
}

static void write_csv_row(AimfWriter *writer, Line line)
{
    aimf_writer_printf(writer, "%u", line.number);
    for (gsize c = 0; c < G_N_ELEMENTS(columns); c++)
        write_csv_number(writer, *member(&line.epoch, c));
    aimf_writer_printf(writer, ",%d", line.epoch.best);
    for (guint i = 0; line.names[i]; i++)
        write_csv_number(writer, line.groups[i]);
    aimf_writer_printf(writer, "\n");
}

static void write_csv_header(AimfWriter *writer, char **names)
{
    aimf_writer_printf(writer, "epoch");
    for (gsize c = 0; c < G_N_ELEMENTS(columns); c++)
        aimf_writer_printf(writer, ",%s", columns[c].name);
    aimf_writer_printf(writer, ",best");
    for (; *names; names++) {
        g_autofree char *name = g_strdup_printf("%s[%s]", GROUPS, *names);
        g_autoptr(GString) field = g_string_new(NULL);
        aimf_csv_append(field, name);
        aimf_writer_printf(writer, ",%s", field->str);
    }
    aimf_writer_printf(writer, "\n");
}

gboolean aimf_history_log(const AimfTrainResult *result, const char *path, GError **error)
{
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error);
    if (!writer)
        return FALSE;
    gboolean csv = g_str_has_suffix(path, ".csv");
    void (*write_line)(AimfWriter *, Line) = csv ? write_csv_row : write_json_line;
    if (csv)
        write_csv_header(writer, result->group_names);
    if (result->groups) {
        g_autofree double *accuracies = g_new(double, (gsize)result->groups->len + 1);
        write_line(writer, start_line(result, accuracies));
    }
    for (guint i = 0; i < result->history->len; i++)
        write_line(writer, epoch_line(result, i));
    return aimf_writer_commit(writer, error);
}

/* (owned) the epochs as an array, behind the start where it is wanted. */
static char *epochs_json(const AimfTrainResult *result, gboolean with_start)
{
    JsonArray *array = json_array_new();
    if (with_start) {
        g_autofree double *accuracies = g_new(double, (gsize)result->groups->len + 1);
        json_array_add_object_element(array, line_object(start_line(result, accuracies)));
    }
    for (guint i = 0; i < result->history->len; i++)
        json_array_add_object_element(array, line_object(epoch_line(result, i)));
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);
    json_node_take_array(node, array);
    return to_text(node);
}

char *aimf_history_json(const AimfTrainResult *result)
{
    return epochs_json(result, FALSE);
}

char *aimf_train_result_json(const AimfTrainResult *result)
{
    return epochs_json(result, result->groups != NULL);
}

/* --- Reading --- */

/* A number that may be unknown need not be there: older programs did not note it. */
static gboolean parse_number(JsonObject *object, const char *name, gboolean may_be_unknown, double *number)
{
    JsonNode *value = json_object_get_member(object, name);
    *number = NAN;
    if (!value || JSON_NODE_HOLDS_NULL(value))
        return may_be_unknown;
    if (!JSON_NODE_HOLDS_VALUE(value))
        return FALSE;
    *number = json_node_get_double(value);
    return isfinite(*number) != 0;
}

static gboolean parse_groups(JsonObject *object, char **names, GArray *accuracies)
{
    JsonNode *node = json_object_get_member(object, GROUPS);
    if (node && !JSON_NODE_HOLDS_OBJECT(node))
        return FALSE;
    for (; *names; names++) {
        double accuracy = NAN;
        if (node && !parse_number(json_node_get_object(node), *names, TRUE, &accuracy))
            return FALSE;
        g_array_append_val(accuracies, accuracy);
    }
    return TRUE;
}

static gboolean parse_epoch(JsonNode *node, AimfEpoch *epoch)
{
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return FALSE;
    JsonObject *object = json_node_get_object(node);
    for (gsize c = 0; c < G_N_ELEMENTS(columns); c++)
        if (!parse_number(object, columns[c].name, columns[c].may_be_unknown, member(epoch, c)))
            return FALSE;
    epoch->best = json_object_get_boolean_member_with_default(object, "best", FALSE);
    return TRUE;
}

gboolean aimf_history_parse(const char *text, AimfTrainResult *result, GError **error)
{
    g_autoptr(JsonNode) node = aimf_json_parse(text, strlen(text), NULL);
    JsonArray *array = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    guint n = array ? json_array_get_length(array) : 0;
    gboolean good = array != NULL;
    for (guint i = 0; good && i < n; i++) {
        JsonNode *element = json_array_get_element(array, i);
        AimfEpoch epoch = { .epoch = i };
        good = parse_epoch(element, &epoch) &&
               parse_groups(json_node_get_object(element), result->group_names, result->group_accuracy);
        g_array_append_val(result->history, epoch);
    }
    if (!good)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "its history of epochs is damaged");
    return good;
}

/* --- The start --- */

char *aimf_start_json(const AimfTrainResult *result)
{
    g_autofree double *accuracies = g_new(double, (gsize)result->groups->len + 1);
    JsonObject *object = line_object(start_line(result, accuracies));
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

/* What protected labels tell is unknown where there are none. */
static gboolean parse_unless_unknown(JsonObject *object, const char *name, double *value)
{
    JsonNode *node = json_object_get_member(object, name);
    if (node && !JSON_NODE_HOLDS_NULL(node))
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
                    parse_unless_unknown(object, "val_worst_group_accuracy", &result->start.val_worst_group_accuracy) &&
                    parse_unless_unknown(object, "val_equalized_odds", &result->start.val_equalized_odds) &&
                    parse_number(object, "val_loss", TRUE, &result->start.val_loss);
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
