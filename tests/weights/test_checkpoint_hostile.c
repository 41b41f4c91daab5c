/* Checkpoints that are broken, lie or attack: every one of them must give an error that says what is wrong. */
#include "weights/archive.h"
#include "weights/support_weights.h"

#include <aimfair/expansion.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

/* Bytes with zeros among them. */
typedef struct {
    const char *data;
    gsize bytes;
} Bytes;
#define BYTES(text)                                                                                                    \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }

/* Pieces of pickles. */
#define TEXT1(c) "X\1\0\0\0" c
#define STORAGE(type, count)                                                                                           \
    "(X\7\0\0\0storage"                                                                                                \
    "ctorch\n" type "\n" TEXT1("0") "X\3\0\0\0cpu" count "tQ"
#define REBUILD "ctorch._utils\n_rebuild_tensor_v2\n("
#define FLOATS4 STORAGE("FloatStorage", "K\4")
#define TENSOR(storage, offset, size, stride) REBUILD storage offset size stride "\x89)tR"
#define DICT(tensor) "\x80\2}" TEXT1("w") tensor "s."
#define GOOD DICT(TENSOR(FLOATS4, "K\0", "(K\4t", "(K\1t"))
#define PREAMBLE                                                                                                       \
    "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3.\x80\2}X\x0d\0\0\0little_endian\x88s."
#define KEYS "\x80\2]" TEXT1("0") "a."
#define FOUR_FLOATS                                                                                                    \
    "\4\0\0\0\0\0\0\0"                                                                                                 \
    "\0\0\x80\x3f"                                                                                                     \
    "\0\0\0\x40"                                                                                                       \
    "\0\0\x40\x40"                                                                                                     \
    "\0\0\x80\x40"

static AimfTensors *open_parts(const Bytes *parts, guint n, GError **error)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    for (guint i = 0; i < n; i++)
        g_byte_array_append(file, (const guint8 *)parts[i].data, (guint)parts[i].bytes);
    return aimf_tensors_open(support_weights_write("made.pth", file->data, file->len), error);
}

/* In the older form, with one storage of four floats if the pickle speaks of any. */
static AimfTensors *open_pickle(Bytes object, GError **error)
{
    const Bytes with[] = { BYTES(PREAMBLE), object, BYTES(KEYS), BYTES(FOUR_FLOATS) };
    const Bytes without[] = { BYTES(PREAMBLE), object, BYTES("\x80\2]."), BYTES("") };
    return open_parts(memmem(object.data, object.bytes, "storage", 7) ? with : without, 4, error);
}

static void assert_pickle_refused(Bytes object, const char *says)
{
    g_autoptr(GError) error = NULL;
    if (open_pickle(object, &error))
        g_error("accepted what should be refused with \"%s\"", says);
    support_assert_error(&error, AIMF_ERROR_FORMAT, says);
}

/* The pieces are right, so that what follows fails for its own reason. */
static void test_good(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = open_pickle((Bytes)BYTES(GOOD), &error);
    g_assert_no_error(error);
    float values[4];
    g_assert_cmpuint(aimf_tensors_count(tensors), ==, 1);
    g_assert_true(aimf_tensors_read(tensors, 0, AIMF_F32, values, &error));
    for (int i = 0; i < 4; i++)
        g_assert_cmpfloat(values[i], ==, (float)(i + 1));
}

/* As Python 2 and PyTorch 0.1 wrote it: names as bytes, an OrderedDict of pairs, _rebuild_tensor, Parameter objects. */
static void test_python2(void)
{
    g_autoptr(GError) error = NULL;
    const Bytes object = BYTES("\x80\2ccollections\nOrderedDict\n(](](U\1w"
                               "ctorch.nn.parameter\nParameter\nctorch._utils\n_rebuild_tensor\n(" FLOATS4
                               "K\1(K\3t(K\1ttR\x85R(\x88\x89Ntbeet"
                               "R.");
    g_autoptr(AimfTensors) tensors = open_pickle(object, &error);
    g_assert_no_error(error);
    float values[3];
    g_assert_cmpstr(aimf_tensors_at(tensors, 0)->name, ==, "w");
    g_assert_true(aimf_tensors_read(tensors, 0, AIMF_F32, values, &error));
    g_assert_cmpfloat(values[0], ==, 2);
    g_assert_cmpfloat(values[2], ==, 4);
}

