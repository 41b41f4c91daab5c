/*
 * Pictures: headers and pixels. PNG's checksums are made right first: a fuzzer does not find them, and what lies behind
 * them would never be reached.
 */
#include "fuzz/support_fuzz.h"

#include <aimfair/image.h>
#include <string.h>

/* CRC-32 as PNG has it, bit by bit: inputs are small. */
static guint32 checksum(const uint8_t *data, size_t size)
{
    guint32 sum = G_MAXUINT32;
    for (size_t i = 0; i < size; i++) {
        sum ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320u : 0);
    }
    return ~sum;
}

static void mend_checksums(uint8_t *data, size_t size)
{
    for (size_t at = 8; size >= 12 && at <= size - 12;) {
        guint32 length;
        memcpy(&length, data + at, sizeof length);
        length = GUINT32_FROM_BE(length);
        if (length > size - 12 - at)
            return;
        guint32 sum = GUINT32_TO_BE(checksum(data + at + 4, (size_t)length + 4));
        memcpy(data + at + 8 + length, &sum, sizeof sum);
        at += 12 + (size_t)length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    g_autofree uint8_t *copy = g_memdup2(data, size);
    if (size > 8 && memcmp(data, "\x89PNG", 4) == 0)
        mend_checksums(copy, size);
    g_autoptr(AimfImage) image = aimf_image_decode(copy, size, "picture", &error);
    if (!fuzz_check(image != NULL, &error))
        return 0;
    g_assert_true(image->width > 0 && image->height > 0);
    /* A valid picture of any size can be encoded again. */
    if ((gsize)image->width * (gsize)image->height < 1 << 16) {
        g_autoptr(GBytes) again = aimf_image_encode_png(image, NULL, 0, &error);
        fuzz_check(again != NULL, &error);
    }
    return 0;
}
