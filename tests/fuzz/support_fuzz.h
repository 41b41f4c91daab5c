/* What the fuzz targets share. A target is LLVMFuzzerTestOneInput over one parser; see docs/reliability.md. */
#pragma once

#include <aimfair/error.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** fuzz_folder: (borrowed) an empty folder in memory, the same for the whole process, which removes it. */
const char *fuzz_folder(void);
/** fuzz_path: (borrowed) the file @name in it; the last 16 paths are remembered. */
const char *fuzz_path(const char *name);
/** fuzz_write: @bytes of @data as that file. Returns: (borrowed) its path. */
const char *fuzz_write(const char *name, const void *data, size_t bytes);

/** FuzzPart: a part of an input, as text; @text: with a 0 behind it that is not counted */
typedef struct {
    char *text;
    size_t bytes;
} FuzzPart;

/**
 * fuzz_split: an input of several files: they are parted by lines of "=====". Fills @parts (n), which fuzz_parts_clear
 * frees; those that are not there have a NULL text.
 */
void fuzz_split(const uint8_t *data, size_t size, FuzzPart *parts, guint n);
void fuzz_parts_clear(FuzzPart *parts, guint n);

/**
 * fuzz_check: that a call gave a result or an error, not both, and that people can be shown the error: one of ours, in
 * UTF-8 without control characters, and short whatever the input quotes. Clears @error. Returns: @done
 */
gboolean fuzz_check(gboolean done, GError **error);
/** fuzz_check_text: (nullable) the same of a message that is no GError. */
void fuzz_check_text(const char *message);
