/* JPEG through libjpeg-turbo, with the settings and the leniency of Pillow's JpegDecode.c. */
#include "image/formats.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

/* Real progressive files have about ten scans. Each costs a pass over all coefficients, so a small file with
 * thousands of empty ones would keep a thread busy for hours. */
enum { MAX_SCANS = 500, JPEG_QUALITY = 95, ROWS_AT_ONCE = 16 };

/** Failure: libjpeg's error manager, and where its fatal errors land. */
typedef struct {
    struct jpeg_error_mgr manager; /* first: libjpeg hands back a pointer to it */
    jmp_buf escape;
    char text[JMSG_LENGTH_MAX];
} Failure;

static void fail(j_common_ptr codec)
{
    Failure *failure = (Failure *)codec->err;
    failure->manager.format_message(codec, failure->text);
    longjmp(failure->escape, 1);
}

static void fail_with(j_common_ptr codec, const char *text)
{
    Failure *failure = (Failure *)codec->err;
    failure->manager.msg_code = 0;
    g_strlcpy(failure->text, text, sizeof failure->text);
    longjmp(failure->escape, 1);
}

/* Warnings are dropped: Pillow decodes on over them, and so do we. */
static void ignore_message(j_common_ptr codec)
{
    (void)codec;
}

static void ignore_warning(j_common_ptr codec, int level)
{
    (void)codec, (void)level;
}

static gboolean lacks_memory(const Failure *failure)
{
    return failure->manager.msg_code == JERR_OUT_OF_MEMORY;
}

static struct jpeg_error_mgr *failure_init(Failure *failure)
{
    jpeg_std_error(&failure->manager);
    failure->manager.error_exit = fail;
    failure->manager.output_message = ignore_message;
    failure->manager.emit_message = ignore_warning;
    return &failure->manager;
}

typedef struct {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    Failure failure;
    AimfImage *image;
    gboolean has_all_rows;
    GError *error;
} Decoder;

/* The source holds the whole file from the start: asking for more means that the file is too short. */
static void source_start(j_decompress_ptr jpeg)
{
    (void)jpeg;
}

/*
 * Once all rows are there, what is missing of the end is forgiven: FALSE makes jpeg_finish_decompress give up in peace.
 */
static boolean source_fill(j_decompress_ptr jpeg)
{
    const Decoder *decoder = jpeg->client_data;
    if (!decoder->has_all_rows)
        fail_with((j_common_ptr)jpeg, "the file is truncated");
    return FALSE;
}

static void source_skip(j_decompress_ptr jpeg, long n)
{
    if (n <= 0)
        return;
    gsize left = jpeg->src->bytes_in_buffer, skipped = MIN((gsize)n, left);
    jpeg->src->next_input_byte += skipped;
    jpeg->src->bytes_in_buffer -= skipped;
    if ((gsize)n > left)
        source_fill(jpeg);
}

static void limit_scans(j_common_ptr codec)
{
    if (((j_decompress_ptr)codec)->input_scan_number > MAX_SCANS)
        fail_with(codec, "it has more than 500 scans");
}

/*
 * Pillow takes CMYK values as Adobe writes them, inverted, and converts without a profile: Unpack.c "CMYK;I",
 * Convert.c cmyk2rgb.
 */
static void rgb_from_inverted_cmyk(guint8 *rgb, const guint8 *cmyk, int n)
{
    for (int i = 0; i < n; i++, rgb += 3, cmyk += 4) {
        guint light = cmyk[3];
        for (int c = 0; c < 3; c++) {
            guint product = (255u - cmyk[c]) * light + 128;
            rgb[c] = (guint8)(light - ((product + (product >> 8)) >> 8));
        }
    }
}

static void read_rgb(Decoder *decoder)
{
    j_decompress_ptr jpeg = &decoder->jpeg;
    gsize stride = (gsize)decoder->image->width * 3;
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW rows[ROWS_AT_ONCE];
        JDIMENSION n = MIN(ROWS_AT_ONCE, jpeg->output_height - jpeg->output_scanline);
        for (JDIMENSION i = 0; i < n; i++)
            rows[i] = decoder->image->data + (jpeg->output_scanline + i) * stride;
        jpeg_read_scanlines(jpeg, rows, n);
    }
}

