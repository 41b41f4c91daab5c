/*
 * The names that a checkpoint's pickle may use. Source: PyTorch, torch/_weights_only_unpickler.py,
 * _get_allowed_globals; beside them what programs store next to their weights and what is as harmless: settings,
 * paths, states of random number generators.
 */
#include "weights/pickle_names.h"

#include <string.h>

#define SPARSE "sparse, and only dense tensors are read (save its to_dense())"
#define QUANTISED "quantised, and quantised tensors are not read (save its dequantize())"
#define META "a meta tensor, which has no values (save the model once it has them)"
#define NESTED "nested, and only tensors of one shape are read (save its unbind())"
#define WRAPPER "of a class that keeps its values elsewhere, which are not read (save a plain torch.Tensor)"
#define NUMPY "kept as an array of numpy, which is not read (save a plain torch.Tensor)"
#define COMPLEX(type) "of complex numbers (" type "), and only real ones are read (save torch.view_as_real of it)"
#define OTHER(type) "of the type " type ", which is not read (save its float())"

#define STORAGE(name, dtype, bytes)                                                                                    \
    {                                                                                                                  \
        "torch." name, AIMF_MAKES_STORAGE,                                                                             \
        {                                                                                                              \
            dtype, bytes, NULL                                                                                         \
        }                                                                                                              \
    }
#define ELEMENT(name, dtype, bytes)                                                                                    \
    {                                                                                                                  \
        "torch." name, AIMF_MAKES_ELEMENT,                                                                             \
        {                                                                                                              \
            dtype, bytes, NULL                                                                                         \
        }                                                                                                              \
    }
#define NO_STORAGE(name, bytes, why)                                                                                   \
    {                                                                                                                  \
        "torch." name, AIMF_MAKES_STORAGE,                                                                             \
        {                                                                                                              \
            AIMF_N_DTYPES, bytes, why                                                                                  \
        }                                                                                                              \
    }
#define NO_ELEMENT(name, why)                                                                                          \
    {                                                                                                                  \
        "torch." name, AIMF_MAKES_ELEMENT,                                                                             \
        {                                                                                                              \
            AIMF_N_DTYPES, 0, why                                                                                      \
        }                                                                                                              \
    }
#define OTHER_ELEMENT(name) NO_ELEMENT(name, OTHER(name))
#define NAME(name, makes)                                                                                              \
    {                                                                                                                  \
        name, makes,                                                                                                   \
        {                                                                                                              \
            AIMF_N_DTYPES, 0, NULL                                                                                     \
        }                                                                                                              \
    }
#define NO_TENSOR(name, why)                                                                                           \
    {                                                                                                                  \
        name, AIMF_MAKES_UNREADABLE,                                                                                   \
        {                                                                                                              \
            AIMF_N_DTYPES, 0, why                                                                                      \
        }                                                                                                              \
    }

