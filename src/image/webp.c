/* WebP through libwebp. An animation gives its first frame on its canvas, as Pillow does. */
#include "image/formats.h"

#include <string.h>

#include <webp/decode.h>

/*
 * Sizes from the WebP container specification (developers.google.com/speed/webp/docs/riff_container): "RIFF" size
 * "WEBP", then chunks of a tag, a size and a payload padded to even length; VP8X begins with flags and the canvas,
 * ANMF with the frame's place.
 */
enum { FILE_HEADER = 12, CHUNK_HEADER = 8, VP8X_BYTES = 10, ANMF_BYTES = 16 };

static guint32 read_u24(const guint8 *p)
{
    return (guint32)p[0] | (guint32)p[1] << 8 | (guint32)p[2] << 16;
}

static guint32 read_u32(const guint8 *p)
{
    return read_u24(p) | (guint32)p[3] << 24;
}

static gboolean broken(const AimfEncoded *picture, const char *why, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' is a broken WebP: %s", picture->name, why);
    return FALSE;
}

/** Frame: what to decode, and where it lies on the canvas. */
typedef struct {
    const guint8 *data;
    gsize bytes;
    guint32 x, y, width, height;
    guint32 canvas_width, canvas_height;
} Frame;

/*
 * Finds the first ANMF chunk. Its payload after the place is a bare bitstream, which libwebp decodes as it does a file.
 */
static gboolean find_first_frame(const AimfEncoded *picture, Frame *frame, GError **error)
{
    const guint8 *canvas = picture->data + FILE_HEADER + CHUNK_HEADER;
    if (picture->bytes < FILE_HEADER + CHUNK_HEADER + VP8X_BYTES)
        return broken(picture, "the file is truncated", error);
    frame->canvas_width = read_u24(canvas + 4) + 1;
    frame->canvas_height = read_u24(canvas + 7) + 1;
    for (gsize at = FILE_HEADER; at + CHUNK_HEADER <= picture->bytes;) {
        const guint8 *chunk = picture->data + at;
        gsize size = read_u32(chunk + 4), left = picture->bytes - at - CHUNK_HEADER;
        if (size > left)
            return broken(picture, "the file is truncated", error);
        if (memcmp(chunk, "ANMF", 4) == 0 && size >= ANMF_BYTES) {
            const guint8 *place = chunk + CHUNK_HEADER;
            frame->x = 2 * read_u24(place);
            frame->y = 2 * read_u24(place + 3);
            frame->data = place + ANMF_BYTES;
            frame->bytes = size - ANMF_BYTES;
            return TRUE;
        }
        at += CHUNK_HEADER + size + (size & 1);
    }
    return broken(picture, "its animation has no frame", error);
}

static gboolean find_picture(const AimfEncoded *picture, Frame *frame, GError **error)
{
    WebPBitstreamFeatures features;
    *frame = (Frame){ .data = picture->data, .bytes = picture->bytes };
    if (WebPGetFeatures(picture->data, picture->bytes, &features) != VP8_STATUS_OK)
        return broken(picture, "its header cannot be read", error);
    if (features.has_animation) {
        if (!find_first_frame(picture, frame, error))
            return FALSE;
        if (WebPGetFeatures(frame->data, frame->bytes, &features) != VP8_STATUS_OK || features.has_animation)
            return broken(picture, "its first frame's header cannot be read", error);
    } else {
        frame->canvas_width = (guint32)features.width;
        frame->canvas_height = (guint32)features.height;
    }
    frame->width = (guint32)features.width;
    frame->height = (guint32)features.height;
    if (frame->x + frame->width > frame->canvas_width || frame->y + frame->height > frame->canvas_height)
        return broken(picture, "its first frame does not lie on its canvas", error);
    return TRUE;
}

AimfImage *aimf_webp_decode(const AimfEncoded *picture, GError **error)
{
    Frame frame;
    if (!find_picture(picture, &frame, error))
        return NULL;
    g_autoptr(AimfImage) image = aimf_image_allocate(frame.canvas_width, frame.canvas_height, picture, error);
    if (!image)
        return NULL;
    gsize stride = (gsize)image->width * 3, bytes = stride * (gsize)image->height;
    if (frame.width < frame.canvas_width || frame.height < frame.canvas_height)
        memset(image->data, 0, bytes); /* around the frame the canvas is transparent black */
    gsize offset = frame.y * stride + (gsize)frame.x * 3;
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED, "another libwebp than this program was built with");
        return NULL;
    }
    config.output = (WebPDecBuffer){
        .colorspace = MODE_RGB,
        .is_external_memory = 1,
        .u.RGBA = { .rgba = image->data + offset, .stride = (int)stride, .size = bytes - offset },
    };
    VP8StatusCode status = WebPDecode(frame.data, frame.bytes, &config);
    if (status == VP8_STATUS_OK)
        return g_steal_pointer(&image);
    if (status == VP8_STATUS_OUT_OF_MEMORY)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for reading '%s'", picture->name);
    else
        broken(picture, "its pixels cannot be decoded, or the file is truncated", error);
    return NULL;
}
