#include "weights/pickle.h"

#include "weights/pickle_names.h"
#include "weights/pickle_object.h"

#include <string.h>

enum {
    MAX_STACK = 1 << 20,
    MAX_NAME_BYTES = 200, /* of a module or a class */
    MIN_PROTOCOL = 2,
    MAX_PROTOCOL = 5,
};

/* @marks: heights of the stack at each open MARK; nothing below the last one can be popped. */
typedef struct {
    AimfPickle *pickle;
    const guint8 *data;
    gsize bytes;
    gsize at;
    GPtrArray *stack;
    GArray *marks;
    GPtrArray *memo;
    const AimfPickleValue *result;
} Machine;

typedef struct {
    const char *name;
    gboolean (*run)(Machine *m, guint8 code, GError **error);
} Opcode;

static gboolean broken(GError **error, const char *what)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the pickle is broken: %s", what);
    return FALSE;
}

/* --- The input --- */

static const guint8 *take(Machine *m, guint64 bytes, GError **error)
{
    if (bytes > m->bytes - m->at) {
        broken(error, "it ends too early (a file that is cut off?)");
        return NULL;
    }
    const guint8 *taken = m->data + m->at;
    m->at += (gsize)bytes;
    return taken;
}

/* A little-endian number of @bytes bytes without sign. */
static gboolean take_number(Machine *m, gsize bytes, guint64 *number, GError **error)
{
    const guint8 *data = take(m, bytes, error);
    *number = 0;
    for (gsize i = bytes; data && i-- > 0;)
        *number = *number << 8 | data[i];
    return data != NULL;
}

static char *take_line(Machine *m, GError **error)
{
    const guint8 *begin = m->data + m->at;
    const guint8 *end = memchr(begin, '\n', MIN(m->bytes - m->at, MAX_NAME_BYTES + 1));
    if (!end) {
        broken(error, "a name in it does not end");
        return NULL;
    }
    m->at += (gsize)(end - begin) + 1;
    return g_strndup((const char *)begin, (gsize)(end - begin));
}

/* --- The stack --- */

static gboolean push(Machine *m, gpointer value, GError **error)
{
    if (!value)
        return FALSE;
    if (m->stack->len >= MAX_STACK)
        return broken(error, "its stack grows without end");
    g_ptr_array_add(m->stack, value);
    return TRUE;
}

static guint fence(const Machine *m)
{
    return m->marks->len ? g_array_index(m->marks, guint, m->marks->len - 1) : 0;
}

static AimfPickleValue *top(Machine *m, GError **error)
{
    if (m->stack->len > fence(m))
        return m->stack->pdata[m->stack->len - 1];
    broken(error, "it takes from an empty stack");
    return NULL;
}

static AimfPickleValue *pop(Machine *m, GError **error)
{
    AimfPickleValue *value = top(m, error);
    if (value)
        g_ptr_array_set_size(m->stack, (gint)m->stack->len - 1);
    return value;
}

/* Everything from height @begin on becomes the items of @container. */
static void move_items(Machine *m, guint begin, AimfPickleValue *container)
{
    for (guint i = begin; i < m->stack->len; i++)
        g_ptr_array_add(container->items, m->stack->pdata[i]);
    g_ptr_array_set_size(m->stack, (gint)begin);
}

static gboolean pop_mark(Machine *m, guint *begin, GError **error)
{
    if (m->marks->len == 0)
        return broken(error, "it closes what was not opened");
    *begin = fence(m);
    g_array_set_size(m->marks, m->marks->len - 1);
    return TRUE;
}

static gboolean run_mark(Machine *m, guint8 code, GError **error)
{
    (void)code;
    if (m->marks->len >= MAX_STACK)
        return broken(error, "its stack grows without end");
    g_array_append_val(m->marks, m->stack->len);
    return TRUE;
}

static gboolean run_pop(Machine *m, guint8 code, GError **error)
{
    (void)code;
    return pop(m, error) != NULL;
}

static gboolean run_pop_mark(Machine *m, guint8 code, GError **error)
{
    (void)code;
    guint begin;
    if (!pop_mark(m, &begin, error))
        return FALSE;
    g_ptr_array_set_size(m->stack, (gint)begin);
    return TRUE;
}