static const AimfPickleGlobal globals[] = {
    NAME("collections.OrderedDict", AIMF_MAKES_DICT),
    NAME("torch._utils._rebuild_tensor_v2", AIMF_MAKES_TENSOR),
    NAME("torch._utils._rebuild_tensor", AIMF_MAKES_TENSOR),
    NAME("torch._utils._rebuild_tensor_v3", AIMF_MAKES_TYPED_TENSOR),
    NAME("torch._utils._rebuild_parameter", AIMF_MAKES_PARAMETER),
    NAME("torch._utils._rebuild_parameter_with_state", AIMF_MAKES_PARAMETER),
    NAME("torch.nn.parameter.Parameter", AIMF_MAKES_PARAMETER),
    NAME("torch.autograd.variable.Variable", AIMF_MAKES_PARAMETER),
    NAME("torch._utils._rebuild_device_tensor_from_cpu_tensor", AIMF_MAKES_COPIED_TENSOR),
    NAME("torch._tensor._rebuild_from_type_v2", AIMF_MAKES_FROM_TYPE),
    NAME("torch._tensor._rebuild_from_type", AIMF_MAKES_FROM_TYPE),
    NAME("torch.Size", AIMF_MAKES_TUPLE),

    STORAGE("FloatStorage", AIMF_F32, 4),
    STORAGE("BFloat16Storage", AIMF_BF16, 2),
    STORAGE("HalfStorage", AIMF_F16, 2),
    STORAGE("DoubleStorage", AIMF_F64, 8),
    STORAGE("LongStorage", AIMF_I64, 8),
    STORAGE("IntStorage", AIMF_I32, 4),
    STORAGE("ShortStorage", AIMF_I16, 2),
    STORAGE("CharStorage", AIMF_I8, 1),
    STORAGE("ByteStorage", AIMF_U8, 1),
    STORAGE("BoolStorage", AIMF_BOOL, 1),
    STORAGE("storage.UntypedStorage", AIMF_U8, 1),
    NO_STORAGE("ComplexFloatStorage", 8, COMPLEX("complex64")),
    NO_STORAGE("ComplexDoubleStorage", 16, COMPLEX("complex128")),
    NO_STORAGE("QInt8Storage", 1, QUANTISED),
    NO_STORAGE("QUInt8Storage", 1, QUANTISED),
    NO_STORAGE("QInt32Storage", 4, QUANTISED),
    NO_STORAGE("QUInt4x2Storage", 1, QUANTISED),
    NO_STORAGE("QUInt2x4Storage", 1, QUANTISED),

    ELEMENT("float32", AIMF_F32, 4),
    ELEMENT("bfloat16", AIMF_BF16, 2),
    ELEMENT("float16", AIMF_F16, 2),
    ELEMENT("float64", AIMF_F64, 8),
    ELEMENT("float8_e4m3fn", AIMF_F8_E4M3, 1),
    ELEMENT("float8_e5m2", AIMF_F8_E5M2, 1),
    ELEMENT("int64", AIMF_I64, 8),
    ELEMENT("int32", AIMF_I32, 4),
    ELEMENT("int16", AIMF_I16, 2),
    ELEMENT("int8", AIMF_I8, 1),
    ELEMENT("uint64", AIMF_U64, 8),
    ELEMENT("uint32", AIMF_U32, 4),
    ELEMENT("uint16", AIMF_U16, 2),
    ELEMENT("uint8", AIMF_U8, 1),
    ELEMENT("bool", AIMF_BOOL, 1),
    NO_ELEMENT("complex32", COMPLEX("complex32")),
    NO_ELEMENT("bcomplex32", COMPLEX("bcomplex32")),
    NO_ELEMENT("complex64", COMPLEX("complex64")),
    NO_ELEMENT("complex128", COMPLEX("complex128")),
    NO_ELEMENT("qint8", QUANTISED),
    NO_ELEMENT("quint8", QUANTISED),
    NO_ELEMENT("qint32", QUANTISED),
    NO_ELEMENT("quint4x2", QUANTISED),
    NO_ELEMENT("quint2x4", QUANTISED),
    OTHER_ELEMENT("float8_e4m3fnuz"),
    OTHER_ELEMENT("float8_e5m2fnuz"),
    OTHER_ELEMENT("float8_e8m0fnu"),
    OTHER_ELEMENT("float4_e2m1fn_x2"),
    OTHER_ELEMENT("bits1x8"),
    OTHER_ELEMENT("bits2x4"),
    OTHER_ELEMENT("bits4x2"),
    OTHER_ELEMENT("bits8"),
    OTHER_ELEMENT("bits16"),
    OTHER_ELEMENT("int1"),
    OTHER_ELEMENT("int2"),
    OTHER_ELEMENT("int3"),
    OTHER_ELEMENT("int4"),
    OTHER_ELEMENT("int5"),
    OTHER_ELEMENT("int6"),
    OTHER_ELEMENT("int7"),
    OTHER_ELEMENT("uint1"),
    OTHER_ELEMENT("uint2"),
    OTHER_ELEMENT("uint3"),
    OTHER_ELEMENT("uint4"),
    OTHER_ELEMENT("uint5"),
    OTHER_ELEMENT("uint6"),
    OTHER_ELEMENT("uint7"),

    NAME("torch.Tensor", AIMF_MAKES_EMPTY_TENSOR),
    NAME("torch.FloatTensor", AIMF_MAKES_EMPTY_TENSOR),
    NAME("torch.BFloat16Tensor", AIMF_MAKES_EMPTY_TENSOR),
    NAME("torch.HalfTensor", AIMF_MAKES_EMPTY_TENSOR),
    NAME("torch.DoubleTensor", AIMF_MAKES_EMPTY_TENSOR),
    NAME("torch.LongTensor", AIMF_MAKES_EMPTY_TENSOR),
    NAME("torch.IntTensor", AIMF_MAKES_EMPTY_TENSOR),
    NAME("torch.ShortTensor", AIMF_MAKES_EMPTY_TENSOR),
    NAME("torch.CharTensor", AIMF_MAKES_EMPTY_TENSOR),
    NAME("torch.ByteTensor", AIMF_MAKES_EMPTY_TENSOR),
    NAME("torch.BoolTensor", AIMF_MAKES_EMPTY_TENSOR),

    NO_TENSOR("torch._utils._rebuild_sparse_tensor", SPARSE),
    NO_TENSOR("torch._utils._rebuild_sparse_csr_tensor", SPARSE),
    NO_TENSOR("torch._utils._rebuild_qtensor", QUANTISED),
    NO_TENSOR("torch._utils._rebuild_meta_tensor_no_storage", META),
    NO_TENSOR("torch._utils._rebuild_nested_tensor", NESTED),
    NO_TENSOR("torch._utils._rebuild_wrapper_subclass", WRAPPER),
    NO_TENSOR("torch._utils._rebuild_device_tensor_from_numpy", NUMPY),
    NO_TENSOR("torch._utils._rebuild_xla_tensor", NUMPY),

    /* Harmless values. */
    NAME("collections.Counter", AIMF_MAKES_COUNTS),
    NAME("collections.defaultdict", AIMF_MAKES_COUNTS),
    NAME("builtins.set", AIMF_MAKES_SET),
    NAME("builtins.frozenset", AIMF_MAKES_SET),
    NAME("collections.deque", AIMF_MAKES_SET),
    NAME("builtins.bytes", AIMF_MAKES_OPAQUE),
    NAME("builtins.bytearray", AIMF_MAKES_OPAQUE),
    NAME("builtins.complex", AIMF_MAKES_OPAQUE),
    NAME("builtins.slice", AIMF_MAKES_OPAQUE),
    NAME("builtins.range", AIMF_MAKES_OPAQUE),
    NAME("_codecs.encode", AIMF_MAKES_OPAQUE),
    NAME("torch.device", AIMF_MAKES_OPAQUE),
    NAME("torch.serialization._get_layout", AIMF_MAKES_OPAQUE),
    NAME("torch.per_tensor_affine", AIMF_MAKES_NOTHING),
    NAME("torch.per_tensor_symmetric", AIMF_MAKES_NOTHING),
    NAME("torch.per_channel_affine", AIMF_MAKES_NOTHING),
    NAME("torch.per_channel_symmetric", AIMF_MAKES_NOTHING),
    NAME("torch.per_channel_affine_float_qparams", AIMF_MAKES_NOTHING),
    NAME("builtins.dict", AIMF_MAKES_NOTHING), /* what a defaultdict makes its values with */
    NAME("builtins.list", AIMF_MAKES_NOTHING),
    NAME("builtins.int", AIMF_MAKES_NOTHING),
    NAME("builtins.float", AIMF_MAKES_NOTHING),
    /* The settings and the random numbers of a training: timm stores its arguments, many programs numpy's state. */
    NAME("argparse.Namespace", AIMF_MAKES_OPAQUE),
    NAME("types.SimpleNamespace", AIMF_MAKES_OPAQUE),
    NAME("pathlib.Path", AIMF_MAKES_OPAQUE),
    NAME("pathlib.PosixPath", AIMF_MAKES_OPAQUE),
    NAME("pathlib.PurePosixPath", AIMF_MAKES_OPAQUE),
    NAME("pathlib.WindowsPath", AIMF_MAKES_OPAQUE),
    NAME("pathlib.PureWindowsPath", AIMF_MAKES_OPAQUE),
    NAME("pathlib._local.PosixPath", AIMF_MAKES_OPAQUE),
    NAME("datetime.datetime", AIMF_MAKES_OPAQUE),
    NAME("datetime.timedelta", AIMF_MAKES_OPAQUE),
    NAME("numpy.core.multiarray.scalar", AIMF_MAKES_OPAQUE),
    NAME("numpy._core.multiarray.scalar", AIMF_MAKES_OPAQUE),
    NAME("numpy.core.multiarray._reconstruct", AIMF_MAKES_OPAQUE),
    NAME("numpy._core.multiarray._reconstruct", AIMF_MAKES_OPAQUE),
    NAME("numpy._core.numeric._frombuffer", AIMF_MAKES_OPAQUE),
    NAME("numpy.core.numeric._frombuffer", AIMF_MAKES_OPAQUE),
    NAME("numpy.ndarray", AIMF_MAKES_OPAQUE),
    NAME("numpy.dtype", AIMF_MAKES_OPAQUE),
    /* What PyTorch Lightning stores beside the weights. */
    NAME("pytorch_lightning.utilities.parsing.AttributeDict", AIMF_MAKES_COUNTS),
    NAME("lightning_fabric.utilities.data.AttributeDict", AIMF_MAKES_COUNTS),
    NAME("lightning.fabric.utilities.data.AttributeDict", AIMF_MAKES_COUNTS),
    NAME("pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint", AIMF_MAKES_CALLBACK),
    NAME("pytorch_lightning.callbacks.early_stopping.EarlyStopping", AIMF_MAKES_CALLBACK),
};