static void test_names(void)
{
    static const struct {
        Bytes object;
        const char *says;
    } cases[] = {
        { BYTES("\x80\2cos\nsystem\n(X\4\0\0\0truetR."), "names os.system" },
        { BYTES("\x80\2cposix\nsystem\n(X\4\0\0\0truetR."), "names posix.system" },
        { BYTES("\x80\2cbuiltins\neval\n(" TEXT1("1") "tR."), "names builtins.eval" },
        { BYTES("\x80\2c__builtin__\nexec\n."), "names __builtin__.exec" },
        { BYTES("\x80\2ctorch\nload\n."), "names torch.load" },
        { BYTES("\x80\2ctorch.storage\n_load_from_bytes\n."), "names torch.storage._load_from_bytes" },
        { BYTES("\x80\2csubprocess\nPopen\n."), "names subprocess.Popen" },
        { BYTES("\x80\2ctorch._utils\n_rebuild_tensor_v2.__globals__\n."),
          "names torch._utils._rebuild_tensor_v2.__g" },
        { BYTES("\x80\4\x8c\2os\x8c\6system\x93)R."), "names os.system" },
        { BYTES("\x80\4\x8c\2osN\x93)R."), "a name in it is not a text" },
        { BYTES("\x80\2(X\4\0\0\0trueios\nsystem\n."), "names os.system" },
        { BYTES("\x80\2(icollections\nOrderedDict\n."), "INST" },
        { BYTES("\x80\2(cos\nsystem\nX\4\0\0\0trueo."), "names os.system" },
        { BYTES("\x80\2c\x1b[2J\nx\n."), "names \\033[2J.x" },
        { BYTES("\x80\2\x82\1."), "EXT1" },
        { BYTES("\x80\2(S'a'\n."), "STRING" },
        { BYTES("\x80\4)}\x92."), "NEWOBJ_EX" },
        { BYTES("\x80\5\x97."), "NEXT_BUFFER" },
        { BYTES("\x80\2c__main__\nNet\n."), "names __main__.Net; only tensors" },
        { BYTES("\x80\2cnumpy.core.multiarray\narange\n."), "names numpy.core.multiarray.arange" },
        { BYTES("\x80\2\xfe."), "no opcode 0xfe" },
        { BYTES("\x80\6N."), "protocol 6" },
        { BYTES("\x80\1N."), "protocol 1" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_pickle_refused(cases[i].object, cases[i].says);
}

static void test_machine(void)
{
    static const struct {
        Bytes object;
        const char *says;
    } cases[] = {
        { BYTES("R."), "empty stack" },
        { BYTES(".."), "empty stack" },
        { BYTES("0."), "empty stack" },
        { BYTES("Ns."), "empty stack" },
        { BYTES("NNa."), "appends to what" },
        { BYTES("a."), "empty stack" },
        { BYTES("\x85."), "empty stack" },
        { BYTES("NN\x87."), "empty stack" },
        { BYTES("N(\x85."), "empty stack" },
        { BYTES("N(0."), "empty stack" },
        { BYTES("b."), "empty stack" },
        { BYTES("Q."), "empty stack" },
        { BYTES("q\0."), "empty stack" },
        { BYTES("t."), "closes what was not opened" },
        { BYTES("1."), "closes what was not opened" },
        { BYTES("e."), "closes what was not opened" },
        { BYTES("(e."), "empty stack" },
        { BYTES("}(Nu."), "lacks its value" },
        { BYTES("]NNs."), "not a dict" },
        { BYTES("h\5."), "never saw" },
        { BYTES("j\xff\xff\xff\xff."), "never saw" },
        { BYTES("Nr\xff\xff\xff\x7f."), "memo grows" },
        { BYTES("X\xff\xff\xff\xff"), "ends too early" },
        { BYTES("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"), "ends too early" },
        { BYTES("\x8b\xff\xff\xff\xff"), "ends too early" },
        { BYTES("X\2\0\0\0\xff\xfe."), "not UTF-8" },
        { BYTES("X\3\0\0\0a\0\xff."), "not UTF-8" },
        { BYTES("NNb."), "state to what has none" },
        { BYTES("N)R."), "cannot be called" },
        { BYTES("ccollections\nOrderedDict\nNR."), "not a tuple" },
        { BYTES("ccollections\nOrderedDict\nN\x85R."), "list of pairs" },
        { BYTES("ccollections\nOrderedDict\n]Na\x85R."), "list of pairs" },
        { BYTES("ctorch\nFloatStorage\n)R."), "calls a type of storage" },
        { BYTES("ctorch.nn.parameter\nParameter\nN\x85R."), "not a tensor" },
        { BYTES("ctorch\nSize\nN\x85R."), "not a tuple" },
        { BYTES("}q\0" TEXT1("a") "h\0s."), "contains itself" },
        { BYTES("]q\0h\0a."), "contains itself" },
        { BYTES("}]Ns."), "a list or a dict as a key" },
        { BYTES("X\3\0\0\0\xed\x9f\xff."), "not UTF-8" },
        { BYTES("X\2\0\0\0\xed\xa0."), "not UTF-8" },
        { BYTES("ctorch._tensor\n_rebuild_from_type_v2\n)R."), "not made as tensors are" },
        { BYTES("ctorch._tensor\n_rebuild_from_type_v2\nq\0(h\0h\0)}tR."), "not made as tensors are" }, /* itself */
        { BYTES("ctorch._tensor\n_rebuild_from_type_v2\n(ccollections\nOrderedDict\nN)}tR."),
          "not made as tensors are" },
        { BYTES("ctorch\nfloat32\n)R."), "calls a type of storage" },
        { BYTES("ctorch._utils\n_rebuild_device_tensor_from_cpu_tensor\n)R."), "another device" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_pickle_refused(cases[i].object, cases[i].says);
}

#define INT64(a, h) "\x8a\x08" a "\xff\xff\xff\xff\xff\xff" h

static void test_tensors(void)
{
    static const struct {
        Bytes object;
        const char *says;
    } cases[] = {
        { BYTES(DICT(TENSOR(FLOATS4, "K\1", "(K\4t", "(K\1t"))), "shape 4 does not lie within its storage '0' of 4" },
        { BYTES(DICT(TENSOR(FLOATS4, "K\0", "(K\5t", "(K\1t"))), "does not lie within" },
        { BYTES(DICT(TENSOR(FLOATS4, "K\0", "(K\2t", "(K\4t"))), "does not lie within" },
        { BYTES(DICT(TENSOR(FLOATS4, "K\5", "(K\0t", "(K\1t"))), "does not lie within" },
        { BYTES(DICT(TENSOR(FLOATS4, "J\xff\xff\xff\xff", "(K\1t", "(K\1t"))), "lacks its storage, offset" },
        { BYTES(DICT(TENSOR(FLOATS4, "K\0", "(J\xff\xff\xff\xfft", "(K\1t"))), "not numbers from 0 on" },
        { BYTES(DICT(TENSOR(FLOATS4, "K\3", "(K\4t", "(J\xff\xff\xff\xfft"))), "not numbers from 0 on" },
        { BYTES(DICT(TENSOR(FLOATS4, "K\0", "(K\2t", "(" INT64("\xff", "\x7f") "t"))), "does not lie within" },
        { BYTES(DICT(TENSOR(FLOATS4, "K\0", "(K\3K\3t", "(" INT64("\xff", "\x3f") INT64("\xff", "\x3f") "t"))),
          "does not lie within" },
        { BYTES(DICT(TENSOR(FLOATS4, INT64("\xff", "\x7f"), "(K\1t", "(K\1t"))), "does not lie within" },
        { BYTES(DICT(TENSOR(FLOATS4, "K\0", "(" INT64("\xff", "\x7f") "K\2t", "(K\0K\0t"))), "does not lie within" },
        { BYTES(DICT(TENSOR(FLOATS4, "K\0", "(" INT64("\xff", "\x7f") "t", "(K\0t"))), "no memory can hold" },
        { BYTES(DICT(TENSOR(FLOATS4, "K\0", "(K\2K\2t", "(K\1t"))), "lacks its storage" },
        { BYTES(DICT(TENSOR(FLOATS4, "K\0", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t"))),
          "9 dimensions" },
        { BYTES(DICT(TENSOR(FLOATS4, "K\0", "(G\0\0\0\0\0\0\0\0t", "(K\1t"))), "not numbers from 0 on" },
        { BYTES(DICT(TENSOR("N", "K\0", "(K\4t", "(K\1t"))), "lacks its storage" },
        { BYTES(DICT(REBUILD ")R")), "empty stack" },
        { BYTES("\x80\2ctorch._utils\n_rebuild_tensor_v2\n)R."), "lacks its storage" },
        { BYTES(DICT(TENSOR(STORAGE("FloatStorage", "J\xff\xff\xff\xff"), "K\0", "(K\0t", "(K\1t"))),
          "impossible size" },
        { BYTES(DICT(TENSOR(STORAGE("FloatStorage", INT64("\xff", "\x7f")), "K\0", "(K\4t", "(K\1t"))), "impossible" },
        { BYTES(DICT(TENSOR(STORAGE("FloatStorage", INT64("\xff", "\x0f")), "K\0", "(K\4t", "(K\1t"))),
          "were announced" },
        { BYTES(DICT("ctorch._utils\n_rebuild_tensor_v3\n(" FLOATS4 "K\0(K\4t(K\1t\x89)tR")), "type of its elements" },
        { BYTES(DICT("ctorch._utils\n_rebuild_tensor_v3\n(" FLOATS4 "K\0(K\4t(K\1t\x89)ctorch\nfloat64\ntR")),
          "within its storage '0' of 2" },
        { BYTES(DICT("ctorch._utils\n_rebuild_tensor_v3\n(" FLOATS4 "K\x0f(K\1t(K\1t\x89)ctorch\nuint16\ntR")),
          "within its storage '0' of 8" },
        { BYTES(DICT("ctorch._utils\n_rebuild_tensor_v3\n((X\7\0\0\0storagectorch\nFloatStorage\n" TEXT1(
              "0") "NK\4(" TEXT1("v") "K\1K\3ttQK\0(K\1t(K\1t\x89)ctorch\nfloat64\ntR")),
          "do not begin where elements" },
        { BYTES(DICT(TENSOR("K\1Q", "K\0", "(K\4t", "(K\1t"))), "not a storage's" },
        { BYTES(DICT(TENSOR("(X\7\0\0\0storageNNNNtQ", "K\0", "(K\4t", "(K\1t"))), "lacks its type" },
        { BYTES(DICT(
              TENSOR("(X\7\0\0\0storageccollections\nOrderedDict\n" TEXT1("0") "NK\4tQ", "K\0", "(K\4t", "(K\1t"))),
          "lacks its type" },
        { BYTES(DICT(TENSOR("(X\7\0\0\0storagectorch\nFloatStorage\n" TEXT1("0") "NK\4(" TEXT1("v") "K\3K\2ttQ", "K\0",
                            "(K\2t", "(K\1t"))),
          "a view does not lie within its storage" },
        { BYTES("\x80\2}" TEXT1("v") TENSOR(FLOATS4, "K\0", "(K\4t", "(K\1t") "s" TEXT1("w")
                    TENSOR(STORAGE("FloatStorage", "K\3"), "K\0", "(K\1t", "(K\1t") "s."),
          "described in two ways" },
        { BYTES("\x80\2}" TEXT1("v") TENSOR(FLOATS4, "K\0", "(K\4t", "(K\1t") "s" TEXT1("w")
                    TENSOR(STORAGE("IntStorage", "K\4"), "K\0", "(K\1t", "(K\1t") "s."),
          "described in two ways" },
        { BYTES("\x80\2}" TEXT1("w") TENSOR(FLOATS4, "K\0", "(K\4t", "(K\1t") "q\1s" TEXT1("w") "h\1s."),
          "there twice" },
        { BYTES("\x80\2}(" TEXT1("a") "}" TEXT1("b") TENSOR(FLOATS4, "K\0", "(K\4t", "(K\1t") "q\1sX\3\0\0\0a.bh\1u."),
          "'a.b' is there twice" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_pickle_refused(cases[i].object, cases[i].says);
}

/* PyTorch before 0.2: a tensor that gets its elements as its state. */
static void test_state_of_tensor(void)
{
    g_autoptr(GError) error = NULL;
    const Bytes object = BYTES("\x80\2}" TEXT1("w") "ctorch\nFloatTensor\n)\x81(" FLOATS4 "K\1(K\2t(K\2ttbs.");
    g_autoptr(AimfTensors) tensors = open_pickle(object, &error);
    g_assert_no_error(error);
    float values[2];
    g_assert_true(aimf_tensors_read(tensors, 0, AIMF_F32, values, &error));
    g_assert_cmpfloat(values[0], ==, 2);
    g_assert_cmpfloat(values[1], ==, 4);
}

/* Elements of another type than the storage's: the halves of four floats' bits, from the fourth on. */
static void test_typed_tensor(void)
{
    g_autoptr(GError) error = NULL;
    const Bytes object =
        BYTES(DICT("ctorch._utils\n_rebuild_tensor_v3\n(" FLOATS4 "K\3(K\2t(K\2t\x89)ctorch\nuint16\ntR"));
    g_autoptr(AimfTensors) tensors = open_pickle(object, &error);
    g_assert_no_error(error);
    guint16 values[2];
    g_assert_true(aimf_tensors_read(tensors, 0, AIMF_U16, values, &error));
    g_assert_cmphex(values[0], ==, 0x4000);
    g_assert_cmphex(values[1], ==, 0x4040);
}

/* A view of a storage, as the older form could have: elements 1 and 2 of it. */
static void test_storage_view(void)
{
    g_autoptr(GError) error = NULL;
    const Bytes object = BYTES(DICT(TENSOR(
        "(X\7\0\0\0storagectorch\nFloatStorage\n" TEXT1("0") "NK\4(" TEXT1("v") "K\1K\2ttQ", "K\1", "(K\1t", "(K\1t")));
    g_autoptr(AimfTensors) tensors = open_pickle(object, &error);
    g_assert_no_error(error);
    float value;
    g_assert_true(aimf_tensors_read(tensors, 0, AIMF_F32, &value, &error));
    g_assert_cmpfloat(value, ==, 3);
}

static void test_streams(void)
{
    static const struct {
        Bytes parts[4];
        AimfErrorCode code;
        const char *says;
    } cases[] = {
        { { BYTES(PREAMBLE), BYTES(GOOD), BYTES(KEYS),
            BYTES("\5\0\0\0\0\0\0\0"
                  "0123456789abcdef") },
          AIMF_ERROR_FORMAT,
          "has 5 elements, but 4" },
        { { BYTES(PREAMBLE), BYTES(GOOD), BYTES(KEYS),
            BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"
                  "0123456789abcdef") },
          AIMF_ERROR_FORMAT,
          "has -1 elements, but 4" },
        { { BYTES(PREAMBLE), BYTES(GOOD), BYTES(KEYS),
            BYTES("\4\0\0\0\0\0\0\0"
                  "0123456789abcde") },
          AIMF_ERROR_FORMAT,
          "truncated" },
        { { BYTES(PREAMBLE), BYTES(GOOD), BYTES("\x80\2]" TEXT1("1") "a."), BYTES(FOUR_FLOATS) },
          AIMF_ERROR_FORMAT,
          "that no tensor uses" },
        { { BYTES(PREAMBLE), BYTES(GOOD), BYTES("\x80\2](" TEXT1("0") TEXT1("0") "e."),
            BYTES(FOUR_FLOATS FOUR_FLOATS) },
          AIMF_ERROR_FORMAT,
          "listed twice" },
        { { BYTES(PREAMBLE), BYTES(GOOD), BYTES("\x80\2]."), BYTES(FOUR_FLOATS) }, AIMF_ERROR_FORMAT, "is missing" },
        { { BYTES(PREAMBLE), BYTES(GOOD), BYTES("\x80\2N."), BYTES(FOUR_FLOATS) }, AIMF_ERROR_FORMAT, "is missing" },
        { { BYTES("\x80\2}."), BYTES(GOOD), BYTES(KEYS), BYTES(FOUR_FLOATS) }, AIMF_ERROR_FORMAT, "did not write it" },
        { { BYTES("\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xea\3."), BYTES(GOOD), BYTES(KEYS),
            BYTES("") },
          AIMF_ERROR_UNSUPPORTED,
          "protocol is not 1001" },
        { { BYTES("\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3.\x80\2}X\x0d\0\0\0little_"
                  "endian\x89s."),
            BYTES(GOOD), BYTES(KEYS), BYTES(FOUR_FLOATS) },
          AIMF_ERROR_UNSUPPORTED,
          "little-endian" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        if (open_parts(cases[i].parts, 4, &error))
            g_error("accepted what should be refused with \"%s\"", cases[i].says);
        support_assert_error(&error, cases[i].code, cases[i].says);
    }
}

static void test_nesting(void)
{
    enum { DEPTH = 300000 };
    g_autoptr(GByteArray) lists = g_byte_array_new();
    for (int i = 0; i < DEPTH; i++)
        g_byte_array_append(lists, (const guint8 *)"]", 1);
    for (int i = 1; i < DEPTH; i++)
        g_byte_array_append(lists, (const guint8 *)"a", 1);
    g_byte_array_append(lists, (const guint8 *)".", 1);
    assert_pickle_refused((Bytes){ (const char *)lists->data, lists->len }, "nested too deeply");

    /* A list of numbers that is met again and again. */
    g_autoptr(GByteArray) again = g_byte_array_new();
    g_byte_array_append(again, (const guint8 *)"](", 2);
    for (int i = 0; i < 100000; i++)
        g_byte_array_append(again, (const guint8 *)"K\1", 2);
    g_byte_array_append(again, (const guint8 *)"eq\0](N", 6);
    for (int i = 0; i < 100000; i++)
        g_byte_array_append(again, (const guint8 *)"h\0", 2);
    g_byte_array_append(again, (const guint8 *)"e.", 2);
    assert_pickle_refused((Bytes){ (const char *)again->data, again->len }, "nested too deeply or contains itself");

    /* Forty lists, each of them holding the one before twice: 2^40 paths. */
    g_autoptr(GByteArray) laughs = g_byte_array_new();
    g_byte_array_append(laughs, (const guint8 *)"]Naq\0", 5);
    for (guint8 i = 1; i < 40; i++)
        g_byte_array_append(laughs,
                            (const guint8[]){ ']', '(', 'h', (guint8)(i - 1), 'h', (guint8)(i - 1), 'e', 'q', i }, 9);
    g_byte_array_append(laughs, (const guint8 *)".", 1);
    assert_pickle_refused((Bytes){ (const char *)laughs->data, laughs->len }, "nested too deeply or contains itself");

    g_autoptr(GByteArray) marks = g_byte_array_new();
    g_byte_array_set_size(marks, 2 << 20);
    memset(marks->data, '(', marks->len);
    assert_pickle_refused((Bytes){ (const char *)marks->data, marks->len }, "stack grows");
    memset(marks->data, 'N', marks->len);
    assert_pickle_refused((Bytes){ (const char *)marks->data, marks->len }, "stack grows");
}

/* --- Archives --- */

typedef struct {
    const char *name;
    Bytes content;
} Member;

static const char *write_archive(const Member *members, guint n)
{
    g_autoptr(GError) error = NULL;
    const char *path = support_weights_path("made.zip.pth");
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, &error);
    AimfArchiveWriter *archive = aimf_archive_writer_new(writer, "x");
    for (guint i = 0; i < n && members[i].name; i++)
        aimf_archive_writer_add(archive, members[i].name, members[i].content.data, members[i].content.bytes);
    aimf_archive_writer_finish(archive);
    g_assert_true(aimf_writer_commit(writer, &error));
    return path;
}

#define SIXTEEN                                                                                                        \
    BYTES("\0\0\x80\x3f"                                                                                               \
          "\0\0\0\x40"                                                                                                 \
          "\0\0\x40\x40"                                                                                               \
          "\0\0\x80\x40")

static void test_archives(void)
{
    static const struct {
        Member members[4];
        AimfErrorCode code;
        const char *says;
    } cases[] = {
        { { { "data.pkl", BYTES(GOOD) } }, AIMF_ERROR_FORMAT, "lacks 'data/0'" },
        { { { "data.pkl", BYTES(GOOD) }, { "data/0", BYTES("short") } },
          AIMF_ERROR_FORMAT,
          "has 5 bytes, but its storage needs 16" },
        { { { "data/data.pkl", BYTES(GOOD) } }, AIMF_ERROR_FORMAT, "not a PyTorch checkpoint" },
        { { { "readme", BYTES("hello") } }, AIMF_ERROR_FORMAT, "not a PyTorch checkpoint" },
        { { { "data.pkl", BYTES("\x80\2cos\nsystem\n(X\4\0\0\0truetR.") } }, AIMF_ERROR_FORMAT, "names os.system" },
        { { { "data.pkl", BYTES("") } }, AIMF_ERROR_FORMAT, "ends too early" },
        { { { "data.pkl", BYTES(GOOD) }, { "byteorder", BYTES("big") }, { "data/0", SIXTEEN } },
          AIMF_ERROR_UNSUPPORTED,
          "'big'" },
        { { { "data.pkl", BYTES(GOOD) }, { "byteorder", BYTES("a long story about bytes") } },
          AIMF_ERROR_FORMAT,
          "24 bytes" },
        { { { "data.pkl", BYTES(GOOD) }, { "data/0", SIXTEEN }, { "aimfair_metadata.json", BYTES("{\"a\":1}") } },
          AIMF_ERROR_FORMAT,
          "'a' is not a text" },
        { { { "data.pkl", BYTES(GOOD) }, { "data/0", SIXTEEN }, { "aimfair_metadata.json", BYTES("[") } },
          AIMF_ERROR_FORMAT,
          "" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        if (aimf_tensors_open(write_archive(cases[i].members, 4), &error))
            g_error("accepted what should be refused with \"%s\"", cases[i].says);
        support_assert_error(&error, cases[i].code, cases[i].says);
    }
}

/* An archive with data/0 compressed, @bytes zeros. */
static const char *write_deflated(gsize bytes)
{
    const char *path = support_weights_path("deflated.pth");
    g_autofree char *zeros = g_malloc0(bytes);
    int code;
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    g_assert_nonnull(zip);
    zip_file_add(zip, "x/data.pkl", zip_source_buffer(zip, GOOD, sizeof GOOD - 1, 0), 0);
    zip_int64_t index = zip_file_add(zip, "x/data/0", zip_source_buffer(zip, zeros, bytes, 0), 0);
    g_assert_cmpint(zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_DEFLATE, 9), ==, 0);
    g_assert_cmpint(zip_close(zip), ==, 0);
    return path;
}

static void test_bomb(void)
{
    g_autoptr(GError) error = NULL;
    const char *path = write_deflated(64 << 20);
    g_assert_null(aimf_tensors_open(path, &error));
    support_assert_error(&error, AIMF_ERROR_FORMAT, "has 67108864 bytes, but its storage needs 16");

    /* The directory now claims 16 bytes, the member still has a million. */
    path = write_deflated(1000000);
    g_autofree char *file = NULL;
    gsize bytes;
    g_assert_true(g_file_get_contents(path, &file, &bytes, NULL));
    guint patched = 0;
    const guint32 claimed = 1000000, lie = 16;
    for (gsize i = 0; i + 4 <= bytes; i++)
        if (memcmp(file + i, &claimed, 4) == 0) {
            memcpy(file + i, &lie, 4);
            patched++;
        }
    g_assert_cmpuint(patched, >=, 1);
    g_autoptr(AimfTensors) tensors = aimf_tensors_open(support_weights_write("lie.pth", file, bytes), &error);
    g_assert_no_error(error);
    float values[4];
    g_assert_false(aimf_tensors_read(tensors, 0, AIMF_F32, values, &error));
    support_assert_error(&error, AIMF_ERROR_FORMAT, "tensor 'w'");
}

static void test_corrupt_member(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *file = NULL;
    gsize bytes;
    const Member members[] = { { "data.pkl", BYTES(GOOD) }, { "data/0", SIXTEEN } };
    g_assert_true(g_file_get_contents(write_archive(members, 2), &file, &bytes, NULL));
    char *data = memmem(file, bytes, "\0\0\x80\x3f\0\0\0\x40", 8);
    g_assert_nonnull(data);
    g_assert_cmpuint((gsize)(data - file) % 64, ==, 0); /* as PyTorch maps them */
    data[3] ^= 1;
    g_autoptr(AimfTensors) tensors = aimf_tensors_open(support_weights_write("corrupt.pth", file, bytes), &error);
    g_assert_no_error(error);
    float values[4];
    g_assert_false(aimf_tensors_read(tensors, 0, AIMF_F32, values, &error));
    support_assert_error(&error, AIMF_ERROR_FORMAT, "x/data/0");
    g_assert_null(aimf_tensors_load(tensors, AIMF_BF16, &error));
    support_assert_error(&error, AIMF_ERROR_FORMAT, "tensor 'w'");
}

/* A stride of 0 makes of four floats any number; a few of them are given. */
static void test_expansion(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) few =
        open_pickle((Bytes)BYTES(DICT(TENSOR(FLOATS4, "K\0", "(J\0\0\x10\0t", "(K\0t"))), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(aimf_tensors_at(few, 0)->bytes, ==, 4 << 20);
    assert_pickle_refused((Bytes)BYTES(DICT(TENSOR(FLOATS4, "K\0", "(J\0\0\0\x40t", "(K\0t"))),
                          "the views in it would take more than 1100 times");
    assert_pickle_refused((Bytes)BYTES(DICT(TENSOR(FLOATS4, "K\0", "(J\0\0\0\x40J\0\0\0\x40t", "(K\0K\0t"))), "");
    /* The user's word for a file that is trusted. */
    aimf_set_max_expansion(AIMF_MAX_EXPANSION);
    g_autoptr(AimfTensors) many =
        open_pickle((Bytes)BYTES(DICT(TENSOR(FLOATS4, "K\0", "(J\0\0\0\x40t", "(K\0t"))), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(aimf_tensors_at(many, 0)->bytes, ==, (gsize)4 << 30);
    aimf_set_max_expansion(1);
}

static void test_truncated(void)
{
    static const char *const paths[] = { GOLDEN_DIR "/weights/network.old.pth", GOLDEN_DIR "/weights/network.pth",
                                         GOLDEN_DIR "/weights/deflated.pth" };
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *whole = NULL;
        gsize bytes;
        g_assert_true(g_file_get_contents(paths[i], &whole, &bytes, NULL));
        for (gsize n = 0; n < bytes; n++) {
            g_autoptr(GError) error = NULL;
            if (aimf_tensors_open(support_weights_write("truncated.pth", whole, n), &error))
                g_error("%s is accepted without its last %" G_GSIZE_FORMAT " bytes", paths[i], bytes - n);
            support_assert_error(&error, AIMF_ERROR_FORMAT, "truncated.pth");
        }
    }
}

/* --- Tar files --- */

/* Four members, each with its header; a name of NULL leaves one out. */
static AimfTensors *open_tar(const Member *members, GError **error)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    for (guint i = 0; i < 4; i++) {
        if (!members[i].name)
            continue;
        char header[512] = { 0 };
        guint sum = 0;
        g_strlcpy(header, members[i].name, 100);
        g_snprintf(header + 124, 12, "%011" G_GSIZE_MODIFIER "o", members[i].content.bytes);
        memset(header + 148, ' ', 8);
        header[156] = '0';
        memcpy(header + 257,
               "ustar\0"
               "00",
               8);
        for (guint k = 0; k < sizeof header; k++)
            sum += (guint8)header[k];
        g_snprintf(header + 148, 8, "%06o", sum);
        g_byte_array_append(file, (const guint8 *)header, sizeof header);
        g_byte_array_append(file, (const guint8 *)members[i].content.data, (guint)members[i].content.bytes);
        static const guint8 zeros[512];
        g_byte_array_append(file, zeros, (guint)(-members[i].content.bytes % 512));
    }
    return aimf_tensors_open(support_weights_write("made.tar.pth", file->data, file->len), error);
}

#define SYS_INFO                                                                                                       \
    {                                                                                                                  \
        "sys_info", BYTES("\x80\2}X\x0d\0\0\0little_endian\x88s.")                                                     \
    }
#define ONE "\x80\2K\1."
#define STORED(count)                                                                                                  \
    "\x80\2(K\1X\3\0\0\0cpuctorch\nFloatStorage\nt." count "\0\0\0\0\0\0\0"                                            \
    "0123456789abcdef"
#define STORAGES                                                                                                       \
    {                                                                                                                  \
        "storages", BYTES(ONE STORED("\4") "\x80\2].")                                                                 \
    }
#define ENTRY(storage) "\x80\2(K\2" storage "ctorch\nFloatTensor\nt."
#define NUMBER(byte) byte "\0\0\0\0\0\0\0"
#define MINUS_ONE "\xff\xff\xff\xff\xff\xff\xff\xff"
#define TENSORS                                                                                                        \
    {                                                                                                                  \
        "tensors", BYTES(ONE ENTRY("K\1") NUMBER("\1") NUMBER("\4") NUMBER("\1") NUMBER("\0"))                         \
    }
#define OBJECTS                                                                                                        \
    {                                                                                                                  \
        "pickle", BYTES("\x80\2}" TEXT1("w") TEXT1("2") "Qs.")                                                         \
    }

static void test_tar(void)
{
    static const struct {
        Member members[4];
        AimfErrorCode code;
        const char *says; /* NULL: nothing is wrong */
    } cases[] = {
        { { SYS_INFO, STORAGES, TENSORS, OBJECTS }, AIMF_ERROR_FORMAT, NULL },
        { { OBJECTS, TENSORS, STORAGES, SYS_INFO }, AIMF_ERROR_FORMAT, NULL },
        { { STORAGES, TENSORS, OBJECTS }, AIMF_ERROR_FORMAT, "'sys_info' is missing" },
        { { SYS_INFO, TENSORS, OBJECTS }, AIMF_ERROR_FORMAT, "'storages' is missing" },
        { { SYS_INFO, STORAGES, OBJECTS }, AIMF_ERROR_FORMAT, "'tensors' is missing" },
        { { SYS_INFO, STORAGES, TENSORS }, AIMF_ERROR_FORMAT, "'pickle' is missing" },
        { { { "sys_info", BYTES("\x80\2}.") }, STORAGES, TENSORS, OBJECTS }, AIMF_ERROR_UNSUPPORTED, "little-endian" },
        { { SYS_INFO, STORAGES, TENSORS, { "pickle", BYTES("\x80\2cos\nsystem\n.") } },
          AIMF_ERROR_FORMAT,
          "os.system" },
        { { SYS_INFO, STORAGES, TENSORS, { "pickle", BYTES("\x80\2}" TEXT1("w") TEXT1("3") "Qs.") } },
          AIMF_ERROR_FORMAT,
          "persistent id means nothing" },
        { { SYS_INFO, { "storages", BYTES("\x80\2N.") }, TENSORS, OBJECTS }, AIMF_ERROR_FORMAT, "not a number" },
        { { SYS_INFO, { "storages", BYTES("\x80\2J\xff\xff\xff\xff.") }, TENSORS, OBJECTS },
          AIMF_ERROR_FORMAT,
          "not a number" },
        { { SYS_INFO, { "storages", BYTES("\x80\2J\xff\xff\xff\x7f.") }, TENSORS, OBJECTS },
          AIMF_ERROR_FORMAT,
          "too early" },
        { { SYS_INFO, { "storages", BYTES(ONE "\x80\2N.") }, TENSORS, OBJECTS }, AIMF_ERROR_FORMAT, "not described" },
        { { SYS_INFO, { "storages", BYTES(ONE "\x80\2(K\1NNt.") }, TENSORS, OBJECTS }, AIMF_ERROR_FORMAT, "no type" },
        { { SYS_INFO, { "storages", BYTES(ONE STORED("\5")) }, TENSORS, OBJECTS },
          AIMF_ERROR_FORMAT,
          "needs 20 more bytes" },
        { { SYS_INFO, { "storages", BYTES(ONE STORED("\4") "\x80\2N.") }, TENSORS, OBJECTS },
          AIMF_ERROR_FORMAT,
          "is none" },
        { { SYS_INFO, { "storages", BYTES(ONE STORED("\4") "\x80\2](K\7K\1K\3K\2ta.") }, TENSORS, OBJECTS },
          AIMF_ERROR_FORMAT,
          "not lie within its storage" },
        { { SYS_INFO, { "storages", BYTES(ONE STORED("\4") "\x80\2](K\7K\5K\0K\2ta.") }, TENSORS, OBJECTS },
          AIMF_ERROR_FORMAT,
          "not there" },
        { { SYS_INFO, { "storages", BYTES("\x80\2K\2." STORED("\4") STORED("\4") "\x80\2].") }, TENSORS, OBJECTS },
          AIMF_ERROR_FORMAT,
          "listed twice" },
        { { SYS_INFO, STORAGES, { "tensors", BYTES(ONE ENTRY("K\3")) }, OBJECTS }, AIMF_ERROR_FORMAT, "not there" },
        { { SYS_INFO, STORAGES, { "tensors", BYTES(ONE ENTRY("N")) }, OBJECTS }, AIMF_ERROR_FORMAT, "not there" },
        { { SYS_INFO, STORAGES, { "tensors", BYTES(ONE ENTRY("K\1") MINUS_ONE) }, OBJECTS },
          AIMF_ERROR_FORMAT,
          "dimensions" },
        { { SYS_INFO, STORAGES, { "tensors", BYTES(ONE ENTRY("K\1") NUMBER("\1")) }, OBJECTS },
          AIMF_ERROR_FORMAT,
          "truncated" },
        { { SYS_INFO,
            STORAGES,
            { "tensors", BYTES(ONE ENTRY("K\1") NUMBER("\1") NUMBER("\5") NUMBER("\1") NUMBER("\0")) },
            OBJECTS },
          AIMF_ERROR_FORMAT,
          "does not lie within its storage '1' of 4" },
        { { SYS_INFO,
            STORAGES,
            { "tensors", BYTES(ONE ENTRY("K\1") NUMBER("\1") NUMBER("\1") NUMBER("\1") MINUS_ONE) },
            OBJECTS },
          AIMF_ERROR_FORMAT,
          "negative" },
        { { SYS_INFO,
            STORAGES,
            TENSORS,
            { "pickle", BYTES("\x80\2}" TEXT1("w") "ctorch.nn.parameter\nParameter\n)\x81s.") } },
          AIMF_ERROR_FORMAT,
          "'w' never got its tensor" },
        { { SYS_INFO,
            STORAGES,
            TENSORS,
            { "pickle", BYTES("\x80\2}" TEXT1("w") "ctorch.nn.parameter\nParameter\n)\x81(NNNNNtbs.") } },
          AIMF_ERROR_FORMAT,
          "made without a tensor" },
        { { SYS_INFO, STORAGES, TENSORS, { "pickle", BYTES("\x80\2}" TEXT1("w") "ctorch\nFloatTensor\n)\x81s.") } },
          AIMF_ERROR_FORMAT,
          "'w' never got its tensor" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfTensors) tensors = open_tar(cases[i].members, &error);
        if (tensors && cases[i].says)
            g_error("accepted what should be refused with \"%s\"", cases[i].says);
        if (cases[i].says) {
            support_assert_error(&error, cases[i].code, cases[i].says);
            continue;
        }
        g_assert_no_error(error);
        g_assert_true(aimf_shape_equal(&aimf_tensors_at(tensors, 0)->shape, &AIMF_SHAPE(4)));
    }
}

/* Cut anywhere before its last member ends; behind that tar files are padded with zeros that nobody needs. */
static void test_truncated_tar(void)
{
    g_autofree char *whole = NULL;
    gsize bytes;
    g_assert_true(g_file_get_contents(GOLDEN_DIR "/weights/network.tar.pth", &whole, &bytes, NULL));
    while (bytes > 0 && whole[bytes - 1] == 0)
        bytes--;
    for (gsize n = 0; n < bytes; n++) {
        g_autoptr(GError) error = NULL;
        if (aimf_tensors_open(support_weights_write("truncated.tar.pth", whole, n), &error))
            g_error("accepted without its last %" G_GSIZE_FORMAT " bytes", bytes - n);
        support_assert_error(&error, AIMF_ERROR_FORMAT, "truncated.tar.pth");
    }
}

static void test_no_files(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_tensors_open(support_weights_path("missing"), &error));
    support_assert_error(&error, AIMF_ERROR_NOT_FOUND, "missing");
    g_assert_null(aimf_tensors_open(support_weights_path(""), &error));
    support_assert_error(&error, AIMF_ERROR_NOT_FOUND, "irectory");
    const char *fifo = support_weights_path("fifo");
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    g_assert_null(aimf_tensors_open(fifo, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "not a regular file");
    g_assert_null(aimf_tensors_open(support_weights_write("empty", "", 0), &error));
    support_assert_error(&error, AIMF_ERROR_FORMAT, "0 bytes");
    g_assert_null(aimf_tensors_open(support_weights_write("text", "path,target\n", 12), &error));
    support_assert_error(&error, AIMF_ERROR_FORMAT, "neither safetensors nor");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hostile/good", test_good);
    g_test_add_func("/hostile/python2", test_python2);
    g_test_add_func("/hostile/names", test_names);
    g_test_add_func("/hostile/machine", test_machine);
    g_test_add_func("/hostile/tensors", test_tensors);
    g_test_add_func("/hostile/state_of_tensor", test_state_of_tensor);
    g_test_add_func("/hostile/typed_tensor", test_typed_tensor);
    g_test_add_func("/hostile/storage_view", test_storage_view);
    g_test_add_func("/hostile/streams", test_streams);
    g_test_add_func("/hostile/nesting", test_nesting);
    g_test_add_func("/hostile/archives", test_archives);
    g_test_add_func("/hostile/bomb", test_bomb);
    g_test_add_func("/hostile/corrupt_member", test_corrupt_member);
    g_test_add_func("/hostile/expansion", test_expansion);
    g_test_add_func("/hostile/truncated", test_truncated);
    g_test_add_func("/hostile/tar", test_tar);
    g_test_add_func("/hostile/truncated_tar", test_truncated_tar);
    g_test_add_func("/hostile/no_files", test_no_files);
    int status = g_test_run();
    support_weights_remove();
    return status;
}