static gboolean run_put(Machine *m, guint8 code, GError **error)
{
    guint64 slot = m->memo->len; /* MEMOIZE */
    if (code != 0x94 && !take_number(m, code == 'q' ? 1 : 4, &slot, error))
        return FALSE;
    AimfPickleValue *value = top(m, error);
    if (!value)
        return FALSE;
    if (slot >= MAX_STACK)
        return broken(error, "its memo grows without end");
    if (slot >= m->memo->len)
        g_ptr_array_set_size(m->memo, (gint)slot + 1);
    m->memo->pdata[slot] = value;
    return TRUE;
}

static gboolean run_get(Machine *m, guint8 code, GError **error)
{
    guint64 slot;
    if (!take_number(m, code == 'h' ? 1 : 4, &slot, error))
        return FALSE;
    if (slot >= m->memo->len || !m->memo->pdata[slot])
        return broken(error, "it remembers what it never saw");
    return push(m, m->memo->pdata[slot], error);
}

/* --- Constants --- */

static gboolean run_proto(Machine *m, guint8 code, GError **error)
{
    (void)code;
    guint64 protocol;
    if (!take_number(m, 1, &protocol, error))
        return FALSE;
    if (protocol >= MIN_PROTOCOL && protocol <= MAX_PROTOCOL)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "pickle protocol %u; %d to %d are accepted", (guint)protocol,
                MIN_PROTOCOL, MAX_PROTOCOL);
    return FALSE;
}

static gboolean run_frame(Machine *m, guint8 code, GError **error)
{
    (void)code;
    return take(m, 8, error) != NULL; /* a hint for reading ahead */
}

static gboolean run_constant(Machine *m, guint8 code, GError **error)
{
    AimfPickleValue *value = aimf_pickle_value(m->pickle, code == 'N' ? AIMF_PICKLE_NONE : AIMF_PICKLE_BOOL, error);
    if (value)
        value->integer = code == 0x88;
    return push(m, value, error);
}

static gboolean push_integer(Machine *m, gint64 integer, GError **error)
{
    AimfPickleValue *value = aimf_pickle_value(m->pickle, AIMF_PICKLE_INT, error);
    if (value)
        value->integer = integer;
    return push(m, value, error);
}

static gboolean run_integer(Machine *m, guint8 code, GError **error)
{
    guint64 number;
    if (!take_number(m, code == 'J' ? 4 : code == 'M' ? 2 : 1, &number, error))
        return FALSE;
    return push_integer(m, code == 'J' ? (gint32)(guint32)number : (gint64)number, error);
}

static gboolean push_bytes(Machine *m, AimfPickleKind kind, const guint8 *data, gsize bytes, GError **error)
{
    AimfPickleValue *value = aimf_pickle_value(m->pickle, kind, error);
    if (value) {
        value->text.data = (const char *)data;
        value->text.bytes = bytes;
    }
    return push(m, value, error);
}

static gboolean run_long(Machine *m, guint8 code, GError **error)
{
    guint64 bytes;
    const guint8 *data = NULL;
    if (!take_number(m, code == 0x8a ? 1 : 4, &bytes, error) || !(data = take(m, bytes, error)))
        return FALSE;
    if (bytes > sizeof(gint64))
        return push_bytes(m, AIMF_PICKLE_LONG, data, bytes, error);
    guint64 integer = bytes && data[bytes - 1] & 0x80 ? G_MAXUINT64 : 0; /* the sign reaches all the way up */
    for (gsize i = bytes; i-- > 0;)
        integer = integer << 8 | data[i];
    return push_integer(m, (gint64)integer, error);
}

static gboolean run_float(Machine *m, guint8 code, GError **error)
{
    (void)code;
    const guint8 *data = take(m, 8, error);
    AimfPickleValue *value = data ? aimf_pickle_value(m->pickle, AIMF_PICKLE_FLOAT, error) : NULL;
    if (value) {
        guint64 bits;
        memcpy(&bits, data, sizeof bits);
        bits = GUINT64_FROM_BE(bits);
        memcpy(&value->number, &bits, sizeof bits);
    }
    return push(m, value, error);
}