/* What is not in the table, by its beginning: kinds of tensors that no state_dict() would make readable. */
static const struct {
    const char *begins;
    const char *kind;
} strangers[] = {
    { "torch.distributed.",
      "the parts of tensors that several processes share (a DTensor or ShardedTensor), which are not "
      "read; save the whole model's state from one process" },
    { "torchao.", "tensors that torchao quantised, which are not read; save the model before it is quantised" },
    { "bitsandbytes.",
      "tensors that bitsandbytes quantised, which are not read; save the model before it is quantised" },
    { "torch.nested.", "nested tensors, and only tensors of one shape are read; save their unbind()" },
    { "torch.masked.", "masked tensors, which are not read; save their to_tensor(0)" },
    { "torch._subclasses.", "fake tensors, which have no values; save the model once it has them" },
    { "__torch__.", "a TorchScript program (torch.jit.save), not a checkpoint; save the module's state_dict()" },
};

/* One spelling of what has several: Python 2's builtins, and CUDA's types, which are read as the processor's. */
static char *plain_name(const char *module, const char *name)
{
    if (strcmp(module, "__builtin__") == 0)
        module = "builtins";
    if (g_str_has_prefix(module, "torch.cuda"))
        return g_strconcat("torch", module + strlen("torch.cuda"), ".", name, NULL);
    return g_strconcat(module, ".", name, NULL);
}

