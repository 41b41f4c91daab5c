#include "weights/safetensors.h"

#include "base/shown.h"
#include "weights/header.h"
#include "weights/tensors.h"

#include <string.h>

enum {
    LENGTH_BYTES = 8,
    MAX_HEADER_BYTES = 16 << 20, /* some 150 000 tensors; parsing takes many times that in memory */
    ALIGNMENT = 8,
};

/* The names of the element types in the header. */
static const char *const dtype_names[AIMF_N_DTYPES] = {
    [AIMF_F32] = "F32", [AIMF_BF16] = "BF16",       [AIMF_F16] = "F16",         [AIMF_F64] = "F64",
    [AIMF_I64] = "I64", [AIMF_I32] = "I32",         [AIMF_I16] = "I16",         [AIMF_I8] = "I8",
    [AIMF_U8] = "U8",   [AIMF_BOOL] = "BOOL",       [AIMF_U64] = "U64",         [AIMF_U32] = "U32",
    [AIMF_U16] = "U16", [AIMF_F8_E4M3] = "F8_E4M3", [AIMF_F8_E5M2] = "F8_E5M2",
};

static guint64 header_length(const guint8 *data)
{
    guint64 length;
    memcpy(&length, data, LENGTH_BYTES);
    return GUINT64_FROM_LE(length);
}

gboolean aimf_is_safetensors(GBytes *map)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(map, &size);
    return size > LENGTH_BYTES && data[LENGTH_BYTES] == '{';
}

static gboolean holds_integer(JsonNode *node)
{
    return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64;
}

/* @name's member @key as an array of integers that are not negative; -1 if it is anything else or longer than @max. */
static int integers(JsonObject *object, const char *key, gint64 *values, guint max)
{
    JsonNode *node = json_object_get_member(object, key);
    if (!node || !JSON_NODE_HOLDS_ARRAY(node))
        return -1;
    JsonArray *array = json_node_get_array(node);
    guint n = json_array_get_length(array);
    if (n > max)
        return -1;
    for (guint i = 0; i < n; i++) {
        JsonNode *element = json_array_get_element(array, i);
        if (!holds_integer(element) || json_node_get_int(element) < 0)
            return -1;
        values[i] = json_node_get_int(element);
    }
    return (int)n;
}

/* Where a tensor lies; gathered to find gaps and overlaps. */
typedef struct {
    gint64 begin, end;
    const char *name;
} Range;

static gboolean parse_dtype(JsonObject *object, const char *name, AimfDtype *dtype, GError **error)
{
    JsonNode *node = json_object_get_member(object, "dtype");
    const char *text = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
    if (!text) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "tensor '%s' has no dtype", AIMF_SHOWN(name));
        return FALSE;
    }
    for (int i = 0; i < AIMF_N_DTYPES; i++)
        if (strcmp(text, dtype_names[i]) == 0) {
            *dtype = (AimfDtype)i;
            return TRUE;
        }
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                "tensor '%s' has elements of the type '%s', which is not read (save it as F32, F16 or BF16)", name,
                AIMF_SHOWN(text));
    return FALSE;
}

static gboolean parse_tensor(AimfTensors *tensors, JsonNode *node, const char *name, GBytes *data, Range *range,
                             GError **error)
{
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the header's '%s' is not an object", AIMF_SHOWN(name));
        return FALSE;
    }
    JsonObject *object = json_node_get_object(node);
    AimfDtype dtype;
    if (!parse_dtype(object, name, &dtype, error))
        return FALSE;
    AimfShape shape = { 0 };
    gint64 offsets[2];
    shape.rank = integers(object, "shape", shape.dim, AIMF_MAX_RANK);
    if (shape.rank < 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "tensor '%s' needs a shape of at most %d sizes, none of them negative", name, AIMF_MAX_RANK);
        return FALSE;
    }
    gsize size;
    const guint8 *bytes = g_bytes_get_data(data, &size);
    if (integers(object, "data_offsets", offsets, 2) != 2 || offsets[0] > offsets[1] || (guint64)offsets[1] > size) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "tensor '%s' does not lie within the %" G_GSIZE_FORMAT " bytes of data (a file that is cut off? "
                    "get it again)",
                    name, size);
        return FALSE;
    }
    if (!aimf_tensors_append(tensors, name, dtype, &shape, bytes + offsets[0], error))
        return FALSE;
    gsize needed = aimf_tensors_at(tensors, aimf_tensors_count(tensors) - 1)->bytes;
    *range = (Range){ offsets[0], offsets[1], name };
    if ((guint64)(offsets[1] - offsets[0]) == needed)
        return TRUE;
    g_autofree char *text = aimf_shape_text(&shape);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                "tensor '%s' (%s, %s) needs %" G_GSIZE_FORMAT " bytes, but its offsets span %" G_GINT64_FORMAT, name,
                aimf_dtype_name(dtype), text, needed, offsets[1] - offsets[0]);
    return FALSE;
}

static gint compare_ranges(gconstpointer a, gconstpointer b)
{
    const Range *left = a, *right = b;
    if (left->begin != right->begin)
        return left->begin < right->begin ? -1 : 1;
    return (left->end > right->end) - (left->end < right->end);
}

