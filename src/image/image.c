#include "image/image.h"
#include "image/formats.h"

#include "base/content.h"
#include "base/file.h"

#include <string.h>

/*
 * No picture of as many pixels as are accepted needs more than this by far: 16-bit RGBA without compression has 8
 * bytes a pixel.
 */
#define MAX_FILE_BYTES ((gsize)2 << 30)

static const struct {
    const char *bytes;
    gsize n;
    const char *name;
} BEGINNINGS[] = { { "\xff\xd8\xff", 3, "JPEG" }, { "\x89PNG\r\n\x1a\n", 8, "PNG" }, { "RIFF", 4, "WebP" } };

/* The first bytes as something to read, where they are text; NULL where they are not. (owned) */
static char *quote_text(const AimfEncoded *picture)
{
    enum { SHOWN = 40 };
    const char *text = (const char *)picture->data, *end = text;
    g_utf8_validate_len(text, MIN(picture->bytes, SHOWN), &end);
    /* A character may be cut at the end. */
    gboolean whole = end > text && end - text + 4 > MIN((glong)picture->bytes, SHOWN);
    g_autofree char *shown = g_strndup(text, (gsize)(end - text));
    for (char *c = shown; *c; c++) {
        if (g_ascii_iscntrl(*c) && !g_ascii_isspace(*c))
            return NULL;
        *c = g_ascii_isspace(*c) ? ' ' : *c;
    }
    return whole ? g_strdup(g_strstrip(shown)) : NULL;
}

/* What is no picture of ours is called by what it is: a download that went wrong looks like a picture by its name. */
static AimfImage *fail_unknown(const AimfEncoded *picture, GError **error)
{
    if (picture->bytes == 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "'%s' is empty (0 bytes); a JPEG, PNG or WebP picture was expected", picture->name);
        return NULL;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(BEGINNINGS); i++) {
        if (picture->bytes < 2 || picture->bytes >= 12 ||
            memcmp(picture->data, BEGINNINGS[i].bytes, MIN(picture->bytes, BEGINNINGS[i].n)) != 0)
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "'%s' is a %s picture that is cut off after %" G_GSIZE_FORMAT " bytes; get the file again",
                    picture->name, BEGINNINGS[i].name, picture->bytes);
        return NULL;
    }
    const AimfContent *content = aimf_content_recognise(picture->data, picture->bytes);
    g_autofree char *text = content ? NULL : quote_text(picture);
    if (content)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' is not a JPEG, PNG or WebP picture but %s; %s",
                    picture->name, content->name, content->mend);
    else
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' is not a JPEG, PNG or WebP picture%s%s%s",
                    picture->name, text ? ", but text: '" : "", text ? text : "", text ? "'" : "");
    return NULL;
}

static AimfImage *decode(const AimfEncoded *picture, GError **error)
{
    gsize bytes = picture->bytes;
    const guint8 *data = picture->data;
    if (bytes >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0)
        return aimf_jpeg_decode(picture, error);
    if (bytes >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0)
        return aimf_png_decode(picture, error);
    if (bytes >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0)
        return aimf_webp_decode(picture, error);
    return fail_unknown(picture, error);
}

AimfImage *aimf_image_decode(const void *data, gsize bytes, const char *name, GError **error)
{
    return decode(&(AimfEncoded){ .data = data, .bytes = bytes, .name = name }, error);
}

/* Read, not mapped: a file that shrinks under a map kills the process. */
AimfImage *aimf_image_open(const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = aimf_file_read(path, MAX_FILE_BYTES, error);
    gsize size;
    const void *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;
    return bytes ? aimf_image_decode(data, size, path, error) : NULL;
}

AimfImage *aimf_image_open_within(AimfDecodeBudget *budget, const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = aimf_file_read(path, MAX_FILE_BYTES, error);
    if (!bytes)
        return NULL;
    gsize size, taken = 0;
    const void *data = g_bytes_get_data(bytes, &size);
    AimfEncoded picture = { data, size, path, budget, &taken };
    AimfImage *image = decode(&picture, error);
    if (!image && taken)
        aimf_decode_budget_give(budget, taken);
    return image;
}

static gsize bytes_of(const AimfImage *image)
{
    return (gsize)image->width * (gsize)image->height * 3;
}

void aimf_image_free_within(AimfDecodeBudget *budget, AimfImage *image)
{
    if (!image)
        return;
    gsize bytes = bytes_of(image);
    aimf_image_free(image);
    aimf_decode_budget_give(budget, bytes);
}

void aimf_image_keep_within(AimfDecodeBudget *budget, const AimfImage *image)
{
    aimf_decode_budget_give(budget, bytes_of(image));
}

static gboolean has_extension(const char *path, const char *extension)
{
    gsize length = strlen(path), suffix = strlen(extension);
    return length >= suffix && g_ascii_strcasecmp(path + length - suffix, extension) == 0;
}

/* Encoded in memory first, so that what fails on disk is reported by the writer, with its errno. */
static gboolean save(GBytes *encoded, const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = encoded;
    if (!bytes) {
        g_prefix_error(error, "'%s': ", path);
        return FALSE;
    }
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    return aimf_file_write(path, data, size, error);
}

gboolean aimf_image_save_png(const AimfImage *image, const AimfImageText *texts, gsize n, const char *path,
                             GError **error)
{
    return save(aimf_image_encode_png(image, texts, n, error), path, error);
}

gboolean aimf_image_save(const AimfImage *image, const char *path, GError **error)
{
    if (has_extension(path, ".png"))
        return aimf_image_save_png(image, NULL, 0, path, error);
    if (has_extension(path, ".jpg") || has_extension(path, ".jpeg"))
        return save(aimf_jpeg_encode(image, error), path, error);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "cannot tell the format of '%s': its name must end in .png, .jpg or .jpeg", path);
    return FALSE;
}
