/* PNG through libpng, turned into RGB as Pillow's PngImagePlugin and Convert.c do. */
#include "image/formats.h"

#include <string.h>

#include <png.h>
#include <stdlib.h>

/** Codec: what both directions need; @error is the first failure's text. */
typedef struct {
    png_structp png;
    png_infop info;
    AimfImage *image;
    png_bytepp rows;
    const guint8 *next; /* input left to read */
    gsize left;
    guint8 *output; /* (output_room) */
    gsize output_bytes, output_room;
    gboolean lacks_memory;
    char failure[128];
    GError *error;
} Codec;

static void fail(png_structp png, png_const_charp text)
{
    Codec *codec = png_get_error_ptr(png);
    g_strlcpy(codec->failure, text, sizeof codec->failure);
    longjmp(png_jmpbuf(png), 1);
}

/* libpng makes do without some chunks that it has no memory for, or calls them broken. */
static png_voidp allocate(png_structp png, png_alloc_size_t bytes)
{
    Codec *codec = png_get_mem_ptr(png);
    void *memory = malloc(bytes);
    codec->lacks_memory = codec->lacks_memory || !memory;
    return memory;
}

static void release(png_structp png, png_voidp memory)
{
    (void)png;
    free(memory);
}

static void ignore_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

static void read_bytes(png_structp png, png_bytep out, size_t bytes)
{
    Codec *codec = png_get_io_ptr(png);
    if (bytes > codec->left)
        png_error(png, "the file is truncated");
    memcpy(out, codec->next, bytes);
    codec->next += bytes;
    codec->left -= bytes;
}

static void write_bytes(png_structp png, png_bytep data, size_t bytes)
{
    Codec *codec = png_get_io_ptr(png);
    if (bytes > codec->output_room - codec->output_bytes) {
        gsize room = MAX(codec->output_room * 2, codec->output_bytes + bytes);
        guint8 *larger = g_try_realloc(codec->output, room);
        codec->lacks_memory = !larger;
        if (!larger)
            png_error(png, "no memory for the file");
        codec->output = larger;
        codec->output_room = room;
    }
    memcpy(codec->output + codec->output_bytes, data, bytes);
    codec->output_bytes += bytes;
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

/** Source: how a pixel arrives from libpng. */
typedef enum { SOURCE_RGB, SOURCE_INDEX, SOURCE_GREY_16 } Source;

/* Asks libpng for RGB where it does what Pillow does: 16 bits are cut to the high byte, alpha and tRNS are dropped. */
static Source choose_source(png_structp png, int depth, int colour)
{
    if (colour == PNG_COLOR_TYPE_PALETTE) {
        png_set_packing(png);
        return SOURCE_INDEX;
    }
    if (colour == PNG_COLOR_TYPE_GRAY && depth == 16)
        return SOURCE_GREY_16;
    if (depth == 16)
        png_set_strip_16(png);
    if (depth < 8)
        png_set_expand_gray_1_2_4_to_8(png);
    if (colour & PNG_COLOR_MASK_ALPHA)
        png_set_strip_alpha(png);
    if (!(colour & PNG_COLOR_MASK_COLOR))
        png_set_gray_to_rgb(png);
    return SOURCE_RGB;
}

/* Palette indices lie at the end of their row's RGB bytes, where expansion from the left never overtakes them. */
static void expand_indices(guint8 *row, int width, const png_color *palette, int n_colours)
{
    static const png_color black = { 0, 0, 0 }; /* what Pillow shows for an index beyond the palette */
    const guint8 *index = row + 2 * (gsize)width;
    for (int x = 0; x < width; x++, row += 3) {
        png_color colour = index[x] < n_colours ? palette[index[x]] : black;
        row[0] = colour.red;
        row[1] = colour.green;
        row[2] = colour.blue;
    }
}

/* Pillow clips 16-bit grey at 255 instead of scaling it (Convert.c, I;16 to RGB). */
static void expand_grey_16(guint8 *row, int width)
{
    const guint8 *grey = row + width;
    for (int x = 0; x < width; x++, row += 3, grey += 2) {
        guint8 value = grey[0] ? 255 : grey[1];
        row[0] = row[1] = row[2] = value;
    }
}

static void expand_rows(Codec *codec, Source source)
{
    const AimfImage *image = codec->image;
    png_colorp palette = NULL;
    int n_colours = 0;
    png_get_PLTE(codec->png, codec->info, &palette, &n_colours);
    for (int y = 0; y < image->height; y++) {
        guint8 *row = image->data + (gsize)y * (gsize)image->width * 3;
        if (source == SOURCE_INDEX)
            expand_indices(row, image->width, palette, n_colours);
        else if (source == SOURCE_GREY_16)
            expand_grey_16(row, image->width);
    }
}

static void prepare_reading(Codec *codec)
{
    png_structp png = codec->png;
    png_set_read_fn(png, codec, read_bytes);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* ours is on the area */
    /* Texts, profiles and the like are skipped unread; a wrong checksum is an error in any chunk, as in Pillow. */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
}

/* Everything that may jump. What must survive the jump lives in @codec. */
static gboolean decode(Codec *codec, const AimfEncoded *picture)
{
    png_structp png = codec->png;
    if (setjmp(png_jmpbuf(png)))
        return FALSE;
    prepare_reading(codec);
    png_read_info(png, codec->info);
    png_uint_32 width, height;
    int depth, colour;
    png_get_IHDR(png, codec->info, &width, &height, &depth, &colour, NULL, NULL, NULL);
    codec->image = aimf_image_allocate(width, height, picture, &codec->error);
    if (!codec->image)
        return FALSE;
    Source source = choose_source(png, depth, colour);
    png_set_interlace_handling(png);
    png_read_update_info(png, codec->info);
    gsize stride = (gsize)width * 3, used = png_get_rowbytes(png, codec->info);
    codec->rows = g_try_new(png_bytep, height);
    codec->lacks_memory = codec->lacks_memory || !codec->rows;
    if (used > stride || !codec->rows)
        png_error(png, used > stride ? "its rows are too long" : "no memory for its rows");
    for (png_uint_32 y = 0; y < height; y++)
        codec->rows[y] = codec->image->data + (y + 1) * stride - used;
    png_read_image(png, codec->rows);
    if (source != SOURCE_RGB)
        expand_rows(codec, source);
    return TRUE; /* like Pillow, what comes after the pixels is not looked at */
}

AimfImage *aimf_png_decode(const AimfEncoded *picture, GError **error)
{
    Codec codec = { .next = picture->data, .left = picture->bytes };
    codec.png =
        png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &codec, fail, ignore_warning, &codec, allocate, release);
    codec.info = codec.png ? png_create_info_struct(codec.png) : NULL;
    gboolean done = codec.info && decode(&codec, picture) && !codec.lacks_memory;
    png_destroy_read_struct(&codec.png, &codec.info, NULL);
    g_free(codec.rows);
    if (done)
        return codec.image;
    aimf_image_free(codec.image);
    if (codec.error)
        g_propagate_error(error, codec.error);
    else if (codec.lacks_memory)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for reading '%s'", picture->name);
    else
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' is a broken PNG: %s", picture->name, codec.failure);
    return NULL;
}