static gboolean is_sparse_type(const char *name)
{
    return g_str_has_prefix(name, "torch.sparse.") && g_str_has_suffix(name, "Tensor");
}

const AimfPickleGlobal *aimf_pickle_global(const char *module, const char *name, GError **error)
{
    static const AimfPickleGlobal sparse = NO_TENSOR("torch.sparse", SPARSE);
    g_autofree char *plain = plain_name(module, name);
    for (guint i = 0; i < G_N_ELEMENTS(globals); i++)
        if (strcmp(plain, globals[i].name) == 0)
            return &globals[i];
    if (is_sparse_type(plain))
        return &sparse;
    g_autofree char *full = g_strdup_printf("%s.%s", module, name);
    g_autofree char *printable = g_strescape(full, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(strangers); i++)
        if (g_str_has_prefix(plain, strangers[i].begins)) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED, "the pickle names %s: it holds %s", printable,
                        strangers[i].kind);
            return NULL;
        }
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                "the pickle names %s; only tensors, dicts, lists, numbers and texts are accepted "
                "(save the model's state_dict() instead)",
                printable);
    return NULL;
}

const char *aimf_pickle_name(const AimfPickleValue *value)
{
    gboolean names = value->kind == AIMF_PICKLE_GLOBAL && value->global->makes != AIMF_MAKES_CALLBACK;
    return names ? value->global->name : NULL;
}