/*
 * Half of a surrogate pair, as Python puts a file name's bytes that are no text into one; it writes them as if they
 * were characters.
 */
static gboolean is_surrogate(const char *data, gsize bytes)
{
    return bytes >= 3 && (guint8)data[0] == 0xed && (guint8)data[1] >= 0xa0 && ((guint8)data[2] & 0xc0) == 0x80;
}

/* Whether it is UTF-8 but for zeros and surrogates, which no text here may have; @plain: whether there are none. */
static gboolean is_python_text(const char *data, gsize bytes, gboolean *plain)
{
    *plain = TRUE;
    while (bytes > 0) {
        const char *end;
        if (g_utf8_validate(data, (gssize)bytes, &end))
            return TRUE;
        *plain = FALSE;
        bytes -= (gsize)(end - data);
        data = end;
        gsize skipped = *data == 0 ? 1 : is_surrogate(data, bytes) ? 3 : 0;
        if (skipped == 0)
            return FALSE;
        data += skipped;
        bytes -= skipped;
    }
    return TRUE;
}

/* SHORT_BINSTRING and BINSTRING come from Python 2, where names were bytes. */
static gboolean run_text(Machine *m, guint8 code, GError **error)
{
    guint64 bytes;
    const guint8 *data = NULL;
    gsize width = code == 'U' || code == 0x8c ? 1 : code == 0x8d ? 8 : 4;
    if (!take_number(m, width, &bytes, error) || !(data = take(m, bytes, error)))
        return FALSE;
    gboolean plain;
    if (!is_python_text((const char *)data, bytes, &plain))
        return broken(error, "a text in it is not UTF-8");
    /* Protocol 2 has no bytes: numpy's numbers are texts with zeros in them. As names they would seem to end early. */
    return push_bytes(m, plain ? AIMF_PICKLE_TEXT : AIMF_PICKLE_OPAQUE, data, bytes, error);
}

/* SHORT_BINBYTES, BINBYTES, BINBYTES8, BYTEARRAY8: of no use here. */
static gboolean run_bytes(Machine *m, guint8 code, GError **error)
{
    guint64 bytes;
    const guint8 *data = NULL;
    gsize width = code == 'C' ? 1 : code == 'B' ? 4 : 8;
    if (!take_number(m, width, &bytes, error) || !(data = take(m, bytes, error)))
        return FALSE;
    return push_bytes(m, AIMF_PICKLE_OPAQUE, data, bytes, error);
}

/* --- Containers --- */

static gboolean run_empty(Machine *m, guint8 code, GError **error)
{
    AimfPickleKind kind = code == ')' ? AIMF_PICKLE_TUPLE : code == '}' ? AIMF_PICKLE_DICT : AIMF_PICKLE_LIST;
    return push(m, aimf_pickle_value(m->pickle, kind, error), error);
}

static gboolean run_tuple(Machine *m, guint8 code, GError **error)
{
    guint begin;
    if (code == 't' || code == 0x91) { /* FROZENSET */
        if (!pop_mark(m, &begin, error))
            return FALSE;
    } else {
        guint n = (guint)code - 0x84; /* TUPLE1 is 0x85 */
        if (m->stack->len - fence(m) < n)
            return broken(error, "it takes from an empty stack");
        begin = m->stack->len - n;
    }
    AimfPickleValue *tuple = aimf_pickle_value(m->pickle, AIMF_PICKLE_TUPLE, error);
    if (!tuple)
        return FALSE;
    move_items(m, begin, tuple);
    return push(m, tuple, error);
}

/*
 * APPEND, APPENDS, ADDITEMS (of a set, which is a list here), SETITEM, SETITEMS: what lies above a container goes
 * into it.
 */