/* tEXt is Latin-1 and read by everything; iTXt, uncompressed, is for the rest (PNG specification, 11.3.3), and XMP. */
static gboolean is_plain(const AimfImageText *text)
{
    return g_str_is_ascii(text->text) && strcmp(text->keyword, AIMF_XMP_KEYWORD) != 0;
}

static void set_texts(Codec *codec, const AimfImageText *texts, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        png_text text = {
            .compression = is_plain(&texts[i]) ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE,
            .key = (png_charp)texts[i].keyword, /* libpng copies both */
            .text = (png_charp)texts[i].text,
        };
        png_set_text(codec->png, codec->info, &text, 1);
    }
}

static gboolean encode(Codec *codec, const AimfImage *image, const AimfImageText *texts, gsize n)
{
    png_structp png = codec->png;
    if (setjmp(png_jmpbuf(png)))
        return FALSE;
    png_set_write_fn(png, codec, write_bytes, flush_nothing);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_IHDR(png, codec->info, (png_uint_32)image->width, (png_uint_32)image->height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    set_texts(codec, texts, n);
    png_write_info(png, codec->info);
    gsize stride = (gsize)image->width * 3;
    for (int y = 0; y < image->height; y++)
        png_write_row(png, image->data + (gsize)y * stride);
    png_write_end(png, codec->info);
    return TRUE;
}

/* libpng would leave out what it does not like, with no more than a warning. */
static gboolean check_texts(const AimfImageText *texts, gsize n, GError **error)
{
    for (gsize i = 0; i < n; i++) {
        const char *keyword = texts[i].keyword;
        gsize length = strlen(keyword), printable = 0;
        while (g_ascii_isprint(keyword[printable]))
            printable++;
        gboolean trimmed = *keyword != ' ' && length && keyword[length - 1] != ' ' && !strstr(keyword, "  ");
        if (printable == length && length <= 79 && trimmed && g_utf8_validate(texts[i].text, -1, NULL))
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "a PNG cannot hold the text '%s': keywords have 1 to 79 printable ASCII characters without blanks "
                    "around them, and texts are UTF-8",
                    keyword);
        return FALSE;
    }
    return TRUE;
}

GBytes *aimf_image_encode_png(const AimfImage *image, const AimfImageText *texts, gsize n, GError **error)
{
    if (!check_texts(texts, n, error))
        return NULL;
    Codec codec = { 0 };
    codec.png =
        png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &codec, fail, ignore_warning, &codec, allocate, release);
    codec.info = codec.png ? png_create_info_struct(codec.png) : NULL;
    gboolean done = codec.info && encode(&codec, image, texts, n) && !codec.lacks_memory;
    png_destroy_write_struct(&codec.png, &codec.info);
    if (done)
        return g_bytes_new_take(codec.output, codec.output_bytes);
    g_free(codec.output);
    int code = codec.lacks_memory ? AIMF_ERROR_MEMORY : AIMF_ERROR_INVALID;
    g_set_error(error, AIMF_ERROR, code, "cannot encode %d x %d pixels as PNG: %s", image->width, image->height,
                codec.lacks_memory ? "no memory is left" : codec.failure);
    return NULL;
}
