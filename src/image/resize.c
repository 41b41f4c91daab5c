/*
 * Resizing bit-exact with Pillow: two passes with 8 bits between them, the horizontal one first as a rule.
 * Only as many rows as one output row is made of are held between the passes.
 */
#include "image/resize.h"

#include "base/instruction_set.h"

#include <string.h>

/* No picture is wider or higher (aimf_image_new), and what is rounded up from it fits an int. */
enum { MAX_SIDE = 178956970 };

gboolean aimf_box_check(const AimfImage *image, const AimfBox *box, AimfBox *out, GError **error)
{
    *out = box ? *box : (AimfBox){ 0, 0, image->width, image->height };
    if (out->x >= 0 && out->y >= 0 && out->width >= 1 && out->height >= 1 && out->x <= image->width - out->width &&
        out->y <= image->height - out->height)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "the box of %d x %d pixels at (%d, %d) does not lie inside the picture of %d x %d", out->width,
                out->height, out->x, out->y, image->width, image->height);
    return FALSE;
}

struct AimfResizer {
    const AimfPasses *passes;
    const guint8 *in;     /* the box's upper left pixel */
    const guint8 *in_end; /* of the picture: nothing may be read beyond it */
    gsize in_stride;
    gsize in_bytes;  /* a row of the box */
    gsize out_bytes; /* a row of the output */
    gboolean vertical_first;
    AimfTaps across, down;
    gsize slot_bytes;    /* a row between gathering and the vertical pass, with slack */
    guint8 *slots;       /* (down.width) input row r is in slot r % down.width */
    const guint8 **rows; /* (2 * down.n_pairs) */
    guint8 *padded;      /* copy of an input row that lacks the slack */
    guint8 *reduced;     /* what the vertical pass made */
    guint8 *out;         /* what the horizontal pass made of it, if that comes second */
    int n_gathered;      /* input rows that have been in a slot */
    int y;
};

void aimf_resizer_free(AimfResizer *resizer)
{
    if (!resizer)
        return;
    aimf_taps_clear(&resizer->across);
    aimf_taps_clear(&resizer->down);
    g_free(resizer->slots);
    g_free(resizer->rows);
    g_free(resizer->padded);
    g_free(resizer->reduced);
    g_free(resizer->out);
    g_free(resizer);
}

/*
 * Since version 13 Pillow begins with the vertical pass when the height shrinks by more than twice what the width
 * does (its pull request 9549; the exact condition was found by comparing results on 10 330 random sizes). Earlier
 * versions never do.
 */
static gboolean begins_vertically(const AimfAxis *across, const AimfAxis *down)
{
    gint64 narrower = (gint64)across->in - across->out, lower = (gint64)down->in - down->out;
    return across->resizing == AIMF_RESIZE_PILLOW && lower > 0 && lower > 2 * narrower;
}

static gboolean allocate(AimfResizer *resizer, const AimfAxis *across, const AimfAxis *down)
{
    if (!aimf_taps_init(&resizer->across, across) || !aimf_taps_init(&resizer->down, down))
        return FALSE;
    gsize n_slots = (gsize)resizer->down.width;
    resizer->slot_bytes = (resizer->vertical_first ? resizer->in_bytes : resizer->out_bytes) + AIMF_ROW_SLACK;
    resizer->slots = n_slots <= G_MAXSIZE / resizer->slot_bytes ? g_try_malloc(n_slots * resizer->slot_bytes) : NULL;
    resizer->rows = g_try_new(const guint8 *, 2 * (gsize)resizer->down.n_pairs);
    resizer->padded = g_try_malloc(resizer->in_bytes + AIMF_ROW_SLACK);
    resizer->reduced = g_try_malloc(resizer->slot_bytes);
    resizer->out = g_try_malloc(resizer->out_bytes + AIMF_ROW_SLACK);
    return resizer->slots && resizer->rows && resizer->padded && resizer->reduced && resizer->out;
}

gboolean aimf_resize_prepare(const AimfResizeOptions *options, AimfAxis *across, AimfAxis *down, GError **error)
{
    AimfBox box;
    if (!aimf_box_check(options->image, &options->box, &box, error))
        return FALSE;
    if (options->width < 1 || options->height < 1 || options->width > MAX_SIDE || options->height > MAX_SIDE) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "cannot resize to %d x %d pixels: sides are from 1 to %d",
                    options->width, options->height, MAX_SIDE);
        return FALSE;
    }
    *across = *down =
        (AimfAxis){ .filter = options->filter, .resizing = options->resizing, .aliased = options->aliased };
    gboolean part = options->whole.width != 0;
    across->in = box.width;
    across->out = part ? options->whole.width : options->width;
    across->first = options->whole.x;
    across->n = options->width;
    across->mirror = options->flip;
    down->in = box.height;
    down->out = part ? options->whole.height : options->height;
    down->first = options->whole.y;
    down->n = options->height;
    g_assert(across->first + across->n <= across->out && down->first + down->n <= down->out);
    return TRUE;
}