/* The format forbids bytes that belong to no tensor or to two: they could hide what a reader does not see. */
static gboolean check_ranges(GArray *ranges, gsize size, GError **error)
{
    g_array_sort(ranges, compare_ranges);
    gint64 reached = 0;
    for (guint i = 0; i < ranges->len; i++) {
        const Range *range = &g_array_index(ranges, Range, i);
        if (range->begin != reached) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                        "tensor '%s' begins at byte %" G_GINT64_FORMAT " of the data where %" G_GINT64_FORMAT
                        " was expected: tensors must neither overlap nor leave gaps",
                        range->name, range->begin, reached);
            return FALSE;
        }
        reached = range->end;
    }
    if ((guint64)reached == size)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                "%" G_GSIZE_FORMAT " bytes of data, but the tensors end at byte %" G_GINT64_FORMAT, size, reached);
    return FALSE;
}

AimfTensors *aimf_safetensors_parse(GBytes *map, GError **error)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(map, &size);
    guint64 length = header_length(data);
    if (length > size - LENGTH_BYTES || length > MAX_HEADER_BYTES) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "the header claims %" G_GUINT64_FORMAT " bytes of a file of %" G_GSIZE_FORMAT
                    "; at most %d are accepted%s",
                    length, size, MAX_HEADER_BYTES,
                    length <= MAX_HEADER_BYTES ? " (a file that is cut off? get it again)" : "");
        return NULL;
    }
    g_autoptr(JsonParser) parser = aimf_header_parse((const char *)data + LENGTH_BYTES, length, error);
    if (!parser)
        return NULL;
    g_autoptr(AimfTensors) tensors = aimf_tensors_new_from_file(map, NULL, NULL);
    g_autoptr(GBytes) body = g_bytes_new_from_bytes(map, LENGTH_BYTES + length, size - LENGTH_BYTES - length);
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(Range));
    JsonObject *root = json_node_get_object(json_parser_get_root(parser));
    g_autoptr(GList) names = json_object_get_members(root);
    for (GList *name = names; name; name = name->next) {
        JsonNode *node = json_object_get_member(root, name->data);
        if (strcmp(name->data, "__metadata__") == 0) {
            if (!aimf_header_take_metadata(tensors, node, error))
                return NULL;
            continue;
        }
        Range range;
        if (!parse_tensor(tensors, node, name->data, body, &range, error))
            return NULL;
        g_array_append_val(ranges, range);
    }
    return check_ranges(ranges, g_bytes_get_size(body), error) ? g_steal_pointer(&tensors) : NULL;
}

/*
 * The order in which tensors lie in the data: larger elements first, then as in the set, so that every tensor is
 * aligned to its elements. A file of the reference library, which sorts that way too, keeps its order.
 */
static guint *data_order(const AimfTensors *tensors)
{
    guint n = aimf_tensors_count(tensors), at = 0;
    guint *order = g_new(guint, MAX(n, 1));
    for (gsize element_bytes = ALIGNMENT; element_bytes > 0; element_bytes /= 2)
        for (guint i = 0; i < n; i++)
            if (aimf_dtype_bytes(aimf_tensors_at(tensors, i)->dtype) == element_bytes)
                order[at++] = i;
    g_assert(at == n);
    return order;
}

static void build_tensor(JsonBuilder *builder, const AimfTensor *tensor, guint64 begin)
{
    json_builder_set_member_name(builder, tensor->name);
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "dtype");
    json_builder_add_string_value(builder, dtype_names[tensor->dtype]);
    json_builder_set_member_name(builder, "shape");
    json_builder_begin_array(builder);
    for (int i = 0; i < tensor->shape.rank; i++)
        json_builder_add_int_value(builder, tensor->shape.dim[i]);
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "data_offsets");
    json_builder_begin_array(builder);
    json_builder_add_int_value(builder, (gint64)begin);
    json_builder_add_int_value(builder, (gint64)(begin + tensor->bytes));
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

static char *build_header(const AimfTensors *tensors, const guint *order, gsize *length)
{
    guint n = aimf_tensors_count(tensors);
    g_autofree guint64 *begins = g_new(guint64, MAX(n, 1));
    guint64 begin = 0;
    for (guint i = 0; i < n; i++) {
        begins[order[i]] = begin;
        begin += aimf_tensors_at(tensors, order[i])->bytes;
    }
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    if (aimf_tensors_has_metadata(tensors)) {
        json_builder_set_member_name(builder, "__metadata__");
        aimf_header_build_metadata(builder, tensors);
    }
    for (guint i = 0; i < n; i++)
        build_tensor(builder, aimf_tensors_at(tensors, i), begins[i]);
    json_builder_end_object(builder);
    return aimf_header_text(builder, length);
}

gboolean aimf_safetensors_write(const AimfTensors *tensors, AimfWriter *writer, GError **error)
{
    g_autofree guint *order = data_order(tensors);
    gsize length;
    g_autofree char *header = build_header(tensors, order, &length);
    gsize padding = (ALIGNMENT - length % ALIGNMENT) % ALIGNMENT;
    guint64 stored = GUINT64_TO_LE((guint64)(length + padding));
    aimf_writer_write(writer, &stored, LENGTH_BYTES);
    aimf_writer_write(writer, header, length);
    aimf_writer_write(writer, "       ", padding);
    for (guint i = 0; i < aimf_tensors_count(tensors); i++) {
        g_autofree void *buffer = NULL;
        const void *bytes = aimf_tensors_bytes(tensors, order[i], &buffer, error);
        if (!bytes)
            return FALSE;
        aimf_writer_write(writer, bytes, aimf_tensors_at(tensors, order[i])->bytes);
    }
    return TRUE;
}