static gboolean run_fill(Machine *m, guint8 code, GError **error)
{
    gboolean dict = code == 's' || code == 'u';
    guint begin;
    if (code == 'e' || code == 'u' || code == 0x90) {
        if (!pop_mark(m, &begin, error))
            return FALSE;
    } else {
        begin = m->stack->len - MIN(m->stack->len, dict ? 2 : 1);
    }
    if (begin <= fence(m))
        return broken(error, "it takes from an empty stack");
    AimfPickleValue *container = m->stack->pdata[begin - 1];
    if (container->kind != (dict ? AIMF_PICKLE_DICT : AIMF_PICKLE_LIST))
        return broken(error, dict ? "it sets an item of what is not a dict" : "it appends to what is not a list");
    if (dict && (m->stack->len - begin) % 2)
        return broken(error, "a dict's key lacks its value");
    move_items(m, begin, container);
    return TRUE;
}

/* --- Names and what is made with them --- */

static gboolean push_global(Machine *m, const char *module, const char *name, GError **error)
{
    const AimfPickleGlobal *global = aimf_pickle_global(module, name, error);
    AimfPickleValue *value = global ? aimf_pickle_value(m->pickle, AIMF_PICKLE_GLOBAL, error) : NULL;
    if (value)
        value->global = global;
    return push(m, value, error);
}

/* GLOBAL and INST; the latter would create an object at once, which torch.save never asks for. */
static gboolean run_global(Machine *m, guint8 code, GError **error)
{
    g_autofree char *module = take_line(m, error);
    g_autofree char *name = module ? take_line(m, error) : NULL;
    if (!name || !push_global(m, module, name, error))
        return FALSE;
    return code == 'c' || broken(error, "it uses the opcode INST");
}

static gboolean run_stack_global(Machine *m, guint8 code, GError **error)
{
    (void)code;
    AimfPickleValue *name = pop(m, error);
    AimfPickleValue *module = name ? pop(m, error) : NULL;
    if (!module)
        return FALSE;
    if (name->kind != AIMF_PICKLE_TEXT || module->kind != AIMF_PICKLE_TEXT || name->text.bytes > MAX_NAME_BYTES ||
        module->text.bytes > MAX_NAME_BYTES)
        return broken(error, "a name in it is not a text");
    g_autofree char *module_text = g_strndup(module->text.data, module->text.bytes);
    g_autofree char *name_text = g_strndup(name->text.data, name->text.bytes);
    return push_global(m, module_text, name_text, error);
}

/* REDUCE and NEWOBJ: a call with a tuple of arguments. */
static gboolean run_call(Machine *m, guint8 code, GError **error)
{
    (void)code;
    AimfPickleValue *args = pop(m, error);
    AimfPickleValue *callable = args ? pop(m, error) : NULL;
    if (!callable)
        return FALSE;
    if (args->kind != AIMF_PICKLE_TUPLE)
        return broken(error, "a call's arguments are not a tuple");
    return push(m, aimf_pickle_call(m->pickle, callable, args, error), error);
}

static gboolean run_build(Machine *m, guint8 code, GError **error)
{
    (void)code;
    AimfPickleValue *state = pop(m, error);
    AimfPickleValue *object = state ? top(m, error) : NULL;
    return object && aimf_pickle_build(m->pickle, object, state, error);
}

static gboolean run_persistent(Machine *m, guint8 code, GError **error)
{
    (void)code;
    AimfPickleValue *id = pop(m, error);
    return id && push(m, aimf_pickle_persistent(m->pickle, id, error), error);
}

static gboolean run_stop(Machine *m, guint8 code, GError **error)
{
    (void)code;
    m->result = pop(m, error);
    return m->result != NULL;
}