const AimfPasses *const *aimf_passes_supported(guint *n)
{
    static const AimfPasses *const all[] = AIMF_ISA_TABLE(&aimf_passes_plain, &aimf_passes_avx2, &aimf_passes_avx512);
    *n = MIN((guint)aimf_instruction_set(), AIMF_ISA_AVX512) + 1;
    return all;
}

AimfResizer *aimf_resizer_new(const AimfResizeOptions *options, GError **error)
{
    const AimfImage *image = options->image;
    const AimfBox *box = &options->box;
    AimfAxis across, down;
    if (!aimf_resize_prepare(options, &across, &down, error))
        return NULL;
    guint n;
    const AimfPasses *const *supported = aimf_passes_supported(&n);
    AimfResizer *resizer = g_new0(AimfResizer, 1);
    resizer->passes = options->passes ? options->passes : supported[n - 1];
    resizer->in_stride = (gsize)image->width * 3;
    resizer->in = image->data + (gsize)box->y * resizer->in_stride + (gsize)box->x * 3;
    resizer->in_bytes = (gsize)box->width * 3;
    resizer->out_bytes = (gsize)options->width * 3;
    resizer->vertical_first = begins_vertically(&across, &down);
    resizer->in_end = image->data + (gsize)image->height * resizer->in_stride;
    if (allocate(resizer, &across, &down))
        return resizer;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory to resize %d x %d pixels to %d x %d", box->width,
                box->height, options->width, options->height);
    aimf_resizer_free(resizer);
    return NULL;
}

static guint8 *slot(const AimfResizer *resizer, int row)
{
    return resizer->slots + (gsize)(row % resizer->down.width) * resizer->slot_bytes;
}

/* Brings input row @row into its slot, through the horizontal pass if that comes first. */
static void gather_row(AimfResizer *resizer, int row)
{
    const guint8 *in = resizer->in + (gsize)row * resizer->in_stride;
    if (resizer->vertical_first) {
        memcpy(slot(resizer, row), in, resizer->in_bytes);
        return;
    }
    if ((gsize)(resizer->in_end - in) < resizer->in_bytes + AIMF_ROW_SLACK)
        in = memcpy(resizer->padded, in, resizer->in_bytes);
    resizer->passes->horizontal(slot(resizer, row), in, &resizer->across);
}

const guint8 *aimf_resizer_row(AimfResizer *resizer)
{
    const AimfTaps *down = &resizer->down;
    g_assert(resizer->y < down->n);
    int first = down->first[resizer->y], end = first + down->width;
    for (int row = MAX(first, resizer->n_gathered); row < end; row++)
        gather_row(resizer, row);
    resizer->n_gathered = end;
    for (int t = 0; t < down->width; t++)
        resizer->rows[t] = slot(resizer, first + t);
    if (down->width % 2)
        resizer->rows[down->width] = resizer->rows[down->width - 1];
    resizer->passes->vertical(resizer->reduced, resizer->rows, resizer->slot_bytes - AIMF_ROW_SLACK, down,
                              resizer->y++);
    if (!resizer->vertical_first)
        return resizer->reduced;
    resizer->passes->horizontal(resizer->out, resizer->reduced, &resizer->across);
    return resizer->out;
}

AimfImage *aimf_image_resize(const AimfImage *image, const AimfBox *box, int width, int height, AimfFilter filter,
                             GError **error)
{
    AimfResizeOptions options = { .image = image, .width = width, .height = height, .filter = filter };
    if (!aimf_box_check(image, box, &options.box, error))
        return NULL;
    g_autoptr(AimfImage) out = aimf_image_new(width, height, error);
    if (!out)
        return NULL;
    g_autoptr(AimfResizer) resizer = aimf_resizer_new(&options, error);
    if (!resizer)
        return NULL;
    for (int y = 0; y < height; y++)
        memcpy(out->data + (gsize)y * resizer->out_bytes, aimf_resizer_row(resizer), resizer->out_bytes);
    return g_steal_pointer(&out);
}
