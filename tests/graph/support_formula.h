/* Test data that C and the golden scripts compute alike, so that goldens hold results only. */
#pragma once

#include <glib.h>

/** formula_seed: 32-bit FNV-1a of @name. */
guint32 formula_seed(const char *name);
/** formula_hash: MurmurHash3's 32-bit finaliser over seed + @index * 0x9E3779B9. */
guint32 formula_hash(guint32 seed, guint32 index);
/** formula_coarse: one of 513 values k / 256 in [-1, 1], all of them exact in bf16. */
float formula_coarse(guint32 seed, guint32 index);
/** formula_fine: uniform in [-1, 1) with 24 bits, exact in f32. */
double formula_fine(guint32 seed, guint32 index);

/** relative_error: |a - b| / |b| in the 2-norm; 0 when both are 0; infinite when only b is, or when a is not finite. */
double relative_error(const float *a, const float *b, gsize n);
