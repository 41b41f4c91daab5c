/* What the picture tests share: drawn pictures, and the tables that tests/golden/make_image.py writes. */
#pragma once

#include <aimfair/image.h>

/**
 * test_noise: (owned) the picture that make_image.py's noise() draws for @index; @extremes: samples of 0 or 255 only.
 */
AimfImage *test_noise(guint64 index, int width, int height, gboolean extremes);
/** test_portrait: (owned) gradients under noise, what a photograph of CelebA's size costs a decoder; no face. */
AimfImage *test_portrait(guint64 index, int width, int height);
/** test_golden: (owned) the bytes of a golden file. */
GBytes *test_golden(const char *name);
/** test_golden_rows: (owned) a golden table's lines, split at blanks, without comments. */
GPtrArray *test_golden_rows(const char *name);
/** test_images_equal: whether two pictures have one size and the same pixels. */
gboolean test_images_equal(const AimfImage *a, const AimfImage *b);
/** test_sha256: (owned) in hexadecimal. */
char *test_sha256(const void *data, gsize bytes);
/** test_folder: (owned) a fresh temporary folder. */
char *test_folder(void);