static void read_cmyk(Decoder *decoder)
{
    j_decompress_ptr jpeg = &decoder->jpeg;
    gsize stride = (gsize)decoder->image->width * 3;
    JSAMPROW row = jpeg->mem->alloc_large((j_common_ptr)jpeg, JPOOL_IMAGE, (gsize)jpeg->output_width * 4);
    while (jpeg->output_scanline < jpeg->output_height) {
        guint8 *rgb = decoder->image->data + jpeg->output_scanline * stride;
        jpeg_read_scanlines(jpeg, &row, 1);
        rgb_from_inverted_cmyk(rgb, row, decoder->image->width);
    }
}

/* Everything that may jump. What must survive the jump lives in @decoder. */
static gboolean decode(Decoder *decoder, const AimfEncoded *picture)
{
    j_decompress_ptr jpeg = &decoder->jpeg;
    if (setjmp(decoder->failure.escape))
        return FALSE;
    jpeg_create_decompress(jpeg);
    jpeg->client_data = decoder;
    decoder->source = (struct jpeg_source_mgr){
        .next_input_byte = picture->data,
        .bytes_in_buffer = picture->bytes,
        .init_source = source_start,
        .fill_input_buffer = source_fill,
        .skip_input_data = source_skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = source_start,
    };
    jpeg->src = &decoder->source;
    decoder->progress.progress_monitor = limit_scans;
    jpeg->progress = &decoder->progress;
    jpeg_read_header(jpeg, TRUE);
    if (jpeg->num_components != 1 && jpeg->num_components != 3 && jpeg->num_components != 4)
        fail_with((j_common_ptr)jpeg, "it must have 1, 3 or 4 components");
    decoder->image = aimf_image_allocate(jpeg->image_width, jpeg->image_height, picture, &decoder->error);
    if (!decoder->image)
        return FALSE;
    jpeg->out_color_space = jpeg->num_components == 4 ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(jpeg);
    if (jpeg->num_components == 4)
        read_cmyk(decoder);
    else
        read_rgb(decoder);
    decoder->has_all_rows = TRUE;
    jpeg_finish_decompress(jpeg); /* Pillow refuses what is broken here, but not what is missing */
    return TRUE;
}

AimfImage *aimf_jpeg_decode(const AimfEncoded *picture, GError **error)
{
    Decoder decoder = { 0 };
    decoder.jpeg.err = failure_init(&decoder.failure);
    gboolean done = decode(&decoder, picture);
    jpeg_destroy_decompress(&decoder.jpeg);
    if (done)
        return decoder.image;
    aimf_image_free(decoder.image);
    if (decoder.error)
        g_propagate_error(error, decoder.error);
    else if (lacks_memory(&decoder.failure))
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for reading '%s'", picture->name);
    else
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' is a broken JPEG: %s", picture->name,
                    decoder.failure.text);
    return NULL;
}

typedef struct {
    struct jpeg_compress_struct jpeg;
    Failure failure;
    unsigned char *data;
    unsigned long bytes;
    int quality;
} Encoder;

static gboolean encode(Encoder *encoder, const AimfImage *image)
{
    j_compress_ptr jpeg = &encoder->jpeg;
    if (setjmp(encoder->failure.escape))
        return FALSE;
    jpeg_create_compress(jpeg);
    jpeg_mem_dest(jpeg, &encoder->data, &encoder->bytes);
    jpeg->image_width = (JDIMENSION)image->width;
    jpeg->image_height = (JDIMENSION)image->height;
    jpeg->input_components = 3;
    jpeg->in_color_space = JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, encoder->quality, TRUE);
    jpeg_start_compress(jpeg, TRUE);
    gsize stride = (gsize)image->width * 3;
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW row = image->data + jpeg->next_scanline * stride;
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
    return TRUE;
}

static void free_malloced(gpointer data)
{
    free(data); /* jpeg_mem_dest allocates with malloc */
}

GBytes *aimf_jpeg_encode(const AimfImage *image, GError **error)
{
    return aimf_jpeg_encode_at(image, JPEG_QUALITY, error);
}

GBytes *aimf_jpeg_encode_at(const AimfImage *image, int quality, GError **error)
{
    Encoder encoder = { .quality = quality };
    encoder.jpeg.err = failure_init(&encoder.failure);
    gboolean done = encode(&encoder, image);
    jpeg_destroy_compress(&encoder.jpeg);
    if (done)
        return g_bytes_new_with_free_func(encoder.data, encoder.bytes, free_malloced, encoder.data);
    free(encoder.data);
    int code = lacks_memory(&encoder.failure) ? AIMF_ERROR_MEMORY : AIMF_ERROR_INVALID;
    g_set_error(error, AIMF_ERROR, code, "cannot encode %d x %d pixels as JPEG: %s", image->width, image->height,
                encoder.failure.text);
    return NULL;
}