/* By code; those without a function are known, so that they can be named, and refused. */
static const Opcode opcodes[256] = {
    [0x80] = { "PROTO", run_proto },
    [0x95] = { "FRAME", run_frame },
    ['.'] = { "STOP", run_stop },
    ['('] = { "MARK", run_mark },
    ['0'] = { "POP", run_pop },
    ['1'] = { "POP_MARK", run_pop_mark },
    ['q'] = { "BINPUT", run_put },
    ['r'] = { "LONG_BINPUT", run_put },
    [0x94] = { "MEMOIZE", run_put },
    ['h'] = { "BINGET", run_get },
    ['j'] = { "LONG_BINGET", run_get },
    ['N'] = { "NONE", run_constant },
    [0x88] = { "NEWTRUE", run_constant },
    [0x89] = { "NEWFALSE", run_constant },
    ['J'] = { "BININT", run_integer },
    ['K'] = { "BININT1", run_integer },
    ['M'] = { "BININT2", run_integer },
    [0x8a] = { "LONG1", run_long },
    [0x8b] = { "LONG4", run_long },
    ['G'] = { "BINFLOAT", run_float },
    ['X'] = { "BINUNICODE", run_text },
    [0x8c] = { "SHORT_BINUNICODE", run_text },
    [0x8d] = { "BINUNICODE8", run_text },
    ['U'] = { "SHORT_BINSTRING", run_text },
    ['T'] = { "BINSTRING", run_text },
    ['C'] = { "SHORT_BINBYTES", run_bytes },
    ['B'] = { "BINBYTES", run_bytes },
    [0x8e] = { "BINBYTES8", run_bytes },
    [0x96] = { "BYTEARRAY8", run_bytes },
    [')'] = { "EMPTY_TUPLE", run_empty },
    [']'] = { "EMPTY_LIST", run_empty },
    ['}'] = { "EMPTY_DICT", run_empty },
    [0x8f] = { "EMPTY_SET", run_empty },
    [0x85] = { "TUPLE1", run_tuple },
    [0x86] = { "TUPLE2", run_tuple },
    [0x87] = { "TUPLE3", run_tuple },
    ['t'] = { "TUPLE", run_tuple },
    [0x91] = { "FROZENSET", run_tuple },
    ['a'] = { "APPEND", run_fill },
    ['e'] = { "APPENDS", run_fill },
    [0x90] = { "ADDITEMS", run_fill },
    ['s'] = { "SETITEM", run_fill },
    ['u'] = { "SETITEMS", run_fill },
    ['c'] = { "GLOBAL", run_global },
    ['i'] = { "INST", run_global },
    [0x93] = { "STACK_GLOBAL", run_stack_global },
    ['R'] = { "REDUCE", run_call },
    [0x81] = { "NEWOBJ", run_call },
    ['b'] = { "BUILD", run_build },
    ['Q'] = { "BINPERSID", run_persistent },
    ['2'] = { "DUP", NULL },
    ['I'] = { "INT", NULL },
    ['L'] = { "LONG", NULL },
    ['F'] = { "FLOAT", NULL },
    ['S'] = { "STRING", NULL },
    ['V'] = { "UNICODE", NULL },
    ['P'] = { "PERSID", NULL },
    ['p'] = { "PUT", NULL },
    ['g'] = { "GET", NULL },
    ['l'] = { "LIST", NULL },
    ['d'] = { "DICT", NULL },
    ['o'] = { "OBJ", NULL },
    [0x92] = { "NEWOBJ_EX", NULL },
    [0x82] = { "EXT1", NULL },
    [0x83] = { "EXT2", NULL },
    [0x84] = { "EXT4", NULL },
    [0x97] = { "NEXT_BUFFER", NULL },
    [0x98] = { "READONLY_BUFFER", NULL },
};

static gboolean step(Machine *m, GError **error)
{
    const guint8 *code = take(m, 1, error);
    if (!code)
        return FALSE;
    const Opcode *opcode = &opcodes[*code];
    if (opcode->run)
        return opcode->run(m, *code, error);
    if (opcode->name)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "the pickle uses the opcode %s; only tensors, dicts, lists, numbers and texts are accepted",
                    opcode->name);
    else
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the pickle is broken: there is no opcode 0x%02x", *code);
    return FALSE;
}

const AimfPickleValue *aimf_pickle_load(AimfPickle *pickle, const guint8 *data, gsize bytes, gsize *used,
                                        GError **error)
{
    Machine m = { .pickle = pickle, .data = data, .bytes = bytes };
    m.stack = g_ptr_array_new();
    m.memo = g_ptr_array_new();
    m.marks = g_array_new(FALSE, FALSE, sizeof(guint));
    while (!m.result && step(&m, error))
        continue;
    g_array_unref(m.marks);
    g_ptr_array_unref(m.memo);
    g_ptr_array_unref(m.stack);
    *used = m.at;
    pickle->bytes += m.at;
    return m.result;
}
