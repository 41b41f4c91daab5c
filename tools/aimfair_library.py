"""libaimfair over ctypes, for the scripts of tools/ and bench/; what they say of C is held against the headers first.

ctypes believes what it is told: of a struct that has grown in C, the library reads memory past the end of the
mirror's. So before a library is loaded, a small program made from the script's declarations is compiled against
include/ and run. The script ends with a message that names the struct and the field, the function or the constant
that differs. Needs a C compiler ($CC, or cc) and pkg-config.
"""
import ctypes
import os
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
DEFAULT_LIBRARY = os.path.join(ROOT, "build", "release", "libaimfair.so.1")
UNSUPPORTED = 3


class Error(ctypes.Structure):
    c_name = "GError"
    _fields_ = [("domain", ctypes.c_uint32), ("code", ctypes.c_int), ("message", ctypes.c_char_p)]


class LibraryError(RuntimeError):
    """A GError. @unsupported: this build or processor cannot do it, as bf16 without AVX-512."""

    def __init__(self, error):
        super().__init__(error.message.decode())
        self.unsupported = error.code == UNSUPPORTED


class Library:
    """Functions as methods, without the prefix "aimf_". A script's own class says which ones:

    STRUCTS: ctypes.Structure classes, each with the C type's name as c_name; every field under its name in C
    CONSTANTS: {name: value} of enumerators and macros
    FAILING: {name: (result, arguments)} without the last argument, a GError **; the method raises LibraryError
    PLAIN: the same for functions that cannot fail
    """

    STRUCTS, CONSTANTS, FAILING, PLAIN = (), {}, {}, {}

    def __init__(self, path=DEFAULT_LIBRARY):
        last = [ctypes.POINTER(ctypes.POINTER(Error))]
        signatures = {**self.PLAIN, **{name: (result, own + last) for name, (result, own) in self.FAILING.items()}}
        constants = {"AIMF_ERROR_UNSUPPORTED": UNSUPPORTED, **self.CONSTANTS}
        check_against_headers((Error, *self.STRUCTS), constants, signatures)
        library = ctypes.CDLL(path)
        for name, (result, arguments) in signatures.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name.removeprefix("aimf_"), self.failing(function) if name in self.FAILING else function)

    @staticmethod
    def failing(function):
        def call(*arguments):
            error = ctypes.POINTER(Error)()
            value = function(*arguments, ctypes.byref(error))
            if error:
                raise LibraryError(error.contents)
            return value
        return call


# --- Against the headers ---

C_TYPES = {ctypes.c_int: "int", ctypes.c_uint: "unsigned", ctypes.c_int64: "gint64", ctypes.c_uint64: "guint64",
           ctypes.c_float: "float", ctypes.c_double: "double"}

ERRORS = ["missing-field-initializers", "implicit-function-declaration", "int-conversion",
          "incompatible-pointer-types"]


def call_check(name, result, arguments):
    """Never evaluated: whether the call compiles, and what size its value has.

    Pointers are all void *, which C converts to any other.
    """
    types = [C_TYPES.get(argument) or getattr(argument, "c_name", "void *") for argument in arguments]
    operands = ", ".join(f"*({name} *)0" for name in types)
    call = f"{name}({operands})"
    is_void = f"__builtin_types_compatible_p(__typeof__({call}), void)"
    holds = f"sizeof({call}) == {ctypes.sizeof(result)}" if result else is_void
    return f'_Static_assert({holds}, "gives back another type");'


def struct_check(struct):
    """As many initialisers as the mirror has fields: the compiler misses one if C has more.

    Sizes and offsets do not show a further field that lies in padding.
    """
    initialisers = ", ".join("{0}" for _ in struct._fields_)
    return f"static const {struct.c_name} whole_{struct.c_name} = {{ {initialisers} }};"


def struct_print(struct):
    sizes = [f"offsetof({struct.c_name}, {name}), sizeof whole_{struct.c_name}.{name}" for name, *_ in struct._fields_]
    return [f'printf("%zu %zu\\n", {values});' for values in [*sizes, f"sizeof whole_{struct.c_name}, (size_t)0"]]


def check_program(structs, constants, functions):
    """#line makes the compiler's messages begin with the name of what they are about."""
    headers = [f"#include <aimfair/{name}>" for name in sorted(os.listdir(os.path.join(ROOT, "include", "aimfair")))]
    checks = [(struct.c_name, struct_check(struct)) for struct in structs]
    checks += [(name, f'_Static_assert({name} == {value}, "its value is not {value}");')
               for name, value in constants.items()]
    checks += [(name, call_check(name, *signature)) for name, signature in functions.items()]
    lines = [line for name, check in checks for line in (f'#line 1 "{name}"', check)]
    prints = [line for struct in structs for line in (f'#line 1 "{struct.c_name}"', *struct_print(struct))]
    headers += ["#include <stddef.h>", "#include <stdio.h>"]
    return "\n".join([*headers, *lines, "int main(void) {", *prints, "}", ""])


def mismatch(found):
    script = os.path.basename(sys.argv[0])
    sys.exit(f"{script}: what it says about libaimfair is not what include/aimfair says:\n{found}")


def check_against_headers(structs, constants, functions):
    flags = subprocess.run(["pkg-config", "--cflags", "glib-2.0"], check=True, capture_output=True, text=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "check.c"), os.path.join(folder, "check")
        with open(source, "w", encoding="utf-8") as file:
            file.write(check_program(structs, constants, functions))
        # Nothing is called, so the program needs no library. Compilers warn of braces around scalars, which C allows.
        command = [*shlex.split(os.environ.get("CC", "cc")), "-std=c17", *(f"-Werror={warning}" for warning in ERRORS),
                   *shlex.split(flags), "-I" + os.path.join(ROOT, "include"), source, "-o", program]
        environment = {**os.environ, "LC_ALL": "C"}
        compiled = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if compiled.returncode:
            errors = [line for line in compiled.stderr.splitlines() if "error:" in line]
            mismatch("\n".join(errors) or compiled.stderr)
        rows = iter(subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines())
    for struct in structs:
        for name, *_ in struct._fields_:
            ours = getattr(struct, name)
            compare_row(f"{struct.c_name}.{name}, offset and size", (ours.offset, ours.size), next(rows))
        compare_row(f"{struct.c_name}, size", (ctypes.sizeof(struct), 0), next(rows))


def compare_row(what, ours, row):
    theirs = tuple(int(number) for number in row.split())
    if ours != theirs:
        mismatch(f"{what}: {ours} here, {theirs} in C")
